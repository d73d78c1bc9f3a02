# mypy: allow-untyped-defs, allow-untyped-calls
"""From maps and a state to projected Gaussians: one fused pass over the rows of the atlas.

The tangents of a texel are differences of *projected* neighbours, so a row is finished when the
row below it has been projected; three projected rows are alive at a time.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.packed import HAS_EYE, HAS_LID, HAS_MOUTH, HAS_TINT, PackedMaps
from avatar_engine.render.definition import (
    APERTURE_CM,
    ARCH_Z_CM,
    ATLAS_ROWS,
    COLUMNS,
    LOW_PASS_PX2,
    NEAR_CM,
    SHADE_FLOOR,
    SHADED_CM,
    TOOTH_AMBIENT,
)
from avatar_engine.types import Chart

KEYS = 1 << 16
"""Steps of the depth key; at 12 bits the picture differs from a full sort by less than 0.1 dB."""
RECORD = 10
"""Floats per Gaussian: x, y, conic a, b, c, ln opacity, three colours, recurrence flag."""

_EYE = int(Chart.EYE)
_TEETH, _GUM = int(Chart.TEETH), int(Chart.GUM)
_TONGUE, _CAVITY = int(Chart.TONGUE), int(Chart.CAVITY)
_F, _S = np.float32, COLUMNS


class View(NamedTuple):
    """One frame's numbers; float32 throughout, since kernels are compiled for exact types."""

    active: NDArray[np.int32]  # [A] modes that act
    amounts: NDArray[np.float32]  # [A] cm per unit of int16
    joints: NDArray[np.float32]  # [3, 3, 4] head space to camera axes
    eyes: NDArray[np.float32]  # [2, 3, 3]
    lens: NDArray[np.float32]  # [6] fx, fy, cx, cy, depth of key 0, keys per cm
    size: NDArray[np.int32]  # [2] width, height
    tints: NDArray[np.float32]  # [5] how far each TintDriver acts
    light: NDArray[np.float32]  # [3] direction of the light on the teeth, head space


class Palette(NamedTuple):
    """What the blend adds up: RGB or YUV in [0, 255]."""

    colors: NDArray[np.float32]  # [R, C, 3]
    tints: NDArray[np.float32]  # [256, C, 3] changes of it
    shade: NDArray[np.float32]  # [3] the unlit mouth


class Records(NamedTuple):
    """Visible Gaussians, per row of the atlas: the first ``counts[r]`` of each row are valid."""

    values: NDArray[np.float32]  # [R, C, RECORD]
    boxes: NDArray[np.int16]  # [R, C, 4] x0, x1, y0, y1 in pixels, inclusive
    keys: NDArray[np.uint16]  # [R, C]
    texels: NDArray[np.uint16]  # [R, C] column of the texel in its row
    counts: NDArray[np.int32]  # [R]


def records_for(maps: PackedMaps) -> Records:
    """Room for every texel of a persona."""
    rows = len(maps.surface)
    return Records(
        np.zeros((rows, COLUMNS, RECORD), np.float32),
        np.zeros((rows, COLUMNS, 4), np.int16),
        np.zeros((rows, COLUMNS), np.uint16),
        np.zeros((rows, COLUMNS), np.uint16),
        np.zeros(rows, np.int32),
    )


def pose(maps: PackedMaps, view: View, palette: Palette, out: Records) -> None:
    """Fill ``out`` with the Gaussians of one frame.

    Args:
        maps: The persona.
        view: The frame.
        palette: What the blend adds up.
        out: From ``records_for(maps)``.
    """
    _pose_rows(maps, view, palette, out)


