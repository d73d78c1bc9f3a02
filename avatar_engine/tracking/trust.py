"""How surely the network reads each landmark, relative to most of them.

On pictures drawn of some dozen heads, whose landmarks are known, lids are read about twice as
surely as cheeks, having a network of their own; the outline half as surely, since it is wherever
the cheek happens to end and slides over the skin as the head turns.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head.fit import FACE_POINTS
from avatar_engine.portrait.landmarks import LEFT_LIDS, RIGHT_LIDS

OUTLINE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The face's outline among the landmarks."""

_LIDS_TRUST, _OUTLINE_TRUST = 3.0, 0.4


@cache
def landmark_trust() -> NDArray[np.float64]:
    """Factor [468] on what a misfit of each landmark in cm says; shared, do not write into it."""
    trust = np.ones(FACE_POINTS)
    trust[list(LEFT_LIDS + RIGHT_LIDS)] = _LIDS_TRUST
    trust[list(OUTLINE)] = _OUTLINE_TRUST
    return trust
