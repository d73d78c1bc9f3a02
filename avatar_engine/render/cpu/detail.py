# mypy: allow-untyped-defs, allow-untyped-calls
"""Step 12: what the Gaussians blur away, fetched from the photo where the surface went.

The photo minus the Gaussians' own picture of it is kept at the output's pixels. Every frame, the
texels on the surface say on a coarse grid where in the photo they came from; each pixel follows
that flow and adds the difference found there. ``render/detail.py`` is the slow twin.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu import lanes
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.records import Records
from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, TILE_WIDTH_LOG2
from avatar_engine.render.detail_definition import (
    DETAIL_DEPTH_CM,
    DETAIL_FAINTEST,
    DETAIL_FOLD_CELLS,
    DETAIL_FULL,
    DETAIL_OPAQUE,
    DETAIL_STRETCH,
    DETAIL_WORTH,
    MOUTH,
    OUTSIDE,
    detail_cell,
    detail_fading,
    detail_kinds,
)
from avatar_engine.types import HeadMaps

_F = np.float32
_FAR = np.int32(1 << 30)
_LEFT, _RIGHT, _TOP = 8, 40, 1
"""Margins of a plane; to the right there is room for a run that begins at the edge."""


class Detail(NamedTuple):
    """One renderer's detail.

    Attributes:
        cell: [1] int32 side of a grid cell, pixels.
        keys: [1] int32 depth keys within which texels share a surface.
        kinds: [M] uint8 of ``detail_kinds``.
        drivers: [M] uint8, fading: [M] float32 of ``detail_fading``.
        came_from: [M, 4] float32: x, y in the output's pixels in the source view, how far the
            photo shows the texel, in [0, 1], and the logarithm of its conic's determinant there.
        planes: [3, H, W] int8 differences, RGB or YUV (chroma in the upper left quarter), with a
            margin of zeros on all sides.
        worth: [2, rows, columns] uint8: whether a cell or its neighbours hold a difference worth
            it, in the first plane and in the other two.
        nearest: [rows * columns] int32 depth keys.
        front: [M, 5] float32 of the frame's opaque texels: x, y, key, texel, conic's determinant.
        places: [M] int32 their cells.
        sums: [5, rows + 2, columns + 2] float32: light, seen, flow x, flow y, its square.
        flow: [3, rows, columns] float32: weight, and where to look, times weight.
    """

    cell: NDArray[np.int32]
    keys: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    drivers: NDArray[np.uint8]
    fading: NDArray[np.float32]
    came_from: NDArray[np.float32]
    planes: NDArray[np.int8]
    worth: NDArray[np.uint8]
    nearest: NDArray[np.int32]
    front: NDArray[np.float32]
    places: NDArray[np.int32]
    sums: NDArray[np.float32]
    flow: NDArray[np.float32]


def detail_for(
    records: Records,
    maps: HeadMaps,
    planes: NDArray[np.floating],
    keys_per_cm: float,
    *,
    is_i420: bool,
) -> Detail:
    """Detail of one output, from the Gaussians of the source view.

    Args:
        records: Posed as in the photo, at the output's size.
        maps: The persona.
        planes: [3, H, W] photo minus the Gaussians' picture, in bytes: RGB, or YUV with chroma at
            half size in the upper left quarter.
        keys_per_cm: Of the records' depth keys.
        is_i420: The planes are YUV.
    """
    height, width = planes.shape[1:]
    padded = np.zeros((3, height + _TOP + 2, width + _LEFT + _RIGHT), np.int8)
    padded[:, _TOP:-2, _LEFT:-_RIGHT] = np.clip(np.round(planes), -127, 127)
    cell = detail_cell(width, height)
    rows, columns = -(-height // cell), -(-width // cell)
    texels = len(maps.positions)
    detail = Detail(
        np.array([cell], np.int32),
        np.array([round(DETAIL_DEPTH_CM * keys_per_cm)], np.int32),
        detail_kinds(maps),
        *detail_fading(maps),
        np.zeros((texels, 4), np.float32),
        padded,
        np.zeros((2, rows, columns), np.uint8),
        np.zeros(rows * columns, np.int32),
        np.zeros((texels, 5), np.float32),
        np.zeros(texels, np.int32),
        np.zeros((5, rows + 2, columns + 2), np.float32),
        np.zeros((3, rows, columns), np.float32),
    )
    _note_source(records, detail)
    _find_worth(detail, is_i420)
    return detail


def add_rgb(
    records: Records,
    detail: Detail,
    tints: NDArray[np.float32],
    dirty: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    """Add to a picture [H, W, C] whose first three channels are RGB; ``tints`` are the frame's."""
    _gather_flow(records, detail, tints)
    height, width, channels = out.shape
    _add(detail, dirty, out.reshape(-1), 0, 0, channels, width, height, 1)


