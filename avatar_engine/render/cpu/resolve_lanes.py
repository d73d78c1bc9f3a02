# mypy: allow-untyped-defs, allow-untyped-calls
"""From a tile's planes to bytes of the picture, eight pixels at a time."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    I64,
    LANES,
    Builder,
    Value,
    arithmetic,
    bytes_at,
    indices,
    load,
    splat,
    store,
    to_bytes,
)


@intrinsic
def resolve_luma(ctx, address, light, behind, out):
    """8 pixels of one channel: accumulated colour plus light times what stands behind, as bytes."""

    def emit(context, b, signature, args):
        address, light, behind, out = args
        mul, add, _ = arithmetic(b)
        front = add(load(b, address), splat(0.5))
        store(b, to_bytes(b, add(front, mul(load(b, light), bytes_at(b, behind)))), out)
        return context.get_dummy_value()

    return types.void(*[ADDRESS] * 4), emit


@intrinsic
def resolve_chroma(ctx, chroma, light, behind, plane, out):
    """Interleaved (u, v) of 8 pixels of an even row to 4 bytes in each chroma plane."""

    def emit(context, b, signature, args):
        chroma, light, behind, plane, out = args
        mul, add, _ = arithmetic(b)
        row, pairs = load(b, light), load(b, chroma)
        even = b.shuffle_vector(row, row, indices([0, 2, 4, 6]))
        for i in (0, 1):
            offset = b.mul(plane, ir.Constant(I64, i))
            front = b.shuffle_vector(pairs, pairs, indices([i, 2 + i, 4 + i, 6 + i]))
            back = mul(even, bytes_at(b, b.add(behind, offset), 4))
            value = to_bytes(b, add(add(front, splat(0.5, 4)), back), 4)
            store(b, value, b.add(out, offset))
        return context.get_dummy_value()

    return types.void(*[ADDRESS] * 5), emit


@intrinsic
def resolve_rgb(ctx, address, plane, behind, behind_plane, out):
    """8 pixels to 24 interleaved bytes; ``behind`` is planar."""

    def emit(context, b, signature, args):
        address, plane, behind, behind_plane, out = args
        mul, add, _ = arithmetic(b)
        planes, backs = [address], [behind]
        for _i in range(3):
            planes.append(b.add(planes[-1], plane))
            backs.append(b.add(backs[-1], behind_plane))
        light = load(b, planes[3])
        channel = []
        for i in range(3):
            front = add(load(b, planes[i]), splat(0.5))
            channel.append(to_bytes(b, add(front, mul(light, bytes_at(b, backs[i])))))
        red_green = b.shuffle_vector(channel[0], channel[1], indices(range(16)))
        blue = b.shuffle_vector(channel[2], channel[2], indices(range(16)))
        order = [i // 3 + (0, 8, 16)[i % 3] for i in range(24)]
        store(b, b.shuffle_vector(red_green, blue, indices(order)), out)
        return context.get_dummy_value()

    return types.void(*[ADDRESS] * 5), emit


def _lifted(b: Builder, above: Value, here: Value, below: Value) -> list[list[Value]]:
    """8 pixels of a plane as 16 of two rows: [2 rows][2 vectors], between the pixels' middles."""
    mul, add, _ = arithmetic(b)
    near, far = splat(0.75), splat(0.25)

    def row(address: Value) -> list[Value]:
        shifts = (ir.Constant(I64, offset) for offset in (-4, 0, 4))
        return [load(b, b.add(address, shift)) for shift in shifts]

    middle, lifted = [mul(near, v) for v in row(here)], []
    for other in (above, below):
        left, at, right = (add(m, mul(far, v)) for m, v in zip(middle, row(other), strict=True))
        mostly = mul(near, at)
        even, odd = add(mostly, mul(far, left)), add(mostly, mul(far, right))
        first = indices([i // 2 + LANES * (i % 2) for i in range(LANES)])
        last = indices([i // 2 + LANES * (i % 2) + LANES // 2 for i in range(LANES)])
        lifted.append([b.shuffle_vector(even, odd, first), b.shuffle_vector(even, odd, last)])
    return lifted


@intrinsic
def lift(ctx, above, here, below, plane, behind, width, out, stride):
    """8 pixels of one channel at half the picture's size to 16 bytes of two of its rows.

    ``above``, ``here`` and ``below`` are addresses in three rows of the channel, whose light lies
    ``plane`` bytes on; ``behind`` and ``out`` of bytes in the upper row, the lower one ``width``
    and ``stride`` bytes on.
    """

    def emit(context, b, signature, args):
        *rows, plane, behind, width, out, stride = args
        mul, add, _ = arithmetic(b)
        fronts = _lifted(b, *rows)
        lights = _lifted(b, *(b.add(row, plane) for row in rows))
        for front, light in zip(fronts, lights, strict=True):
            for i in range(2):
                offset = ir.Constant(I64, LANES * i)
                shown = mul(light[i], bytes_at(b, b.add(behind, offset)))
                value = add(add(front[i], splat(0.5)), shown)
                store(b, to_bytes(b, value), b.add(out, offset))
            behind, out = b.add(behind, width), b.add(out, stride)
        return context.get_dummy_value()

    return types.void(*[ADDRESS] * 8), emit
