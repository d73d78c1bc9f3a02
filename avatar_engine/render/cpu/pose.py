# mypy: allow-untyped-defs, allow-untyped-calls
"""From maps and a state to projected Gaussians: one fused pass over the rows of the atlas.

The tangents of a texel are differences of *projected* neighbours, so a row is finished when the
row below it has been projected; three projected rows are alive at a time.
"""

import numpy as np

from avatar_engine.render.cpu import record_lanes
from avatar_engine.render.cpu.front import FAR, Front, no_front, note_row
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.mode_blocks import BAND, acting
from avatar_engine.render.cpu.packed import HAS_MOUTH, PackedMaps
from avatar_engine.render.cpu.records import (
    KEYS,
    PAINT_STEPS,
    PLACE,
    RECORD,
    Palette,
    Records,
    ink_of,
)
from avatar_engine.render.cpu.surface import View, aperture, express, light_mouth
from avatar_engine.render.cpu.vectors import LANES
from avatar_engine.render.definition import ATLAS_ROWS, COLUMNS, LOW_PASS_PX2, NEAR_CM

_SHAPE = 12
_F, _S = np.float32, COLUMNS
_NEXT = np.uint64(1)
"""Columns are counted without a sign: an index that might be negative keeps a loop scalar."""


def pose(
    maps: PackedMaps, view: View, palette: Palette, out: Records, front: Front | None = None
) -> None:
    """Fill ``out`` with the Gaussians of one frame.

    Args:
        maps: The persona.
        view: The frame.
        palette: What the blend adds up.
        out: From ``records_for(maps)``.
        front: Takes note of the texels that carry detail.
    """
    _pose_rows(maps, view, palette, out, front or no_front())


