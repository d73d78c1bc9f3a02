"""Lips and lids: lines on the face along which landmarks may slide, but never leave."""

import numpy as np
from scipy.interpolate import CubicSpline

from avatar_engine.training.head_model.atlas import HalfChart
from avatar_engine.training.head_model.mesh import Floats, arc_length, boundary_loops
from avatar_engine.training.head_model.rigs import FaceKit

# Outer upper, outer lower, inner upper, inner lower lip, from the subject's right to the left.
LIP_CHAINS = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
)
EYE_MARKS = {
    1: (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    -1: (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
}
"""Landmarks around each eye by its side: 1 the subject's left, -1 the right."""

# The same lines through the Multi-PIE points.
_MULTI_PIE_CHAINS = (
    (48, 49, 50, 51, 52, 53, 54),
    (48, 59, 58, 57, 56, 55, 54),
    (60, 61, 62, 63, 64),
    (60, 67, 66, 65, 64),
)
CORNERS = (61, 291, 78, 308, 133, 362)
"""Landmarks that both faces know exactly."""

OUTER_EYE_CORNERS = (33, 263)


def lip_curves(kit: FaceKit) -> list[Floats]:
    """The four lip lines [200, 3], in the order of :data:`LIP_CHAINS`."""
    curves = []
    for chain in _MULTI_PIE_CHAINS:
        points = kit.vertices[kit.landmarks68[list(chain)]]
        along = arc_length(points)
        curves.append(CubicSpline(along, points)(np.linspace(0, along[-1], 200)))
    return curves


def eye_ring(kit: FaceKit, chart: HalfChart) -> tuple[Floats, Floats]:
    """The left eye's lid line: points [P, 3] and chart places [P, 2], finely spaced."""
    loops = boundary_loops(chart.triangles)
    eye = np.array([*loops[1], loops[1][0]])
    points, uv = kit.vertices[chart.vertices[eye]], chart.uv[eye]
    along = arc_length(points)
    at = np.linspace(0, along[-1], 400, endpoint=False)

    def sampled(values: Floats) -> Floats:
        return np.stack([np.interp(at, along, v) for v in values.T], 1)

    return sampled(points), sampled(uv)
