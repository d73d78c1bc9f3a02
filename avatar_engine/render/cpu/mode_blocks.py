# mypy: allow-untyped-defs, allow-untyped-calls
"""Modes as the pose kernel reads them: blocks of 16 texels, only where a mode moves something.

Most of a mode stands still, and most of what acts in one frame moves a texel by less than anybody
can see. Read in whole rows, modes were half the bytes of a frame. What one mode does to a few rows
lies together, the strongest first: a frame reads the beginning of each such list in one go.
"""

import weakref
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.machine import prefetch
from avatar_engine.render.cpu.mode_lanes import add_part
from avatar_engine.render.definition import ATLAS_ROWS, COLUMNS

BLOCK = 16
BLOCKS = COLUMNS // BLOCK
"""Blocks in a row."""
BAND = 4
"""Rows whose parts of one mode lie together; their surface stays in the first-level cache."""
BANDS = ATLAS_ROWS // BAND
LINE = 64
"""Bytes of a part."""
STILL_CM = 5e-4
"""A block that a mode at its full weight moves by no more is left out of it for good."""
UNSEEN_CM = 2e-3
"""A block that a mode moves by no more in this frame is left alone: a thirtieth of a pixel."""
_AHEAD = 4
"""Lines that are asked for before they are needed."""


class ModeBlocks(NamedTuple):
    """Parts of modes, by band of the atlas and mode; in each list the strongest first.

    A part is one line of the cache: 3 x 16 bytes of x, y and z about their means, then four floats,
    cm per step of the bytes and the three means in cm, all at the mode's full weight. Displacements
    hardly change within a block, so a byte is finer than the mode's own 16 bits need.

    Attributes:
        starts: [BANDS * K + 1] int32 into the others: parts of a band and mode.
        places: [B] uint16 where in the band [BAND, 3, COLUMNS] a part's block begins.
        most: [B] float32 how far it moves a texel at its full weight, cm.
        parts: [B, LINE] int8.
    """

    starts: NDArray[np.int32]
    places: NDArray[np.uint16]
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
    most = np.zeros((len(modes), BANDS, BAND * BLOCKS), np.float32)
    _find_most(modes, scales, most.reshape(len(modes), ATLAS_ROWS, BLOCKS))
    most = np.ascontiguousarray(most.transpose(1, 0, 2))  # [bands, K, blocks of a band]
    order = np.argsort(-most, axis=2, kind="stable").astype(np.uint8)
    falling = np.take_along_axis(most, order, 2)
    is_kept = falling > STILL_CM
    starts = np.concatenate([[0], np.cumsum(is_kept.sum(2).ravel())]).astype(np.int32)
    # Lines begin where the cache's do.
    room = np.zeros((starts[-1] + 1) * LINE, np.int8)
    parts = room[-room.ctypes.data % LINE :][: starts[-1] * LINE].reshape(-1, LINE)
    which = order[is_kept]
    _fill(modes, scales, starts, which, parts, parts.view(np.float32))
    places = (which // BLOCKS).astype(np.uint16) * (3 * COLUMNS) + which % BLOCKS * BLOCK
    return ModeBlocks(starts, places, np.ascontiguousarray(falling[is_kept]), parts)


@kernel
def _find_most(modes, scales, most):
    for k in range(modes.shape[0]):
        for row in range(modes.shape[1]):
            for block in range(BLOCKS):
                part = modes[k, row, 3 * BLOCK * block : 3 * BLOCK * (block + 1)]
                largest = np.int32(0)
                for n in range(part.shape[0]):
                    largest = max(largest, abs(np.int32(part[n])))
                most[k, row, block] = np.float32(largest) * scales[k]


@kernel
def _fill(modes, scales, starts, which, parts, numbers):
    moved = np.empty((3, BLOCK), np.float32)
    for at in range(starts.shape[0] - 1):
        band, k = at // modes.shape[0], at % modes.shape[0]
        for i in range(starts[at], starts[at + 1]):
            row, first = BAND * band + which[i] // BLOCKS, which[i] % BLOCKS * BLOCK
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


def block_reach(blocks: ModeBlocks) -> NDArray[np.float32]:
    """How far any mode moves a texel of each block [256 * BLOCKS], cm at its full weight."""
    modes = (len(blocks.starts) - 1) // BANDS
    band = np.repeat(np.arange(len(blocks.starts) - 1) // modes, np.diff(blocks.starts))
    row, column = np.divmod(blocks.places.astype(np.int64), 3 * COLUMNS)
    reach = np.zeros(ATLAS_ROWS * BLOCKS, np.float32)
    np.maximum.at(reach, (BAND * band + row) * BLOCKS + column // BLOCK, blocks.most)
    return reach


@kernel
def acting(changes):
    """The modes that a frame moves at all."""
    found = np.empty(changes.shape[0], np.int64)
    count = 0
    for k in range(changes.shape[0]):
        found[count] = k
        count += int(changes[k] != np.float32(0))
    return found[:count]


@kernel
def move_band(blocks, band, which, changes, place):
    """Move a band's surface [BAND, 3, COLUMNS] by the modes ``which``, of ``acting``."""
    least, count = np.float32(UNSEEN_CM), changes.shape[0]
    parts, to = np.int64(blocks.parts.ctypes.data), np.int64(place.ctypes.data)
    for n in range(which.shape[0]):
        change = changes[which[n]]
        strength = abs(change)
        at = band * count + which[n]
        following = blocks.starts[band * count + which[min(n + 1, which.shape[0] - 1)]]
        for i in range(_AHEAD):
            prefetch(parts + LINE * np.int64(following + i))
        for i in range(blocks.starts[at], blocks.starts[at + 1]):
            if strength * blocks.most[i] <= least:
                break
            prefetch(parts + LINE * np.int64(i + _AHEAD))
            add_part(to + 4 * np.int64(blocks.places[i]), parts + LINE * np.int64(i), change)
