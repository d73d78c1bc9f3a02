"""The AI-presenter label: drawn into every picture, so that no copy of the stream loses it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PixelFormat = Literal["i420", "rgb", "rgba"]

LABEL_TEXT = "AI presenter"


class PresenterLabel:
    """A small pill at the top centre, where every crop of the picture keeps it.

    Args:
        width, height: Of the picture in pixels; even.
        pixel_format: Of the frames to be labelled.
        text: What it says.
    """

    def __init__(
        self, width: int, height: int, pixel_format: PixelFormat, text: str = LABEL_TEXT
    ) -> None:
        self._width, self._height, self._format = width, height, pixel_format
        rgba = _draw(text, text_px=max(11, round(min(width, height) * 0.028)))
        h, w = rgba.shape[0], min(rgba.shape[1], width)
        self._x = (width - w) // 4 * 2
        self._y = max(2, round(height * 0.02) // 2 * 2)
        alpha = rgba[:, :w, 3:].astype(np.float64) / 255
        rgb = rgba[:, :w, :3].astype(np.float64)
        if pixel_format == "i420":
            r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
            luma = 0.299 * r + 0.587 * g + 0.114 * b
            u = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b
            v = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b
            small = _halved(alpha[..., 0])
            self._planes = [(luma, alpha[..., 0]), (_halved(u), small), (_halved(v), small)]
        else:
            self._rgb, self._alpha = rgb, alpha
        self._size = (h, w)

    def draw(self, frame: NDArray[np.uint8]) -> None:
        """Blend the label into a frame, in place.

        Args:
            frame: I420 flat [H * W * 3 / 2], RGB [H, W, 3] or RGBA [H, W, 4], as configured.
        """
        h, w = self._size
        if self._format == "i420":
            area = self._width * self._height
            quarter = area // 4
            half_w = self._width // 2
            views = (
                (frame[:area].reshape(self._height, self._width), 1),
                (frame[area : area + quarter].reshape(-1, half_w), 2),
                (frame[area + quarter :].reshape(-1, half_w), 2),
            )
            for (plane, step), (value, alpha) in zip(views, self._planes, strict=True):
                y, x = self._y // step, self._x // step
                patch = plane[y : y + h // step, x : x + w // step]
                patch[:] = (patch * (1 - alpha) + value * alpha + 0.5).astype(np.uint8)
            return
        patch = frame[self._y : self._y + h, self._x : self._x + w]
        patch[..., :3] = (
            patch[..., :3] * (1 - self._alpha) + self._rgb * self._alpha + 0.5
        ).astype(np.uint8)
        if self._format == "rgba":
            patch[..., 3] = np.maximum(patch[..., 3], (self._alpha[..., 0] * 255).astype(np.uint8))


def _draw(text: str, text_px: int) -> NDArray[np.uint8]:
    """The pill as straight RGBA, even-sized."""
    font = ImageFont.load_default(text_px)
    left, top, right, bottom = map(float, font.getbbox(text))
    pad_x, pad_y = round(text_px * 0.7), round(text_px * 0.38)
    w = (int(right - left) + 2 * pad_x + 1) // 2 * 2
    h = (int(bottom - top) + 2 * pad_y + 1) // 2 * 2
    big = Image.new("L", (w * 4, h * 4), 0)
    ImageDraw.Draw(big).rounded_rectangle((0, 0, w * 4 - 1, h * 4 - 1), radius=h * 2, fill=150)
    pill = Image.new("RGBA", (w, h), (18, 20, 26, 0))
    pill.putalpha(big.resize((w, h), Image.Resampling.LANCZOS))
    ImageDraw.Draw(pill).text(
        (pad_x - left, pad_y - top), text, font=font, fill=(255, 255, 255, 255)
    )
    return np.asarray(pill)


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    h, w = plane.shape
    return plane.reshape(h // 2, 2, w // 2, 2).mean((1, 3))
