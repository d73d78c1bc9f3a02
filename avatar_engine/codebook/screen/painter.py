"""A generator at work on one persona: bytes in, a change of colour out."""

import numpy as np
import torch
from numpy.typing import NDArray

from avatar_engine.codebook.screen.generator import ScreenGenerator
from avatar_engine.codebook.screen.guide import ScreenInput, over_grey
from avatar_engine.errors import ShapeError


class ScreenPainter:
    """Says what to add to a persona's pictures.

    Args:
        net: From ``load_generator``.
        photo: [R, R, 3] uint8 the persona's photo at the generator's side.

    Raises:
        ShapeError: The photo is of another size.
    """

    def __init__(self, net: ScreenGenerator, photo: NDArray[np.uint8]) -> None:
        self.side = net.config.side
        if photo.shape != (self.side, self.side, 3):
            raise ShapeError(f"photo is {photo.shape}, not {(self.side, self.side, 3)}")
        self._net = net.eval()
        self._source = _planes(photo)
        with torch.inference_mode():
            self._features = net.source_features(self._source)

    @torch.inference_mode()
    def change(self, layer: NDArray[np.uint8], flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to add to the Gaussians' picture.

        Args:
            layer: [R, R, 4] uint8 head and body, straight alpha.
            flow: [5, R, R] sums of the mesh's flow into the photo.

        Returns:
            [R, R, 3] in bytes; zero where the layer covers nothing.
        """
        planes = _planes(layer)
        seen = ScreenInput(
            self._source, over_grey(planes[:, :3], planes[:, 3:]), torch.from_numpy(flow)[None]
        )
        change = self._net(seen, self._features).change[0]
        return np.asarray(255 * change.permute(1, 2, 0).numpy(), np.float32)


def _planes(picture: NDArray[np.uint8]) -> torch.Tensor:
    """[1, C, R, R] in [0, 1]."""
    values = np.ascontiguousarray(np.moveaxis(picture, -1, 0), np.float32) / np.float32(255)
    return torch.from_numpy(values)[None]
