"""Who is the person and who is the wall: a soft matte, refined to the picture's edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.networks import Floats, Networks

_WORKING_SIDE = 384  # GrabCut costs by the pixel; edges are refined at full size afterwards
_SURE, _SURELY_NOT = 0.93, 0.03  # of the network; between them, colours decide
_BAND = 9  # working pixels from the network's edge in which colours decide
_SOFTNESS = 1e-4  # of the guided filter: colour variance below which an edge is ignored


def person_matte(picture: NDArray[np.uint8], networks: Networks) -> Floats:
    """How much of each pixel is the person.

    The network's answer is coarse (256 x 256) and unsure in a band about the edge. There GrabCut
    decides by colour, and a guided filter makes the decision as soft as the picture is.

    Args:
        picture: [H, W, 3] uint8.
        networks: What segments.

    Returns:
        [H, W] in [0, 1].
    """
    height, width = picture.shape[:2]
    squeezed = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    coarse = networks.segment(squeezed.astype(np.float32) / np.float32(255))
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    likely = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    hard = _grab(small, likely)
    return _guided(picture, small, hard.astype(np.float32), radius=max(2, round(max(size) / 96)))


def _grab(small: NDArray[np.uint8], likely: Floats) -> NDArray[np.bool_]:
    """The person's pixels: the network where it is sure, colour models where it is not."""
    inside = likely > 0.5
    if inside.mean() < 0.01 or inside.mean() > 0.99:
        return inside
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[(depth > _BAND) | (likely > _SURE)] = cv2.GC_FGD
    labels[(away > _BAND) | (likely < _SURELY_NOT)] = cv2.GC_BGD
    if (labels >= cv2.GC_PR_BGD).any():
        cv2.setRNGSeed(0)  # GrabCut's colour clusters start at random
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, labels, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    return _one_piece((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _one_piece(person: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest part, its pinholes filled and its saw-teeth smoothed."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8))
    if count > 2:
        person = parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    count, parts, stats, _ = cv2.connectedComponentsWithStats((~person).astype(np.uint8))
    holes = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] < person.size / 650]
    solid = person | np.isin(parts, holes)
    closed = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return cv2.medianBlur(closed * 255, 5) > 127


def _guided(
    picture: NDArray[np.uint8], small: NDArray[np.uint8], mask: Floats, *, radius: int
) -> Floats:
    """He and Sun's fast guided filter: local linear models found small, applied large."""

    def mean(x: Floats) -> Floats:
        return cv2.blur(x, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)

    guide = small.astype(np.float32) / np.float32(255)
    channels = cv2.split(guide)
    means, mask_mean = [mean(c) for c in channels], mean(mask)

    def together(i: int, j: int) -> NDArray[np.float64]:
        same = np.float64(_SOFTNESS if i == j else 0)
        return mean(channels[i] * channels[j]) - means[i] * means[j] + same

    sigma = [together(i, j) for i in range(3) for j in range(i, 3)]
    spread = [mean(c * mask) - m * mask_mean for c, m in zip(channels, means, strict=True)]
    slope = [plane.astype(np.float32) for plane in _solved(sigma, spread)]
    offset = mask_mean - sum(a * m for a, m in zip(slope, means, strict=True))
    model = cv2.merge([*slope, offset])
    model = cv2.blur(model, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)
    height, width = picture.shape[:2]
    model = cv2.resize(model, (width, height), interpolation=cv2.INTER_LINEAR)
    *slope, whole = cv2.split(model)
    for a, c in zip(slope, cv2.split(picture), strict=True):
        whole += a * (c * np.float32(1 / 255))
    return np.clip(whole, 0, 1)


def _solved(sigma: list[NDArray[np.float64]], spread: list[Floats]) -> list[NDArray[np.float64]]:
    """Solve a symmetric 3 x 3 system at every pixel, by Cramer's rule.

    Args:
        sigma: Its planes [H, W]: xx, xy, xz, yy, yz, zz.
        spread: The right side's planes.
    """
    xx, xy, xz, yy, yz, zz = sigma
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    x, y, z = spread
    over = 1 / (xx * a + xy * b + xz * c)
    return [(a * x + b * y + c * z) * over, (b * x + d * y + e * z) * over,
            (c * x + e * y + f * z) * over]  # fmt: skip
