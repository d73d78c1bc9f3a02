# mypy: allow-untyped-defs, allow-untyped-calls
"""One block of the surface moved by all modes that act there, its sums kept in registers."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    I8,
    I64,
    LANES,
    VF,
    F,
    arithmetic,
    broadcast,
    load,
    store,
)

_VECTORS = 6
_LINE_LOG2, _STEP, _MEANS = 6, 48, 52


@intrinsic
def move_block(ctx, surface, out, plane, parts, modes, found, count, changes):
    """16 texels: ``out = surface + Σ changes[modes[i]] · part i`` over the numbers i in ``found``.

    ``surface`` and ``out`` are addresses of x, y and z planes of floats, ``plane`` bytes apart;
    ``parts`` and ``modes`` those of ``ModeBlocks``, ``found`` of ``count`` int32.
    """

    def emit(context, b, signature, args):
        surface, out, plane, parts, modes, found, count, changes = args
        mul, add, _ = arithmetic(b)
        places = []
        for c in range(3):
            offset = b.mul(plane, ir.Constant(I64, c))
            places += [b.add(offset, ir.Constant(I64, 4 * LANES * half)) for half in range(2)]
        sums = [cgutils.alloca_once(b, VF) for _ in range(_VECTORS)]
        means = [cgutils.alloca_once(b, F) for _ in range(3)]
        for place, total in zip(places, sums, strict=True):
            b.store(load(b, b.add(surface, place)), total)
        for mean in means:
            b.store(ir.Constant(F, 0.0), mean)

        def number(at, kind, shift):
            return b.load(b.inttoptr(at, kind.as_pointer()), align=1 << shift)

        with cgutils.for_range(b, count) as loop:
            at = b.add(found, b.shl(loop.index, ir.Constant(I64, 2)))
            i = b.zext(number(at, ir.IntType(32), 2), I64)
            mode = b.zext(number(b.add(modes, i), I8, 0), I64)
            change = number(b.add(changes, b.shl(mode, ir.Constant(I64, 2))), F, 2)
            part = b.add(parts, b.shl(i, ir.Constant(I64, _LINE_LOG2)))
            step = mul(change, number(b.add(part, ir.Constant(I64, _STEP)), F, 2))
            wide = broadcast(b, step)
            for n, total in enumerate(sums):
                whole = load(b, b.add(part, ir.Constant(I64, LANES * n)), ir.VectorType(I8, LANES))
                b.store(add(b.load(total), mul(wide, b.sitofp(whole, VF))), total)
            for c, mean in enumerate(means):
                middle = number(b.add(part, ir.Constant(I64, _MEANS + 4 * c)), F, 2)
                b.store(add(b.load(mean), mul(change, middle)), mean)
        for n, (place, total) in enumerate(zip(places, sums, strict=True)):
            moved = add(b.load(total), broadcast(b, b.load(means[n // 2])))
            store(b, moved, b.add(out, place))
        return context.get_dummy_value()

    return types.void(*[ADDRESS] * 6, types.int64, ADDRESS), emit
