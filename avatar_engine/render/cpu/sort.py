# mypy: allow-untyped-defs, allow-untyped-calls
"""Near before far: a counting sort of the depth keys, then a scatter to tiles."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu import lanes
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.pose import KEYS, Records
from avatar_engine.render.definition import COLUMNS

TILE_WIDTH_LOG2, TILE_HEIGHT_LOG2 = 7, 5
"""128 x 32 pixels: a tile's planes stay in the first-level cache."""

_AHEAD = 12
"""Boxes are read in the order of depth, scattered over memory: ask for them this early."""


class Bins(NamedTuple):
    """Gaussians per tile, near first.

    ``ids[starts[t] : starts[t + 1]]`` are the records (row * 256 + place) of tile t.
    """

    order: NDArray[np.int32]  # [M] records by depth
    histogram: NDArray[np.int32]  # [KEYS + 1]
    starts: NDArray[np.int32]  # [tiles + 2]
    ids: NDArray[np.int32]  # [capacity]
    columns: int
    rows: int


def bins_for(texels: int, width: int, height: int) -> Bins:
    """Buffers for a persona of so many texels on so large a picture."""
    columns = -(-width >> TILE_WIDTH_LOG2)
    rows = -(-height >> TILE_HEIGHT_LOG2)
    return Bins(
        np.zeros(texels, np.int32),
        np.zeros(KEYS + 1, np.int32),
        np.zeros(columns * rows + 2, np.int32),
        np.zeros(2 * texels, np.int32),
        columns,
        rows,
    )


def sort_into(bins: Bins, records: Records) -> Bins:
    """Fill the bins; returns them, or larger ones where a frame needs more room."""
    while True:
        needed: int = _sort(
            records.keys,
            records.counts,
            records.boxes,
            bins.columns,
            bins.rows,
            bins.histogram,
            bins.order,
            bins.starts,
            bins.ids,
        )
        if needed <= len(bins.ids):
            return bins
        bins = bins._replace(ids=np.zeros(needed * 3 // 2, np.int32))


def depth_order(records: Records, order: NDArray[np.int32]) -> NDArray[np.int32]:
    """Records by depth, near first; equal keys in the order of texels."""
    histogram = np.zeros(KEYS + 1, np.int32)
    drawn: int = _order(records.keys, records.counts, histogram, order)
    return order[:drawn]


@kernel
def _order(keys, count, histogram, order):
    histogram[:] = 0
    drawn = 0
    for r in range(count.shape[0]):
        for m in range(count[r]):
            histogram[np.int64(keys[r, m]) + 1] += 1
        drawn += count[r]
    for k in range(histogram.shape[0] - 1):
        histogram[k + 1] += histogram[k]
    for r in range(count.shape[0]):
        for m in range(count[r]):
            key = np.int64(keys[r, m])
            order[histogram[key]] = r * COLUMNS + m
            histogram[key] += 1
    return drawn


@kernel
def _sort(keys, count, boxes, tiles_x, tiles_y, histogram, order, starts, ids):
    """Returns how many ids the frame needs; they are written only when there is room."""
    lx, ly = TILE_WIDTH_LOG2, TILE_HEIGHT_LOG2
    starts[:] = 0
    for r in range(count.shape[0]):
        for m in range(count[r]):
            q = boxes[r, m]
            for ty in range(q[2] >> ly, (q[3] >> ly) + 1):
                for tx in range(q[0] >> lx, (q[1] >> lx) + 1):
                    starts[ty * tiles_x + tx + 2] += 1
    tiles = tiles_x * tiles_y
    for t in range(tiles):
        starts[t + 2] += starts[t + 1]
    if starts[tiles + 1] > ids.shape[0]:
        return starts[tiles + 1]
    drawn = _order(keys, count, histogram, order)
    for j in range(drawn):
        ahead = np.int64(order[min(j + _AHEAD, drawn - 1)])
        lanes.prefetch(np.int64(boxes.ctypes.data) + ahead * 8)
        i = order[j]
        q = boxes[i >> 8, i & 255]
        for ty in range(q[2] >> ly, (q[3] >> ly) + 1):
            for tx in range(q[0] >> lx, (q[1] >> lx) + 1):
                t = ty * tiles_x + tx + 1
                ids[starts[t]] = i
                starts[t] += 1
    return starts[tiles + 1]
