# mypy: allow-untyped-defs, allow-untyped-calls
"""Eight pixels at a time: the inner loops of the CPU renderer as LLVM vector instructions.

The compiler does not vectorise these loops by itself (measured: 5.6 times slower), and a C
compiler is more than a user's machine need have. ``<8 x float>`` is one AVX register; on machines
without AVX, LLVM splits it.
"""

import platform
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8
ROWS_PER_STEP = 4
"""Windows are blended in straight-line blocks of this many rows."""

_F, _I8, _I32, _I64 = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)
_VF, _VI = ir.VectorType(_F, LANES), ir.VectorType(_I32, LANES)
_FAST = ("fast",)
_address, _f32 = types.int64, types.float32
_Builder = Any
_Value = Any


def _splat(value: float, lanes: int = LANES) -> _Value:
    number = ir.Constant(_F, float(np.float32(value)))
    return ir.Constant(ir.VectorType(_F, lanes), [number] * lanes)


def _lanes(index: Sequence[int]) -> _Value:
    return ir.Constant(ir.VectorType(_I32, len(index)), [ir.Constant(_I32, i) for i in index])


def _broadcast(b: _Builder, scalar: _Value) -> _Value:
    empty = ir.Constant(_VF, ir.Undefined)
    first = b.insert_element(empty, scalar, ir.Constant(_I32, 0))
    return b.shuffle_vector(first, empty, _lanes([0] * LANES))


def _call(b: _Builder, name: str, *args: _Value) -> _Value:
    kind = ir.FunctionType(args[0].type, [a.type for a in args])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), args)


def _load(b: _Builder, address: _Value, kind: Any = _VF) -> _Value:
    return b.load(b.inttoptr(address, kind.as_pointer()), align=4 if kind is _VF else 1)


def _store(b: _Builder, value: _Value, address: _Value) -> None:
    align = 4 if value.type is _VF else 1
    b.store(value, b.inttoptr(address, value.type.as_pointer()), align=align)


def _arithmetic(b: _Builder) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    return (
        lambda x, y: b.fmul(x, y, flags=_FAST),
        lambda x, y: b.fadd(x, y, flags=_FAST),
        lambda x, y: b.fsub(x, y, flags=_FAST),
    )


def _exp(b: _Builder, power: _Value) -> _Value:
    """Exp of 8 floats, relative error 3e-6.

    Below -86 it is exactly 0: a clamp there would let the recurrence grow without bound in lanes
    that lie outside a Gaussian's box.
    """
    mul, add, sub = _arithmetic(b)
    is_zero = b.fcmp_ordered("<", power, _splat(-86.0))
    capped = _call(b, "llvm.minnum.v8f32", power, _splat(86.0))
    scaled = mul(capped, _splat(1.4426950408889634))
    whole = _call(b, "llvm.floor.v8f32", scaled)
    part = sub(scaled, whole)
    mantissa = _splat(0.01353414)
    for coefficient in (0.05201152, 0.24144272, 0.69300384, 1.00000259):  # 2**part on [0, 1]
        mantissa = add(mul(mantissa, part), _splat(coefficient))
    exponent = b.add(b.fptosi(whole, _VI), _lanes([127] * LANES))
    bits = b.shl(exponent, _lanes([23] * LANES))
    return b.select(is_zero, _splat(0.0), mul(mantissa, b.bitcast(bits, _VF)))


