"""Where the charts lie: the left half of the 256 x 256 atlas; the right half is its mirror image.

Rows 0 to 203 hold the skin, one row stays empty, and a strip below holds the rest:

    columns 128 … 181   teeth (rows 205-220 upper, 222-234 lower), tongue in the first 20 (236-255)
    columns 184 … 211   mouth cavity (rows 205-254)
    columns 214 … 253   eyeball (rows 212-251)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

R = 256
HALF = R // 2
SKIN_ROWS = 204


class Place(NamedTuple):
    """A rectangle of the left half, in texels of the whole atlas."""

    column: int
    row: int
    width: int
    height: int


UPPER_TEETH = Place(HALF, 205, 54, 16)
LOWER_TEETH = Place(HALF, 222, 54, 13)
TONGUE = Place(HALF, 236, 20, 20)
CAVITY = Place(184, 205, 28, 50)
EYE = Place(214, 212, 40, 40)


def twin_texel(texel: NDArray[np.integer]) -> NDArray[np.integer]:
    """Texels (row * R + column) mirrored left to right."""
    return texel // R * R + (R - 1 - texel % R)
