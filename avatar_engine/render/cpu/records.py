# mypy: allow-untyped-defs, allow-untyped-calls
"""What passes from pose to sort and blend: the frame's visible Gaussians, and their colours."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.colour import RGB_TO_YUV, to_yuv
from avatar_engine.render.cpu import record_lanes
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.machine import prefetch
from avatar_engine.render.cpu.packed import PackedMaps
from avatar_engine.render.cpu.vectors import LANES
from avatar_engine.render.definition import COLUMNS, SHADE_RGB
from avatar_engine.types import HeadMaps

KEYS = 1 << 16
"""Steps of the depth key."""
RECORD, PLACE = 8, 4
INK_STEPS = (8, 8, 4)
"""Steps of a byte in which a record keeps its three colours, in 11, 11 and 10 bits."""
PAINT_STEPS = 64
"""Steps of a byte in which a palette keeps colours."""


class Palette(NamedTuple):
    """What the blend adds up: RGB or YUV in [0, 255], in steps of 1 / PAINT_STEPS."""

    colors: NDArray[np.int16]  # [R, 3, C]
    inks: NDArray[np.int32]  # [R, C] the same as the records keep them
    tints: NDArray[np.int16]  # [T, 3] changes of the tinted texels
    shade: NDArray[np.float32]  # [3] the unlit mouth, in [0, 255]


class Records(NamedTuple):
    """Visible Gaussians in the order of texels: the first ``drawn[0]`` are valid.

    Attributes:
        values: [M, RECORD] float32: x, y, conic a, b, c, ln opacity, decay from row to row
            (exp(-c), or -1 where the recurrence would not fit a float), and the ink's bits.
        places: [M, PLACE] int32: x0 | x1 << 16 and y0 | y1 << 16 in pixels, inclusive; depth key;
            texel.
        drawn: [1] int64, how many.
    """

    values: NDArray[np.float32]
    places: NDArray[np.int32]
    drawn: NDArray[np.int64]


def records_for(maps: PackedMaps) -> Records:
    """Room for every texel of a persona, and for what a vector writes beyond."""
    texels = maps.opacity.size + LANES
    return Records(
        np.zeros((texels, RECORD), np.float32),
        np.zeros((texels, PLACE), np.int32),
        np.zeros(1, np.int64),
    )


def palette_of(maps: HeadMaps, *, is_yuv: bool = False) -> Palette:
    """A persona's colours as the pose kernel takes them, in RGB or in YUV."""
    bytes_ = np.float32(255)
    colors, tints = bytes_ * maps.colors, bytes_ * maps.tints[np.flatnonzero(maps.tint_drivers)]
    shade = bytes_ * np.array(SHADE_RGB, np.float32)
    if is_yuv:
        colors, tints, shade = to_yuv(colors), tints @ RGB_TO_YUV.T, to_yuv(shade)
    return palette_for(colors, tints, shade)


def palette_for(
    colors: NDArray[np.floating], tints: NDArray[np.floating], shade: NDArray[np.floating]
) -> Palette:
    """Colours [M, 3] in [0, 255], changes [T, 3] of the tinted texels, and the unlit mouth [3]."""
    planes = np.asarray(colors).reshape(-1, COLUMNS, 3).transpose(0, 2, 1)
    paint = _paint(np.clip(planes, 0, 255))
    inks = np.empty((len(paint), COLUMNS), np.int32)
    _dip(paint, inks)
    return Palette(paint, inks, _paint(tints), np.ascontiguousarray(shade, np.float32))


def _paint(values: NDArray[np.floating]) -> NDArray[np.int16]:
    return np.ascontiguousarray(np.round(values * PAINT_STEPS), np.int16)


@kernel
def fetch(values, places, i):
    """Ask for a record before it is needed."""
    prefetch(np.int64(values.ctypes.data) + np.int64(i) * (4 * RECORD))
    prefetch(np.int64(places.ctypes.data) + np.int64(i) * (4 * PLACE))


@kernel
def ink_of(first, second, third):
    """Three colours in [0, 255] as a record keeps them; what is beyond is cut off."""
    half, zero = np.float32(0.5), np.float32(0)
    a, b, c = np.float32(INK_STEPS[0]), np.float32(INK_STEPS[1]), np.float32(INK_STEPS[2])
    most = np.float32(255)
    x = np.int32(min(max(first * a, zero), most * a) + half)
    y = np.int32(min(max(second * b, zero), most * b) + half)
    z = np.int32(min(max(third * c, zero), most * c) + half)
    return x | (y << np.int32(11)) | (z << np.int32(22))


@kernel
def _dip(paint, inks):
    step = np.float32(1 / PAINT_STEPS)
    for row in range(paint.shape[0]):
        for n in range(paint.shape[2]):
            a, b, c = paint[row, 0, n], paint[row, 1, n], paint[row, 2, n]
            inks[row, n] = ink_of(np.float32(a) * step, np.float32(b) * step, np.float32(c) * step)


@kernel
def box_of(place):
    """x0, x1, y0, y1 of a record's place, in pixels, inclusive."""
    low, high = np.int32(0xFFFF), np.int32(16)
    return place[0] & low, place[0] >> high, place[1] & low, place[1] >> high


@kernel
def ink_parts(values, i):
    """The three colours of a record, in [0, 255]."""
    bits = record_lanes.bits_at(np.int64(values.ctypes.data) + np.int64(i) * (4 * RECORD) + 28)
    return (
        np.float32(bits & np.int32(2047)) * np.float32(1 / INK_STEPS[0]),
        np.float32((bits >> np.int32(11)) & np.int32(2047)) * np.float32(1 / INK_STEPS[1]),
        np.float32((bits >> np.int32(22)) & np.int32(1023)) * np.float32(1 / INK_STEPS[2]),
    )
