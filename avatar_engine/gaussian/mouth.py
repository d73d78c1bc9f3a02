"""The mouth: lips closed at rest, the photo's smile kept for the source view, what is inside."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.unwrap import INNER_LIPS, Samples
from avatar_engine.types import Chart

PAIRS = [(80, 88), (81, 178), (82, 87), (13, 14), (312, 317), (311, 402), (310, 318)]
_OVERLAP_CM = 0.025
_ARCH_Z = 5.2  # cm, centre of the dental arch


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
    """Make the inner lips meet at rest; the source residual takes it back for the source view."""
    x = s.rest_shape()
    marks = s.rig.landmarks(x)
    upper, lower = marks[[a for a, _ in PAIRS]], marks[[b for _, b in PAIRS]]
    middle = (upper[:, 1] + lower[:, 1]) / 2
    target = np.r_[middle - upper[:, 1] - _OVERLAP_CM, middle - lower[:, 1] + _OVERLAP_CM]
    at = np.r_[upper[:, :2], lower[:, :2]]
    mean = s.rig.mean
    near = np.nonzero(
        s.regions.skin & (mean[:, 2] > 8.5)
        & (np.abs(mean[:, 1] + 3.4) < 3.2) & (np.abs(mean[:, 0]) < 4.2)
    )[0]  # fmt: skip
    d = (x[near, None, :2] - at[None]) / [0.5, 0.7]
    d2 = (d**2).sum(-1)
    kernel = np.exp(-0.5 * d2)
    above = s.regions.above_mouth[near][:, None]
    n = len(PAIRS)
    kernel[:, :n] *= above
    kernel[:, n:] *= ~above
    total = kernel.sum(1)
    fade = np.exp(-0.125 * np.minimum(d2[:, :n].min(1), d2[:, n:].min(1)))
    move = (kernel * target).sum(1) / np.maximum(total, 1e-3) * (total > 1e-3) * fade
    s.offset[near, 1] += move
    s.residual[near, 1] -= move


def paint_mouth(s: Sculpture, samples: Samples, labels: Labels, color: NDArray[np.float64]) -> None:
    """Colour teeth, gums, tongue and cavity in place: lit by depth, tinted by the photo."""
    skin = labels.skin_tone
    tooth = np.array([0.68, 0.64, 0.58]) * min(1.15, skin.mean() / 0.62)
    if samples.mouth_open_px > 3:
        shown = s.view.image[binary_erosion(s.view.polygon(INNER_LIPS))]
        if len(shown) > 60:
            light = shown.mean(1)
            bright = np.median(shown[light >= np.percentile(light, 70)], 0)
            tooth = bright if bright.mean() > 0.35 else tooth
    normal, _ = s.normals(s.rig.mean.astype(np.float64))
    z = s.rig.mean[:, 2].astype(np.float64)
    lit = np.clip(0.55 + 0.5 * normal[:, 2], 0.35, 1.05) * (0.30 + 0.70 * smoothstep(z, 6.5, 10.2))
    for chart, base, light in (
        (Chart.TEETH, tooth, lit),
        (Chart.GUM, skin * [0.82, 0.52, 0.52], lit),
        (Chart.TONGUE, skin * [0.74, 0.42, 0.42], _tongue_light(s)),
        (Chart.CAVITY, skin * [0.34, 0.17, 0.16], 0.15 + 0.85 * smoothstep(z, 4.5, 10.3) ** 2),
    ):
        here = s.chart == chart
        color[here] = base * light[here, None]


def teeth_opacity(s: Sculpture) -> NDArray[np.float64]:
    """[N] 1, falling to 0 on the back teeth.

    Seen along the cheek they are a few stretched texels, which the open jaw shows as white dashes
    before the dark of the mouth.
    """
    x, _, z = s.rig.mean.T.astype(np.float64)
    turned = np.abs(np.arctan2(x, z - _ARCH_Z))
    is_lower = s.rig.jaw > 0.4
    fade = 1 - smoothstep(np.where(is_lower, turned + 0.35, turned), 0.65, 0.95)
    return np.where(np.isin(s.chart, (Chart.TEETH, Chart.GUM)), fade, 1.0)


def _tongue_light(s: Sculpture) -> NDArray[np.float64]:
    """[N] brighter at the tip and along the middle, dark towards the throat and the sides."""
    x, _, z = s.rig.mean.T.astype(np.float64)
    return (0.16 + 0.62 * smoothstep(z, 5.0, 9.8)) * (1 - 0.5 * smoothstep(np.abs(x), 0.5, 2.0))
