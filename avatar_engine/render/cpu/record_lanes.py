# mypy: allow-untyped-defs, allow-untyped-calls
"""Eight Gaussians at a time from planes to records, as LLVM vector instructions.

Written one number at a time, records cost as much as everything before them.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    I32,
    I64,
    LANES,
    VF,
    VI,
    Builder,
    Value,
    indices,
)

_NONE = ir.Constant(ir.IntType(32 * LANES), 0)


def _interleaved(b: Builder, planes: list[Value]) -> list[Value]:
    """Planes of 8 lanes to 8 records of one value each, in order: [8 records][planes].

    Every stage shuffles the first half of the planes into the second like two halves of a deck.
    """
    lanes = [indices([i // 2 + 8 * (i % 2) + start for i in range(8)]) for start in (0, 4)]
    half = len(planes) // 2
    stages = half.bit_length()
    for _ in range(stages):
        pairs = zip(planes[:half], planes[half:], strict=True)
        planes = [b.shuffle_vector(x, y, order) for x, y in pairs for order in lanes]
    return planes


@intrinsic
def keep(ctx, shape, place, drawn, stride, values, places):
    """Write 8 Gaussians as records, one after the other, and forget those that are not drawn.

    ``shape``: 8 planes of floats, ``place``: 4 planes of int32, ``stride`` bytes apart; ``drawn``:
    8 int32, 1 or 0. Records of 8 floats go to ``values``, of 4 int32 to ``places``, where there is
    room for 8 in any case. Returns how many were kept.
    """

    def emit(context, b, signature, args):
        shape, place, drawn, stride, values, places = args

        def planes(first: Value, count: int, kind: Any) -> list[Value]:
            found = []
            for _ in range(count):
                found.append(b.load(b.inttoptr(first, kind.as_pointer()), align=4))
                first = b.add(first, stride)
            return found

        is_kept = planes(drawn, 1, VI)[0]
        any_kept = b.icmp_unsigned("!=", b.bitcast(is_kept, ir.IntType(32 * LANES)), _NONE)
        kept = cgutils.alloca_once_value(b, ir.Constant(I64, 0))
        with b.if_then(any_kept):
            records = _interleaved(b, planes(shape, 8, VF))
            pairs = _interleaved(b, planes(place, 4, VI))
            count = ir.Constant(I64, 0)
            for i in range(LANES):
                at = b.add(values, b.shl(count, ir.Constant(I64, 5)))
                b.store(records[i], b.inttoptr(at, VF.as_pointer()), align=4)
                half = range(i % 2 * 4, i % 2 * 4 + 4)
                part = b.shuffle_vector(pairs[i // 2], pairs[i // 2], indices(half))
                at = b.add(places, b.shl(count, ir.Constant(I64, 4)))
                b.store(part, b.inttoptr(at, part.type.as_pointer()), align=4)
                one = b.zext(b.extract_element(is_kept, ir.Constant(I32, i)), I64)
                count = b.add(count, one)
            b.store(count, kept)
        return b.load(kept)

    return types.int64(*[ADDRESS] * 6), emit


@intrinsic
def bits_at(ctx, address):
    """The 32 bits at an address."""

    def emit(context, b, signature, args):
        return b.load(b.inttoptr(args[0], I32.as_pointer()), align=4)

    return types.int32(ADDRESS), emit
