# mypy: allow-untyped-defs, allow-untyped-calls
"""Where a tile is still lit: blocks of 8 x 4 pixels behind which something could be seen.

One bit a block, asked for without a branch: a tile has 16 x 8 of them, in two words.
"""

import numpy as np

from avatar_engine.render.cpu import window_lanes
from avatar_engine.render.cpu.kernel_cache import kernel

LOOK_EVERY = 128
"""Gaussians between two looks for light in a tile."""
_ROW_BITS = np.array([0, 0x1, 0x10001, 0x100010001, 0x1000100010001], np.int64)
"""Of so many rows of blocks, the first bit of each."""
_DARK = np.float32(1 / 256)
"""Light of a pixel at which nothing behind it matters: one step of a byte."""


@kernel
def look_for_light(base, width, height, stride, lit):
    """Mark the blocks of a tile where what lies behind can still be seen.

    ``base`` is the address of its plane of light, whose rows are ``stride`` bytes apart.

    Returns whether there are any. A word of ``lit`` has the blocks of four rows, 16 bits each.
    """
    lit[0] = lit[1] = 0
    for row in range((height + 3) >> 2):
        bits = np.int64(0)
        for column in range((width + 7) >> 3):
            at = base + row * 4 * stride + column * 32
            if window_lanes.is_lit(at, stride, _DARK) != 0:
                bits |= np.int64(1) << column
        lit[row >> 2] |= bits << (row % 4 * 16)
    return lit[0] | lit[1] != 0


@kernel
def rows_of(y, rows):
    """The blocks' rows that a window touches: a bit per row, at each word's first column."""
    first, last = y >> 2, (y + rows - 1) >> 2
    low, high = _ROW_BITS[min(first, 4)], _ROW_BITS[min(last + 1, 4)]
    low_, high_ = _ROW_BITS[max(first - 4, 0)], _ROW_BITS[min(max(last - 3, 0), 4)]
    return high ^ low, high_ ^ low_


@kernel
def is_seen(lit, rows, x):
    """Whether a window at column x, in rows of ``rows_of``, touches a block that is still lit."""
    touched = (np.int64(3 if x & 7 else 1) << (x >> 3)) & np.int64(0xFFFF)
    return ((rows[0] * touched) & lit[0]) | ((rows[1] * touched) & lit[1]) != 0
