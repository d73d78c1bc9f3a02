"""Lips and lids: lines on the face along which landmarks may slide, but never leave."""

import numpy as np
from scipy.interpolate import CubicSpline

from avatar_engine.training.head_model.atlas import HalfChart
from avatar_engine.training.head_model.layout import HALF
from avatar_engine.training.head_model.mesh import Floats, arc_length
from avatar_engine.training.head_model.rigs import FaceKit

# Landmarks of a line, and the Multi-PIE points it runs through.
_LINES = (
    ((61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291), (48, 49, 50, 51, 52, 53, 54)),
    ((146, 91, 181, 84, 17, 314, 405, 321, 375), (48, 59, 58, 57, 56, 55, 54)),
    ((78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308), (60, 61, 62, 63, 64)),
    ((95, 88, 178, 87, 14, 317, 402, 318, 324), (60, 67, 66, 65, 64)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (45, 44, 43, 42)),
    ((249, 390, 373, 374, 380, 381, 382), (45, 46, 47, 42)),
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (36, 37, 38, 39)),
    ((7, 163, 144, 145, 153, 154, 155), (36, 41, 40, 39)),
)
CORNERS = (61, 291, 78, 308, 133, 362)
"""Landmarks that both faces know exactly."""

OUTER_EYE_CORNERS = (33, 263)


def lines(kit: FaceKit, chart: HalfChart) -> list[tuple[tuple[int, ...], Floats]]:
    """Each line's landmarks, and points along it [200, 5]: position, then atlas column and row."""
    own = {int(v): i for i, v in enumerate(chart.vertices)}
    found: list[tuple[tuple[int, ...], Floats]] = []
    for landmarks, through in _LINES:
        knots = []
        for v in kit.landmarks68[list(through)].tolist():
            side = 1 if v in own else -1
            column, row = chart.uv[own[v if v in own else int(kit.twin[v])]]
            knots.append([*kit.vertices[v], HALF + side * column, row])
        line = np.array(knots)
        along = arc_length(line[:, :3])
        found.append((landmarks, CubicSpline(along, line)(np.linspace(0, along[-1], 200))))
    return found
