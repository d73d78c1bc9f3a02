# mypy: allow-untyped-defs, allow-untyped-calls
"""One block of the surface moved by one mode."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    F32,
    I64,
    LANES,
    VF,
    F,
    arithmetic,
    broadcast,
    load,
    store,
)
from avatar_engine.render.definition import COLUMNS

_STEP, _MEANS = 48, 52


@intrinsic
def add_part(ctx, place, part, change):
    """16 texels: ``place += change * part``.

    ``place`` is the address of x, y and z planes of COLUMNS floats, ``part`` that of a line of
    ``ModeBlocks``.
    """

    def emit(context, b, signature, args):
        place, part, change = args
        mul, add, _ = arithmetic(b)

        def number(offset):
            at = b.add(part, ir.Constant(I64, offset))
            return b.load(b.inttoptr(at, F.as_pointer()), align=4)

        wide = broadcast(b, mul(change, number(_STEP)))
        for c in range(3):
            mean = broadcast(b, mul(change, number(_MEANS + 4 * c)))
            for half in range(2):
                at = b.add(part, ir.Constant(I64, LANES * (2 * c + half)))
                to = b.add(place, ir.Constant(I64, 4 * (COLUMNS * c + LANES * half)))
                steps = b.sitofp(load(b, at, ir.VectorType(ir.IntType(8), LANES)), VF)
                store(b, add(add(load(b, to), mean), mul(wide, steps)), to)
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, F32), emit
