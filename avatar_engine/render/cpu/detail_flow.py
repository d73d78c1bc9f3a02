# mypy: allow-untyped-defs, allow-untyped-calls
"""On a coarse grid, where in the photo the surface came from: carried by the frame's texels."""

import numpy as np

from avatar_engine.render.cpu.detail_lanes import log2
from avatar_engine.render.cpu.front import DETERMINANT, KEY, TEXEL, X, Y
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.detail_definition import (
    DETAIL_FOLD_CELLS,
    DETAIL_FULL,
    MOUTH,
    OUTSIDE,
)

_F = np.float32


@kernel
def note_source(front, detail):
    """Remember where each texel is in the photo, and whether the photo shows it there."""
    for k in range(front.noted[0]):
        f = front.notes[k]
        source = detail.came_from[np.int64(f[TEXEL])]
        source[0], source[1], source[3] = f[X], f[Y], log2(f[DETERMINANT])
        # The determinant goes with the square of the inverse area.
        bears = detail.bears.ravel()[front.cells[k]]
        source[4] = _F(0.5 * np.log(2.0)) / bears
        kind = front.kinds[np.int64(f[TEXEL])]
        reach = detail.keys[0] if kind == OUTSIDE else np.int32(0)
        if kind != MOUTH and f[KEY] <= _F(front.nearest[front.cells[k]] + reach):
            source[2] = _F(1)


@kernel
def gather_flow(front, detail, tints):
    """Sums per cell of where its front texels came from, smoothed; then flow and weight."""
    rows, columns = detail.worth.shape[1:]
    sums = detail.sums
    sums[:] = _F(0)
    wide = columns + 2
    flat = sums.reshape(5, -1)
    for k in range(front.noted[0]):
        f = front.notes[k]
        at, texel = np.int64(front.cells[k]), np.int64(f[TEXEL])
        reach = detail.keys[0] if front.kinds[texel] == OUTSIDE else np.int32(0)
        if f[KEY] > _F(front.nearest[at] + reach):
            continue
        source = detail.came_from[texel]
        stretch = (log2(f[DETERMINANT]) - source[3]) * source[4]
        stretch *= stretch
        kept = _F(1) - tints[detail.drivers[texel]] * detail.fading[texel]
        seen = source[2] * kept / (_F(1) + stretch * stretch)
        dx, dy = source[0] - f[X], source[1] - f[Y]
        at = (at // columns + 1) * wide + at % columns + 1
        flat[0, at] += _F(1)
        flat[1, at] += seen
        flat[2, at] += seen * dx
        flat[3, at] += seen * dy
        flat[4, at] += seen * (dx * dx + dy * dy)
    fold = _F(1) / (_F(DETAIL_FOLD_CELLS) * _F(front.cell[0])) ** 2
    zoom = _F(detail.cell[1])
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
            weight[n], x[n], y[n] = w, w * fx * zoom, w * fy * zoom
