# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
"""Triton kernels of steps 7, 8, 10 and 11: records, their places in tiles, and their blending."""

import triton
import triton.language as tl

from avatar_engine.render import definition as d
from avatar_engine.render.gpu import layout

_C = tl.constexpr
_COLUMNS, _TILE, _RECORD = _C(d.COLUMNS), _C(layout.TILE), _C(layout.RECORD)
_FIXED, _VIEWS = _C(int(layout.Fixed.COUNT)), _C(int(layout.View.COUNT))
_PLANES, _TINTS = _C(len(layout.Plane)), _C(int(layout.Input.TINTS))
_FOCAL, _TINT_SHIFT = _C(int(layout.Fixed.FOCAL_X)), _C(layout.TINT_SHIFT)
_OPACITY, _SIGMA = _C(int(layout.Plane.OPACITY)), _C(int(layout.Plane.SIGMA_U))
_CAP, _WINDING = _C(int(layout.Plane.CAP_U)), _C(int(layout.Plane.WINDING))
_BIAS, _RED = _C(int(layout.Plane.DEPTH_BIAS)), _C(int(layout.Plane.RED))
_TINT = _C(int(layout.Plane.TINT_RED))
_DEPTH_BIT, _TILE_BIT = _C(int(layout.Key.DEPTH)), _C(int(layout.Key.TILE))
_FRAME_BIT, _STEPS = _C(int(layout.Key.FRAME)), _C(float(layout.DEPTH_STEPS_PER_CM))
_DEEPEST = _C(float((1 << (layout.Key.TILE - layout.Key.DEPTH)) - 1))
_TEXEL = _C((1 << layout.Key.DEPTH) - 1)
_ALPHA_CUT, _LOW_PASS, _NEAR = _C(d.ALPHA_CUT), _C(d.LOW_PASS_PX2), _C(d.NEAR_CM)
_SHADE = tuple(_C(value) for value in d.SHADE_RGB)
_SHADE_RED, _SHADE_GREEN, _SHADE_BLUE = _SHADE
_FARTHEST_PX = _C(1e6)
_LEAST_LIGHT = _C(1 / 4096)


