# mypy: allow-untyped-defs, allow-untyped-calls
"""Adding the photo's detail to eight pixels at a time."""

import itertools
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    F32,
    I8,
    I32,
    I64,
    LANES,
    VF,
    Builder,
    F,
    Value,
    arithmetic,
    broadcast,
    bytes_at,
    indices,
    larger,
    load,
    splat,
    store,
    to_bytes,
)


def _across(b: Builder, found: Value, gx: Value, lanes: int = LANES) -> Value:
    """Signed bytes between their neighbours to the right; gx in [0, 1]."""
    mul, add, sub = arithmetic(b)
    kind, floats = ir.VectorType(I8, lanes), ir.VectorType(F, lanes)
    here, ahead = (
        b.sitofp(load(b, at, kind), floats) for at in (found, b.add(found, ir.Constant(I64, 1)))
    )
    return add(here, mul(gx, sub(ahead, here)))


def _looked_up(b: Builder, found: Value, stride: Value, gx: Value, gy: Value) -> Value:
    """Signed bytes between their neighbours to the right and below; gx, gy in [0, 1]."""
    mul, add, sub = arithmetic(b)
    lanes = gx.type.count
    top, low = _across(b, found, gx, lanes), _across(b, b.add(found, stride), gx, lanes)
    return add(top, mul(gy, sub(low, top)))


def _ramp(b: Builder, first: Value, step: Value, lanes: int = LANES) -> Value:
    mul, add, _ = arithmetic(b)
    count = ir.Constant(ir.VectorType(F, lanes), [ir.Constant(F, float(i)) for i in range(lanes)])
    return add(broadcast(b, first, lanes), mul(broadcast(b, step, lanes), count))


def _added(b: Builder, out: Value, ramp: Value, seen: Value) -> None:
    mul, add, _ = arithmetic(b)
    lanes = seen.type.count
    total = add(add(bytes_at(b, out, lanes), splat(0.5, lanes)), mul(ramp, seen))
    store(b, to_bytes(b, larger(b, total, splat(0.0, lanes)), lanes), out)


@intrinsic
def add_two_rows(ctx, found, stride, out, width, gx, gy, weight, more):
    """Add signed bytes, read between pixels, to 8 bytes of two rows.

    Rows to read are ``stride`` bytes apart, rows to add to ``width``; the weight grows by ``more``
    a pixel.
    """

    def emit(context, b, signature, args):
        found, stride, out, width, gx, gy, weight, more = args
        mul, add, sub = arithmetic(b)
        gx, gy, ramp = broadcast(b, gx), broadcast(b, gy), _ramp(b, weight, more)
        rows = []
        for _ in range(3):
            rows.append(_across(b, found, gx))
            found = b.add(found, stride)
        for top, low in itertools.pairwise(rows):
            _added(b, out, ramp, add(top, mul(gy, sub(low, top))))
            out = b.add(out, width)
        return context.get_dummy_value()

    return types.void(*[ADDRESS] * 4, *[F32] * 4), emit


def _add_single(lanes: int) -> Any:
    """The same to one row of so many pixels."""

    @intrinsic
    def add(ctx, found, stride, out, gx, gy, weight, more):
        def emit(context, b, signature, args):
            found, stride, out, gx, gy, weight, more = args
            gx, gy = broadcast(b, gx, lanes), broadcast(b, gy, lanes)
            seen = _looked_up(b, found, stride, gx, gy)
            _added(b, out, _ramp(b, weight, more, lanes), seen)
            return context.get_dummy_value()

        return types.void(*[ADDRESS] * 3, *[F32] * 4), emit

    return add


add_row, add_half_row = _add_single(LANES), _add_single(LANES // 2)


def _add_packed(channels: int) -> Any:
    """The same for 8 interleaved pixels, whose first three channels are RGB."""

    @intrinsic
    def add(ctx, found, plane, stride, out, gx, gy, weight, more):
        """``found`` is in the first of three planes, ``plane`` bytes apart."""

        def emit(context, b, signature, args):
            found, plane, stride, out, gx, gy, weight, more = args
            mul, plus, _ = arithmetic(b)
            ramp, gx, gy = _ramp(b, weight, more), broadcast(b, gx), broadcast(b, gy)
            raw = load(b, out, ir.VectorType(I8, LANES * channels))
            parts = []
            for c in range(channels):
                part = b.shuffle_vector(raw, raw, indices([channels * i + c for i in range(LANES)]))
                if c < 3:
                    before = b.uitofp(part, VF)
                    seen = _looked_up(b, found, stride, gx, gy)
                    sum_ = plus(plus(before, splat(0.5)), mul(ramp, seen))
                    part = to_bytes(b, larger(b, sum_, splat(0.0)))
                    found = b.add(found, plane)
                parts.append(part)
            first = b.shuffle_vector(parts[0], parts[1], indices(range(16)))
            second = b.shuffle_vector(parts[2], parts[-1], indices(range(16)))
            order = [i // channels + 8 * (i % channels) for i in range(LANES * channels)]
            store(b, b.shuffle_vector(first, second, indices(order)), out)
            return context.get_dummy_value()

        return types.void(*[ADDRESS] * 4, *[F32] * 4), emit

    return add


add_rgb, add_rgba = _add_packed(3), _add_packed(4)


@intrinsic
def log2(ctx, value):
    """Logarithm to the base 2 of a positive float, within 4e-4."""

    def emit(context, b, signature, args):
        mul, add, _ = arithmetic(b)

        def number(value):
            return ir.Constant(F, value)

        bits = b.bitcast(args[0], I32)
        whole = b.sub(b.lshr(bits, ir.Constant(I32, 23)), ir.Constant(I32, 127))
        part = b.or_(b.and_(bits, ir.Constant(I32, (1 << 23) - 1)), ir.Constant(I32, 127 << 23))
        m = b.bitcast(part, F)
        # A polynomial of 4th degree on [1, 2).
        total = number(-0.07844068)
        for coefficient in (0.62603218, -2.07833517, 4.02921139, -2.49835315):
            total = add(mul(total, m), number(coefficient))
        return add(b.sitofp(whole, F), total)

    return F32(F32), emit
