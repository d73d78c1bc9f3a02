"""Blurs and fills on pictures and on the atlas, whose back seam is closed."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.floating]

_WIDE = 4.0  # texels
_HALVED = 0.5  # square texels of blur that halving and doubling bring along


def smoothstep(x: Map | float, start: float, end: float) -> NDArray[np.float64]:
    """0 below ``start``, 1 above ``end``, an S between; ``start`` > ``end`` falls instead."""
    t = np.clip((np.asarray(x, np.float64) - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def blur_image(image: Map, sigma: float) -> NDArray[np.float32]:
    """Gaussian blur of a picture [H, W] or [H, W, C]; its border is repeated."""
    return cv2.GaussianBlur(
        np.ascontiguousarray(image, dtype=np.float32),
        (0, 0),
        sigma,
        borderType=cv2.BORDER_REPLICATE,
    )


def distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """For each true pixel, how far the nearest false one is; no false one at all: very far."""
    if mask.all():
        return np.full(mask.shape, 1e4, np.float32)
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def blur_atlas(values: Map, sigma: float) -> NDArray[np.float32]:
    """Gaussian blur over the atlas [R, R] or [R, R, C] across the back seam of the head.

    Left of column 0 lies the last column, above row 0 the row's own twin.
    """
    pad = min(int(3 * sigma) + 1, len(values) // 2)
    closed = np.concatenate([values[:, -pad:], values, values[:, :pad]], 1)
    closed = np.concatenate([closed[:pad][::-1, ::-1], closed], 0)
    return blur_image(closed, sigma)[pad:, pad:-pad]


def mean_atlas(values: Map, weight: Map, sigma: float) -> NDArray[np.float32]:
    """Weighted local mean over the atlas [R, R, C]; zero where no weight is near."""
    total = np.maximum(blur_atlas(weight, sigma), 1e-6)[..., None]
    # OpenCV drops a last axis of one.
    blurred = blur_atlas(values * weight[..., None], sigma).reshape(values.shape)
    return (blurred / total).astype(np.float32)


def fill(
    values: Map,
    weight: Map,
    *,
    sigmas: tuple[float, ...] = (1.5, 3, 6, 12, 24, 48),
    on_atlas: bool = True,
    enough: float = 0.02,
) -> NDArray[np.float32]:
    """Complete a map where its weight is small, from ever wider normalised blurs (push-pull).

    Args:
        values: [H, W, C], finite also where nothing is known.
        weight: [H, W] in [0, 1]; one keeps the value.
        sigmas: Widths in texels, narrow to wide.
        on_atlas: The map wraps like the atlas; else it is a picture.
        enough: Blurred weight that is trusted fully.

    Returns:
        [H, W, C] float32; nothing near any weight stays zero.
    """
    trust = np.clip(np.asarray(weight, np.float32), 0, 1)
    known = np.asarray(values, np.float32)
    stacked = cv2.merge([*(plane * trust for plane in cv2.split(known)), trust])
    blur = blur_atlas if on_atlas else blur_image
    around = _around(stacked, sigmas, blur, enough)
    *planes, share = cv2.split(stacked + around * _spread(1 - trust, around))
    share = 1 / np.maximum(share, 1e-9)
    return cv2.merge([plane * share for plane in planes]).reshape(known.shape)


def _around(
    stacked: NDArray[np.float32],
    sigmas: tuple[float, ...],
    blur: Callable[[Map, float], NDArray[np.float32]],
    enough: float,
) -> NDArray[np.float32]:
    """What ever wider blurs of [H, W, C + 1] say, their last channel how surely.

    What is wide is smooth, so it is worked out at half the size, and so on down.
    """
    told = np.zeros_like(stacked)
    left = np.ones(stacked.shape[:2], np.float32)
    fine = [sigma for sigma in sigmas if sigma < _WIDE]
    for sigma in fine:
        blurred = blur(stacked, sigma)
        mass = np.ascontiguousarray(blurred[..., -1])
        share = left * np.clip((mass - 1e-4) / enough, 0, 1)
        told += blurred * _spread(share / np.maximum(mass, 1e-6), told)
        left = 1 - told[..., -1]
    if len(fine) < len(sigmas):
        height, width = stacked.shape[:2]
        small = cv2.resize(stacked, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        halved = tuple(math.sqrt(sigma**2 - _HALVED) / 2 for sigma in sigmas[len(fine) :])
        wide = _around(small, halved, blur, enough)
        wide = cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR)
        told += wide * _spread(left, told)
    return told


def _spread(plane: NDArray[np.float32], like: NDArray[np.float32]) -> NDArray[np.float32]:
    """[H, W] as often side by side as another has channels; numpy is slow at short last axes."""
    return cv2.merge([plane] * like.shape[-1])