@kernel
def _pose_rows(maps, view, palette, out, front):
    lips = aperture(maps, view)
    rows = maps.surface.shape[0]
    modes = acting(view.changes)
    places = np.empty((BAND, 3, _S), np.float32)
    lit = np.ones((3, _S), np.float32)
    # Three rows of projected x, y, depth, 1 / depth, ln opacity, reach; a texel's pad on each side.
    projected = np.zeros((3, 6, _S + 2), np.float32)
    shape = np.zeros((_SHAPE, _S), np.float32)
    inks = shape[7].view(np.int32)
    place_of = np.empty((PLACE + 1, _S), np.int32)
    tone = np.empty((3, _S), np.float32)
    has_front = front.kinds.shape[0] > 0
    front.nearest[:] = FAR
    front.noted[0] = 0
    count = 0
    for row in range(rows + 1):
        if row < ATLAS_ROWS and row % BAND == 0:
            express(maps, view, row // BAND, modes, places)
        if row < rows and maps.wide_spans[row, 1] > 0:
            # Hair has no modes.
            place = places[row % BAND] if row < ATLAS_ROWS else maps.surface[row]
            _project(maps, view, row, place, projected[row % 3])
            if maps.row_kind[row] & HAS_MOUTH:
                light_mouth(maps, view, lips, row, place, projected[row % 3], lit[row % 3])
        e = row - 1
        if e >= 0 and maps.row_spans[e, 1] > 0:
            here = projected[e % 3]
            above = projected[(e + 2) % 3] if e > 0 else here
            below = projected[(e + 1) % 3] if e < rows - 1 else here
            _spread(maps, view, e, here, above, below, shape)
            _frame(maps, view, e, here, shape, place_of)
            _ink(maps, view, e, lit[e % 3], palette, tone, inks)
            count = _keep(maps, e, shape, place_of, out, count)
            if has_front:
                note_row(front, e, maps.row_spans[e, 0], maps.row_spans[e, 1], shape, place_of)
    out.drawn[0] = count


@kernel
def _project(maps, view, row, place, q):
    """Steps 4-6: pixels, with their centres at integers, and depth."""
    A = view.joints
    fx, fy, cx, cy = view.lens[0], view.lens[1], view.lens[2] - _F(0.5), view.lens[3] - _F(0.5)
    step, cut = maps.steps[0], maps.log_cut
    for n in range(np.uint64(maps.wide_spans[row, 0]), np.uint64(maps.wide_spans[row, 1])):
        x, y, z, h = place[0, n], place[1, n], place[2, n], _F(maps.head_weight[row, n]) * step
        body, head = max(_F(1) - h - h, _F(0)), max(h + h - _F(1), _F(0))
        half = _F(1) - body - head
        # fmt: off
        X = ((A[0,0,0]*x + A[0,0,1]*y + A[0,0,2]*z + A[0,0,3]) * body
             + (A[1,0,0]*x + A[1,0,1]*y + A[1,0,2]*z + A[1,0,3]) * half
             + (A[2,0,0]*x + A[2,0,1]*y + A[2,0,2]*z + A[2,0,3]) * head)
        Y = ((A[0,1,0]*x + A[0,1,1]*y + A[0,1,2]*z + A[0,1,3]) * body
             + (A[1,1,0]*x + A[1,1,1]*y + A[1,1,2]*z + A[1,1,3]) * half
             + (A[2,1,0]*x + A[2,1,1]*y + A[2,1,2]*z + A[2,1,3]) * head)
        Z = ((A[0,2,0]*x + A[0,2,1]*y + A[0,2,2]*z + A[0,2,3]) * body
             + (A[1,2,0]*x + A[1,2,1]*y + A[1,2,2]*z + A[1,2,3]) * half
             + (A[2,2,0]*x + A[2,2,1]*y + A[2,2,2]*z + A[2,2,3]) * head)
        # fmt: on
        per_depth, shown = _F(1) / Z, maps.log_opacity[row, n]
        q[0, n + _NEXT] = X * per_depth * fx + cx
        q[1, n + _NEXT] = Y * per_depth * fy + cy
        q[2, n + _NEXT] = Z
        q[3, n + _NEXT] = per_depth
        q[4, n + _NEXT] = shown
        q[5, n + _NEXT] = _F(2) * (shown - cut)


@kernel
def _spread(maps, view, row, here, above, below, t):
    """Steps 7-8: a record's values but for its ink [0-6], depth key, half box, drawn [8-11]."""
    half, one, zero, two, least = _F(0.5), _F(1), _F(0), _F(2), _F(1e-12)
    low_pass, far = _F(LOW_PASS_PX2), _F(1e5)
    fx, key_near, key_scale = view.lens[0], view.lens[4], view.lens[5]
    sigma_step, tight_step, bias_step = maps.steps[1], maps.steps[2], maps.steps[3]
    for n in range(np.uint64(maps.row_spans[row, 0]), np.uint64(maps.row_spans[row, 1])):
        bits = np.int32(maps.links[row, n])
        fl, fr = _F(bits & 1), _F((bits >> 1) & 1)
        fu, fd = _F((bits >> 2) & 1), _F((bits >> 3) & 1)
        winding = _F((bits >> 4) & 1) - _F((bits >> 5) & 1)  # FRONT, BACK
        sx, sy = one - half * fl * fr, one - half * fu * fd
        m, after = n + _NEXT, n + _NEXT + _NEXT
        x, y, depth = here[0, m], here[1, m], here[2, m]
        ux = ((here[0, after] - x) * fr + (x - here[0, n]) * fl) * sx
        uy = ((here[1, after] - y) * fr + (y - here[1, n]) * fl) * sx
        vx = ((below[0, m] - x) * fd + (x - above[0, m]) * fu) * sy
        vy = ((below[1, m] - y) * fd + (y - above[1, m]) * fu) * sy
        facing = (ux * vy - uy * vx) * winding
        px_per_cm = fx * here[3, m]
        u, v = np.sqrt(max(ux * ux + uy * uy, least)), np.sqrt(max(vx * vx + vy * vy, least))
        tight_u = u * (_F(maps.tightness[row, 0, n]) * tight_step)
        tight_v = v * (_F(maps.tightness[row, 1, n]) * tight_step)
        su = _F(maps.sigmas[row, 0, n]) * sigma_step * min(one, px_per_cm / max(tight_u, least))
        sv = _F(maps.sigmas[row, 1, n]) * sigma_step * min(one, px_per_cm / max(tight_v, least))
        ux, uy, vx, vy = ux * su, uy * su, vx * sv, vy * sv
        xx, yy = ux * ux + vx * vx + low_pass, uy * uy + vy * vy + low_pass
        xy = ux * uy + vx * vy
        scale = one / (xx * yy - xy * xy)
        a, c, across = yy * scale, xx * scale, abs(xy) * scale
        reach = here[5, m]
        rx, ry = np.sqrt(max(reach * xx, zero)), np.sqrt(max(reach * yy, zero))
        # The recurrence multiplies exponentials: their exponents at the corners of a window, which
        # may begin two rows above the box, and those of the ratios must fit a float.
        top = ry + two
        at_corner = half * (a * rx * rx + c * top * top) + across * rx * top
        of_ratio = c * (ry + one) + across * (rx + _F(8))
        t[0, n], t[1, n] = x, y
        t[2, n], t[3, n], t[4, n] = a, -xy * scale, c
        t[5, n] = here[4, m]
        # exp(-c) as the eighth power of a series: c <= 1 / low_pass, so its error is below 4e-6.
        e = c * _F(0.125)
        s = one - e * _F(1 / 4) * (one - e * _F(1 / 5) * (one - e * _F(1 / 6)))
        s = one - e * (one - e * half * (one - e * _F(1 / 3) * s))
        s *= s
        s *= s
        t[6, n] = s * s if max(at_corner, of_ratio) < _F(80) else -one
        key = (depth + _F(maps.depth_bias[row, n]) * bias_step - key_near) * key_scale
        t[8, n] = min(max(key, zero), _F(KEYS - 1))
        t[9, n] = rx
        t[10, n] = ry
        is_drawn = (reach > zero) & (facing >= zero) & (scale > zero) & (depth > _F(NEAR_CM))
        is_near = (abs(x) < far) & (abs(y) < far) & (rx < far) & (ry < far)
        t[11, n] = one if is_drawn & is_near else -one


@kernel
def _frame(maps, view, row, here, t, place_of):
    """A record's place [4, C], and whether it is drawn.

    A loop of its own, so that both this one and ``_spread``'s vectorise.
    """
    bias, float_bias = np.int32(1 << 17), _F(1 << 17)  # truncation rounds down above zero
    zero, first = np.int32(0), np.int32(row * _S)
    x_last, y_last = np.int32(view.size[0] - 1), np.int32(view.size[1] - 1)
    for n in range(np.uint64(maps.row_spans[row, 0]), np.uint64(maps.row_spans[row, 1])):
        x, y, rx, ry = t[0, n], t[1, n], t[9, n], t[10, n]
        x0 = max(bias - np.int32(float_bias - (x - rx)), zero)
        x1 = min(np.int32(x + rx + float_bias) - bias, x_last)
        y0 = max(bias - np.int32(float_bias - (y - ry)), zero)
        y1 = min(np.int32(y + ry + float_bias) - bias, y_last)
        place_of[0, n] = x0 | (x1 << np.int32(16))
        place_of[1, n] = y0 | (y1 << np.int32(16))
        place_of[2, n] = np.int32(t[8, n])
        place_of[3, n] = first + np.int32(n)
        is_drawn = (t[11, n] > _F(0)) & (x1 >= x0) & (y1 >= y0)
        place_of[4, n] = np.int32(1) if is_drawn else zero


@kernel
def _ink(maps, view, row, lit, palette, tone, inks):
    """Steps 9 and 11: colours as the records keep them, tinted and lit where anything changes."""
    begin, end = np.uint64(maps.row_spans[row, 0]), np.uint64(maps.row_spans[row, 1])
    first, last = maps.tint_starts[row], maps.tint_starts[row + 1]
    has_mouth = maps.row_kind[row] & HAS_MOUTH
    if first == last and not has_mouth:
        for n in range(begin, end):
            inks[n] = palette.inks[row, n]
        return
    per_step = _F(1 / PAINT_STEPS)
    for n in range(begin, end):
        for c in range(3):
            tone[c, n] = _F(palette.colors[row, c, n]) * per_step
    for i in range(first, last):
        amount, n = view.tints[maps.tint_drivers[i]] * per_step, maps.tint_columns[i]
        for c in range(3):
            tone[c, n] += amount * _F(palette.tints[i, c])
    if has_mouth:
        for c in range(3):
            shade = palette.shade[c]
            for n in range(begin, end):
                tone[c, n] = shade + (tone[c, n] - shade) * lit[n]
    for n in range(begin, end):
        inks[n] = ink_of(tone[0, n], tone[1, n], tone[2, n])


@kernel
def _keep(maps, row, shape, place_of, out, count):
    """Append the row's visible Gaussians to the records; returns how many there are now."""
    stride = np.int64(4 * _S)
    floats, ints = np.int64(shape.ctypes.data), np.int64(place_of.ctypes.data)
    values, places = np.int64(out.values.ctypes.data), np.int64(out.places.ctypes.data)
    for n in range(maps.row_spans[row, 0], maps.row_spans[row, 1], LANES):
        count += record_lanes.keep(
            floats + 4 * n,
            ints + 4 * n,
            ints + PLACE * stride + 4 * n,
            stride,
            values + 4 * RECORD * count,
            places + 4 * PLACE * count,
        )
    return count
