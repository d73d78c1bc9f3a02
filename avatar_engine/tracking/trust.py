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

LIP_OUTLINE = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
"""The lips' outer rim."""

LIPS = (
    *LIP_OUTLINE,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 408, 304, 303, 302, 11, 72, 73, 74, 184,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 407, 272, 271, 268, 12, 38, 41, 42, 183,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
"""The lips among the landmarks, in four rings from the outer rim to the inner."""

UPPER_RIM, LOWER_RIM = LIPS[78:71:-1], LIPS[62:69]
"""The inner rims but for the corners, each beside its counterpart, from the subject's right."""

_LIDS_TRUST, _OUTLINE_TRUST = 3.0, 0.4


@cache
def landmark_trust() -> NDArray[np.float64]:
    """Factor [468] on what a misfit of each landmark in cm says; shared, do not write into it."""
    trust = np.ones(FACE_POINTS)
    trust[list(LEFT_LIDS + RIGHT_LIDS)] = _LIDS_TRUST
    trust[list(OUTLINE)] = _OUTLINE_TRUST
    return trust
