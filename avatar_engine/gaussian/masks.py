"""Masks grown and shrunk by a diamond, as often as wanted; beyond the picture there is nothing."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_DIAMOND = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def dilated(mask: Mask, times: int = 1) -> Mask:
    """[H, W] with every true pixel's four neighbours, ``times`` over."""
    return _stepped(cv2.dilate, mask, times)


def eroded(mask: Mask, times: int = 1) -> Mask:
    """[H, W] without pixels that have a false neighbour, ``times`` over."""
    return _stepped(cv2.erode, mask, times)


def opened(mask: Mask, times: int = 1) -> Mask:
    """[H, W] without what is thinner than about twice ``times``."""
    return dilated(eroded(mask, times), times)


def closed(mask: Mask, times: int = 1) -> Mask:
    """[H, W] with gaps filled that are thinner than about twice ``times``."""
    return eroded(dilated(mask, times), times)


def without_holes(mask: Mask) -> Mask:
    """[H, W] with everything filled that is cut off from the picture's border."""
    _, parts = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return ~np.isin(parts, border[border > 0])


def _stepped(step: Callable[..., Any], mask: Mask, times: int) -> Mask:
    bits = step(
        mask.astype(np.uint8), _DIAMOND, iterations=times, borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )  # fmt: skip
    return np.asarray(bits > 0)
