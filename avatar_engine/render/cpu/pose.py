# mypy: allow-untyped-defs, allow-untyped-calls
"""From maps and a state to projected Gaussians: one fused pass over the rows of the atlas.

The tangents of a texel are differences of *projected* neighbours, so a row is finished when the
row below it has been projected; three projected rows are alive at a time.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from avatar_engine.render.cpu.packed import HAS_EYE, HAS_LID, HAS_MOUTH, PackedMaps
from avatar_engine.render.definition import (
    ALPHA_CUT,
    APERTURE_CM,
    ATLAS_ROWS,
    COLUMNS,
    LOW_PASS_PX2,
    NEAR_CM,
)
from avatar_engine.types import Chart

KEYS = 1 << 16
"""Steps of the depth key; at 12 bits the picture differs from a full sort by less than 0.1 dB."""
RECORD = 10
"""Floats per Gaussian: x, y, conic a, b, c, ln opacity, three colours, recurrence flag."""

JIT = {
    # Without nnan and ninf: comparisons with NaN stay false, and such texels are culled.
    "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"},
    "error_model": "numpy",
    "boundscheck": False,
    "nogil": True,
    "cache": True,
}

_EYE = int(Chart.EYE)
_TEETH, _GUM, _TONGUE = int(Chart.TEETH), int(Chart.GUM), int(Chart.TONGUE)
_F = np.float32


class View(NamedTuple):
    """One frame's numbers; float32 throughout, since kernels are compiled for exact types."""

    active: NDArray[np.int32]  # [A] modes that act
    amounts: NDArray[np.float32]  # [A] cm per unit of int16
    joints: NDArray[np.float32]  # [3, 3, 4] head space to camera axes
    eyes: NDArray[np.float32]  # [2, 3, 3]
    lens: NDArray[np.float32]  # [6] fx, fy, cx, cy, depth of key 0, keys per cm
    size: NDArray[np.int32]  # [2] width, height


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


def pose(maps: PackedMaps, view: View, colors: NDArray[np.float32], out: Records) -> None:
    """Fill ``out`` with the Gaussians of one frame.

    Args:
        maps: The persona.
        view: The frame.
        colors: [R, C, 3] what the blend adds up: RGB or YUV in [0, 255].
        out: From ``records_for(maps)``.
    """
    lips = np.zeros((2, maps.lips.shape[1]), np.float32)
    _aperture(maps.surface, maps.modes, view.active, view.amounts, maps.lips, lips)
    _pose_rows(
        (maps.surface, maps.modes, maps.spans, maps.head_weight, maps.row_kind, maps.chart),
        (maps.neighbours, maps.sigmas, maps.tangent_caps, maps.winding, maps.depth_bias),
        (maps.opacity, maps.log_opacity, maps.reach, colors),
        (maps.lid_starts, maps.lid_columns, maps.eye_centers, _F(maps.lid_radius), lips),
        view.active,
        view.amounts,
        view.joints,
        view.eyes,
        view.lens,
        view.size,
        out.values,
        out.boxes,
        out.keys,
        out.texels,
        out.counts,
    )


@njit(**JIT)
def _aperture(surface, modes, active, amounts, pairs, lips):
    """X of the upper inner lip [0] and the gap under it [1], both cm, by rising x."""
    for p in range(pairs.shape[1]):
        height = np.zeros(2, np.float32)
        for side in range(2):
            row, column = pairs[side, p] // COLUMNS, pairs[side, p] % COLUMNS
            x, y = surface[row, 3 * column], surface[row, 3 * column + 1]
            for i in range(active.shape[0]):
                x += amounts[i] * _F(modes[active[i], row, 3 * column])
                y += amounts[i] * _F(modes[active[i], row, 3 * column + 1])
            height[side] = y
            if side == 0:
                lips[0, p] = max(x, lips[0, p - 1]) if p > 0 else x
        lips[1, p] = height[0] - height[1]


@njit(**JIT)
def _gap_at(x, lips):
    """Gap of the lips at x; 0 outside the outermost pair."""
    last = lips.shape[1] - 1
    if last < 0 or not (lips[0, 0] <= x <= lips[0, last]):
        return _F(0)
    p = 0
    while p < last - 1 and lips[0, p + 1] < x:
        p += 1
    if p == last:
        return lips[1, p]
    width = lips[0, p + 1] - lips[0, p]
    share = (x - lips[0, p]) / width if width > _F(0) else _F(0)
    return lips[1, p] + share * (lips[1, p + 1] - lips[1, p])


@njit(**JIT)
def _turn_eyes(b, chart, eye_centers, eyes):
    for n in range(COLUMNS):
        if chart[n] == _EYE:
            e = 0 if n >= COLUMNS // 2 else 1
            x = b[0, n] - eye_centers[e, 0]
            y = b[1, n] - eye_centers[e, 1]
            z = b[2, n] - eye_centers[e, 2]
            for c in range(3):
                turned = eyes[e, c, 0] * x + eyes[e, c, 1] * y + eyes[e, c, 2] * z
                b[c, n] = eye_centers[e, c] + turned