@triton.jit
def write_records(inputs, fixed, texels, traits, view, records, keys, used, length, texel_count,
                  width, height, tiles_x, capacity, BLOCK: tl.constexpr):  # fmt: skip
    """One block of a frame's Gaussians: their records [F, M, 12], and a key per tile they touch.

    ``used`` counts the keys that were wanted, also those for which there was no room.
    """
    frame = tl.program_id(1)
    texel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    given = inputs + frame * length
    persona = tl.load(given).to(tl.int64)
    still = texels + persona * _PLANES * texel_count + texel
    trait = tl.load(traits + persona * texel_count + texel)
    seen = view + frame.to(tl.int64) * _VIEWS * texel_count + texel
    x, y = tl.load(seen), tl.load(seen + texel_count)
    depth, shown = tl.load(seen + 2 * texel_count), tl.load(seen + 3 * texel_count)
    ux, uy = _tangent(seen, texel_count, x, y, (trait & 1) > 0, (trait & 2) > 0, 1)
    vx, vy = _tangent(seen, texel_count, x, y, (trait & 4) > 0, (trait & 8) > 0, _COLUMNS)
    facing = ux * vy - uy * vx
    px_per_cm = tl.load(fixed + persona * _FIXED + _FOCAL) / depth
    uu, uv, vv = _variance(still, texel_count, ux, uy, px_per_cm, 0)
    u2, v1, v2 = _variance(still, texel_count, vx, vy, px_per_cm, 1)
    xx, xy, yy = uu + u2 + _LOW_PASS, uv + v1, vv + v2 + _LOW_PASS
    opacity = tl.load(still + _OPACITY * texel_count) * shown
    is_drawn = (facing * tl.load(still + _WINDING * texel_count) >= 0) & (depth > _NEAR)
    is_drawn &= (tl.abs(x) < _FARTHEST_PX) & (tl.abs(y) < _FARTHEST_PX)
    is_drawn &= (tl.abs(facing) < _FARTHEST_PX * _FARTHEST_PX) & (opacity >= _ALPHA_CUT)
    opacity = tl.where(is_drawn, opacity, 0.0)
    reach = 2 * tl.log(tl.maximum(opacity, _ALPHA_CUT) / _ALPHA_CUT)
    half_x = tl.where(is_drawn, tl.sqrt(reach * xx), 0.0)
    half_y = tl.where(is_drawn, tl.sqrt(reach * yy), 0.0)
    depth += tl.load(still + _BIAS * texel_count)

    record = records + (frame.to(tl.int64) * texel_count + texel) * _RECORD
    scale = 1 / (xx * yy - xy * xy)
    lit = tl.load(seen + 4 * texel_count)
    amount = tl.load(given + _TINTS + ((trait >> _TINT_SHIFT) & 7))
    tl.store(record, x, mask=is_drawn)
    tl.store(record + 1, y, mask=is_drawn)
    tl.store(record + 2, yy * scale, mask=is_drawn)
    tl.store(record + 3, -xy * scale, mask=is_drawn)
    tl.store(record + 4, xx * scale, mask=is_drawn)
    tl.store(record + 5, opacity)
    tl.store(record + 6, _color(still, texel_count, amount, lit, 0, _SHADE_RED), mask=is_drawn)
    tl.store(record + 7, _color(still, texel_count, amount, lit, 1, _SHADE_GREEN), mask=is_drawn)
    tl.store(record + 8, _color(still, texel_count, amount, lit, 2, _SHADE_BLUE), mask=is_drawn)
    tl.store(record + 9, half_x, mask=is_drawn)
    tl.store(record + 10, half_y, mask=is_drawn)
    tl.store(record + 11, depth, mask=is_drawn)

    x0, nx = _tiles(x, half_x, width, is_drawn)
    y0, ny = _tiles(y, half_y, height, is_drawn)
    count = nx * ny
    place = tl.cumsum(count, 0) - count + tl.atomic_add(used, tl.sum(count, 0))
    steps = tl.minimum(tl.maximum(depth * _STEPS, 0.0), _DEEPEST)
    key = (frame.to(tl.int64) << _FRAME_BIT) | texel.to(tl.int64)
    key |= tl.where(is_drawn, steps, 0.0).to(tl.int64) << _DEPTH_BIT
    for k in range(tl.max(count, 0)):
        across = tl.maximum(nx, 1)
        tile = (y0 + k // across) * tiles_x + x0 + k % across
        has_room = (k < count) & (place + k < capacity)
        tl.store(keys + place + k, key | (tile.to(tl.int64) << _TILE_BIT), mask=has_room)


@triton.jit
def _tangent(seen, texel_count, x, y, has_back, has_ahead, step: tl.constexpr):
    """Step 7: the projected difference per texel step, before its cap."""
    back_x = tl.where(has_back, x - tl.load(seen - step, mask=has_back, other=0.0), 0.0)
    ahead_x = tl.where(has_ahead, tl.load(seen + step, mask=has_ahead, other=0.0) - x, 0.0)
    row = seen + texel_count
    back_y = tl.where(has_back, y - tl.load(row - step, mask=has_back, other=0.0), 0.0)
    ahead_y = tl.where(has_ahead, tl.load(row + step, mask=has_ahead, other=0.0) - y, 0.0)
    share = tl.where(has_back & has_ahead, 0.5, 1.0)
    return (back_x + ahead_x) * share, (back_y + ahead_y) * share


@triton.jit
def _variance(still, texel_count, x, y, px_per_cm, axis: tl.constexpr):
    """What one capped tangent adds to the covariance."""
    length = tl.sqrt(tl.maximum(x * x + y * y, 1e-12))
    cap = tl.load(still + (_CAP + axis) * texel_count)
    shorter = tl.minimum(cap * px_per_cm / length, 1.0)
    shorter *= tl.load(still + (_SIGMA + axis) * texel_count)
    x, y = x * shorter, y * shorter
    return x * x, x * y, y * y


@triton.jit
def _color(still, texel_count, amount, lit, channel: tl.constexpr, shade: tl.constexpr):
    """Step 11, and the light of step 9."""
    color = tl.load(still + (_RED + channel) * texel_count)
    color += amount * tl.load(still + (_TINT + channel) * texel_count)
    return (color - shade) * lit + shade


@triton.jit
def _tiles(middle, half, length, is_drawn):
    """First tile, and how many, of the pixels whose centres lie within a half box."""
    first = tl.maximum(tl.ceil(middle - half - 0.5), 0.0)
    last = tl.minimum(tl.floor(middle + half - 0.5), length - 1.0)
    is_there = is_drawn & (first <= last)
    first = tl.where(is_there, first, 0.0).to(tl.int32) // _TILE
    last = tl.where(is_there, last, 0.0).to(tl.int32) // _TILE
    return first, tl.where(is_there, last - first + 1, 0)


@triton.jit
def blend_tiles(records, keys, starts, canvas, texel_count, width, height, tiles_x, tile_count,
                CHUNK: tl.constexpr):  # fmt: skip
    """Step 10 in one tile: premultiplied colour and what is left of the light [F, 4, h * w]."""
    frame, tile = tl.program_id(0) // tile_count, tl.program_id(0) % tile_count
    lane = tl.arange(0, _TILE * _TILE)
    column = tile % tiles_x * _TILE + lane % _TILE
    row = tile // tiles_x * _TILE + lane // _TILE
    # Entries down, pixels across: a thread has all entries of its pixels, and asks no other.
    x, y = column.to(tl.float32)[None, :] + 0.5, row.to(tl.float32)[None, :] + 0.5
    light = tl.full([_TILE * _TILE], 1.0, tl.float32)
    red = tl.zeros([_TILE * _TILE], tl.float32)
    green = tl.zeros([_TILE * _TILE], tl.float32)
    blue = tl.zeros([_TILE * _TILE], tl.float32)
    own = records + frame.to(tl.int64) * texel_count * _RECORD
    at = tl.load(starts + frame * (tile_count + 1) + tile)
    end = tl.load(starts + frame * (tile_count + 1) + tile + 1)
    brightest = 1.0
    while (at < end) & (brightest > _LEAST_LIGHT):
        entry = at + tl.arange(0, CHUNK)
        is_entry = entry < end
        texel = tl.load(keys + entry, mask=is_entry, other=0) & _TEXEL
        record = own + texel * _RECORD
        dx = x - tl.load(record, mask=is_entry, other=0.0)[:, None]
        dy = y - tl.load(record + 1, mask=is_entry, other=0.0)[:, None]
        a = tl.load(record + 2, mask=is_entry, other=0.0)[:, None]
        b = tl.load(record + 3, mask=is_entry, other=0.0)[:, None]
        c = tl.load(record + 4, mask=is_entry, other=0.0)[:, None]
        opacity = tl.load(record + 5, mask=is_entry, other=0.0)[:, None]
        half_x = tl.load(record + 9, mask=is_entry, other=-1.0)[:, None]
        half_y = tl.load(record + 10, mask=is_entry, other=-1.0)[:, None]
        is_inside = (tl.abs(dx) <= half_x) & (tl.abs(dy) <= half_y)
        alpha = opacity * tl.exp(-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy)
        alpha = tl.where(is_inside, alpha, 0.0)
        kept = 1 - alpha
        through = tl.cumprod(kept, 0)
        share = light[None, :] * alpha * through / kept  # opacities end at 0.99
        red += tl.sum(share * tl.load(record + 6, mask=is_entry, other=0.0)[:, None], 0)
        green += tl.sum(share * tl.load(record + 7, mask=is_entry, other=0.0)[:, None], 0)
        blue += tl.sum(share * tl.load(record + 8, mask=is_entry, other=0.0)[:, None], 0)
        light *= tl.min(through, 0)
        brightest = tl.max(light, 0)
        at += CHUNK
    is_pixel = (column < width) & (row < height)
    area = width * height
    there = canvas + frame.to(tl.int64) * 4 * area + row * width + column
    tl.store(there, red, mask=is_pixel)
    tl.store(there + area, green, mask=is_pixel)
    tl.store(there + 2 * area, blue, mask=is_pixel)
    tl.store(there + 3 * area, light, mask=is_pixel)