def add_i420(
    records: Records,
    detail: Detail,
    tints: NDArray[np.float32],
    dirty: NDArray[np.uint8],
    out: NDArray[np.uint8],
    *,
    width: int,
    height: int,
) -> None:
    """Add to flat I420; chroma looks at the even pixels."""
    _gather_flow(records, detail, tints)
    area = width * height
    _add(detail, dirty, out, 0, 0, 1, width, height, 1)
    for c in range(2):
        _add(detail, dirty, out, 1 + c, area + c * (area // 4), 1, width // 2, height // 2, 2)


@kernel
def _collect(records, detail):
    """Opaque texels inside the picture, with their cells; the nearest key of each cell."""
    cell = _F(1) / _F(detail.cell[0])
    rows, columns = detail.worth.shape[1:]
    nearest, front, places = detail.nearest, detail.front, detail.places
    nearest[:] = _FAR
    opaque, half, zero = np.log(_F(DETAIL_OPAQUE)), _F(0.5), _F(0)
    count = 0
    for i in range(records.drawn[0]):
        q, place = records.values[i], records.places[i]
        x, y = q[0] + half, q[1] + half
        if q[5] < opaque or x < zero or y < zero:
            continue
        column, row = np.int64(x * cell), np.int64(y * cell)
        if column >= columns or row >= rows:
            continue
        at, key, texel = row * columns + column, place[2], np.int64(place[3])
        if detail.kinds[texel] == OUTSIDE:
            nearest[at] = min(nearest[at], key)
        f = front[count]
        f[0], f[1], f[2], f[3] = q[0], q[1], _F(key), _F(texel)
        f[4] = q[2] * q[4] - q[3] * q[3]
        places[count] = at
        count += 1
    return count


@kernel
def _note_source(records, detail):
    count = _collect(records, detail)
    notes = detail.came_from
    for k in range(count):
        f = detail.front[k]
        note = notes[np.int64(f[3])]
        note[0], note[1], note[3] = f[0], f[1], np.log(max(f[4], _F(1e-12)))
        kind = detail.kinds[np.int64(f[3])]
        reach = detail.keys[0] if kind == OUTSIDE else np.int32(0)
        if kind != MOUTH and f[2] <= _F(detail.nearest[detail.places[k]] + reach):
            note[2] = _F(1)


@kernel
def _find_worth(detail, halved):
    cell = int(detail.cell[0])
    rows, columns = detail.worth.shape[1:]
    height, width = detail.planes.shape[1] - _TOP - 2, detail.planes.shape[2] - _LEFT - _RIGHT
    for p in range(3):
        # Chroma of I420 lies in a quarter, RGB's planes are whole: what is empty costs nothing.
        side = cell >> 1 if halved and p > 0 else cell
        plane = detail.planes[p, _TOP : _TOP + height, _LEFT : _LEFT + width]
        worth = detail.worth[min(p, 1)] if halved else detail.worth[0]
        for row in range(rows):
            for column in range(columns):
                top, left = max((row - 1) * side, 0), max((column - 1) * side, 0)
                part = plane[top : (row + 2) * side, left : (column + 2) * side]
                for y in range(part.shape[0]):
                    for x in range(part.shape[1]):
                        if abs(np.int64(part[y, x])) >= DETAIL_WORTH:
                            worth[row, column] = 1


@kernel
def _gather_flow(records, detail, tints):
    """Sums per cell of where its front texels came from, smoothed; then flow and weight."""
    count = _collect(records, detail)
    rows, columns = detail.worth.shape[1:]
    notes, sums = detail.came_from, detail.sums
    sums[:] = _F(0)
    wide = columns + 2
    flat = sums.reshape(5, -1)
    per_stretch = _F(0.5 / DETAIL_STRETCH)
    for k in range(count):
        f = detail.front[k]
        at = np.int64(detail.places[k])
        texel = np.int64(f[3])
        reach = detail.keys[0] if detail.kinds[texel] == OUTSIDE else np.int32(0)
        if f[2] > _F(detail.nearest[at] + reach):
            continue
        note = notes[texel]
        # The determinant goes with the square of the inverse area.
        stretch = (np.log(max(f[4], _F(1e-12))) - note[3]) * per_stretch
        stretch *= stretch
        kept = _F(1) - tints[detail.drivers[texel]] * detail.fading[texel]
        seen = note[2] * kept / (_F(1) + stretch * stretch)
        dx, dy = note[0] - f[0], note[1] - f[1]
        at = (at // columns + 1) * wide + at % columns + 1
        flat[0, at] += _F(1)
        flat[1, at] += seen
        flat[2, at] += seen * dx
        flat[3, at] += seen * dy
        flat[4, at] += seen * (dx * dx + dy * dy)
    fold = _F(1) / (_F(DETAIL_FOLD_CELLS) * _F(detail.cell[0])) ** 2
    blurred, line = np.empty((5, columns), np.float32), np.empty(wide, np.float32)
    one, quarter, full, least = _F(1), _F(0.25), _F(DETAIL_FULL), _F(1e-6)
    for row in range(rows):
        for p in range(5):
            a, b, c = sums[p, row], sums[p, row + 1], sums[p, row + 2]
            for n in range(wide):
                line[n] = (a[n] + b[n] + b[n] + c[n]) * quarter
            to, left, middle, right = blurred[p], line[:-2], line[1:-1], line[2:]
            for n in range(columns):
                to[n] = (left[n] + middle[n] + middle[n] + right[n]) * quarter
        weight, x, y = detail.flow[0, row], detail.flow[1, row], detail.flow[2, row]
        for n in range(columns):
            seen = max(blurred[1, n], least)
            fx, fy = blurred[2, n] / seen, blurred[3, n] / seen
            spread = max(blurred[4, n] / seen - fx * fx - fy * fy, _F(0)) * fold
            w = blurred[1, n] / max(blurred[0, n], full) / (one + spread * spread)
            weight[n], x[n], y[n] = w, w * fx, w * fy


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
def _add(detail, dirty, out, plane, offset, channels, width, height, step):
    """Add to one plane, whose pixels are every ``step``-th of the picture's; 8 at a time.

    ``channels`` is 1 for a plane of its own; 3 or 4 for interleaved pixels, of which RGB are added.
    """
    side = np.int64(detail.cell[0])
    cell, one, two, zero = _F(side), _F(1), _F(2), _F(0)
    worth, planes = detail.worth[1 if plane > 0 else 0], detail.planes
    rows, columns = worth.shape
    line = np.empty((3, columns), np.float32)
    stride = np.int64(planes.shape[2])
    apart = stride * planes.shape[1]
    source = np.int64(planes.ctypes.data) + plane * apart + (_TOP * stride + _LEFT)
    target = np.int64(out.ctypes.data) + offset
    # Two cells, and no less than a vector.
    run = max(2 * side // step, lanes.LANES)
    half_run = _F(run * step // 2)
    faint, per_step = _F(DETAIL_FAINTEST), one / _F(step)
    tiles = (width * step + (1 << TILE_WIDTH_LOG2) - 1) >> TILE_WIDTH_LOG2
    for v in range(height):
        y = _F(v * step)
        first, last = _row_of_flow(detail, y, line)
        # A cell reaches half a cell beyond its neighbour's middle.
        begin = max((first - 1) * side // step, 0) & -run
        end = min((last + 2) * side // step, width)
        tile_row = (v * step >> TILE_HEIGHT_LOG2) * tiles
        w2, x2, y2 = _at(line, _F(begin * step), cell)
        for u in range(begin, end, run):
            x = _F(u * step)
            w0, x0, y0 = w2, x2, y2
            w1, x1, y1 = _at(line, x + half_run, cell)
            w2, x2, y2 = _at(line, x + two * half_run, cell)
            if max(max(w0, w1), w2) < faint:
                continue
            share = per_step / (w0 + two * w1 + w2)
            fx = _F(u) + (x0 + two * x1 + x2) * share
            fy = _F(v) + (y0 + two * y1 + y2) * share
            look_x = min(max(np.int64((fx * _F(step) + half_run) / cell), 0), columns - 1)
            look_y = min(max(np.int64(fy * _F(step) / cell), 0), rows - 1)
            if worth[look_y, look_x] == 0:
                continue
            fx = min(max(fx, -_F(_LEFT)), _F(width))
            fy = min(max(fy, -_F(_TOP)), _F(height))
            ix, iy = np.int64(np.floor(fx)), np.int64(np.floor(fy))
            gx, gy = fx - _F(ix), fy - _F(iy)
            more = (w2 - w0) / _F(run)
            dirty[tile_row + (u * step >> TILE_WIDTH_LOG2)] = 1
            for i in range(u, min(u + run, width), lanes.LANES):
                weight = w0 + more * _F(i - u)
                found = source + iy * stride + ix + (i - u)
                at = target + (v * width + i) * channels
                if channels == 3:
                    lanes.add_rgb(found, apart, stride, at, gx, gy, weight, more)
                elif channels == 4:
                    lanes.add_rgba(found, apart, stride, at, gx, gy, weight, more)
                elif i + lanes.LANES <= width:
                    lanes.add_plane(found, stride, at, gx, gy, weight, more)
                else:
                    row = out[offset + v * width + i : offset + (v + 1) * width]
                    top = planes[plane, _TOP + iy, _LEFT + ix + i - u :]
                    low = planes[plane, _TOP + iy + 1, _LEFT + ix + i - u :]
                    for n in range(row.shape[0]):
                        a = _F(top[n]) + gx * (_F(top[n + 1]) - _F(top[n]))
                        b = _F(low[n]) + gx * (_F(low[n + 1]) - _F(low[n]))
                        value = _F(row[n]) + _F(0.5) + (weight + more * _F(n)) * (a + gy * (b - a))
                        row[n] = np.uint8(min(max(value, zero), _F(255)))
