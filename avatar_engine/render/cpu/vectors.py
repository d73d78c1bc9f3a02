# mypy: allow-untyped-defs, allow-untyped-calls
"""Vectors of eight numbers as LLVM values: constants, loads and arithmetic for the lanes' loops.

``<8 x float>`` is one AVX register; on machines without AVX, LLVM splits it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

LANES = 8

F, I8, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)
VF, VI = ir.VectorType(F, LANES), ir.VectorType(I32, LANES)
FAST = ("fast",)
ADDRESS, F32 = types.int64, types.float32
Builder = Any
Value = Any


def splat(value: float, lanes: int = LANES) -> Value:
    """One number in every lane."""
    number = ir.Constant(F, float(np.float32(value)))
    return ir.Constant(ir.VectorType(F, lanes), [number] * lanes)


def indices(index: Sequence[int]) -> Value:
    """Whole numbers, one a lane: constants, or an order for a shuffle."""
    return ir.Constant(ir.VectorType(I32, len(index)), [ir.Constant(I32, i) for i in index])


def broadcast(b: Builder, scalar: Value, lanes: int = LANES) -> Value:
    """One value in each lane."""
    empty = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = b.insert_element(empty, scalar, ir.Constant(I32, 0))
    return b.shuffle_vector(first, empty, indices([0] * lanes))


def call(b: Builder, name: str, *args: Value) -> Value:
    """Call an LLVM intrinsic whose result is of its arguments' type."""
    kind = ir.FunctionType(args[0].type, [a.type for a in args])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), args)


def load(b: Builder, address: Value, kind: Any = VF) -> Value:
    """A vector at an address that need not be aligned."""
    return b.load(b.inttoptr(address, kind.as_pointer()), align=4 if kind is VF else 1)


def store(b: Builder, value: Value, address: Value) -> None:
    """Keep a vector at an address that need not be aligned."""
    align = 4 if value.type is VF else 1
    b.store(value, b.inttoptr(address, value.type.as_pointer()), align=align)


def arithmetic(b: Builder) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Product, sum and difference, as free as fast math lets them be."""
    return (
        lambda x, y: b.fmul(x, y, flags=FAST),
        lambda x, y: b.fadd(x, y, flags=FAST),
        lambda x, y: b.fsub(x, y, flags=FAST),
    )


def larger(b: Builder, x: Value, y: Value) -> Value:
    """The larger of two numbers, neither of which is NaN: one instruction, unlike LLVM's maxnum."""
    return b.select(b.fcmp_ordered(">", x, y), x, y)


def smaller(b: Builder, x: Value, y: Value) -> Value:
    """The smaller of two numbers, neither of which is NaN."""
    return b.select(b.fcmp_ordered("<", x, y), x, y)


def to_bytes(b: Builder, value: Value, lanes: int = LANES) -> Value:
    """Numbers in [0, 255.5) to bytes; what is above is cut off."""
    capped = smaller(b, value, splat(255.4, lanes))
    whole = b.fptosi(capped, ir.VectorType(I32, lanes))
    return b.trunc(whole, ir.VectorType(I8, lanes))


def bytes_at(b: Builder, address: Value, lanes: int = LANES) -> Value:
    """Bytes at an address as floats."""
    raw = load(b, address, ir.VectorType(I8, lanes))
    return b.uitofp(raw, ir.VectorType(F, lanes))
