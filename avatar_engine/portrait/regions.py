"""A turned square of a picture: what a network looks at, and the way back."""

from dataclasses import dataclass
from math import atan2, ceil, cos, floor, sin

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Region:
    """A square in a picture.

    Attributes:
        x, y: Centre, pixels (pixel centres at integer + 0.5).
        size: Side, pixels.
        angle: Of the square's own x axis in the picture, rad, clockwise as seen.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    def cut(
        self,
        picture: NDArray[np.uint8],
        size: int,
        *,
        repeat_edge: bool = True,
    ) -> NDArray[np.float32]:
        """The square as a [size, size, 3] picture, float32 in [0, 255].

        Args:
            picture: [H, W, 3].
            size: Side of the result.
            repeat_edge: Outside the picture its edge is repeated; otherwise it is black.
        """
        small, x, y, scale = self._shrunk(picture, size)
        step = self.size * scale / size
        turn = np.array([[cos(self.angle), -sin(self.angle)], [sin(self.angle), cos(self.angle)]])
        # OpenCV counts pixel centres as integers.
        origin = np.array([x, y]) - turn @ np.full(2, (size / 2 - 0.5) * step) - 0.5
        return cv2.warpAffine(
            small,
            np.c_[turn * step, origin],
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT,
        ).astype(np.float32)

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points [..., 3] of the square, where it spans [0, 1], into the picture's pixels.

        z keeps the scale of x and is not moved.
        """
        c, s = cos(self.angle) * self.size, sin(self.angle) * self.size
        u, v = points[..., 0] - 0.5, points[..., 1] - 0.5
        return np.stack(
            [self.x + c * u - s * v, self.y + s * u + c * v, self.size * points[..., 2]], axis=-1
        )

    def _shrunk(
        self, picture: NDArray[np.uint8], size: int
    ) -> tuple[NDArray[np.uint8], float, float, float]:
        """A smaller copy of the part that matters, so that the warp need not skip pixels."""
        factor = floor(self.size / size)
        if factor < 2:
            return picture, self.x, self.y, 1.0
        height, width = picture.shape[:2]
        reach = self.size * (abs(cos(self.angle)) + abs(sin(self.angle))) / 2 + factor
        x0 = min(max(0, floor((self.x - reach) / factor) * factor), width - 1)
        y0 = min(max(0, floor((self.y - reach) / factor) * factor), height - 1)
        x1 = max(min(width, ceil(self.x + reach)), x0 + 1)
        y1 = max(min(height, ceil(self.y + reach)), y0 + 1)
        w, h = max(1, (x1 - x0) // factor), max(1, (y1 - y0) // factor)
        part = picture[y0 : min(y1, y0 + h * factor), x0 : min(x1, x0 + w * factor)]
        small = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA)
        return small, (self.x - x0) / factor, (self.y - y0) / factor, 1 / factor


def region_of(
    points: NDArray[np.floating],
    left_to_right: tuple[NDArray[np.floating], NDArray[np.floating]],
    *,
    margin: float,
) -> Region:
    """The square around points' upright bounding box, turned along a line.

    Args:
        points: [P, 2+] pixels.
        left_to_right: Two points [2+]; the square's x axis runs from the first to the second.
        margin: Side of the square over the longer side of the box.
    """
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    x, y = (low + high) / 2
    run = left_to_right[1][:2] - left_to_right[0][:2]
    return Region(
        float(x), float(y), float((high - low).max() * margin), atan2(float(run[1]), float(run[0]))
    )