@kernel
def _pose_rows(maps, view, palette, out):
    lips = _aperture(maps, view)
    rows = maps.surface.shape[0]
    mixed = np.empty(3 * _S, np.float32)
    place = np.empty((3, _S), np.float32)
    lit = np.ones((3, _S), np.float32)
    # Three rows of projected x, y, depth, 1 / depth, ln opacity, reach; a texel's pad on each side.
    projected = np.zeros((3, 6, _S + 2), np.float32)
    shape = np.empty((8, _S), np.float32)
    box = np.empty((4, _S), np.int32)
    for row in range(rows + 1):
        if row < rows:
            _express(maps, view, row, mixed, place)
            _project(maps, view, row, place, projected[row % 3])
            if maps.row_kind[row] & HAS_MOUTH:
                _light_mouth(maps, view, lips, row, place, projected[row % 3], lit[row % 3])
        e = row - 1
        if e >= 0:
            here = projected[e % 3]
            above = projected[(e + 2) % 3] if e > 0 else here
            below = projected[(e + 1) % 3] if e < rows - 1 else here
            _spread(maps, view, e, here, above, below, shape)
            _frame(view, here, shape, box)
            _keep(maps, view, e, here, shape, box, lit[e % 3], palette, out)


@kernel
def _aperture(maps, view):
    """X of the upper inner lip [0] and the gap under it [1], both cm, by rising x."""
    pairs = maps.lips
    lips = np.zeros((2, pairs.shape[1]), np.float32)
    height = np.zeros(2, np.float32)
    for p in range(pairs.shape[1]):
        for side in range(2):
            row, n = pairs[side, p] // _S, 3 * (pairs[side, p] % _S)
            x, y = maps.surface[row, n], maps.surface[row, n + 1]
            for i in range(view.active.shape[0]):
                x += view.amounts[i] * _F(maps.modes[view.active[i], row, n])
                y += view.amounts[i] * _F(maps.modes[view.active[i], row, n + 1])
            height[side] = y
            if side == 0:
                lips[0, p] = max(x, lips[0, p - 1]) if p > 0 else x
        lips[1, p] = height[0] - height[1]
    return lips


@kernel
def _express(maps, view, row, mixed, place):
    """Steps 1-3: one row of the surface in head space, [3, C]."""
    for n in range(3 * _S):
        mixed[n] = maps.surface[row, n]
    if row < ATLAS_ROWS:
        for i in range(view.active.shape[0]):
            k, amount = view.active[i], view.amounts[i]
            first, last = 3 * maps.spans[k, row, 0], 3 * maps.spans[k, row, 1]
            if first == last:
                continue
            # Slices, counted from zero: an index that might be negative keeps a loop scalar.
            part, mode = mixed[first:last], maps.modes[k, row, first:last]
            for n in range(part.shape[0]):
                part[n] += amount * _F(mode[n])
    for n in range(_S):
        place[0, n] = mixed[3 * n]
        place[1, n] = mixed[3 * n + 1]
        place[2, n] = mixed[3 * n + 2]
    if maps.row_kind[row] & HAS_EYE:
        for n in range(_S):
            if maps.chart[row, n] == _EYE:
                _turn(place, n, maps.eye_centers, view.eyes)
    if maps.row_kind[row] & HAS_LID:
        for i in range(maps.lid_starts[row], maps.lid_starts[row + 1]):
            _push(place, maps.lid_columns[i], maps.eye_centers, maps.lid_radius)


@kernel
def _turn(place, n, centers, eyes):
    e = 0 if n >= _S // 2 else 1
    x, y, z = place[0, n] - centers[e, 0], place[1, n] - centers[e, 1], place[2, n] - centers[e, 2]
    for c in range(3):
        turned = eyes[e, c, 0] * x + eyes[e, c, 1] * y + eyes[e, c, 2] * z
        place[c, n] = centers[e, c] + turned


@kernel
def _push(place, n, centers, radius):
    e = 0 if n >= _S // 2 else 1
    x, y, z = place[0, n] - centers[e, 0], place[1, n] - centers[e, 1], place[2, n] - centers[e, 2]
    distance = np.sqrt(x * x + y * y + z * z)
    if z > _F(0) and distance < radius:
        out = radius / max(distance, _F(1e-6))
        place[0, n] = centers[e, 0] + x * out
        place[1, n] = centers[e, 1] + y * out
        place[2, n] = centers[e, 2] + z * out


