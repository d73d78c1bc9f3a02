"""Lashes: a thin dark line that rides on the upper lid's edge, seen as the lid comes down.

The lid's own texels unfold as it closes, a millimetre or more each; no line drawn in them is fine.
The gap between the lids is empty in the atlas, so that there is room for a strip of small ones.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.lids import BLINKS, lash_tone, lid_edges, slit
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.shapes import grid_neighbours
from avatar_engine.types import Chart, HeadMaps
from avatar_engine.types.maps import TintDriver

_DOWN_CM = (-0.02, 0.055)  # of each row from the edge, once the lid is closed
_OPACITY = 0.48  # none is opaque, so that none carries the photo's detail; overlapping, they add up
_FORWARD = 0.35  # how far a row stands off for its way down
_BEYOND = 4  # columns by which the line goes on to the corners, past the gap
_ALONG = np.array([1, 2, 3, 4, 3, 2, 1]) / 16  # smooths the edge from column to column
_IN_FRONT_CM = 0.35


def with_lashes(s: Sculpture, maps: HeadMaps) -> HeadMaps:
    """The same maps, with a strip of lashes in each eye's gap.

    While the eye is open they lie on the lid in its own colour; the lid's driver darkens them.

    Args:
        s: The head.
        maps: Finished but for this.
    """
    n, R = len(s.chart), s.rig.resolution
    arrays = {
        name: getattr(maps, name).copy()
        for name in (
            "positions", "modes", "head_weight", "chart", "neighbours", "colors", "opacities",
            "sigmas", "tangent_caps", "winding", "depth_bias", "tints", "tint_drivers",
        )
    }  # fmt: skip
    weights = s.rest.copy()
    weights[list(BLINKS)] = 1.0
    closed = s.shape(weights)
    strips = np.zeros(n, np.uint8)
    for eye, driver in enumerate((TintDriver.LEFT_LID, TintDriver.RIGHT_LID)):
        columns, first, last = slit(s, eye)
        roomy = last - first + 1 >= len(_DOWN_CM)
        columns, first = columns[roomy], first[roomy]
        edge = _whole_edge(s, eye, closed)
        if len(columns) < 2:
            continue
        share = np.linspace(0, 1, len(columns))
        ends = np.sin(np.pi * np.linspace(0.03, 0.97, len(columns))) ** 0.8
        place = _along(arrays["positions"][edge], share)
        modes = _along(maps.modes[:, edge].swapaxes(0, 1), share).swapaxes(0, 1)
        skin = _along(arrays["colors"][edge], share)
        dark = lash_tone(s, eye, arrays["colors"][:n])
        for row, down in enumerate(_DOWN_CM):
            at = (first + row) * R + columns
            strips[at] = eye + 1
            arrays["positions"][at] = place + np.array([0, -down, _FORWARD * abs(down)])
            arrays["modes"][:, at] = np.rint(modes)
            arrays["head_weight"][at] = maps.head_weight[edge].mean()
            arrays["colors"][at] = skin
            arrays["opacities"][at] = _OPACITY * ends
            arrays["tints"][at] = dark - skin
            arrays["tint_drivers"][at] = driver
    here = np.nonzero(strips)[0]
    arrays["chart"][here] = Chart.HAIR
    arrays["neighbours"][here] = grid_neighbours(strips.reshape(R, R)).ravel()[here]
    arrays["sigmas"][here] = 0.6
    arrays["tangent_caps"][here] = 0.3
    arrays["winding"][here] = 0
    arrays["depth_bias"][here] = -_IN_FRONT_CM
    lids = np.concatenate([maps.lid_texels, here]).astype(maps.lid_texels.dtype)
    return replace(maps, lid_texels=lids, **arrays)


def _whole_edge(s: Sculpture, eye: int, closed: NDArray[np.float64]) -> NDArray[np.intp]:
    """Texels of the closed upper lid's edge from corner to corner, by column."""
    R = s.rig.resolution
    edge, _ = lid_edges(s, eye, closed)
    above = s.regions.above_lids.reshape(R, R)
    first, last = edge[0] % R, edge[-1] % R
    beside = [np.arange(first - _BEYOND, first), np.arange(last + 1, last + 1 + _BEYOND)]
    corners = [(above[:, c].sum(0) - 1) * R + c for c in beside]
    return np.concatenate([corners[0], edge, corners[1]])


def _along(values: NDArray[np.generic], share: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values [E, ...] of an edge, smoothed, at shares [C] of its length."""
    reach = len(_ALONG) // 2
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    padded = np.pad(flat, [(reach, reach), (0, 0)], "edge")
    smooth = np.sum([w * padded[k : k + len(flat)] for k, w in enumerate(_ALONG)], axis=0)
    at = share * (len(flat) - 1)
    low = np.minimum(at.astype(int), len(flat) - 2)
    between = smooth[low] + (at - low)[:, None] * (smooth[low + 1] - smooth[low])
    return np.asarray(between, np.float32).reshape(len(share), *values.shape[1:])
