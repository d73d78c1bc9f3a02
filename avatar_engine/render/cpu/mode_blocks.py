# mypy: allow-untyped-defs, allow-untyped-calls
"""Modes as the pose kernel reads them: blocks of 16 texels, only where a mode moves something.

Most of a mode stands still, and most of what acts in one frame moves a texel by less than anybody
can see. Read in whole rows, modes were half the bytes of a frame.
"""

import weakref
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.definition import ATLAS_ROWS, COLUMNS

BLOCK = 16
BLOCKS = COLUMNS // BLOCK
"""Blocks in a row."""
LINE = 64
"""Bytes of a part."""
STILL_CM = 5e-4
"""A block that a mode at its full weight moves by no more is left out of it for good."""
UNSEEN_CM = 2e-3
"""A block that a mode moves by no more in this frame is left alone: a thirtieth of a pixel."""


class ModeBlocks(NamedTuple):
    """Parts of modes, by row of the atlas, block and mode.

    A part is one line of the cache: 3 x 16 bytes of x, y and z about their means, then four floats,
    cm per step of the bytes and the three means in cm, all at the mode's full weight. Displacements
    hardly change within a block, so a byte is finer than the mode's own 16 bits need.

    Attributes:
        starts: [256 * BLOCKS + 1] int32 into the others: parts of a block.
        modes: [B] uint8 which mode a part is of.
        most: [B] float32 how far it moves a texel at its full weight, cm.
        parts: [B, LINE] int8.
    """

    starts: NDArray[np.int32]
    modes: NDArray[np.uint8]
    most: NDArray[np.float32]
    parts: NDArray[np.int8]


_made: dict[int, tuple[weakref.ref[NDArray[np.int16]], int, ModeBlocks]] = {}


def mode_blocks(modes: NDArray[np.int16], scales: NDArray[np.floating]) -> ModeBlocks:
    """Modes laid out in blocks; those of one persona are made once and shared by its renderers.

    Args:
        modes: [K, N, 3] of a persona.
        scales: [K] cm per step.
    """
    rows = np.ascontiguousarray(modes)
    key, digest = id(modes), zlib.crc32(np.ascontiguousarray(scales).data, zlib.crc32(rows.data))
    if key in _made:
        of, made_of, blocks = _made[key]
        if of() is modes and made_of == digest:
            return blocks
    rows = rows.reshape(len(modes), ATLAS_ROWS, 3 * COLUMNS)
    # To numba, what may not be written is of another type.
    blocks = _laid_out(rows if rows.flags.writeable else rows.copy(), scales)
    _made[key] = weakref.ref(modes, lambda _: _made.pop(key, None)), digest, blocks
    return blocks


def _laid_out(modes: NDArray[np.int16], scales: NDArray[np.floating]) -> ModeBlocks:
    """The same of modes [K, 256, COLUMNS * 3]."""
    scales = np.asarray(scales, np.float32)
    most = np.zeros((ATLAS_ROWS, BLOCKS, len(modes)), np.float32)
    _find_most(modes, scales, most)
    is_kept = most > STILL_CM
    starts = np.concatenate([[0], np.cumsum(is_kept.sum(2).ravel())]).astype(np.int32)
    # Lines begin where the cache's do.
    room = np.zeros((starts[-1] + 1) * LINE, np.int8)
    parts = room[-room.ctypes.data % LINE :][: starts[-1] * LINE].reshape(-1, LINE)
    which = np.nonzero(is_kept)[2].astype(np.uint8)
    _fill(modes, scales, starts, which, parts, parts.view(np.float32))
    return ModeBlocks(starts, which, np.ascontiguousarray(most[is_kept]), parts)


@kernel
def _find_most(modes, scales, most):
    for k in range(modes.shape[0]):
        for row in range(modes.shape[1]):
            for block in range(BLOCKS):
                part = modes[k, row, 3 * BLOCK * block : 3 * BLOCK * (block + 1)]
                largest = np.int32(0)
                for n in range(part.shape[0]):
                    largest = max(largest, abs(np.int32(part[n])))
                most[row, block, k] = np.float32(largest) * scales[k]


@kernel
def _fill(modes, scales, starts, which, parts, numbers):
    moved = np.empty((3, BLOCK), np.float32)
    for at in range(starts.shape[0] - 1):
        row, first = at // BLOCKS, at % BLOCKS * BLOCK
        for i in range(starts[at], starts[at + 1]):
            k = which[i]
            reach = np.float32(0)
            for c in range(3):
                low, high = np.float32(1e9), np.float32(-1e9)
                for n in range(BLOCK):
                    moved[c, n] = np.float32(modes[k, row, 3 * (first + n) + c]) * scales[k]
                    low, high = min(low, moved[c, n]), max(high, moved[c, n])
                middle = (low + high) * np.float32(0.5)
                numbers[i, 13 + c] = middle
                reach = max(reach, high - middle)
            step = max(reach, np.float32(1e-9)) / np.float32(127)
            numbers[i, 12] = step
            for c in range(3):
                for n in range(BLOCK):
                    steps = (moved[c, n] - numbers[i, 13 + c]) / step
                    parts[i, c * BLOCK + n] = np.int8(np.round(steps))


@kernel
def acting(blocks, row, first, last, changes, found, ends):
    """Which parts move something in a row's blocks from ``first`` to ``last``.

    Writes their numbers to ``found``, and to ``ends[block]`` how many there are up to that block.
    """
    count, least = np.int64(0), np.float32(UNSEEN_CM)
    for block in range(first, last):
        at = row * BLOCKS + block
        for i in range(blocks.starts[at], blocks.starts[at + 1]):
            found[count] = i
            count += np.int64(abs(changes[blocks.modes[i]]) * blocks.most[i] > least)
        ends[block] = count