@njit(**JIT)
def _push_lids(b, columns, eye_centers, radius):
    for i in range(columns.shape[0]):
        n = columns[i]
        e = 0 if n >= COLUMNS // 2 else 1
        x = b[0, n] - eye_centers[e, 0]
        y = b[1, n] - eye_centers[e, 1]
        z = b[2, n] - eye_centers[e, 2]
        distance = np.sqrt(x * x + y * y + z * z)
        if z > _F(0) and distance < radius:
            out = radius / max(distance, _F(1e-6))
            b[0, n] = eye_centers[e, 0] + x * out
            b[1, n] = eye_centers[e, 1] + y * out
            b[2, n] = eye_centers[e, 2] + z * out


@njit(**JIT)
def _light_mouth(b, chart, opacity, lips, q):
    low, high = _F(APERTURE_CM[0]), _F(APERTURE_CM[1])
    for n in range(COLUMNS):
        if chart[n] == _TEETH or chart[n] == _GUM or chart[n] == _TONGUE:
            t = (_gap_at(b[0, n], lips) - low) / (high - low)
            t = min(max(t, _F(0)), _F(1))
            shown = max(opacity[n] * t * t * (_F(3) - _F(2) * t), _F(1e-9))
            q[4, n + 1] = np.log(shown)
            q[5, n + 1] = _F(2) * np.log(shown / _F(ALPHA_CUT))


