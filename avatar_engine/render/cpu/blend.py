# mypy: allow-untyped-defs, allow-untyped-calls
"""Tiles of Gaussians to pixels: blend front to back, then composite over the backdrop."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu import machine, resolve_lanes, window_lanes
from avatar_engine.render.cpu.canvas import PLANE, STRIDE, Canvas
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.light import LOOK_EVERY, is_seen, look_for_light, rows_of
from avatar_engine.render.cpu.records import Records, box_of, fetch, ink_parts
from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, TILE_WIDTH_LOG2, Bins
from avatar_engine.render.cpu.vectors import LANES

_TILE_WIDTH, _TILE_HEIGHT = 1 << TILE_WIDTH_LOG2, 1 << TILE_HEIGHT_LOG2
MARGIN = LANES
"""Columns beside planes that are read between their pixels."""
_FLUSH = np.int64(-1)
_AHEAD = 6
"""Gaussians come in the order of depth, scattered over memory: ask for them this early."""


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


def blend_linear(
    records: Records,
    bins: Bins,
    canvas: Canvas,
    out: NDArray[np.float32],
    shown: NDArray[np.float32] | None = None,
) -> None:
    """Draw [4, H, W]: premultiplied colour in [0, 255], then the light that is left.

    ``shown``, of every texel, is raised to the share that its Gaussian has of any pixel.
    """
    every = np.ones(bins.columns * bins.rows, np.uint8)
    fixed = every.copy(), canvas.planes, every, canvas.lit
    _linear(*_lists(records, bins), bins.columns, bins.rows, *fixed, out, 0, shown)


def draw_planes(
    records: Records, bins: Bins, canvas: Canvas, out: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The same into [4, H, MARGIN + W + MARGIN]; where nothing was and is, nothing is drawn.

    The columns beside the picture repeat its first and last.

    Returns:
        Per tile, whether it was drawn.
    """
    changed = np.zeros(bins.columns * bins.rows, np.uint8)
    shared = changed, canvas.planes, canvas.dirty, canvas.lit
    _linear(*_lists(records, bins), bins.columns, bins.rows, *shared, out, MARGIN, None)
    return changed


def _lists(records: Records, bins: Bins) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    return records.values, records.places, bins.ids, bins.starts


@kernel
def _windowed(first, last, low, high, step):
    """First and last pixel of a footprint inside a tile, so that what its windows draw beyond it
    falls to both sides alike: a silhouette must not look softer on its right.
    """
    a, b = max(np.int64(first), low), min(np.int64(last), high - 1)
    spare = -(b - a + 1) & (step - 1)
    return max(a - (spare >> 1), low), b


@kernel
def _blend_tile_rgb(values, places, ids, first, last, ox, oy, xe, ye, planes, lit, shown):
    planes[: 3 * PLANE] = np.float32(0)
    planes[3 * PLANE :] = np.float32(1)
    base = np.int64(planes.ctypes.data)
    plane, stride = np.int64(PLANE * 4), np.int64(STRIDE * 4)
    step = window_lanes.ROWS_PER_STEP
    lit[:] = -1
    for k in range(first, last):
        is_due = (k - first) % LOOK_EVERY == LOOK_EVERY - 1
        if is_due and not look_for_light(base + 3 * plane, xe - ox, ye - oy, stride, lit):
            break
        fetch(values, places, ids[min(k + _AHEAD, last - 1)])
        q, box = values[ids[k]], box_of(places[ids[k]])
        xa, xb = _windowed(box[0], box[1], ox, xe, LANES)
        ya, yb = _windowed(box[2], box[3], oy, ye, step)
        rows = (yb - ya + step) & -step
        touched = rows_of(ya - oy, rows)
        dy = np.float32(ya) - q[1]
        c0, c1, c2 = ink_parts(values, ids[k])
        most = np.float32(0)
        for x in range(xa, xb + 1, LANES):
            if not is_seen(lit, touched, x - ox):
                continue
            at = base + ((ya - oy) * STRIDE + (x - ox)) * 4
            dx = np.float32(x) - q[0]
            # fmt: off
            if q[6] > 0:
                most_here = window_lanes.rgb_recurrent(at, plane, stride, rows, at, dx, dy,
                                    q[2], q[3], q[4], q[5], c0, c1, c2, q[6])
            else:
                most_here = window_lanes.rgb_exact(at, plane, stride, rows, at, dx, dy,
                                q[2], q[3], q[4], q[5], c0, c1, c2, q[6])
            # fmt: on
            most = max(most, most_here)
        if shown is not None:
            texel = places[ids[k], 3]
            shown[texel] = max(shown[texel], most)


