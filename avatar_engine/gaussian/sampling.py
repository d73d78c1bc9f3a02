"""Reading pictures at points."""

import cv2
import numpy as np
from numpy.typing import NDArray

_ROW = 256  # OpenCV maps at most 32,767 rows at once


def sample(picture: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Bilinear samples of [H, W] or [H, W, C] at points [P, 2 or more] (x, y).

    Pixel centres lie at integer + 0.5; outside, the border is repeated.
    """
    count = len(points)
    x, y = (points[:, :2].astype(np.float32) - 0.5).T
    missing = -count % _ROW
    mx, my = (np.pad(a, (0, missing)).reshape(-1, _ROW) for a in (x, y))
    out = cv2.remap(
        picture.astype(np.float32), mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return out.reshape(-1, *picture.shape[2:])[:count].astype(np.float64)