@njit(**JIT)
def _pose_rows(
    body, grid, look, face, active, amounts, A, eyes, lens, size, values, boxes, keys, texels, count
):
    surface, modes, spans, head_weight, row_kind, chart = body
    neighbours, sigmas, caps, winding, bias = grid
    opacity, log_opacity, reach, colors = look
    lid_starts, lid_columns, eye_centers, lid_radius, lips = face
    S = COLUMNS
    rows = surface.shape[0]
    half, one, zero = _F(0.5), _F(1), _F(0)
    big, fbig, far = np.int32(4096), _F(4096), _F(1e5)
    low_pass = _F(LOW_PASS_PX2)
    fx, fy, cx, cy, key_near, key_scale = lens[0], lens[1], lens[2], lens[3], lens[4], lens[5]
    x_last, y_last = np.int32(size[0] - 1), np.int32(size[1] - 1)
    mixed = np.empty(3 * S, np.float32)
    b = np.empty((3, S), np.float32)
    # Three rows of projected x, y, depth, 1 / depth, ln opacity, reach.
    P = np.zeros((3, 6, S + 2), np.float32)
    t = np.empty((8, S), np.float32)
    bi = np.empty((4, S), np.int32)
    for rr in range(rows + 1):
        if rr < rows:
            q = P[rr % 3]
            for n in range(3 * S):
                mixed[n] = surface[rr, n]
            if rr < ATLAS_ROWS:
                for i in range(active.shape[0]):
                    k = active[i]
                    amount = amounts[i]
                    for n in range(3 * spans[k, rr, 0], 3 * spans[k, rr, 1]):
                        mixed[n] += amount * _F(modes[k, rr, n])
            for n in range(S):
                b[0, n] = mixed[3 * n]
                b[1, n] = mixed[3 * n + 1]
                b[2, n] = mixed[3 * n + 2]
            if row_kind[rr] & HAS_EYE:
                _turn_eyes(b, chart[rr], eye_centers, eyes)
            if row_kind[rr] & HAS_LID:
                _push_lids(
                    b, lid_columns[lid_starts[rr] : lid_starts[rr + 1]], eye_centers, lid_radius
                )
            for n in range(S):
                x, y, z, h = b[0, n], b[1, n], b[2, n], head_weight[rr, n]
                j0, j2 = max(one - h - h, zero), max(h + h - one, zero)
                j1 = one - j0 - j2
                # fmt: off
                X = ((A[0,0,0]*x + A[0,0,1]*y + A[0,0,2]*z + A[0,0,3]) * j0
                     + (A[1,0,0]*x + A[1,0,1]*y + A[1,0,2]*z + A[1,0,3]) * j1
                     + (A[2,0,0]*x + A[2,0,1]*y + A[2,0,2]*z + A[2,0,3]) * j2)
                Y = ((A[0,1,0]*x + A[0,1,1]*y + A[0,1,2]*z + A[0,1,3]) * j0
                     + (A[1,1,0]*x + A[1,1,1]*y + A[1,1,2]*z + A[1,1,3]) * j1
                     + (A[2,1,0]*x + A[2,1,1]*y + A[2,1,2]*z + A[2,1,3]) * j2)
                Z = ((A[0,2,0]*x + A[0,2,1]*y + A[0,2,2]*z + A[0,2,3]) * j0
                     + (A[1,2,0]*x + A[1,2,1]*y + A[1,2,2]*z + A[1,2,3]) * j1
                     + (A[2,2,0]*x + A[2,2,1]*y + A[2,2,2]*z + A[2,2,3]) * j2)
                # fmt: on
                iz = one / Z
                q[0, n + 1] = X * iz * fx + cx - half  # pixel centres at integers from here on
                q[1, n + 1] = Y * iz * fy + cy - half
                q[2, n + 1] = Z
                q[3, n + 1] = iz
                q[4, n + 1] = log_opacity[rr, n]
                q[5, n + 1] = reach[rr, n]
            if row_kind[rr] & HAS_MOUTH:
                _light_mouth(b, chart[rr], opacity[rr], lips, q)
        e = rr - 1
        if e < 0:
            continue
        p0 = P[e % 3]
        pm = P[(e + 2) % 3] if e > 0 else p0
        pp = P[(e + 1) % 3] if e < rows - 1 else p0
        for n in range(S):
            bits = neighbours[e, n]
            fl, fr = _F(bits & 1), _F((bits >> 1) & 1)
            fu, fd = _F((bits >> 2) & 1), _F((bits >> 3) & 1)
            sx, sy = one - half * fl * fr, one - half * fu * fd
            x, y = p0[0, n + 1], p0[1, n + 1]
            ux = ((p0[0, n + 2] - x) * fr + (x - p0[0, n]) * fl) * sx
            uy = ((p0[1, n + 2] - y) * fr + (y - p0[1, n]) * fl) * sx
            vx = ((pp[0, n + 1] - x) * fd + (x - pm[0, n + 1]) * fu) * sy
            vy = ((pp[1, n + 1] - y) * fd + (y - pm[1, n + 1]) * fu) * sy
            facing = (ux * vy - uy * vx) * winding[e, n]
            limit = fx * p0[3, n + 1]
            su = sigmas[e, 0, n] * min(
                one, caps[e, 0, n] * limit / np.sqrt(max(ux * ux + uy * uy, _F(1e-12)))
            )
            sv = sigmas[e, 1, n] * min(
                one, caps[e, 1, n] * limit / np.sqrt(max(vx * vx + vy * vy, _F(1e-12)))
            )
            ux, uy, vx, vy = ux * su, uy * su, vx * sv, vy * sv
            ca, cc = ux * ux + vx * vx + low_pass, uy * uy + vy * vy + low_pass
            cb = ux * uy + vx * vy
            D = one / (ca * cc - cb * cb)
            L = p0[5, n + 1]
            qa, qc = cc * D, ca * D
            t[0, n] = qa
            t[1, n] = -cb * D
            t[2, n] = qc
            rx, ry = np.sqrt(max(L * ca, zero)), np.sqrt(max(L * cc, zero))
            ab = abs(cb) * D
            # The recurrence multiplies exponentials; both ranges must fit a float.
            k1 = half * (qa * rx * rx + qc * ry * ry) + ab * rx * ry
            k2 = qc * (ry + one) + ab * (rx + _F(8))
            t[3, n] = one if max(k1, k2) < _F(80) else zero
            depth = p0[2, n + 1]
            t[4, n] = min(max((depth + bias[e, n] - key_near) * key_scale, zero), _F(KEYS - 1))
            t[5, n] = rx
            t[6, n] = ry
            is_drawn = (zero < L) & (facing >= zero) & (zero < D) & (depth > _F(NEAR_CM))
            is_near = (abs(x) < far) & (abs(y) < far) & (rx < far) & (ry < far)
            t[7, n] = one if is_drawn & is_near else -one
        for n in range(S):  # ceil and floor; split off so that both loops vectorise
            x, y, rx, ry = p0[0, n + 1], p0[1, n + 1], t[5, n], t[6, n]
            x0 = max(big - np.int32(fbig - (x - rx)), np.int32(0))
            x1 = min(np.int32(x + rx + fbig) - big, x_last)
            y0 = max(big - np.int32(fbig - (y - ry)), np.int32(0))
            y1 = min(np.int32(y + ry + fbig) - big, y_last)
            bi[0, n] = x0
            bi[1, n] = x1 if t[7, n] > zero and y1 >= y0 else np.int32(-1)
            bi[2, n] = y0
            bi[3, n] = y1
        m = 0
        for n in range(S):
            if bi[1, n] < bi[0, n]:
                continue
            s = values[e, m]
            s[0], s[1] = p0[0, n + 1], p0[1, n + 1]
            s[2], s[3], s[4] = t[0, n], t[1, n], t[2, n]
            s[5] = p0[4, n + 1]
            s[6], s[7], s[8] = colors[e, n, 0], colors[e, n, 1], colors[e, n, 2]
            s[9] = t[3, n]
            v = boxes[e, m]
            v[0], v[1], v[2], v[3] = bi[0, n], bi[1, n], bi[2, n], bi[3, n]
            keys[e, m] = np.uint16(t[4, n])
            texels[e, m] = np.uint16(n)
            m += 1
        count[e] = m
