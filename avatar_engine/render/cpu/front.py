# mypy: allow-untyped-defs, allow-untyped-calls
"""The texels that say where the surface of a frame came from, noted while they are posed.

Read again from the records, of which there are megabytes, they took as long as everything that
is done with them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.definition import COLUMNS
from avatar_engine.render.detail_definition import (
    DETAIL_OPAQUE,
    IDLE,
    OUTSIDE,
    carrier_kinds,
    detail_cell,
)
from avatar_engine.types import HeadMaps

FAR = np.int32(1 << 30)
X, Y, KEY, TEXEL, DETERMINANT = range(5)
"""Columns of a note; the determinant is of the conic."""


class Front(NamedTuple):
    """Opaque texels of one frame that carry detail; the first ``noted[0]`` notes are valid.

    Attributes:
        kinds: [M] uint8 of ``carrier_kinds``; none where no detail is wanted.
        cell: [3] int32 side of a grid cell in drawn pixels, rows and columns of the grid.
        nearest: [rows * columns] int32 depth keys of what hides.
        notes: [M, 5] float32.
        cells: [M] int32.
        noted: [1] int64.
    """

    kinds: NDArray[np.uint8]
    cell: NDArray[np.int32]
    nearest: NDArray[np.int32]
    notes: NDArray[np.float32]
    cells: NDArray[np.int32]
    noted: NDArray[np.int64]


def front_for(maps: HeadMaps, width: int, height: int, zoom: int) -> Front:
    """Room for the notes of Gaussians drawn on so many pixels, each ``zoom`` of the picture's."""
    cell = detail_cell(zoom * width, zoom * height) // zoom
    return _roomy(carrier_kinds(maps), cell, -(-height // cell), -(-width // cell))


def no_front() -> Front:
    """Nothing is noted."""
    return _roomy(np.zeros(0, np.uint8), 1, 0, 0)


def _roomy(kinds: NDArray[np.uint8], cell: int, rows: int, columns: int) -> Front:
    return Front(
        kinds,
        np.array([cell, rows, columns], np.int32),
        np.full(rows * columns, FAR, np.int32),
        np.zeros((len(kinds), 5), np.float32),
        np.zeros(len(kinds), np.int32),
        np.zeros(1, np.int64),
    )


@kernel
def note_row(front, row, begin, end, shape, place_of):
    """Note a row's texels, which lie in the planes of the pose kernel."""
    cell = np.float32(1) / np.float32(front.cell[0])
    rows, columns = np.int64(front.cell[1]), np.int64(front.cell[2])
    opaque, half, zero = np.float32(np.log(DETAIL_OPAQUE)), np.float32(0.5), np.float32(0)
    count = front.noted[0]
    for n in range(begin + (row + begin & 1), end, 2):  # the others are idle
        texel = row * COLUMNS + n
        kind = front.kinds[texel]
        if kind == IDLE or place_of[4, n] == 0 or shape[5, n] < opaque:
            continue
        x, y = shape[0, n] + half, shape[1, n] + half
        if x < zero or y < zero:
            continue
        across, down = np.int64(x * cell), np.int64(y * cell)
        if across >= columns or down >= rows:
            continue
        at, key = down * columns + across, place_of[2, n]
        if kind == OUTSIDE:
            front.nearest[at] = min(front.nearest[at], key)
        note = front.notes[count]
        note[X], note[Y], note[KEY], note[TEXEL] = (
            shape[0, n],
            shape[1, n],
            np.float32(key),
            np.float32(texel),
        )
        note[DETERMINANT] = shape[2, n] * shape[4, n] - shape[3, n] * shape[3, n]
        front.cells[count] = at
        count += 1
    front.noted[0] = count