@kernel
def _rgb(values, places, ids, starts, columns, rows, planes, dirty, lit, behind, out):
    mode = machine.float_mode(_FLUSH)
    height, width = out.shape[0], out.shape[1]
    base, plane = np.int64(planes.ctypes.data), np.int64(PLANE * 4)
    back, front = np.int64(behind.ctypes.data), np.int64(out.ctypes.data)
    for t in range(columns * rows):
        first, last = starts[t], starts[t + 1]
        if first == last and not dirty[t]:
            continue
        dirty[t] = first != last
        ox, oy = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
        xe, ye = min(ox + _TILE_WIDTH, width), min(oy + _TILE_HEIGHT, height)
        _blend_tile_rgb(values, places, ids, first, last, ox, oy, xe, ye, planes, lit, None)
        for y in range(oy, ye):
            for x in range(ox, xe, LANES):
                at = base + ((y - oy) * STRIDE + (x - ox)) * 4
                p = y * width + x
                resolve_lanes.resolve_rgb(at, plane, back + p, width * height, front + 3 * p)
    machine.float_mode(mode)


@kernel
def _linear(
    values, places, ids, starts, columns, rows, changed, planes, dirty, lit, out, margin, shown
):
    mode = machine.float_mode(_FLUSH)
    height, width = out.shape[1], out.shape[2] - 2 * margin
    for t in range(columns * rows):
        first, last = starts[t], starts[t + 1]
        changed[t] = first != last or dirty[t] != 0
        if changed[t] == 0:
            continue
        dirty[t] = first != last
        ox, oy = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
        xe, ye = min(ox + _TILE_WIDTH, width), min(oy + _TILE_HEIGHT, height)
        _blend_tile_rgb(values, places, ids, first, last, ox, oy, xe, ye, planes, lit, shown)
        for c in range(4):
            for y in range(oy, ye):
                at = c * PLANE + (y - oy) * STRIDE
                line, to = planes[at : at + xe - ox], out[c, y, margin + ox : margin + xe]
                for x in range(line.shape[0]):
                    to[x] = line[x]
                if margin > 0 and ox == 0:
                    out[c, y, margin - 1] = line[0]
                if margin > 0 and xe == width:
                    out[c, y, margin + width] = line[xe - ox - 1]
    machine.float_mode(mode)


@kernel
def _i420(
    values, places, ids, starts, columns, rows, planes, dirty, lit, behind, out, width, height
):
    mode = machine.float_mode(_FLUSH)
    base, plane, stride = (
        np.int64(planes.ctypes.data),
        np.int64(PLANE * 4),
        np.int64(STRIDE * 4),
    )
    back, front = np.int64(behind.ctypes.data), np.int64(out.ctypes.data)
    area, half_width, step = width * height, width // 2, window_lanes.ROWS_PER_STEP
    for t in range(columns * rows):
        first, last = starts[t], starts[t + 1]
        if first == last and not dirty[t]:
            continue
        dirty[t] = first != last
        ox, oy = (t % columns) << TILE_WIDTH_LOG2, (t // columns) << TILE_HEIGHT_LOG2
        xe, ye = min(ox + _TILE_WIDTH, width), min(oy + _TILE_HEIGHT, height)
        planes[:PLANE] = np.float32(0)
        planes[PLANE : 2 * PLANE] = np.float32(1)
        planes[2 * PLANE : 3 * PLANE] = np.float32(0)
        lit[:] = -1
        for k in range(first, last):
            is_due = (k - first) % LOOK_EVERY == LOOK_EVERY - 1
            if is_due and not look_for_light(base + plane, xe - ox, ye - oy, stride, lit):
                break
            fetch(values, places, ids[min(k + _AHEAD, last - 1)])
            q, box = values[ids[k]], box_of(places[ids[k]])
            xa, xb = _windowed(box[0], box[1], ox, xe, LANES)
            ya, yb = _windowed(box[2], box[3], oy, ye, step)
            xa, ya = xa & ~1, ya & ~1
            count = (yb - ya + step) & -step
            touched = rows_of(ya - oy, count)
            dy = np.float32(ya) - q[1]
            c0, c1, c2 = ink_parts(values, ids[k])
            for x in range(xa, xb + 1, LANES):
                if not is_seen(lit, touched, x - ox):
                    continue
                at = base + ((ya - oy) * STRIDE + (x - ox)) * 4
                uv = base + 2 * plane + (((ya - oy) >> 1) * STRIDE + (x - ox)) * 4
                dx = np.float32(x) - q[0]
                # fmt: off
                if q[6] > 0:
                    window_lanes.yuv_recurrent(at, plane, stride, count, uv, dx, dy,
                                        q[2], q[3], q[4], q[5], c0, c1, c2, q[6])
                else:
                    window_lanes.yuv_exact(at, plane, stride, count, uv, dx, dy,
                                    q[2], q[3], q[4], q[5], c0, c1, c2, q[6])
                # fmt: on
        for y in range(oy, ye, 2):
            for x in range(ox, xe, LANES):
                at = base + ((y - oy) * STRIDE + (x - ox)) * 4
                p = y * width + x
                light = at + plane
                resolve_lanes.resolve_luma(at, light, back + p, front + p)
                resolve_lanes.resolve_luma(
                    at + stride, light + stride, back + p + width, front + p + width
                )
                c = area + (y >> 1) * half_width + (x >> 1)
                uv = base + 2 * plane + (((y - oy) >> 1) * STRIDE + (x - ox)) * 4
                resolve_lanes.resolve_chroma(uv, light, back + c, area >> 2, front + c)
    machine.float_mode(mode)
