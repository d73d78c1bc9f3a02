# mypy: allow-untyped-defs, allow-untyped-calls
"""Large pictures: the head is drawn at half their size, brought up and laid over the backdrop.

Bilinear, with pixel middles where they belong. Chroma of I420 is half the picture's size, so it
needs no bringing up.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu import resolve_lanes
from avatar_engine.render.cpu.blend import MARGIN, draw_planes
from avatar_engine.render.cpu.canvas import Canvas
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.records import Records
from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, TILE_WIDTH_LOG2, Bins
from avatar_engine.render.cpu.vectors import LANES


def planes_for(width: int, height: int) -> NDArray[np.float32]:
    """Room [4, H / 2, W / 2 + 2 MARGIN] for a head at half the size of a picture."""
    return np.zeros((4, height // 2, width // 2 + 2 * MARGIN), np.float32)


def halved_i420(
    records: Records,
    bins: Bins,
    canvas: Canvas,
    planes: NDArray[np.float32],
    behind: NDArray[np.uint8],
    out: NDArray[np.uint8],
    *,
    width: int,
    height: int,
) -> None:
    """Draw flat I420 over flat I420 ``behind``; records and bins are of half the size."""
    changed = draw_planes(records, bins, canvas, planes)
    _lift_i420(planes, changed, bins.columns, behind, out, width, height)


def halved_rgb(
    records: Records,
    bins: Bins,
    canvas: Canvas,
    planes: NDArray[np.float32],
    behind: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    """Draw [H, W, 3] over planar ``behind`` [3, H, W]; records and bins are of half the size."""
    changed = draw_planes(records, bins, canvas, planes)
    _lift_rgb(planes, changed, bins.columns, behind, out)


def brought_up(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """[P, h, w] at twice the size, as the kernels do it."""
    for axis in (1, 2):
        first, last = np.take(planes, [0], axis), np.take(planes, [-1], axis)
        count = planes.shape[axis]
        before = np.concatenate([first, np.take(planes, range(count - 1), axis)], axis)
        after = np.concatenate([np.take(planes, range(1, count), axis), last], axis)
        pairs = np.stack([0.75 * planes + 0.25 * other for other in (before, after)], axis + 1)
        shape = list(planes.shape)
        shape[axis] *= 2
        planes = pairs.reshape(shape)
    return planes


@kernel
def _tile(t, columns, height, width):
    """A tile's first and last + 1 column and row at half the size; whole vectors of columns."""
    left, top = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
    right = min(left + (1 << TILE_WIDTH_LOG2), width)
    return left, right, top, min(top + (1 << TILE_HEIGHT_LOG2), height)


@kernel
def _lift_i420(planes, changed, columns, behind, out, width, height):
    stride, rows, half = np.int64(4 * planes.shape[2]), planes.shape[1], width // 2
    plane = stride * rows
    base = np.int64(planes.ctypes.data) + 4 * MARGIN
    back, front, area = np.int64(behind.ctypes.data), np.int64(out.ctypes.data), width * height
    for t in range(changed.shape[0]):
        if changed[t] == 0:
            continue
        left, right, top, bottom = _tile(t, columns, rows, half)
        for y in range(top, bottom):
            above, below = max(y - 1, 0) * stride, min(y + 1, rows - 1) * stride
            for first in range(left, right, LANES):
                x = min(first, half - LANES)  # the last one again, where it is no whole vector
                at, p = base + 4 * x, 2 * y * width + 2 * x
                here = at + y * stride
                # fmt: off
                resolve_lanes.lift(at + above, here, at + below, 3 * plane, back + p, width,
                                   front + p, width)
                # fmt: on
                light, c = here + 3 * plane, area + y * half + x
                for _ in range(2):
                    here += plane
                    resolve_lanes.resolve_luma(here, light, back + c, front + c)
                    c += area >> 2


@kernel
def _lift_rgb(planes, changed, columns, behind, out):
    height, width = out.shape[0], out.shape[1]
    stride, rows, half = np.int64(4 * planes.shape[2]), planes.shape[1], width // 2
    plane = stride * rows
    base, back = np.int64(planes.ctypes.data) + 4 * MARGIN, np.int64(behind.ctypes.data)
    line = np.empty((2, 2 << TILE_WIDTH_LOG2), np.uint8)
    to = np.int64(line.ctypes.data)
    for t in range(changed.shape[0]):
        if changed[t] == 0:
            continue
        left, right, top, bottom = _tile(t, columns, rows, half)
        left = min(left, max(right - LANES, 0))
        for y in range(top, bottom):
            above, below = max(y - 1, 0) * stride, min(y + 1, rows - 1) * stride
            for c in range(3):
                for first in range(left, right, LANES):
                    x = min(first, half - LANES)
                    at = base + c * plane + 4 * x
                    p = (c * height + 2 * y) * width + 2 * x
                    # fmt: off
                    resolve_lanes.lift(at + above, at + y * stride, at + below, (3 - c) * plane,
                                       back + p, width, to + 2 * (x - left), line.shape[1])
                    # fmt: on
                for r in range(2):
                    for n in range(2 * (right - left)):
                        out[2 * y + r, 2 * left + n, c] = line[r, n]
