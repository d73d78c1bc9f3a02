"""Vermilion: where a lip is red, where it turns inward, and its colour where the photo has none."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import HeadRig

UPPER_INNER = [78, 80, 81, 82, 13, 312, 311, 310, 308]
UPPER_OUTER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
LOWER_INNER = [78, 88, 178, 87, 14, 317, 402, 318, 308]
LOWER_OUTER = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
_ALONG_TEXELS = 3.0
_INWARD = np.array([0.62, 0.50, 0.52])  # of the lip's own colour, where it is wet and unlit


def lip_depth(rig: HeadRig, above_mouth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far each texel [N] lies across its lip.

    0 at the lips' meeting line, 1 at the vermilion's outer border, negative on the inward side;
    infinite away from the lips.
    """
    R = rig.resolution
    row, col = np.divmod(np.arange(R * R), R)
    depth = np.full(R * R, np.inf)
    for inner, outer, side in (
        (UPPER_INNER, UPPER_OUTER, above_mouth),
        (LOWER_INNER, LOWER_OUTER, ~above_mouth),
    ):
        inner_row, _ = _line(rig, inner, R)
        outer_row, (first, last) = _line(rig, outer, R)
        here = side & (col >= first) & (col <= last)
        span = outer_row - inner_row
        span = np.where(np.abs(span) < 1.5, np.copysign(1.5, span), span)
        depth[here] = ((row - inner_row[col]) / span[col])[here]
    return np.where((depth < 2.5) & (depth > -3), depth, np.inf)


def paint_lips(
    rig: HeadRig,
    depth: NDArray[np.float64],
    above_mouth: NDArray[np.bool_],
    color: NDArray[np.float64],
    trust: NDArray[np.float64],
    skin_tone: NDArray[np.float64],
) -> None:
    """Give lip texels without a photo their column's own vermilion, in place.

    Args:
        rig: The head model.
        depth: [N] of :func:`lip_depth`.
        above_mouth: [N] bool, the upper lip's side.
        color: [N, 3].
        trust: [N] weight of ``color``; painted texels become trusted.
        skin_tone: [3], for lips of which nothing was seen.
    """
    R = rig.resolution
    for side in (above_mouth, ~above_mouth):
        red = side & (depth > 0.15) & (depth < 0.95) & (trust > 0.3)
        tone = _tone_by_column(color, trust * red, R, skin_tone * [0.80, 0.56, 0.55])
        bare = side & (depth < 0.95) & (trust < 0.6)
        light = np.interp(depth[bare], [-1.0, 0.0, 0.35], [0.0, 0.8, 1.0])[:, None]
        own = tone[np.nonzero(bare)[0] % R]
        painted = own * (light + (1 - light) * _INWARD)
        share = np.clip(trust[bare] / 0.6, 0, 1)[:, None]
        color[bare] = color[bare] * share + painted * (1 - share)
        trust[bare] = 1.0


def _line(
    rig: HeadRig, marks: list[int], R: int
) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """The row of a line of landmarks in each column [R], and the columns it spans."""
    texels, weights = rig.landmark_texels[marks], rig.landmark_weights[marks]
    row, col = (texels // R * weights).sum(1), (texels % R * weights).sum(1)
    order = np.argsort(col)
    return np.interp(np.arange(R), col[order], row[order]), (col.min(), col.max())


def _tone_by_column(
    color: NDArray[np.float64], weight: NDArray[np.float64], R: int, fallback: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted mean colour per column [R, 3], smoothed along the lip."""
    mass = weight.reshape(R, R).sum(0)
    total = (color * weight[:, None]).reshape(R, R, 3).sum(0)
    if mass.sum() < 8:
        return np.broadcast_to(fallback, (R, 3)).copy()
    lip = total.sum(0) / mass.sum()
    reach = np.arange(-12, 13)
    kernel = np.exp(-0.5 * (reach / _ALONG_TEXELS) ** 2)
    smooth = lambda a: np.convolve(a, kernel, "same")  # noqa: E731
    held = 0.3  # a column with few samples leans on the whole lip
    mass_near = smooth(mass) + held
    return np.stack([(smooth(total[:, c]) + held * lip[c]) / mass_near for c in range(3)], 1)
