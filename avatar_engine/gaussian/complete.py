"""Completion of skin and scalp that neither side of the photo shows."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from avatar_engine.gaussian.lips import paint_lips
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import fill, smoothstep


def complete(
    s: Sculpture,
    labels: Labels,
    color: NDArray[np.float64],
    trust: NDArray[np.float64],
    ears_flat: tuple[float, float],
    ears_covered: tuple[float, float],
) -> NDArray[np.float64]:
    """Fill the skin chart.

    Args:
        s: The head.
        labels: Of the photo.
        color: [N, 3] fused colours.
        trust: [N] their weight.
        ears_flat: How far each ear was pressed flat, (left, right).
        ears_covered: Share of each ear under hair.

    Returns:
        [N, 3] colours; zero outside the skin chart.
    """
    R = s.rig.resolution
    color, trust = color.copy(), trust.copy()
    _grow_hair(s, labels, color, trust)
    paint_lips(
        s.rig, s.regions.lip_depth, s.regions.above_mouth, color, trust, labels.skin_tone
    )
    weight = np.clip(2 * trust, 0, 1).reshape(R, R) * (s.rig.chart == 1)
    full = fill(color.reshape(R, R, 3), weight)
    mixed = color.reshape(R, R, 3) * weight[..., None] + full * (1 - weight[..., None])
    out = np.where(s.regions.skin[:, None], mixed.reshape(-1, 3), 0)
    if not labels.is_bald:
        for k, side in enumerate((s.regions.left, ~s.regions.left)):
            if ears_covered[k] > 0.6 or ears_flat[k] >= 0.95:
                share = (s.regions.ear_weight * side)[:, None]
                out = out * (1 - share) + 0.8 * labels.hair_tone * share
    return out


def _grow_hair(
    s: Sculpture, labels: Labels, color: NDArray[np.float64], trust: NDArray[np.float64]
) -> None:
    """Unseen scalp takes texture from seen scalp, reflected front to back."""
    regions, mean = s.regions, s.rig.mean.astype(np.float64)
    grows = regions.scalp
    if labels.is_long:  # long hair hides the sides and the nape from within too
        behind = smoothstep(mean[:, 2], 4.0, 1.5) * smoothstep(mean[:, 1], -10.0, -7.0)
        grows = np.maximum(grows, np.where(regions.skin, behind, 0))
    seen = regions.skin & (trust > 0.3) & (regions.scalp > 0.5)
    hidden = regions.skin & (trust < 0.3) & (grows > 0.4)
    if not labels.is_bald:
        lab = _lab(color)
        to_hair = np.linalg.norm(lab - _lab(labels.hair_tone[None]), axis=1)
        to_skin = np.linalg.norm(lab - _lab(labels.skin_tone[None]), axis=1)
        seen &= to_hair < to_skin
    if seen.sum() < 200:
        return
    at = mean[hidden].copy()
    at[:, 2] = np.abs(at[:, 2])
    at[:, 1] = np.maximum(at[:, 1], 7)
    at += np.random.default_rng(0).normal(0, 0.12, at.shape)
    found = cKDTree(mean[seen]).query(at)[1]
    texture = color[seen][found]
    far = 0.45 * smoothstep(-mean[hidden, 2], -6, 6)[:, None]
    color[hidden] = texture * (1 - far) + 0.9 * np.median(color[seen], 0) * far
    trust[hidden] = np.maximum(trust[hidden], 0.35 * grows[hidden])


def _lab(color: NDArray[np.floating]) -> NDArray[np.float32]:
    return cv2.cvtColor(np.clip(color, 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