def _window(*, is_recurrent: bool, is_yuv: bool) -> Any:
    """The blend of one Gaussian into a window of 8 x n pixels, for one layout of planes."""

    @intrinsic
    def window(
        ctx, address, plane, stride, rows, chroma, dx, dy, a, b_, c, log_opacity, c0, c1, c2, decay
    ):
        """Blend front to back; ``rows`` is a multiple of ROWS_PER_STEP.

        rgb: planes R, G, B, T from ``address`` on, ``plane`` bytes apart, rows ``stride`` bytes
        apart. yuv: planes Y, T, and from ``chroma`` on half-height rows of interleaved (u, v) of
        the even pixels. (dx, dy): first pixel minus centre; (a, b, c): the conic; decay: exp(-c),
        of which the exact windows make no use.
        """

        def emit(context, b, signature, args):
            address, plane, stride, rows, chroma, dx0, dy0, a, bb, c, top, *color, fall = args
            mul, add, sub = _arithmetic(b)

            def number(value: float) -> _Value:
                return ir.Constant(_F, value)

            dx = add(_broadcast(b, dx0), ir.Constant(_VF, [number(float(i)) for i in range(LANES)]))
            cross = mul(_broadcast(b, bb), dx)
            along = add(mul(mul(_broadcast(b, mul(a, number(-0.5))), dx), dx), _broadcast(b, top))
            half_c, minus_c = mul(c, number(-0.5)), mul(c, number(-1.0))
            colors = [_broadcast(b, v) for v in color]
            chroma_pair = b.shuffle_vector(colors[1], colors[2], _lanes([0, LANES] * 4))
            at_row, at_chroma = (cgutils.alloca_once(b, _I64) for _ in range(2))
            at_dy = cgutils.alloca_once(b, _F)
            at_g, at_ratio = (cgutils.alloca_once(b, _VF) for _ in range(2))
            b.store(address, at_row)
            b.store(chroma, at_chroma)
            b.store(dy0, at_dy)

            def power(dy: _Value) -> _Value:
                straight = sub(along, mul(cross, _broadcast(b, dy)))
                return add(straight, _broadcast(b, mul(mul(half_c, dy), dy)))

            # g(y + 1) / g(y) is a geometric series in y: exp is needed at the first row only.
            decay = None
            if is_recurrent:
                b.store(_exp(b, power(dy0)), at_g)
                decay = _broadcast(b, fall)
                first = _broadcast(b, mul(minus_c, add(dy0, number(0.5))))
                b.store(_exp(b, sub(first, cross)), at_ratio)

            def accumulate(where: _Value, weight: _Value, value: _Value) -> None:
                _store(b, add(_load(b, where), mul(weight, value)), where)

            def row(parity: int) -> None:
                here = b.load(at_row)
                planes = [here]
                b.store(b.add(here, stride), at_row)
                if is_recurrent:
                    g, ratio = b.load(at_g), b.load(at_ratio)
                    b.store(mul(g, ratio), at_g)
                    b.store(mul(ratio, decay), at_ratio)
                else:
                    dy = b.load(at_dy)
                    g = _exp(b, power(dy))
                    b.store(add(dy, number(1.0)), at_dy)
                for _ in range(1 if is_yuv else 3):
                    planes.append(b.add(planes[-1], plane))
                light = _load(b, planes[-1])
                weight = mul(g, light)  # g <= opacity <= 0.99
                for where, value in zip(planes[:-1], colors, strict=False):
                    accumulate(where, weight, value)
                if is_yuv and parity == 0:
                    uv = b.load(at_chroma)
                    even = b.shuffle_vector(weight, weight, _lanes([0, 0, 2, 2, 4, 4, 6, 6]))
                    accumulate(uv, even, chroma_pair)
                    b.store(b.add(uv, stride), at_chroma)
                _store(b, sub(light, weight), planes[-1])

            steps = b.udiv(rows, ir.Constant(_I64, ROWS_PER_STEP))
            with cgutils.for_range(b, steps):
                for i in range(ROWS_PER_STEP):
                    row(i & 1)
            return context.get_dummy_value()

        return types.void(*[_address] * 5, *[_f32] * 10), emit

    return window


rgb_recurrent = _window(is_recurrent=True, is_yuv=False)
rgb_exact = _window(is_recurrent=False, is_yuv=False)
yuv_recurrent = _window(is_recurrent=True, is_yuv=True)
yuv_exact = _window(is_recurrent=False, is_yuv=True)


