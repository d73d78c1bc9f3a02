"""Lips and lids brought exactly onto the photo's contours, each side of a slit on its own.

A warp of the picture cannot part lips that coincide in it; in the atlas they lie apart.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture

_CORNERS = [61, 78, 291, 308]
_UPPER_LIP = [80, 81, 82, 13, 312, 311, 310, 185, 40, 39, 37, 0, 267, 269, 270, 409]
_LOWER_LIP = [95, 88, 178, 87, 14, 317, 402, 318, 324, 146, 91, 181, 84, 17, 314, 405, 321, 375]
_UPPER_LIDS = (
    [362, 398, 384, 385, 386, 387, 388, 466, 263],
    [133, 173, 157, 158, 159, 160, 161, 246, 33],
)
_LOWER_LIDS = (
    [382, 381, 380, 374, 373, 390, 249, 362, 263],
    [155, 154, 153, 145, 144, 163, 7, 133, 33],
)
_LIP_REACH, _LID_REACH = 5.0, 3.5  # texels
_LIP_EXPRESSION_SHARE = 0.7


def pin_slits(s: Sculpture) -> None:
    """Move lips and lids onto the photo's; most of the lips' move is the photo's expression."""
    for _ in range(2):
        p = s.project(s.source_shape())
        lips = _side(s, p, _UPPER_LIP + _CORNERS, s.regions.above_mouth, _LIP_REACH)
        lips += _side(s, p, _LOWER_LIP + _CORNERS, ~s.regions.above_mouth, _LIP_REACH)
        lids = np.zeros_like(lips)
        for eye in (0, 1):
            lids += _side(s, p, _UPPER_LIDS[eye], s.regions.above_lids, _LID_REACH)
            lids += _side(s, p, _LOWER_LIDS[eye], ~s.regions.above_lids, _LID_REACH)
        s.offset += lids + (1 - _LIP_EXPRESSION_SHARE) * lips
        s.residual += _LIP_EXPRESSION_SHARE * lips


def _side(
    s: Sculpture, p: NDArray[np.float64], marks: list[int], side: NDArray[np.bool_], reach: float
) -> NDArray[np.float64]:
    """Displacement [N, 3] cm of one side of a slit: exact at its landmarks, gone beyond reach."""
    R = s.rig.resolution
    found = s.rig.landmarks(p)[marks]
    move = s.lift(s.view.landmarks[marks] - found[:, :2], found[:, 2])
    texels, weights = s.rig.landmark_texels[marks], s.rig.landmark_weights[marks]
    at = np.stack([(texels // R * weights).sum(1), (texels % R * weights).sum(1)], 1)
    near = np.nonzero(s.regions.skin & side)[0]
    grid = np.stack([near // R, near % R], 1).astype(np.float64)
    reachable = (grid >= at.min(0) - 3 * reach).all(1) & (grid <= at.max(0) + 3 * reach).all(1)
    near, grid = near[reachable], grid[reachable]
    solve = np.linalg.solve(_kernel(at, at, reach) + 0.15 * np.eye(len(marks)), move)
    out = np.zeros((R * R, 3))
    out[near] = _kernel(grid, at, reach) @ solve
    return out


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    d2 = ((a[:, None] - b[None]) ** 2).sum(-1)
    return np.exp(-0.5 * d2 / reach**2)
