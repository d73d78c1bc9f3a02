# mypy: allow-untyped-defs, allow-untyped-calls
"""Tiles of Gaussians to pixels: blend front to back, then composite over the backdrop."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from avatar_engine.render.cpu import lanes
from avatar_engine.render.cpu.pose import JIT, RECORD, Records
from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, TILE_WIDTH_LOG2, Bins

_TILE_WIDTH, _TILE_HEIGHT = 1 << TILE_WIDTH_LOG2, 1 << TILE_HEIGHT_LOG2
# Windows may hang over a tile's right and lower edge; what falls there is thrown away.
_STRIDE = _TILE_WIDTH + lanes.LANES
_PLANE = (_TILE_HEIGHT + lanes.ROWS_PER_STEP) * _STRIDE
_FLUSH = np.int64(-1)


class Canvas(NamedTuple):
    """One renderer's working planes.

    ``dirty`` tells per tile that it had content in the last frame: a tile that is empty now and
    was empty then is left alone.
    """

    planes: NDArray[np.float32]
    dirty: NDArray[np.uint8]


def canvas_for(bins: Bins) -> Canvas:
    """Working planes for one thread; every tile is drawn in the first frame."""
    return Canvas(np.zeros(4 * _PLANE, np.float32), np.ones(bins.columns * bins.rows, np.uint8))


def blend_rgb(
    records: Records, bins: Bins, canvas: Canvas, behind: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    """Draw [H, W, 3] over planar ``behind`` [3, H, W]."""
    _rgb(*_lists(records, bins), bins.columns, bins.rows, *canvas, behind, out)


def blend_i420(
    records: Records,
    bins: Bins,
    canvas: Canvas,
    behind: NDArray[np.uint8],
    out: NDArray[np.uint8],
    *,
    width: int,
    height: int,
) -> None:
    """Draw flat I420 over flat I420 ``behind``; chroma is taken at the even pixels."""
    _i420(*_lists(records, bins), bins.columns, bins.rows, *canvas, behind, out, width, height)


def blend_linear(records: Records, bins: Bins, canvas: Canvas, out: NDArray[np.float32]) -> None:
    """Draw [4, H, W]: premultiplied colour in [0, 255], then the light that is left."""
    _linear(*_lists(records, bins), bins.columns, bins.rows, canvas.planes, out)


def _lists(records: Records, bins: Bins) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    return records.values.reshape(-1, RECORD), records.boxes.reshape(-1, 4), bins.ids, bins.starts


@njit(**JIT)
def _windowed(first, last, low, high, step):
    """First and last pixel of a footprint inside a tile, so that what its windows draw beyond it
    falls to both sides alike: a silhouette must not look softer on its right.
    """
    a, b = max(np.int64(first), low), min(np.int64(last), high - 1)
    spare = -(b - a + 1) & (step - 1)
    return max(a - (spare >> 1), low), b


@njit(**JIT)
def _blend_tile_rgb(values, boxes, ids, first, last, ox, oy, xe, ye, planes):
    planes[: 3 * _PLANE] = np.float32(0)
    planes[3 * _PLANE :] = np.float32(1)
    base = np.int64(planes.ctypes.data)
    plane, stride = np.int64(_PLANE * 4), np.int64(_STRIDE * 4)
    step = lanes.ROWS_PER_STEP
    for k in range(first, last):
        q, box = values[ids[k]], boxes[ids[k]]
        xa, xb = _windowed(box[0], box[1], ox, xe, lanes.LANES)
        ya, yb = _windowed(box[2], box[3], oy, ye, step)
        rows = (yb - ya + step) & -step
        dy = np.float32(ya) - q[1]
        for x in range(xa, xb + 1, lanes.LANES):
            at = base + ((ya - oy) * _STRIDE + (x - ox)) * 4
            dx = np.float32(x) - q[0]
            # fmt: off
            if q[9] > 0:
                lanes.rgb_recurrent(at, plane, stride, rows, at, dx, dy,
                                    q[2], q[3], q[4], q[5], q[6], q[7], q[8])
            else:
                lanes.rgb_exact(at, plane, stride, rows, at, dx, dy,
                                q[2], q[3], q[4], q[5], q[6], q[7], q[8])
            # fmt: on


@njit(**JIT)
def _rgb(values, boxes, ids, starts, columns, rows, planes, dirty, behind, out):
    mode = lanes.float_mode(_FLUSH)
    height, width = out.shape[0], out.shape[1]
    base, plane = np.int64(planes.ctypes.data), np.int64(_PLANE * 4)
    back, front = np.int64(behind.ctypes.data), np.int64(out.ctypes.data)
    for t in range(columns * rows):
        first, last = starts[t], starts[t + 1]
        if first == last and not dirty[t]:
            continue
        dirty[t] = first != last
        ox, oy = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
        xe, ye = min(ox + _TILE_WIDTH, width), min(oy + _TILE_HEIGHT, height)
        _blend_tile_rgb(values, boxes, ids, first, last, ox, oy, xe, ye, planes)
        for y in range(oy, ye):
            for x in range(ox, xe, lanes.LANES):
                at = base + ((y - oy) * _STRIDE + (x - ox)) * 4
                p = y * width + x
                lanes.resolve_rgb(at, plane, back + p, width * height, front + 3 * p)
    lanes.float_mode(mode)


@njit(**JIT)
def _linear(values, boxes, ids, starts, columns, rows, planes, out):
    mode = lanes.float_mode(_FLUSH)
    height, width = out.shape[1], out.shape[2]
    for t in range(columns * rows):
        ox, oy = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
        xe, ye = min(ox + _TILE_WIDTH, width), min(oy + _TILE_HEIGHT, height)
        _blend_tile_rgb(values, boxes, ids, starts[t], starts[t + 1], ox, oy, xe, ye, planes)
        for c in range(4):
            for y in range(oy, ye):
                at = c * _PLANE + (y - oy) * _STRIDE
                for x in range(xe - ox):
                    out[c, y, ox + x] = planes[at + x]
    lanes.float_mode(mode)


@njit(**JIT)
def _i420(values, boxes, ids, starts, columns, rows, planes, dirty, behind, out, width, height):
    mode = lanes.float_mode(_FLUSH)
    base, plane, stride = (
        np.int64(planes.ctypes.data),
        np.int64(_PLANE * 4),
        np.int64(_STRIDE * 4),
    )
    back, front = np.int64(behind.ctypes.data), np.int64(out.ctypes.data)
    area, half_width, step = width * height, width // 2, lanes.ROWS_PER_STEP
    for t in range(columns * rows):
        first, last = starts[t], starts[t + 1]
        if first == last and not dirty[t]:
            continue
        dirty[t] = first != last
        ox, oy = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
        xe, ye = min(ox + _TILE_WIDTH, width), min(oy + _TILE_HEIGHT, height)
        planes[:_PLANE] = np.float32(0)
        planes[_PLANE : 2 * _PLANE] = np.float32(1)
        planes[2 * _PLANE : 3 * _PLANE] = np.float32(0)
        for k in range(first, last):
            q, box = values[ids[k]], boxes[ids[k]]
            xa, xb = _windowed(box[0], box[1], ox, xe, lanes.LANES)
            ya, yb = _windowed(box[2], box[3], oy, ye, step)
            xa, ya = xa & ~1, ya & ~1
            count = (yb - ya + step) & -step
            dy = np.float32(ya) - q[1]
            for x in range(xa, xb + 1, lanes.LANES):
                at = base + ((ya - oy) * _STRIDE + (x - ox)) * 4
                uv = base + 2 * plane + (((ya - oy) >> 1) * _STRIDE + (x - ox)) * 4
                dx = np.float32(x) - q[0]
                # fmt: off
                if q[9] > 0:
                    lanes.yuv_recurrent(at, plane, stride, count, uv, dx, dy,
                                        q[2], q[3], q[4], q[5], q[6], q[7], q[8])
                else:
                    lanes.yuv_exact(at, plane, stride, count, uv, dx, dy,
                                    q[2], q[3], q[4], q[5], q[6], q[7], q[8])
                # fmt: on
        for y in range(oy, ye, 2):
            for x in range(ox, xe, lanes.LANES):
                at = base + ((y - oy) * _STRIDE + (x - ox)) * 4
                p = y * width + x
                light = at + plane
                lanes.resolve_luma(at, light, back + p, front + p)
                lanes.resolve_luma(at + stride, light + stride, back + p + width, front + p + width)
                c = area + (y >> 1) * half_width + (x >> 1)
                uv = base + 2 * plane + (((y - oy) >> 1) * _STRIDE + (x - ox)) * 4
                lanes.resolve_chroma(uv, light, back + c, area >> 2, front + c)
    lanes.float_mode(mode)
