# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
"""Triton kernels of steps 1-6 and 9: from a frame's inputs to texels in the picture."""

import triton
import triton.language as tl

from avatar_engine.render import definition as d
from avatar_engine.render.gpu.layout import MODE_TEXELS, Fixed, Input, Plane, Trait, View

# Kernels read no other globals than constants of their own language.
_C = tl.constexpr
_MODE_TEXELS, _COLUMNS, _PLANES = _C(MODE_TEXELS), _C(d.COLUMNS), _C(len(Plane))
_FIXED, _VIEWS = _C(int(Fixed.COUNT)), _C(int(View.COUNT))
_CLEARANCE, _LIP_PAIRS = _C(int(Fixed.EYE_CLEARANCE)), _C(int(Fixed.LIP_PAIRS))
_CAMERA = _C(int(Fixed.FOCAL_X))
_EYES, _JOINTS, _LIGHT = _C(int(Input.EYES)), _C(int(Input.JOINTS)), _C(int(Input.LIGHT))
_WEIGHTS = _C(int(Input.WEIGHTS))
_EYE, _LID, _MOUTH = _C(int(Trait.EYE)), _C(int(Trait.LID)), _C(int(Trait.MOUTH))
_FADES, _TOOTH = _C(int(Trait.FADES)), _C(int(Trait.TOOTH))
_APERTURE, _APERTURE_END = _C(d.APERTURE_CM[0]), _C(d.APERTURE_CM[1])
_SHADED, _SHADED_END = _C(d.SHADED_CM[0]), _C(d.SHADED_CM[1])
_SHADE_FLOOR, _AMBIENT, _ARCH_Z = _C(d.SHADE_FLOOR), _C(d.TOOTH_AMBIENT), _C(d.ARCH_Z_CM)


@triton.jit
def part_lips(inputs, fixed, texels, modes, pairs, lips, length, texel_count, mode_count,
              PAIRS: tl.constexpr):  # fmt: skip
    """One frame's lips: where each pair stands, and how far apart [F, 2, PAIRS]."""
    frame = tl.program_id(0)
    given = inputs + frame * length
    persona = tl.load(given).to(tl.int64)
    pair = tl.arange(0, PAIRS)
    count = tl.load(fixed + persona * _FIXED + _LIP_PAIRS).to(tl.int32)
    upper = tl.load(pairs + persona * 2 * PAIRS + pair)
    lower = tl.load(pairs + persona * 2 * PAIRS + PAIRS + pair)
    still = texels + persona * _PLANES * texel_count
    x, above = tl.load(still + upper), tl.load(still + texel_count + upper)
    below = tl.load(still + texel_count + lower)
    for k in range(mode_count):
        weight = tl.load(given + _WEIGHTS + k)
        if weight != 0.0:
            moved = modes + (persona * mode_count + k) * 3 * _MODE_TEXELS
            x += weight * tl.load(moved + upper).to(tl.float32)
            above += weight * tl.load(moved + _MODE_TEXELS + upper).to(tl.float32)
            below += weight * tl.load(moved + _MODE_TEXELS + lower).to(tl.float32)
    # A pair stands at its upper texel's x, or at its left neighbour's if that is farther right.
    is_left = pair[None, :] <= pair[:, None]
    stands = tl.max(tl.where(is_left, x[None, :], -1e9), 1)
    at = lips + frame * 2 * PAIRS + pair
    tl.store(at, stands, mask=pair < count)
    tl.store(at + PAIRS, above - below, mask=pair < count)


