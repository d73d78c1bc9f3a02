# mypy: allow-untyped-defs, allow-untyped-calls
"""The surface in head space: modes, eyeballs, lids, and the light in the mouth."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.mode_blocks import BAND, move_band
from avatar_engine.render.cpu.packed import HAS_EYE, HAS_LID
from avatar_engine.render.definition import (
    APERTURE_CM,
    ARCH_Z_CM,
    COLUMNS,
    SHADE_FLOOR,
    SHADED_CM,
    TOOTH_AMBIENT,
)
from avatar_engine.types import Chart

_EYE = int(Chart.EYE)
_TEETH, _GUM = int(Chart.TEETH), int(Chart.GUM)
_TONGUE, _CAVITY = int(Chart.TONGUE), int(Chart.CAVITY)
_F, _S = np.float32, COLUMNS


class View(NamedTuple):
    """One frame's numbers; float32 throughout, since kernels are compiled for exact types."""

    changes: NDArray[np.float32]  # [K] weights of the modes beyond rest
    joints: NDArray[np.float32]  # [3, 3, 4] head space to camera axes
    eyes: NDArray[np.float32]  # [2, 3, 3]
    lens: NDArray[np.float32]  # [6] fx, fy, cx, cy, depth of key 0, keys per cm
    size: NDArray[np.int32]  # [2] width, height
    tints: NDArray[np.float32]  # [6] how far each TintDriver acts
    light: NDArray[np.float32]  # [3] direction of the light on the teeth, head space


@kernel
def aperture(maps, view):
    """X of the upper inner lip [0] and the gap under it [1], both cm, by rising x."""
    pairs = maps.lips.shape[1]
    lips = np.zeros((2, pairs), np.float32)
    for p in range(pairs):
        x, upper, lower = maps.lips[0, p], maps.lips[1, p], maps.lips[2, p]
        for k in range(view.changes.shape[0]):
            change, mode = view.changes[k], maps.lip_modes[k]
            x += change * mode[0, p]
            upper += change * mode[1, p]
            lower += change * mode[2, p]
        lips[0, p] = max(x, lips[0, p - 1]) if p > 0 else x
        lips[1, p] = upper - lower
    return lips


@kernel
def express(maps, view, band, modes, places):
    """Steps 1-3: a band of the surface in head space, [BAND, 3, C]; ``modes`` are ``acting``."""
    first = BAND * band
    places[:] = maps.surface[first : first + BAND]
    move_band(maps.blocks, band, modes, view.changes, places)
    for row in range(first, first + BAND):
        place = places[row - first]
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
def light_mouth(maps, view, lips, row, place, q, lit):
    """Step 9: the inner mouth shows, and is lit, as far as the lips are apart."""
    pair = np.int64(0)
    for n in range(maps.wide_spans[row, 0], maps.wide_spans[row, 1]):
        lit[n] = _F(1)
        chart = maps.chart[row, n]
        is_inside = chart in (_TEETH, _GUM, _TONGUE, _CAVITY)
        if not is_inside or q[5, n + 1] <= _F(0):
            continue
        x = place[0, n]
        pair = _pair_at(x, lips, pair)
        gap = _gap_at(x, lips, pair)
        if chart != _CAVITY:
            risen = _risen(gap, APERTURE_CM)
            if risen <= _F(0):  # behind closed lips
                q[5, n + 1] = _F(-1)
                continue
            if risen < _F(1):
                q[4, n + 1] += np.log(risen)
                q[5, n + 1] = _F(2) * (q[4, n + 1] - maps.log_cut)
        lit[n] = _F(SHADE_FLOOR) + _F(1 - SHADE_FLOOR) * _risen(gap, SHADED_CM)
        if chart in (_TEETH, _GUM):
            z = place[2, n] - _F(ARCH_Z_CM)
            facing = max(x * view.light[0] + z * view.light[2], _F(0))
            facing /= max(np.sqrt(x * x + z * z), _F(1e-6))
            lit[n] *= _F(TOOTH_AMBIENT) + _F(1 - TOOTH_AMBIENT) * facing


@kernel
def _risen(gap, span):
    """Smoothstep of a gap over a span."""
    t = min(max((gap - _F(span[0])) / _F(span[1] - span[0]), _F(0)), _F(1))
    return t * t * (_F(3) - _F(2) * t)


@kernel
def _pair_at(x, lips, near):
    """The last pair of the lips left of x that has one to its right, looked for from ``near``."""
    p, last = near, lips.shape[1] - 2
    while p < last and lips[0, p + 1] < x:
        p += 1
    while p > 0 and lips[0, p] >= x:
        p -= 1
    return p


@kernel
def _gap_at(x, lips, p):
    """Gap of the lips at x, beside pair p; 0 outside the outermost pair."""
    last = lips.shape[1] - 1
    if last < 0 or not (lips[0, 0] <= x <= lips[0, last]):
        return _F(0)
    if last == 0:
        return lips[1, 0]
    width = lips[0, p + 1] - lips[0, p]
    share = (x - lips[0, p]) / width if width > _F(0) else _F(0)
    return lips[1, p] + share * (lips[1, p + 1] - lips[1, p])
