"""Plates at the output's size: what stands behind the head."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avatar_engine.errors import RenderError
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.types import Camera, Plates


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The plates of one output, the body at rest.

    Attributes:
        body: [H, W, 3] float32 in [0, 255], premultiplied with ``share``.
        share: [H, W] float32 in [0, 1], the body's coverage.
        far: [H, W, 3] float32 in [0, 255] what stands behind the body; black for ``rgba``.
        is_open: Whether nothing stands behind the body (``rgba``).
    """

    body: NDArray[np.float32]
    share: NDArray[np.float32]
    far: NDArray[np.float32]
    is_open: bool

    @property
    def behind(self) -> NDArray[np.float32]:
        """[H, W, 3] what the head covers, premultiplied with ``cover``."""
        return self.body + (1 - self.share[..., None]) * self.far

    @property
    def cover(self) -> NDArray[np.float32]:
        """[H, W] in [0, 1]: 1 everywhere, for ``rgba`` the body's coverage."""
        return self.share if self.is_open else np.ones_like(self.share)


def backdrop(plates: Plates, camera: Camera, config: RenderConfig) -> Backdrop:
    """Resample the plates once, with the framing that ``camera.framed`` gives the head.

    Args:
        plates: At the source view's pixels.
        camera: The source view, not framed.
        config: The output.

    Raises:
        RenderError: The plates are not of the camera's size.
    """
    for name, plate in (("background", plates.background), ("body", plates.body)):
        if plate.shape[:2] != (camera.height, camera.width):
            raise RenderError(
                f"{name} plate is {plate.shape[1]} x {plate.shape[0]}, its camera "
                f"{camera.width} x {camera.height}: rebuild the persona"
            )
    box = _crop_box(camera, config)
    size = (config.width, config.height)
    shape = (config.height, config.width)
    body = np.zeros((*shape, 4), np.float32)
    if config.has_body:
        body = _resample(plates.body, size, box)
    share = body[..., 3] / np.float32(255)
    premultiplied = body[..., :3] * share[..., None]
    if config.pixel_format == "rgba":
        return Backdrop(premultiplied, share, np.zeros((*shape, 3), np.float32), is_open=True)
    if config.background is None:
        far = _resample(plates.background, size, box)
    else:
        far = np.broadcast_to(np.asarray(config.background, np.float32), (*shape, 3))
    return Backdrop(premultiplied, share, far, is_open=False)


def framed_photo(
    plates: Plates, camera: Camera, config: RenderConfig
) -> NDArray[np.float32] | None:
    """The photo [H, W, 3] in [0, 255] with the output's framing; None where there is none."""
    if plates.photo.shape[:2] != (camera.height, camera.width):
        return None
    return _resample(plates.photo, (config.width, config.height), _crop_box(camera, config))


def _crop_box(camera: Camera, config: RenderConfig) -> tuple[float, float, float, float]:
    """The part of the source view that fills the output, in its pixels (Camera.framed's rule)."""
    scale = max(config.width / camera.width, config.height / camera.height)
    width, height = config.width / scale, config.height / scale
    left, top = (camera.width - width) / 2, (camera.height - height) / 2
    return (
        max(left, 0.0),
        max(top, 0.0),
        min(left + width, camera.width),
        min(top + height, camera.height),
    )


def _resample(
    plate: NDArray[np.uint8], size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    # Pillow's windowed sinc averages when it shrinks, and premultiplies where there is alpha.
    picture = Image.fromarray(np.ascontiguousarray(plate))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=box), np.float32)