@triton.jit
def pose_texels(inputs, fixed, texels, traits, modes, lips, view, length, texel_count, mode_count,
                PAIRS: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """One block of a frame's texels, posed and projected: planes ``View`` [F, 5, M]."""
    frame = tl.program_id(1)
    texel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    given = inputs + frame * length
    persona = tl.load(given).to(tl.int64)
    still = texels + persona * _PLANES * texel_count + texel
    trait = tl.load(traits + persona * texel_count + texel)
    own = fixed + persona * _FIXED
    x, y = tl.load(still), tl.load(still + texel_count)
    z, head_weight = tl.load(still + 2 * texel_count), tl.load(still + 3 * texel_count)
    if tl.program_id(0) * BLOCK < _MODE_TEXELS:  # BLOCK divides the atlas
        for k in range(mode_count):
            weight = tl.load(given + _WEIGHTS + k)
            if weight != 0.0:
                moved = modes + (persona * mode_count + k) * 3 * _MODE_TEXELS + texel
                x += weight * tl.load(moved).to(tl.float32)
                y += weight * tl.load(moved + _MODE_TEXELS).to(tl.float32)
                z += weight * tl.load(moved + 2 * _MODE_TEXELS).to(tl.float32)
    if tl.max((trait & (_EYE | _LID)), 0) > 0:
        x, y, z = _around_eyes(x, y, z, texel, trait, own, given + _EYES)
    shown, lit = tl.full([BLOCK], 1.0, tl.float32), tl.full([BLOCK], 1.0, tl.float32)
    count = tl.load(own + _LIP_PAIRS).to(tl.int32)
    if (tl.max((trait & _MOUTH), 0) > 0) & (count > 0):
        gap = _gap_at(x, lips + frame * 2 * PAIRS, count, PAIRS)
        shown, lit = _inner_mouth(x, z, gap, trait, given + _LIGHT)
    across, down, depth = _moved(x, y, z, head_weight, given + _JOINTS)
    px = across / depth * tl.load(own + _CAMERA) + tl.load(own + _CAMERA + 2)
    py = down / depth * tl.load(own + _CAMERA + 1) + tl.load(own + _CAMERA + 3)
    at = view + frame.to(tl.int64) * _VIEWS * texel_count + texel
    tl.store(at, px)
    tl.store(at + texel_count, py)
    tl.store(at + 2 * texel_count, depth)
    tl.store(at + 3 * texel_count, shown)
    tl.store(at + 4 * texel_count, lit)


@triton.jit
def _around_eyes(x, y, z, texel, trait, own, turns):
    """Steps 2 and 3: eyeballs turn, lids are pushed out of them."""
    is_left = texel % _COLUMNS >= _COLUMNS // 2
    cx = tl.where(is_left, tl.load(own), tl.load(own + 3))
    cy = tl.where(is_left, tl.load(own + 1), tl.load(own + 4))
    cz = tl.where(is_left, tl.load(own + 2), tl.load(own + 5))
    ax, ay, az = x - cx, y - cy, z - cz
    is_eye = (trait & _EYE) > 0
    tx = _row(turns, 0, is_left, ax, ay, az)
    ty = _row(turns, 3, is_left, ax, ay, az)
    tz = _row(turns, 6, is_left, ax, ay, az)
    ax, ay, az = tl.where(is_eye, tx, ax), tl.where(is_eye, ty, ay), tl.where(is_eye, tz, az)
    distance = tl.sqrt(ax * ax + ay * ay + az * az)
    clearance = tl.load(own + _CLEARANCE)
    is_inside = ((trait & _LID) > 0) & (distance < clearance) & (az > 0)
    out = tl.where(is_inside, clearance / tl.maximum(distance, 1e-6), 1.0)
    is_moved = is_eye | is_inside
    x = tl.where(is_moved, cx + ax * out, x)
    y = tl.where(is_moved, cy + ay * out, y)
    z = tl.where(is_moved, cz + az * out, z)
    return x, y, z


@triton.jit
def _row(turns, first: tl.constexpr, is_left, ax, ay, az):
    """One row of the left or the right eye's rotation, times an arm."""
    a = tl.where(is_left, tl.load(turns + first), tl.load(turns + 9 + first))
    b = tl.where(is_left, tl.load(turns + first + 1), tl.load(turns + 10 + first))
    c = tl.where(is_left, tl.load(turns + first + 2), tl.load(turns + 11 + first))
    return a * ax + b * ay + c * az


@triton.jit
def _gap_at(x, lips, count, PAIRS: tl.constexpr):
    """Gap of the lips in cm at each x: linear between pairs, 0 outside the outermost."""
    first, last = tl.load(lips), tl.load(lips + count - 1)
    gap = tl.where(x == first, tl.load(lips + PAIRS), 0.0)
    for pair in range(1, count):
        x0, x1 = tl.load(lips + pair - 1), tl.load(lips + pair)
        g0, g1 = tl.load(lips + PAIRS + pair - 1), tl.load(lips + PAIRS + pair)
        share = (x - x0) / tl.maximum(x1 - x0, 1e-12)
        gap = tl.where((x > x0) & (x <= x1), g0 + (g1 - g0) * share, gap)
    return tl.where((x >= first) & (x <= last), gap, 0.0)


@triton.jit
def _inner_mouth(x, z, gap, trait, light):
    """Step 9: factors on opacity and on colour, 1 outside the mouth."""
    open_ = _smoothstep(gap, _APERTURE, _APERTURE_END)
    shown = tl.where((trait & _FADES) > 0, open_, 1.0)
    lit = _smoothstep(gap, _SHADED, _SHADED_END) * (1 - _SHADE_FLOOR) + _SHADE_FLOOR
    out_z = z - _ARCH_Z
    length = tl.maximum(tl.sqrt(x * x + out_z * out_z), 1e-6)
    facing = (x * tl.load(light) + out_z * tl.load(light + 2)) / length
    facing = tl.maximum(facing, 0.0) * (1 - _AMBIENT) + _AMBIENT
    lit = tl.where((trait & _TOOTH) > 0, lit * facing, lit)
    is_mouth = (trait & _MOUTH) > 0
    return tl.where(is_mouth, shown, 1.0), tl.where(is_mouth, lit, 1.0)


@triton.jit
def _moved(x, y, z, head_weight, joints):
    """Steps 4 and 5: head space to camera axes, by the joints on both sides of a texel."""
    body = tl.maximum(1 - 2 * head_weight, 0.0)
    head = tl.maximum(2 * head_weight - 1, 0.0)
    half = 1 - body - head
    across = _by_joints(joints, x, y, z, body, half, head)
    down = _by_joints(joints + 4, x, y, z, body, half, head)
    depth = _by_joints(joints + 8, x, y, z, body, half, head)
    return across, down, depth


@triton.jit
def _by_joints(row, x, y, z, body, half, head):
    """One coordinate: the same row of three joints [3, 3, 4], blended."""
    return (
        body * _affine(row, x, y, z)
        + half * _affine(row + 12, x, y, z)
        + head * _affine(row + 24, x, y, z)
    )


@triton.jit
def _affine(row, x, y, z):
    return tl.load(row) * x + tl.load(row + 1) * y + tl.load(row + 2) * z + tl.load(row + 3)


@triton.jit
def _smoothstep(x, low: tl.constexpr, high: tl.constexpr):
    t = tl.minimum(tl.maximum((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
