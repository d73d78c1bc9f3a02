"""Completion of skin and scalp that neither side of the photo shows."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.beards import beard_share, grown_beard
from avatar_engine.gaussian.hairline import hair_beside
from avatar_engine.gaussian.light import Light
from avatar_engine.gaussian.lips import paint_lips
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import fill, smoothstep
from avatar_engine.gaussian.strands import contrast_of, strands
from avatar_engine.types import Chart

BEHIND_TONE = 0.85  # of the hair's median: the back of a head stands in its own shade
_SHORT = 0.3
_BACK_Z = (2.0, -8.0)  # cm; from the crown to the back of the head the seen tone is left
_STRAY = (0.03, 0.12)  # trust; less of it must not tell a whole side where nothing sure is near
_USUAL, _LEAST_SPREAD = 2.0, 12.0  # times the median's distance to the hair's tone; CIELAB
_SIDE_SKIN = (2.5, 0.0)  # cm; above it what is unseen before an ear may be hair
_ALL_BUT_SKIN = 22.0  # CIELAB


def complete(
    s: Sculpture,
    labels: Labels,
    color: NDArray[np.float64],
    trust: NDArray[np.float64],
    ears_flat: tuple[float, float],
    ears_covered: tuple[float, float],
    folded: NDArray[np.float64],
    light: Light,
    hairy: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Fill the skin chart.

    Args:
        s: The head.
        labels: Of the photo.
        color: [N, 3] fused colours.
        trust: [N] their weight.
        ears_flat: How far each ear was pressed flat, (left, right).
        ears_covered: Share of each ear under hair.
        folded: [N] of ``lids.folded_lids``.
        light: On the skin.
        hairy: [N] in [0, 1], the photo shows hair there.

    Returns:
        [N, 3] colours; zero outside the skin chart.
    """
    R = s.rig.resolution
    color, trust = color.copy(), trust.copy()
    plain = 1 - np.maximum(hairy, hairy[s.regions.twin])
    is_bald = _is_bald(labels)
    grows = 0 * s.regions.scalp if is_bald else s.regions.scalp.copy()
    if not is_bald:
        for k, side in enumerate((s.regions.left, ~s.regions.left)):
            if ears_covered[k] > (0.3 if ears_flat[k] >= 0.95 else 0.6):
                hidden = s.regions.ear_weight * side
                grows = np.maximum(grows, hidden)
                trust *= 1 - hidden
    if labels.is_long:  # long hair hides the sides and the nape from within too
        z, y = s.rig.mean[:, 2], s.rig.mean[:, 1]
        behind = smoothstep(z, 4.0, 1.5) * smoothstep(y, -10.0, -7.0)
        grows = np.maximum(grows, np.where(s.regions.skin, behind, 0))
    if not is_bald:
        _grow_hair(s, labels, grows, color, trust)
    _smooth_lids(s, labels, folded, color, trust)
    paint_lips(s.rig, s.regions.lip_depth, s.regions.above_mouth, color, trust, labels.skin_tone)
    known = np.clip(2 * trust, 0, 1) * smoothstep(trust, *_STRAY)
    weight = known.reshape(R, R) * (s.rig.chart == Chart.SKIN)
    lit = Light(light.log * (1 - grows)[:, None])
    bare = lit.without(color).reshape(R, R, 3)
    # From the middle of the ears down the unseen is skin, also where hair is the nearest seen.
    other = s.regions.scalp * (not is_bald) + s.regions.ear_weight * labels.is_long
    low = (smoothstep(s.rig.mean[:, 1], *_SIDE_SKIN) * (1 - np.clip(grows + other, 0, 1)))[:, None]
    beard = beard_share(s, color, trust)
    shaven = (1 - np.clip(grows, 0, 1)) * plain * (1 - beard)
    from_skin = fill(bare, weight * shaven.reshape(R, R))
    if beard.any():
        from_skin = grown_beard(bare, weight, beard, from_skin)
    from_skin = from_skin.reshape(-1, 3)
    if is_bald:
        nearest = fill(bare, weight).reshape(-1, 3)
        full = lit.onto(nearest + low * (from_skin - nearest))
    else:
        beside = hair_beside(color.reshape(R, R, 3), weight, np.maximum(hairy, grows), labels)
        hair = beside.share[:, None] * (1 - low)
        full = beside.color * hair + lit.onto(from_skin) * (1 - hair)
    share = weight.reshape(-1, 1)
    return np.where(s.regions.skin[:, None], color * share + full * (1 - share), 0)


