# mypy: allow-untyped-defs, allow-untyped-calls
"""Step 12: what the Gaussians blur away, fetched from the photo where the surface went.

Every frame, the texels on the surface say on a coarse grid where in the photo they came from
(``detail_flow``); each pixel follows that flow and adds the difference found there
(``detail_planes``). ``render/detail.py`` is the slow twin.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu import detail_lanes
from avatar_engine.render.cpu.detail_flow import gather_flow
from avatar_engine.render.cpu.detail_planes import TOP, Detail, margin
from avatar_engine.render.cpu.front import Front
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, TILE_WIDTH_LOG2
from avatar_engine.render.cpu.vectors import LANES
from avatar_engine.render.detail_definition import DETAIL_FAINTEST

_F = np.float32
_POINTS = 5
"""Places of a stretch at which its flow is taken: begin, quarters, end."""


def add_rgb(
    front: Front,
    detail: Detail,
    tints: NDArray[np.float32],
    dirty: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    """Add to a picture [H, W, C] whose first three channels are RGB.

    ``front`` and ``tints`` are the frame's, ``dirty`` the canvas's.
    """
    gather_flow(front, detail, tints)
    height, width, channels = out.shape
    _add(detail, dirty, out.reshape(-1), channels, width, height)


def add_i420(
    front: Front,
    detail: Detail,
    tints: NDArray[np.float32],
    dirty: NDArray[np.uint8],
    out: NDArray[np.uint8],
    *,
    width: int,
    height: int,
) -> None:
    """Add to flat I420; chroma looks at the even pixels."""
    gather_flow(front, detail, tints)
    _add(detail, dirty, out, 1, width, height)


@kernel
def _row_of_flow(detail, y, line):
    """Weight and weighted flow [3, columns] at a height; first and last column with any."""
    rows, columns = detail.worth.shape[1:]
    at_row = (y + _F(0.5)) / _F(detail.cell[0]) - _F(0.5)
    above = np.int64(np.floor(at_row))
    low, high = max(above, 0), min(above + 1, rows - 1)
    share = at_row - _F(above)
    for p in range(3):
        a, b, to = detail.flow[p, low], detail.flow[p, high], line[p]
        for n in range(columns):
            to[n] = a[n] + (b[n] - a[n]) * share
    first, last = columns, -1
    for n in range(columns):
        if line[0, n] >= _F(DETAIL_FAINTEST):
            first, last = min(first, n), n
    return first, last


@kernel
def _at(line, x, cell):
    """Weight and weighted flow at a place of a row."""
    at = (x + _F(0.5)) / cell - _F(0.5)
    left = np.int64(np.floor(at))
    share = at - _F(left)
    a, b = max(left, 0), min(left + 1, line.shape[1] - 1)
    return (
        line[0, a] + (line[0, b] - line[0, a]) * share,
        line[1, a] + (line[1, b] - line[1, a]) * share,
        line[2, a] + (line[2, b] - line[2, a]) * share,
    )


@kernel
def _look(worth, cell, points, a, b, u, v, run, step):
    """Where a run of ``run`` pixels of one plane, at (u, v) of it, looks in the photo.

    Its flow is the mean of three points, the middle one twice: ``a``, between them, and ``b``. A
    plane's pixels are every ``step``-th of the picture's. Returns whether it is worth looking, the
    place, the weight of the first pixel and what is added to it from pixel to pixel.
    """
    m = (a + b) >> 1
    w0, w1, w2 = points[0, a], points[0, m], points[0, b]
    zero, two = _F(0), _F(2)
    if max(max(w0, w1), w2) < _F(DETAIL_FAINTEST):
        return False, zero, zero, zero, zero
    rows, columns = worth.shape
    share = _F(1) / (_F(step) * (w0 + two * w1 + w2))
    fx = _F(u) + (points[1, a] + two * points[1, m] + points[1, b]) * share
    fy = _F(v) + (points[2, a] + two * points[2, m] + points[2, b]) * share
    look_x = min(max(np.int64((fx * _F(step) + _F(run * step >> 1)) / cell), 0), columns - 1)
    look_y = min(max(np.int64(fy * _F(step) / cell), 0), rows - 1)
    return worth[look_y, look_x] != 0, fx, fy, w0, (w2 - w0) / _F(run)


@kernel
def _add(detail, dirty, out, channels, width, height):
    """Add to a whole picture: two rows at a time, which share their flow, and chroma with them.

    ``channels`` is 1 for I420; 3 or 4 for interleaved pixels, of which RGB are added.
    """
    planes, side, left = detail.planes, int(detail.cell[0]), int(margin(detail.cell[0]))
    stride = np.int64(planes.shape[2])
    apart = stride * planes.shape[1]
    source = np.int64(planes.ctypes.data) + TOP * stride + left
    target = np.int64(out.ctypes.data)
    run = max(2 * side, LANES)  # pixels that look where their middle does
    stretch = max(run, 2 * LANES)  # and of chroma, which is half as wide
    cell, quarter = _F(side), _F(stretch) * _F(1 / (_POINTS - 1))
    line = np.empty((3, detail.worth.shape[2]), np.float32)
    points = np.empty((3, _POINTS), np.float32)
    zoomed = int(detail.cell[1]) - 1
    tile_width, tile_height = TILE_WIDTH_LOG2 + zoomed, TILE_HEIGHT_LOG2 + zoomed
    tiles = ((width >> zoomed) + (1 << TILE_WIDTH_LOG2) - 1) >> TILE_WIDTH_LOG2
    area, half_width, half_height = width * height, width // 2, height // 2
    between = (_POINTS - 1) * run // stretch
    for v in range(0, height, 2):
        first, last = _row_of_flow(detail, _F(v) + _F(0.5), line)
        # A cell reaches half a cell beyond its neighbour's middle.
        begin = max((first - 1) * side, 0) & -stretch
        end = min((last + 2) * side, width)
        tile_row = (v >> tile_height) * tiles
        for u in range(begin, end, stretch):
            for n in range(_POINTS):
                points[0, n], points[1, n], points[2, n] = _at(line, _F(u) + _F(n) * quarter, cell)
            dirty[tile_row + (u >> tile_width)] = 1
            at = u
            for n in range(0, _POINTS - 1, between):
                # fmt: off
                seen, fx, fy, w, more = _look(
                    detail.worth[0], cell, points, n, n + between, at, v, run, 1)
                if seen and at < end:
                    found, gx, gy = _found(source, stride, left, width, height, fx, fy)
                    _add_run(found, stride, apart, target + (v * width + at) * channels,
                             channels * width, channels, min(run, width - at), gx, gy, w, more)
                at += run
            if channels == 1:
                at, row, wide = u >> 1, v >> 1, stretch >> 1
                seen, fx, fy, w, more = _look(
                    detail.worth[1], cell, points, 0, _POINTS - 1, at, row, wide, 2
                )
                if seen:
                    found, gx, gy = _found(
                        source + apart, stride, left, half_width, half_height, fx, fy
                    )
                    to = target + area + row * half_width + at
                    _add_chroma(
                        found,
                        stride,
                        apart,
                        to,
                        area >> 2,
                        min(wide, half_width - at),
                        gx,
                        gy,
                        w,
                        more,
                    )
                # fmt: on


@kernel
def _found(source, stride, left, width, height, fx, fy):
    """The address of the place (fx, fy) in a plane, and how far it lies beyond it."""
    fx, fy = min(max(fx, -_F(left)), _F(width)), min(max(fy, -_F(TOP)), _F(height))
    ix, iy = np.int64(np.floor(fx)), np.int64(np.floor(fy))
    return source + iy * stride + ix, fx - _F(ix), fy - _F(iy)


@kernel
def _add_run(found, stride, apart, at, width, channels, run, gx, gy, weight, more):
    """Add to a run of two rows, whose pixels' bytes are ``width`` apart."""
    for i in range(0, run, LANES):
        w = weight + more * _F(i)
        if channels == 1:
            detail_lanes.add_two_rows(found + i, stride, at + i, width, gx, gy, w, more)
        elif channels == 3:
            detail_lanes.add_rgb(found + i, apart, stride, at + 3 * i, gx, gy, w, more)
            low = found + stride + i
            detail_lanes.add_rgb(low, apart, stride, at + width + 3 * i, gx, gy, w, more)
        else:
            detail_lanes.add_rgba(found + i, apart, stride, at + 4 * i, gx, gy, w, more)
            low = found + stride + i
            detail_lanes.add_rgba(low, apart, stride, at + width + 4 * i, gx, gy, w, more)


@kernel
def _add_chroma(found, stride, apart, at, area, run, gx, gy, weight, more):
    """Add to a run of one row of both planes of chroma."""
    for i in range(0, run, LANES):
        w = weight + more * _F(i)
        for _ in range(2):
            if i + LANES <= run:
                detail_lanes.add_row(found + i, stride, at + i, gx, gy, w, more)
            else:  # pictures are whole vectors wide, and their chroma at least whole halves
                detail_lanes.add_half_row(found + i, stride, at + i, gx, gy, w, more)
            found, at = found + apart, at + area
        found, at = found - 2 * apart, at - 2 * area
