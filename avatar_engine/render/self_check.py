"""Whether a renderer draws on this machine what the reference draws, seen on one small frame.

CUDA renderers meet devices, drivers and compilers that nobody tried them on. Before one of them
shows a face to anybody, it draws that face as small as this.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.protocol import RenderConfig, Renderer
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates, weights_of

SIDE_PX = 96
LEAST_DB = 40.0
"""The renderers' tests ask for more than 48 dB; a fault costs tens."""


class Opener(Protocol):
    """What opens a renderer of one kind."""

    def __call__(
        self, maps: HeadMaps, plates: Plates, camera: Camera, config: RenderConfig
    ) -> Renderer:
        """Open it."""
        ...


def disagreement(
    opener: Opener, maps: HeadMaps, plates: Plates, camera: Camera, config: RenderConfig
) -> str | None:
    """How a renderer's picture differs from the reference's; None where it does not.

    Args:
        opener: Opens the renderer in question.
        maps: Whom it draws: mouth open, lids half closed, head turned, shoulders moved.
        plates: Behind them.
        camera: The source view.
        config: Background and pixel format; the size is ``SIDE_PX``.
    """
    from avatar_engine.render.reference import ReferenceRenderer

    small = RenderConfig(SIDE_PX, SIDE_PX, config.pixel_format, config.background, config.has_body)
    state = FaceState(
        weights_of(jawOpen=0.5, eyeBlink=0.5, mouthSmile=0.4),
        np.array([0.25, 0.1, -0.05], np.float32),
        np.array([0.4, 0.2, 0.1], np.float32),
        np.array([0.2, -0.1], np.float32),
        torso=np.array([0.3, 0.2], np.float32),
    )
    expected = ReferenceRenderer(maps, plates, camera, small).render(state)
    renderer = opener(maps, plates, camera, small)
    try:
        quality = _decibels(expected, renderer.render(state))
    finally:
        renderer.close()
    if quality >= LEAST_DB:
        return None
    return f"its picture is {quality:.0f} dB from the reference's, {LEAST_DB:.0f} are asked for"


def _decibels(expected: NDArray[np.uint8], actual: NDArray[np.uint8]) -> float:
    """Peak signal to noise; colour counts as far as it covers."""
    square = np.square(_visible(expected) - _visible(actual)).mean()
    return float(10 * np.log10(255**2 / max(square, 1e-9)))


def _visible(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    shown = picture.astype(np.float64)
    if shown.ndim == 3 and shown.shape[2] == 4:
        shown[..., :3] *= shown[..., 3:] / 255
    return shown
