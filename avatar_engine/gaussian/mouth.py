"""The mouth: lips closed at rest, the photo's smile kept for the source view, what is inside."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.teeth import ShownTeeth, teeth_paint
from avatar_engine.gaussian.tongue import paint_tongue
from avatar_engine.types import Chart

PAIRS = [(80, 88), (81, 178), (82, 87), (13, 14), (312, 317), (311, 402), (310, 318)]
_MEETING = [(191, 95), *PAIRS, (415, 324)]
_CORNERS = [78, 61, 308, 291]
_OVERLAP_CM = 0.025
_REACH_CM = (0.3, 0.7)
_ARCH_Z = 5.2  # cm, centre of the dental arch
_LOWER_LESS = 0.5  # rad by which the lower teeth end farther in front


def lip_pairs(s: Sculpture) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Paired texels (upper, lower) along the inner lips, by rising x, from corner to corner."""
    R = s.rig.resolution
    weights, texels = s.rig.landmark_weights, s.rig.landmark_texels
    texel = texels[np.arange(len(texels)), weights.argmax(1)]
    upper = list(texel[[a for a, _ in PAIRS]])
    lower = list(texel[[b for _, b in PAIRS]])
    for corner, inward in ((78, 2), (308, -2)):
        row, col = divmod(int(texel[corner]), R)
        upper.append((row - 3) * R + col + inward)
        lower.append((row + 3) * R + col + inward)
    order = np.argsort(s.rig.mean[upper, 0])
    return np.array(upper, np.int32)[order], np.array(lower, np.int32)[order]


def close_lips(s: Sculpture) -> None:
    """Make the inner lips meet at rest; the source residual takes it back for the source view.

    The corners stay where they are: beyond them both sides are one skin, and would fold.
    """
    marks = s.rig.landmarks(s.rest_shape())
    upper, lower = marks[[a for a, _ in _MEETING]], marks[[b for _, b in _MEETING]]
    middle = (upper[:, 1] + lower[:, 1]) / 2
    corners, still = marks[_CORNERS], np.zeros(len(_CORNERS))
    mean = s.rig.mean
    near = np.nonzero(
        s.regions.skin & (mean[:, 2] > 8.5)
        & (np.abs(mean[:, 1] + 3.4) < 3.2) & (np.abs(mean[:, 0]) < 4.2)
    )[0]  # fmt: skip
    above = s.regions.above_mouth[near]
    x = s.rest_shape()[near]
    for side, lip, overlap in ((above, upper, -_OVERLAP_CM), (~above, lower, _OVERLAP_CM)):
        here = near[side]
        target = np.r_[middle - lip[:, 1] + overlap, still]
        at = np.r_[lip, corners]
        d2 = (((x[side, None, :2] - at[None, :, :2]) / _REACH_CM) ** 2).sum(-1)
        kernel = np.exp(-0.5 * d2)
        total = kernel.sum(1)
        fade = np.exp(-0.125 * d2.min(1))
        move = (kernel @ target) / np.maximum(total, 1e-3) * (total > 1e-3) * fade
        s.offset[here, 1] += move
        s.residual[here, 1] -= move


def paint_mouth(
    s: Sculpture, shown: ShownTeeth | None, labels: Labels, color: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Colour teeth, gums, tongue and cavity in place; returns [N] which teeth the photo shows.

    The renderer lights them by how far the lips are apart; here is what they are in full light,
    darker with depth.
    """
    skin = labels.skin_tone
    z = s.rig.mean[:, 2].astype(np.float64)
    seen = teeth_paint(s, shown, color)
    teeth, gum, cavity = (s.chart == c for c in (Chart.TEETH, Chart.GUM, Chart.CAVITY))
    color[teeth & ~seen] *= (0.35 + 0.65 * smoothstep(z, 6.5, 9.8))[teeth & ~seen, None]
    exposure = np.clip(0.9 + 0.35 * (skin.mean() - 0.5), 0.75, 1.05)
    color[gum] = np.array([0.74, 0.42, 0.42]) * exposure
    color[gum] *= (0.3 + 0.7 * smoothstep(z, 6.5, 10.2))[gum, None]
    paint_tongue(s, color, skin)
    depth = 0.5 + 0.5 * smoothstep(z, 5.5, 9.8)
    color[cavity] = np.array([0.46, 0.19, 0.18]) * exposure * depth[cavity, None]
    return seen


def teeth_opacity(s: Sculpture) -> NDArray[np.float64]:
    """[N] 1, falling to 0 on the back teeth.

    Seen along the cheek they are a few stretched texels, which the open jaw shows as white dashes
    before the dark of the mouth.
    """
    x, _, z = s.rig.mean.T.astype(np.float64)
    turned = np.abs(np.arctan2(x, z - _ARCH_Z))
    is_lower = s.rig.jaw > 0.4
    fade = 1 - smoothstep(np.where(is_lower, turned + _LOWER_LESS, turned), 0.65, 0.95)
    return np.where(np.isin(s.chart, (Chart.TEETH, Chart.GUM)), fade, 1.0)
