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

    Attributes:
        starts: [tiles + 1].
        ids: [capacity].
        entries: [2, capacity] key << 32 | record, while sorting.
        rooms: [tiles + 1] where each tile's entries lie while sorting: a frame's tiles hold about
            as much as those of the frame before, so they need not be counted first.
        columns: Of tiles.
        rows: Of tiles.
    """

    starts: NDArray[np.int32]
    ids: NDArray[np.int32]
    entries: NDArray[np.int64]
    rooms: NDArray[np.int32]
    columns: int
    rows: int


def bins_for(texels: int, width: int, height: int) -> Bins:
    """Buffers for a persona of so many texels on so large a picture."""
    columns = -(-width >> TILE_WIDTH_LOG2)
    rows = -(-height >> TILE_HEIGHT_LOG2)
    starts, rooms = (np.zeros(columns * rows + 1, np.int32) for _ in range(2))
    return _roomier(Bins(starts, *_NO_ROOM, rooms, columns, rows), texels)


_NO_ROOM = np.zeros(0, np.int32), np.zeros((2, 0), np.int64)
_SPARE = 64
"""Entries that a tile may have more than last time, besides an eighth."""


def _roomier(bins: Bins, capacity: int) -> Bins:
    entries = np.zeros((2, capacity), np.int64)
    return bins._replace(ids=np.zeros(capacity, np.int32), entries=entries)


def sort_into(bins: Bins, records: Records) -> Bins:
    """Fill the bins; returns them, or larger ones where a frame needs more room."""
    frame = records.places, records.drawn[0], bins.columns
    while not _sort(*frame, bins.starts, bins.rooms, bins.entries, bins.ids):
        needed: int = _make_room(*frame, bins.rooms)
        if needed > len(bins.ids):
            bins = _roomier(bins, needed * 5 // 4)
    return bins


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
def _make_room(places, count, tiles_x, rooms):
    """Count a frame's entries, and give each tile room for some more; returns the room in all."""
    rooms[:] = 0
    for i in range(count):
        x0, x1, y0, y1 = _tiles_of(places[i])
        for ty in range(y0, y1 + 1):
            for tx in range(x0, x1 + 1):
                rooms[ty * tiles_x + tx + 1] += 1
    for t in range(rooms.shape[0] - 1):
        rooms[t + 1] += rooms[t] + (rooms[t + 1] >> 3) + _SPARE
    return rooms[rooms.shape[0] - 1]


@kernel
def _sort(places, count, tiles_x, starts, rooms, entries, ids):
    """Returns whether there was room for every tile's entries."""
    tiles = starts.shape[0] - 1
    to, spare = entries[0], entries[1]
    if rooms[tiles] == 0 or rooms[tiles] > ids.shape[0]:
        return False
    ends = rooms[:tiles].copy()
    for i in range(count):
        q = places[i]
        entry = np.int64(q[2]) << 32 | i
        x0, x1, y0, y1 = _tiles_of(q)
        for ty in range(y0, y1 + 1):
            for tx in range(x0, x1 + 1):
                t = ty * tiles_x + tx
                if ends[t] == rooms[t + 1]:
                    return False
                to[ends[t]] = entry
                ends[t] += 1
    low, high = np.zeros(256, np.int32), np.zeros(256, np.int32)
    starts[0] = 0
    for t in range(tiles):
        begin, end = rooms[t], ends[t]
        first, last = starts[t], starts[t] + end - begin
        starts[t + 1] = last
        if begin < end:
            _by_key(to[begin:end], spare[begin:end], ids[first:last], low, high)
    return True


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
