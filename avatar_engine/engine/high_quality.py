"""The high-quality renderer: the Gaussians' picture, and what the generator adds to it.

The generator looks at the whole source view at its own size; what it adds is brought to the
picture's size with the picture's framing, so the finer detail stays that of the Gaussians.
"""

from dataclasses import replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook.screen.loading import load_generator
from avatar_engine.codebook.screen.painter import ScreenPainter
from avatar_engine.errors import RenderError
from avatar_engine.render import RenderConfig, RendererName, open_renderer
from avatar_engine.render.colour import to_bytes, to_i420
from avatar_engine.render.mesh_flow import MeshFlow, collect_flow
from avatar_engine.render.plates import framed_photo
from avatar_engine.types import Camera, Drawable, FaceState, Plates


class HighQualityRenderer:
    """Implements ``Renderer``; far slower than the plain one on a CPU.

    Args:
        name: Of the renderer of the Gaussians.
        persona: Who is drawn.
        plates: What stands behind, possibly changed.
        config: Of the output.

    Raises:
        RenderError: The persona keeps no photo.
        WeightsError: The generator's weights are missing or altered.
    """

    def __init__(self, name: str, persona: Drawable, plates: Plates, config: RenderConfig) -> None:
        net = load_generator()
        side = net.config.side
        square = RenderConfig(side, side, "rgba", has_body=config.has_body)
        photo = framed_photo(persona.plates, persona.camera, square)
        if photo is None:
            raise RenderError(
                "this persona keeps no photo, which quality high draws from: build it again"
            )
        plain = replace(config, pixel_format="rgba" if config.pixel_format == "rgba" else "rgb")
        kind = cast("RendererName", name)
        self._config = config
        self._plain = open_renderer(kind, persona.maps, plates, persona.camera, plain)
        self._layer = open_renderer(kind, persona.maps, plates, persona.camera, square)
        self._painter = ScreenPainter(net, to_bytes(photo))
        self._mesh = MeshFlow(persona.maps)
        self._view = persona.camera.framed(side, side)
        self._source = self._mesh.photo(self._view)
        self._to_picture = _between(persona.camera.framed(config.width, config.height), self._view)

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        return self._config

    def render(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.uint8]:
        """Draw one frame; see ``Renderer.render``."""
        picture = self._plain.render(state, source_residual=source_residual)
        layer = self._layer.render(state, source_residual=source_residual)
        here = self._mesh.place(state, self._view, source_residual=source_residual)
        change = self._painter.change(layer, collect_flow(here, self._source))
        size = (self._config.width, self._config.height)
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
        large = cv2.warpAffine(
            change, self._to_picture, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        better = picture[..., :3] + large
        if self._config.pixel_format == "i420":
            return to_i420(np.clip(better, 0, 255))
        if self._config.pixel_format == "rgb":
            return to_bytes(better)
        return np.concatenate([to_bytes(better), picture[..., 3:]], -1)

    def coverage(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.float32]:
        """How much of each pixel the head covers; see ``Renderer.coverage``."""
        return self._plain.coverage(state, source_residual=source_residual)

    def close(self) -> None:
        """Close both renderers."""
        self._plain.close()
        self._layer.close()


def _between(one: Camera, other: Camera) -> NDArray[np.float64]:
    """The map [2, 3] from pixels of one framing of a view to another's, centres at integers."""
    scale = other.K[0, 0] / one.K[0, 0]
    begin = other.K[:2, 2] - 0.5 + scale * (0.5 - one.K[:2, 2])
    return np.array([[scale, 0, begin[0]], [0, scale, begin[1]]])