@intrinsic
def prefetch(ctx, address):
    """Ask for the cache line at an address before it is needed."""

    def emit(context, b, signature, args):
        pointer = b.inttoptr(args[0], _I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [_I8.as_pointer(), _I32, _I32, _I32])
        fetch = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
        b.call(fetch, [pointer, *(ir.Constant(_I32, i) for i in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(_address), emit


@intrinsic
def is_lit(ctx, address, stride, threshold):
    """Whether any of 8 x 4 pixels of light, from ``address`` on, exceeds the threshold."""

    def emit(context, b, signature, args):
        address, stride, threshold = args
        most = _load(b, address)
        for _ in range(3):
            address = b.add(address, stride)
            most = _call(b, "llvm.maxnum.v8f32", most, _load(b, address))
        above = b.fcmp_ordered(">", most, _broadcast(b, threshold))
        return b.zext(b.bitcast(above, ir.IntType(LANES)), _I64)

    return types.int64(_address, _address, _f32), emit


def _to_bytes(b: _Builder, value: _Value, lanes: int = LANES) -> _Value:
    capped = _call(b, f"llvm.minnum.v{lanes}f32", value, _splat(255.4, lanes))
    whole = b.fptosi(capped, ir.VectorType(_I32, lanes))
    return b.trunc(whole, ir.VectorType(_I8, lanes))


def _bytes_at(b: _Builder, address: _Value, lanes: int = LANES) -> _Value:
    raw = _load(b, address, ir.VectorType(_I8, lanes))
    return b.uitofp(raw, ir.VectorType(_F, lanes))


@intrinsic
def resolve_luma(ctx, address, light, behind, out):
    """8 pixels of one channel: accumulated colour plus light times what stands behind, as bytes."""

    def emit(context, b, signature, args):
        address, light, behind, out = args
        mul, add, _ = _arithmetic(b)
        front = add(_load(b, address), _splat(0.5))
        _store(b, _to_bytes(b, add(front, mul(_load(b, light), _bytes_at(b, behind)))), out)
        return context.get_dummy_value()

    return types.void(*[_address] * 4), emit


@intrinsic
def resolve_chroma(ctx, chroma, light, behind, plane, out):
    """Interleaved (u, v) of 8 pixels of an even row to 4 bytes in each chroma plane."""

    def emit(context, b, signature, args):
        chroma, light, behind, plane, out = args
        mul, add, _ = _arithmetic(b)
        row, pairs = _load(b, light), _load(b, chroma)
        even = b.shuffle_vector(row, row, _lanes([0, 2, 4, 6]))
        for i in (0, 1):
            offset = b.mul(plane, ir.Constant(_I64, i))
            front = b.shuffle_vector(pairs, pairs, _lanes([i, 2 + i, 4 + i, 6 + i]))
            back = mul(even, _bytes_at(b, b.add(behind, offset), 4))
            value = _to_bytes(b, add(add(front, _splat(0.5, 4)), back), 4)
            _store(b, value, b.add(out, offset))
        return context.get_dummy_value()

    return types.void(*[_address] * 5), emit


@intrinsic
def resolve_rgb(ctx, address, plane, behind, behind_plane, out):
    """8 pixels to 24 interleaved bytes; ``behind`` is planar."""

    def emit(context, b, signature, args):
        address, plane, behind, behind_plane, out = args
        mul, add, _ = _arithmetic(b)
        planes, backs = [address], [behind]
        for _i in range(3):
            planes.append(b.add(planes[-1], plane))
            backs.append(b.add(backs[-1], behind_plane))
        light = _load(b, planes[3])
        channel = []
        for i in range(3):
            front = add(_load(b, planes[i]), _splat(0.5))
            channel.append(_to_bytes(b, add(front, mul(light, _bytes_at(b, backs[i])))))
        red_green = b.shuffle_vector(channel[0], channel[1], _lanes(range(16)))
        blue = b.shuffle_vector(channel[2], channel[2], _lanes(range(16)))
        order = [i // 3 + (0, 8, 16)[i % 3] for i in range(24)]
        _store(b, b.shuffle_vector(red_green, blue, _lanes(order)), out)
        return context.get_dummy_value()

    return types.void(*[_address] * 5), emit


def _looked_up(b: _Builder, found: _Value, stride: _Value, gx: _Value, gy: _Value) -> _Value:
    """8 signed bytes between their neighbours to the right and below; gx, gy in [0, 1]."""
    mul, add, sub = _arithmetic(b)
    one = ir.Constant(_I64, 1)

    def row(address: _Value) -> _Value:
        here, ahead = (
            b.sitofp(_load(b, at, ir.VectorType(_I8, LANES)), _VF)
            for at in (address, b.add(address, one))
        )
        return add(here, mul(gx, sub(ahead, here)))

    top, low = row(found), row(b.add(found, stride))
    return add(top, mul(gy, sub(low, top)))


def _ramp(b: _Builder, first: _Value, step: _Value) -> _Value:
    mul, add, _ = _arithmetic(b)
    count = ir.Constant(_VF, [ir.Constant(_F, float(i)) for i in range(LANES)])
    return add(_broadcast(b, first), mul(_broadcast(b, step), count))


@intrinsic
def add_plane(ctx, found, stride, out, gx, gy, weight, more):
    """Add signed bytes, read between pixels, to 8 bytes; the weight grows by ``more`` a pixel."""

    def emit(context, b, signature, args):
        found, stride, out, gx, gy, weight, more = args
        mul, add, _ = _arithmetic(b)
        seen = _looked_up(b, found, stride, _broadcast(b, gx), _broadcast(b, gy))
        sum_ = add(add(_bytes_at(b, out), _splat(0.5)), mul(_ramp(b, weight, more), seen))
        positive = _call(b, "llvm.maxnum.v8f32", sum_, _splat(0.0))
        _store(b, _to_bytes(b, positive), out)
        return context.get_dummy_value()

    return types.void(*[_address] * 3, *[_f32] * 4), emit


def _add_packed(channels: int) -> Any:
    """The same for 8 interleaved pixels, whose first three channels are RGB."""

    @intrinsic
    def add(ctx, found, plane, stride, out, gx, gy, weight, more):
        """``found`` is in the first of three planes, ``plane`` bytes apart."""

        def emit(context, b, signature, args):
            found, plane, stride, out, gx, gy, weight, more = args
            mul, plus, _ = _arithmetic(b)
            ramp, gx, gy = _ramp(b, weight, more), _broadcast(b, gx), _broadcast(b, gy)
            raw = _load(b, out, ir.VectorType(_I8, LANES * channels))
            parts = []
            for c in range(channels):
                part = b.shuffle_vector(raw, raw, _lanes([channels * i + c for i in range(LANES)]))
                if c < 3:
                    before = b.uitofp(part, _VF)
                    seen = _looked_up(b, found, stride, gx, gy)
                    sum_ = plus(plus(before, _splat(0.5)), mul(ramp, seen))
                    part = _to_bytes(b, _call(b, "llvm.maxnum.v8f32", sum_, _splat(0.0)))
                    found = b.add(found, plane)
                parts.append(part)
            first = b.shuffle_vector(parts[0], parts[1], _lanes(range(16)))
            second = b.shuffle_vector(parts[2], parts[-1], _lanes(range(16)))
            order = [i // channels + 8 * (i % channels) for i in range(LANES * channels)]
            _store(b, b.shuffle_vector(first, second, _lanes(order)), out)
            return context.get_dummy_value()

        return types.void(*[_address] * 4, *[_f32] * 4), emit

    return add


add_rgb, add_rgba = _add_packed(3), _add_packed(4)


_IS_X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")
_FLUSH_DENORMALS = 0x8040  # MXCSR: flush to zero, denormals are zero


@intrinsic
def float_mode(ctx, new):
    """Set this thread's MXCSR to ``new``, or flush denormals when ``new`` < 0; returns the old one.

    Faint tails otherwise cost 7-11 % of the blend. Restore it: numpy shares the thread. Does
    nothing off x86.
    """

    def emit(context, b, signature, args):
        if not _IS_X86:
            return ir.Constant(_I64, 0)
        register = cgutils.alloca_once(b, _I32)
        pointer = b.bitcast(register, _I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [_I8.as_pointer()])
        b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.x86.sse.stmxcsr"), [pointer])
        old, new = b.load(register), args[0]
        flush = b.or_(old, ir.Constant(_I32, _FLUSH_DENORMALS))
        wants_flush = b.icmp_signed("<", new, ir.Constant(_I64, 0))
        b.store(b.select(wants_flush, flush, b.trunc(new, _I32)), register)
        b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.x86.sse.ldmxcsr"), [pointer])
        return b.zext(old, _I64)

    return types.int64(types.int64), emit