@kernel
def _project(maps, view, row, place, q):
    """Steps 4-6: pixels, with their centres at integers, and depth."""
    A = view.joints
    fx, fy, cx, cy = view.lens[0], view.lens[1], view.lens[2] - _F(0.5), view.lens[3] - _F(0.5)
    for n in range(_S):
        x, y, z, h = place[0, n], place[1, n], place[2, n], maps.head_weight[row, n]
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
        per_depth = _F(1) / Z
        q[0, n + 1] = X * per_depth * fx + cx
        q[1, n + 1] = Y * per_depth * fy + cy
        q[2, n + 1] = Z
        q[3, n + 1] = per_depth
        q[4, n + 1] = maps.log_opacity[row, n]
        q[5, n + 1] = maps.reach[row, n]


@kernel
def _light_mouth(maps, view, lips, row, place, q, lit):
    """Step 9: the inner mouth shows, and is lit, as far as the lips are apart."""
    for n in range(_S):
        lit[n] = _F(1)
        chart = maps.chart[row, n]
        if chart in (_TEETH, _GUM, _TONGUE, _CAVITY):
            gap = _gap_at(place[0, n], lips)
            lit[n] = _F(SHADE_FLOOR) + _F(1 - SHADE_FLOOR) * _risen(gap, SHADED_CM)
            if chart != _CAVITY:
                shown = max(maps.opacity[row, n] * _risen(gap, APERTURE_CM), _F(1e-9))
                q[4, n + 1] = np.log(shown)
                q[5, n + 1] = _F(2) * np.log(shown / maps.cut)
            if chart in (_TEETH, _GUM):
                x, z = place[0, n], place[2, n] - _F(ARCH_Z_CM)
                facing = max(x * view.light[0] + z * view.light[2], _F(0))
                facing /= max(np.sqrt(x * x + z * z), _F(1e-6))
                lit[n] *= _F(TOOTH_AMBIENT) + _F(1 - TOOTH_AMBIENT) * facing


@kernel
def _risen(gap, span):
    """Smoothstep of a gap over a span."""
    t = min(max((gap - _F(span[0])) / _F(span[1] - span[0]), _F(0)), _F(1))
    return t * t * (_F(3) - _F(2) * t)


@kernel
def _gap_at(x, lips):
    """Gap of the lips at x; 0 outside the outermost pair."""
    last = lips.shape[1] - 1
    if last < 0 or not (lips[0, 0] <= x <= lips[0, last]):
        return _F(0)
    if last == 0:
        return lips[1, 0]
    p = 0
    while p < last - 1 and lips[0, p + 1] < x:
        p += 1
    width = lips[0, p + 1] - lips[0, p]
    share = (x - lips[0, p]) / width if width > _F(0) else _F(0)
    return lips[1, p] + share * (lips[1, p + 1] - lips[1, p])


@kernel
def _spread(maps, view, row, here, above, below, t):
    """Steps 7-8: conic [0-2], recurrence flag [3], depth key [4], half box [5, 6], drawn [7]."""
    half, one, zero = _F(0.5), _F(1), _F(0)
    low_pass, far = _F(LOW_PASS_PX2), _F(1e5)
    fx, key_near, key_scale = view.lens[0], view.lens[4], view.lens[5]
    for n in range(_S):
        bits = maps.neighbours[row, n]
        fl, fr = _F(bits & 1), _F((bits >> 1) & 1)
        fu, fd = _F((bits >> 2) & 1), _F((bits >> 3) & 1)
        sx, sy = one - half * fl * fr, one - half * fu * fd
        x, y, depth = here[0, n + 1], here[1, n + 1], here[2, n + 1]
        ux = ((here[0, n + 2] - x) * fr + (x - here[0, n]) * fl) * sx
        uy = ((here[1, n + 2] - y) * fr + (y - here[1, n]) * fl) * sx
        vx = ((below[0, n + 1] - x) * fd + (x - above[0, n + 1]) * fu) * sy
        vy = ((below[1, n + 1] - y) * fd + (y - above[1, n + 1]) * fu) * sy
        facing = (ux * vy - uy * vx) * maps.winding[row, n]
        px_per_cm = fx * here[3, n + 1]
        u, v = (
            np.sqrt(max(ux * ux + uy * uy, _F(1e-12))),
            np.sqrt(max(vx * vx + vy * vy, _F(1e-12))),
        )
        su = maps.sigmas[row, 0, n] * min(one, maps.tangent_caps[row, 0, n] * px_per_cm / u)
        sv = maps.sigmas[row, 1, n] * min(one, maps.tangent_caps[row, 1, n] * px_per_cm / v)
        ux, uy, vx, vy = ux * su, uy * su, vx * sv, vy * sv
        xx, yy = ux * ux + vx * vx + low_pass, uy * uy + vy * vy + low_pass
        xy = ux * uy + vx * vy
        scale = one / (xx * yy - xy * xy)
        a, c, across = yy * scale, xx * scale, abs(xy) * scale
        reach = here[5, n + 1]
        rx, ry = np.sqrt(max(reach * xx, zero)), np.sqrt(max(reach * yy, zero))
        # The recurrence multiplies exponentials: their exponents at the corners of a window, which
        # may begin two rows above the box, and those of the ratios must fit a float.
        top = ry + _F(2)
        at_corner = half * (a * rx * rx + c * top * top) + across * rx * top
        of_ratio = c * (ry + one) + across * (rx + _F(8))
        t[0, n] = a
        t[1, n] = -xy * scale
        t[2, n] = c
        t[3, n] = one if max(at_corner, of_ratio) < _F(80) else zero
        key = (depth + maps.depth_bias[row, n] - key_near) * key_scale
        t[4, n] = min(max(key, zero), _F(KEYS - 1))
        t[5, n] = rx
        t[6, n] = ry
        is_drawn = (reach > zero) & (facing >= zero) & (scale > zero) & (depth > _F(NEAR_CM))
        is_near = (abs(x) < far) & (abs(y) < far) & (rx < far) & (ry < far)
        t[7, n] = one if is_drawn & is_near else -one


