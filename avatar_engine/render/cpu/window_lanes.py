# mypy: allow-untyped-defs, allow-untyped-calls
"""The blend of one Gaussian into a window of pixels, eight of them at a time.

The compiler does not vectorise these loops by itself (measured: 5.6 times slower), and a C
compiler is more than a user's machine need have.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    F32,
    I32,
    I64,
    LANES,
    VF,
    VI,
    Builder,
    F,
    Value,
    arithmetic,
    broadcast,
    call,
    indices,
    larger,
    load,
    smaller,
    splat,
    store,
)

ROWS_PER_STEP = 4
"""Windows are blended in straight-line blocks of this many rows."""


def _exp(b: Builder, power: Value) -> Value:
    """Exp of 8 floats, relative error 3e-6.

    Below -86 it is exactly 0: a clamp there would let the recurrence grow without bound in lanes
    that lie outside a Gaussian's box.
    """
    mul, add, sub = arithmetic(b)
    is_zero = b.fcmp_ordered("<", power, splat(-86.0))
    capped = smaller(b, power, splat(86.0))
    scaled = mul(capped, splat(1.4426950408889634))
    whole = call(b, "llvm.floor.v8f32", scaled)
    part = sub(scaled, whole)
    mantissa = splat(0.01353414)
    for coefficient in (0.05201152, 0.24144272, 0.69300384, 1.00000259):  # 2**part on [0, 1]
        mantissa = add(mul(mantissa, part), splat(coefficient))
    exponent = b.add(b.fptosi(whole, VI), indices([127] * LANES))
    bits = b.shl(exponent, indices([23] * LANES))
    return b.select(is_zero, splat(0.0), mul(mantissa, b.bitcast(bits, VF)))


def _most(b: Builder, values: Value) -> Value:
    """The largest of 8 numbers."""
    for half in (4, 2, 1):
        other = b.shuffle_vector(
            values, values, indices([(i + half) % LANES for i in range(LANES)])
        )
        values = larger(b, values, other)
    return b.extract_element(values, ir.Constant(I32, 0))


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

        Returns the most that any pixel takes of the Gaussian.
        """

        def emit(context, b, signature, args):
            address, plane, stride, rows, chroma, dx0, dy0, a, bb, c, top, *color, fall = args
            mul, add, sub = arithmetic(b)

            def number(value: float) -> Value:
                return ir.Constant(F, value)

            dx = add(broadcast(b, dx0), ir.Constant(VF, [number(float(i)) for i in range(LANES)]))
            cross = mul(broadcast(b, bb), dx)
            along = add(mul(mul(broadcast(b, mul(a, number(-0.5))), dx), dx), broadcast(b, top))
            half_c, minus_c = mul(c, number(-0.5)), mul(c, number(-1.0))
            colors = [broadcast(b, v) for v in color]
            chroma_pair = b.shuffle_vector(colors[1], colors[2], indices([0, LANES] * 4))
            at_row, at_chroma = (cgutils.alloca_once(b, I64) for _ in range(2))
            at_dy = cgutils.alloca_once(b, F)
            at_g, at_ratio = (cgutils.alloca_once(b, VF) for _ in range(2))
            at_most = cgutils.alloca_once_value(b, splat(0.0))
            b.store(address, at_row)
            b.store(chroma, at_chroma)
            b.store(dy0, at_dy)

            def power(dy: Value) -> Value:
                straight = sub(along, mul(cross, broadcast(b, dy)))
                return add(straight, broadcast(b, mul(mul(half_c, dy), dy)))

            # g(y + 1) / g(y) is a geometric series in y: exp is needed at the first row only.
            decay = None
            if is_recurrent:
                b.store(_exp(b, power(dy0)), at_g)
                decay = broadcast(b, fall)
                first = broadcast(b, mul(minus_c, add(dy0, number(0.5))))
                b.store(_exp(b, sub(first, cross)), at_ratio)

            def accumulate(where: Value, weight: Value, value: Value) -> None:
                store(b, add(load(b, where), mul(weight, value)), where)

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
                light = load(b, planes[-1])
                weight = mul(g, light)  # g <= opacity <= 0.99
                b.store(larger(b, weight, b.load(at_most)), at_most)
                for where, value in zip(planes[:-1], colors, strict=False):
                    accumulate(where, weight, value)
                if is_yuv and parity == 0:
                    uv = b.load(at_chroma)
                    even = b.shuffle_vector(weight, weight, indices([0, 0, 2, 2, 4, 4, 6, 6]))
                    accumulate(uv, even, chroma_pair)
                    b.store(b.add(uv, stride), at_chroma)
                store(b, sub(light, weight), planes[-1])

            steps = b.udiv(rows, ir.Constant(I64, ROWS_PER_STEP))
            with cgutils.for_range(b, steps):
                for i in range(ROWS_PER_STEP):
                    row(i & 1)
            return _most(b, b.load(at_most))

        return types.float32(*[ADDRESS] * 5, *[F32] * 10), emit

    return window


rgb_recurrent = _window(is_recurrent=True, is_yuv=False)
rgb_exact = _window(is_recurrent=False, is_yuv=False)
yuv_recurrent = _window(is_recurrent=True, is_yuv=True)
yuv_exact = _window(is_recurrent=False, is_yuv=True)


@intrinsic
def is_lit(ctx, address, stride, threshold):
    """Whether any of 8 x 4 pixels of light, from ``address`` on, exceeds the threshold."""

    def emit(context, b, signature, args):
        address, stride, threshold = args
        most = load(b, address)
        for _ in range(3):
            address = b.add(address, stride)
            most = larger(b, load(b, address), most)
        above = b.fcmp_ordered(">", most, broadcast(b, threshold))
        return b.zext(b.bitcast(above, ir.IntType(LANES)), I64)

    return types.int64(ADDRESS, ADDRESS, F32), emit
