"""One protocol for every renderer, and what is settled when one is opened."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import RenderError
from avatar_engine.types import FaceState

PixelFormat = Literal["i420", "rgb", "rgba"]


@dataclass(frozen=True, slots=True)
class RenderConfig:
    """What every frame of a renderer looks like.

    Attributes:
        width: Of the picture; a multiple of 8.
        height: Of the picture; even.
        pixel_format: ``i420``: flat [H * W * 3 / 2], full-range BT.601; ``rgb``: [H, W, 3];
            ``rgba``: [H, W, 4], straight alpha, head and body without the background.
        background: A plain sRGB colour (0-255) in place of the background plate; ``rgba`` has no
            background in either case.
        has_body: Draw the body plate; off for a turntable, since the plate is a still picture of
            the source view.

    Raises:
        RenderError: The size or the format is not one that a renderer can draw.
    """

    width: int = 512
    height: int = 512
    pixel_format: PixelFormat = "rgb"
    background: tuple[int, int, int] | None = None
    has_body: bool = True

    def __post_init__(self) -> None:
        if self.width < 8 or self.height < 2 or self.width % 8 or self.height % 2:
            raise RenderError(
                f"cannot render {self.width} x {self.height}: "
                "choose a width that is a multiple of 8 and an even height"
            )
        if max(self.width, self.height) > MAX_SIDE:
            raise RenderError(
                f"cannot render {self.width} x {self.height}: no side may exceed {MAX_SIDE} pixels"
            )
        if self.pixel_format not in ("i420", "rgb", "rgba"):
            raise RenderError(f"unknown pixel format {self.pixel_format!r}: i420, rgb or rgba")


MAX_SIDE = 4096
"""Pixel boxes are kept in 16 bits."""


class Renderer(Protocol):
    """Draws one persona. Not for several threads at once: open one renderer per thread."""

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        ...

    def render(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.uint8]:
        """Draw one frame.

        Args:
            state: Expression, head, gaze and camera. A number that is not finite counts as 0.
            source_residual: Weight of the source residual mode; 1 only to show the photo's own
                expression in the source view.

        Returns:
            The picture as ``config.pixel_format`` says. The buffer belongs to the renderer and is
            overwritten by its next frame: copy what must stay.
        """
        ...

    def coverage(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.float32]:
        """How much of each pixel the head alone covers, [H, W] in [0, 1]; a fresh array."""
        ...

    def close(self) -> None:
        """Give its buffers back; closing twice is fine."""
        ...