@kernel
def _frame(view, here, t, box):
    """Pixel boxes [4, C]: x0, x1, y0, y1; x1 is -1 where nothing is drawn.

    A loop of its own, so that both this one and ``_spread``'s vectorise.
    """
    bias, float_bias = np.int32(1 << 17), _F(1 << 17)  # truncation rounds down above zero
    x_last, y_last = np.int32(view.size[0] - 1), np.int32(view.size[1] - 1)
    for n in range(_S):
        x, y, rx, ry = here[0, n + 1], here[1, n + 1], t[5, n], t[6, n]
        y0 = max(bias - np.int32(float_bias - (y - ry)), np.int32(0))
        y1 = min(np.int32(y + ry + float_bias) - bias, y_last)
        x1 = min(np.int32(x + rx + float_bias) - bias, x_last)
        box[0, n] = max(bias - np.int32(float_bias - (x - rx)), np.int32(0))
        box[1, n] = x1 if t[7, n] > _F(0) and y1 >= y0 else np.int32(-1)
        box[2, n] = y0
        box[3, n] = y1


@kernel
def _keep(maps, view, row, here, t, box, lit, palette, out):
    """Append the row's visible Gaussians to the records, tinted and lit."""
    kind, shade = maps.row_kind[row], palette.shade
    m = 0
    for n in range(_S):
        if box[1, n] < box[0, n]:
            continue
        s = out.values[row, m]
        s[0], s[1] = here[0, n + 1], here[1, n + 1]
        s[2], s[3], s[4] = t[0, n], t[1, n], t[2, n]
        s[5] = here[4, n + 1]
        color = palette.colors[row, n]
        s[6], s[7], s[8] = color[0], color[1], color[2]
        if kind & HAS_TINT and maps.tint_drivers[row, n] > 0:
            amount, tint = view.tints[maps.tint_drivers[row, n]], palette.tints[row, n]
            s[6], s[7], s[8] = (
                s[6] + amount * tint[0],
                s[7] + amount * tint[1],
                s[8] + amount * tint[2],
            )
        if kind & HAS_MOUTH:
            s[6] = shade[0] + (s[6] - shade[0]) * lit[n]
            s[7] = shade[1] + (s[7] - shade[1]) * lit[n]
            s[8] = shade[2] + (s[8] - shade[2]) * lit[n]
        s[9] = t[3, n]
        v = out.boxes[row, m]
        v[0], v[1], v[2], v[3] = box[0, n], box[1, n], box[2, n], box[3, n]
        out.keys[row, m] = np.uint16(t[4, n])
        out.texels[row, m] = np.uint16(n)
        m += 1
    out.counts[row] = m
