"""One renderer's working planes: a tile of the picture at a time, and what has been drawn."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, TILE_WIDTH_LOG2, Bins
from avatar_engine.render.cpu.vectors import LANES
from avatar_engine.render.cpu.window_lanes import ROWS_PER_STEP

# Windows may hang over a tile's right and lower edge; what falls there is thrown away.
STRIDE = (1 << TILE_WIDTH_LOG2) + LANES
"""Pixels from row to row of a tile's planes."""
PLANE = ((1 << TILE_HEIGHT_LOG2) + ROWS_PER_STEP) * STRIDE
"""Pixels of one of them."""


class Canvas(NamedTuple):
    """One renderer's working planes.

    ``dirty`` tells per tile that it had content in the last frame: a tile that is empty now and
    was empty then is left alone.
    """

    planes: NDArray[np.float32]
    dirty: NDArray[np.uint8]
    lit: NDArray[np.int64]


def canvas_for(bins: Bins) -> Canvas:
    """Working planes for one thread; every tile is drawn in the first frame."""
    blocks = np.zeros(2, np.int64)
    dirty = np.ones(bins.columns * bins.rows, np.uint8)
    return Canvas(np.zeros(4 * PLANE, np.float32), dirty, blocks)
