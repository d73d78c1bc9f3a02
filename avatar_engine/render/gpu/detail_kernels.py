# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
"""Triton kernels of step 12: where in the photo each cell of a frame came from."""

import triton
import triton.language as tl

from avatar_engine.render import detail_definition as dd
from avatar_engine.render.gpu import layout

_C = tl.constexpr
_RECORD, _PLANES = _C(layout.RECORD), _C(int(layout.DetailPlane.COUNT))
_TINTS, _TINT_BIT = _C(int(layout.Input.TINTS)), _C(layout.CARRIER_TINT_SHIFT)
_OUTSIDE, _IDLE = _C(dd.OUTSIDE), _C(dd.IDLE)
_OPAQUE, _DEPTH_CM, _FULL = _C(dd.DETAIL_OPAQUE), _C(dd.DETAIL_DEPTH_CM), _C(dd.DETAIL_FULL)
_FOLD_CELLS = _C(dd.DETAIL_FOLD_CELLS)


@triton.jit
def find_nearest(carriers, inputs, records, nearest, length, texel_count, rows, columns, per_cell,
                 BLOCK: tl.constexpr):  # fmt: skip
    """Depth of the nearest outside texel of each cell, as the bits of a float [F, rows * columns].

    Depths are positive, so their bits order as they do.
    """
    frame, _, texel, carrier = _block(carriers, inputs, length, texel_count, BLOCK)
    record = records + (frame.to(tl.int64) * texel_count + texel) * _RECORD
    cell, carries = _cell(record, carrier, rows, columns, per_cell)
    is_outside = carries & ((carrier & 3) == _OUTSIDE)
    depth = tl.load(record + 11, mask=is_outside, other=0.0).to(tl.int32, bitcast=True)
    tl.atomic_min(nearest + frame * rows * columns + cell, depth, mask=is_outside)


@triton.jit
def collect_flow(carriers, origins, inputs, records, nearest, sums, length, texel_count, rows,
                 columns, per_cell, zoom, BLOCK: tl.constexpr):  # fmt: skip
    """Add up per cell [F, 5, rows * columns]: texels, those the photo showed, flow, its square."""
    frame, persona, texel, carrier = _block(carriers, inputs, length, texel_count, BLOCK)
    record = records + (frame.to(tl.int64) * texel_count + texel) * _RECORD
    cell, carries = _cell(record, carrier, rows, columns, per_cell)
    front = tl.load(nearest + frame * rows * columns + cell, mask=carries, other=0)
    reach = tl.where((carrier & 3) == _OUTSIDE, _DEPTH_CM, 0.0)
    depth = tl.load(record + 11, mask=carries, other=0.0)
    carries &= depth <= front.to(tl.float32, bitcast=True) + reach
    origin = origins + persona * _PLANES * texel_count + texel
    a = tl.load(record + 2, mask=carries, other=1.0)
    b = tl.load(record + 3, mask=carries, other=0.0)
    c = tl.load(record + 4, mask=carries, other=1.0)
    log_area = -0.5 * tl.log(tl.maximum(a * c - b * b, 1e-12))
    bears = tl.maximum(tl.load(origin + 5 * texel_count), 1e-6)
    stretch = (log_area - tl.load(origin + 2 * texel_count)) / bears
    stretch *= stretch
    amount = tl.load(inputs + frame * length + _TINTS + (carrier >> _TINT_BIT))
    kept = 1 - amount * tl.load(origin + 4 * texel_count)
    seen = kept * tl.load(origin + 3 * texel_count) / (1 + stretch * stretch)
    x = tl.load(origin) - zoom * tl.load(record, mask=carries, other=0.0)
    y = tl.load(origin + texel_count) - zoom * tl.load(record + 1, mask=carries, other=0.0)
    cells = rows * columns
    total = sums + frame * 5 * cells + cell
    tl.atomic_add(total, tl.where(carries, 1.0, 0.0), mask=carries)
    tl.atomic_add(total + cells, seen, mask=carries)
    tl.atomic_add(total + 2 * cells, seen * x, mask=carries)
    tl.atomic_add(total + 3 * cells, seen * y, mask=carries)
    tl.atomic_add(total + 4 * cells, seen * (x * x + y * y), mask=carries)


@triton.jit
def smooth_flow(sums, flow, rows, columns, cell_px, BLOCK: tl.constexpr):
    """Weight, and flow times weight, of each cell [F, 3, rows * columns]."""
    frame = tl.program_id(1)
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    cells = rows * columns
    row, column = at // columns, at % columns
    own = sums + frame * 5 * cells
    count = _tent(own, row, column, rows, columns)
    known = _tent(own + cells, row, column, rows, columns)
    x = _tent(own + 2 * cells, row, column, rows, columns)
    y = _tent(own + 3 * cells, row, column, rows, columns)
    square = _tent(own + 4 * cells, row, column, rows, columns)
    some = tl.maximum(known, 1e-6)
    x, y = x / some, y / some
    fold = cell_px * _FOLD_CELLS
    spread = tl.maximum(square / some - x * x - y * y, 0.0) / (fold * fold)
    weight = known / tl.maximum(count, _FULL) / (1 + spread * spread)
    there = flow + frame * 3 * cells + at
    tl.store(there, weight, mask=at < cells)
    tl.store(there + cells, weight * x, mask=at < cells)
    tl.store(there + 2 * cells, weight * y, mask=at < cells)


@triton.jit
def _block(carriers, inputs, length, texel_count, BLOCK: tl.constexpr):
    """The program's frame, its persona, its texels, and how they carry detail."""
    frame = tl.program_id(1)
    texel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    persona = tl.load(inputs + frame * length).to(tl.int64)
    return frame, persona, texel, tl.load(carriers + persona * texel_count + texel)


@triton.jit
def _cell(record, carrier, rows, columns, per_cell):
    """The cell of a texel in the picture, and whether it is there, opaque and not idle."""
    carries = (tl.load(record + 5) >= _OPAQUE) & ((carrier & 3) != _IDLE)
    column = tl.floor(tl.load(record, mask=carries, other=-1.0) * per_cell)
    row = tl.floor(tl.load(record + 1, mask=carries, other=-1.0) * per_cell)
    carries &= (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    cell = tl.where(carries, row * columns + column, 0.0).to(tl.int32)
    return cell, carries


@triton.jit
def _tent(plane, row, column, rows, columns):
    """The plane smoothed by (1, 2, 1) / 4 both ways; nothing beyond its edges."""
    total = tl.zeros_like(row).to(tl.float32)
    for i in tl.static_range(9):
        r, c = row + i // 3 - 1, column + i % 3 - 1
        is_cell = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
        there = tl.load(plane + r * columns + c, mask=is_cell, other=0.0)
        total += there * ((1 + i // 3 % 2) * (1 + i % 3 % 2) / 16)
    return total