def _smooth_lids(
    s: Sculpture,
    labels: Labels,
    folded: NDArray[np.float64],
    color: NDArray[np.float64],
    trust: NDArray[np.float64],
) -> None:
    """Folded lids take the skin's hue in the light of the skin above them, in place."""
    R = s.rig.resolution
    clear = trust * (s.regions.lid_distance > 4) * (1 - folded) * s.regions.skin
    clear = clear * (color.mean(1) > 0.75 * labels.skin_tone.mean())  # no brows
    above = fill(color.reshape(R, R, 3), clear.reshape(R, R), sigmas=(3, 5, 9, 16)).reshape(-1, 3)
    light = above.mean(1, keepdims=True) / max(float(labels.skin_tone.mean()), 1e-3)
    tone = labels.skin_tone * np.clip(light, 0.85, 1.05)
    share = folded[:, None]
    color[:] = color * (1 - share) + tone * share
    trust[:] = np.maximum(trust, folded)


def _grow_hair(
    s: Sculpture,
    labels: Labels,
    grows: NDArray[np.float64],
    color: NDArray[np.float64],
    trust: NDArray[np.float64],
) -> None:
    """Unseen scalp [N] takes its tone from near by, and strands as strong as the seen scalp's."""
    R = s.rig.resolution
    regions, mean = s.regions, s.rig.mean.astype(np.float64)
    seen = regions.skin & (trust > 0.3) & (regions.scalp > 0.5)
    hidden = regions.skin & (trust < 0.5) & (grows > 0.4)
    lab = _lab(color)
    to_hair = np.linalg.norm(lab - _lab(labels.hair_tone[None]), axis=1)
    to_skin = np.linalg.norm(lab - _lab(labels.skin_tone[None]), axis=1)
    seen &= to_hair < to_skin
    if seen.sum() < 200:
        return
    # A parting, a highlight or a gap between strands must not be drawn out over the crown.
    seen &= to_hair < max(_USUAL * float(np.median(to_hair[seen])), _LEAST_SPREAD)
    weight = seen.reshape(R, R).astype(np.float32)
    grid = color.reshape(R, R, 3)
    low = fill(grid, weight, sigmas=(3, 6, 12, 24, 48)).reshape(-1, 3)
    far = smoothstep(mean[hidden, 2], *_BACK_Z)[:, None]
    tone = low[hidden] * (1 - far) + BEHIND_TONE * labels.hair_tone * far
    contrast = contrast_of(grid, seen.reshape(R, R))
    texture = strands((R, R), length=1.0 if labels.is_long else _SHORT, contrast=contrast)
    share = np.clip(trust[hidden] / 0.5, 0, 1)[:, None]
    color[hidden] = color[hidden] * share + np.clip(tone * texture.reshape(-1, 1)[hidden], 0, 1) * (
        1 - share
    )
    trust[hidden] = np.maximum(trust[hidden], 0.5 * grows[hidden])


def _is_bald(labels: Labels) -> bool:
    """No hair, or what is called hair is all but skin: strands of it would be drawn on a skull."""
    apart = float(np.linalg.norm(_lab(labels.hair_tone[None]) - _lab(labels.skin_tone[None])))
    return labels.is_bald or (not labels.is_long and apart < _ALL_BUT_SKIN)


def _lab(color: NDArray[np.floating]) -> NDArray[np.float32]:
    return cv2.cvtColor(np.clip(color, 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
