"""RGB to full-range BT.601, as every renderer and the video encoder mean it."""

import numpy as np
from numpy.typing import NDArray

RGB_TO_YUV = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)
YUV_OFFSET = np.array([0.0, 128.0, 128.0])


def to_yuv(rgb: NDArray[np.floating]) -> NDArray[np.float32]:
    """Colours [..., 3] in [0, 255] to YUV in [0, 255], chroma centred at 128."""
    return (rgb @ RGB_TO_YUV.T + YUV_OFFSET).astype(np.float32)


def to_i420(rgb: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] in [0, 255] to flat I420; chroma is the mean of 2 x 2 pixels."""
    height, width = rgb.shape[:2]
    yuv = to_yuv(rgb)
    chroma = yuv[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean((1, 3))
    planes = [yuv[..., 0].ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()]
    return to_bytes(np.concatenate(planes))


def to_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Values in [0, 255] to the nearest byte."""
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)
