# mypy: allow-untyped-defs, allow-untyped-calls
"""Near before far: Gaussians to tiles in the order of texels, then each tile by depth."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.records import Records, box_of

TILE_WIDTH_LOG2, TILE_HEIGHT_LOG2 = 7, 5
"""128 x 32 pixels: a tile's planes stay in the first-level cache."""


class Bins(NamedTuple):
    """Gaussians per tile, near first.

    ``ids[starts[t] : starts[t + 1]]`` are the records of tile t; equal keys keep their order.
    """

    starts: NDArray[np.int32]  # [tiles + 1]
    ids: NDArray[np.int32]  # [capacity]
    entries: NDArray[np.int64]  # [2, capacity] key << 32 | record, while sorting
    columns: int
    rows: int


def bins_for(texels: int, width: int, height: int) -> Bins:
    """Buffers for a persona of so many texels on so large a picture."""
    columns = -(-width >> TILE_WIDTH_LOG2)
    rows = -(-height >> TILE_HEIGHT_LOG2)
    return _roomier(Bins(np.zeros(columns * rows + 2, np.int32), *_NO_ROOM, columns, rows), texels)


_NO_ROOM = np.zeros(0, np.int32), np.zeros((2, 0), np.int64)


def _roomier(bins: Bins, capacity: int) -> Bins:
    return bins._replace(
        ids=np.zeros(capacity, np.int32), entries=np.zeros((2, capacity), np.int64)
    )


def sort_into(bins: Bins, records: Records) -> Bins:
    """Fill the bins; returns them, or larger ones where a frame needs more room."""
    while True:
        needed: int = _sort(
            records.places,
            records.drawn[0],
            bins.columns,
            bins.rows,
            bins.starts,
            bins.entries,
            bins.ids,
        )
        if needed <= len(bins.ids):
            return bins
        bins = _roomier(bins, needed * 3 // 2)


def depth_order(records: Records) -> NDArray[np.int64]:
    """Records by depth, near first; equal keys in the order of texels."""
    return np.argsort(records.places[: records.drawn[0], 2], kind="stable")


@kernel
def _tiles_of(place):
    """First and last tile of a place, along x and along y."""
    x0, x1, y0, y1 = box_of(place)
    lx, ly = np.int32(TILE_WIDTH_LOG2), np.int32(TILE_HEIGHT_LOG2)
    return x0 >> lx, x1 >> lx, y0 >> ly, y1 >> ly


@kernel
def _sort(places, count, tiles_x, tiles_y, starts, entries, ids):
    """Returns how many ids the frame needs; they are written only when there is room."""
    starts[:] = 0
    for i in range(count):
        x0, x1, y0, y1 = _tiles_of(places[i])
        for ty in range(y0, y1 + 1):
            for tx in range(x0, x1 + 1):
                starts[ty * tiles_x + tx + 2] += 1
    tiles = tiles_x * tiles_y
    for t in range(tiles):
        starts[t + 2] += starts[t + 1]
    if starts[tiles + 1] > ids.shape[0]:
        return starts[tiles + 1]
    to, spare = entries[0], entries[1]
    for i in range(count):
        q = places[i]
        entry = np.int64(q[2]) << 32 | i
        x0, x1, y0, y1 = _tiles_of(q)
        for ty in range(y0, y1 + 1):
            for tx in range(x0, x1 + 1):
                t = ty * tiles_x + tx + 1
                to[starts[t]] = entry
                starts[t] += 1
    low, high = np.zeros(256, np.int32), np.zeros(256, np.int32)
    for t in range(tiles):
        begin, end = starts[t], starts[t + 1]
        if begin < end:
            _by_key(to[begin:end], spare[begin:end], ids[begin:end], low, high)
    return starts[tiles + 1]


@kernel
def _by_key(entries, spare, ids, low, high):
    """Sort one tile by the key's lower byte, then by its upper one."""
    low[:] = 0
    high[:] = 0
    for k in range(entries.shape[0]):
        key = entries[k] >> 32
        low[key & 255] += 1
        high[key >> 8] += 1
    below, above = np.int32(0), np.int32(0)
    for k in range(256):
        low[k], below = below, below + low[k]
        high[k], above = above, above + high[k]
    for k in range(entries.shape[0]):
        digit = (entries[k] >> 32) & 255
        spare[low[digit]] = entries[k]
        low[digit] += 1
    for k in range(entries.shape[0]):
        digit = spare[k] >> 40
        ids[high[digit]] = np.int32(spare[k])
        high[digit] += 1
