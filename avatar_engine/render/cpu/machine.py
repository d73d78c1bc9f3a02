# mypy: allow-untyped-defs, allow-untyped-calls
"""What a kernel tells the processor itself: what it needs next, and how to round."""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from avatar_engine.render.cpu.vectors import (
    ADDRESS,
    I8,
    I32,
    I64,
)


@intrinsic
def prefetch(ctx, address):
    """Ask for the cache line at an address before it is needed."""

    def emit(context, b, signature, args):
        pointer = b.inttoptr(args[0], I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I32, I32, I32])
        fetch = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
        b.call(fetch, [pointer, *(ir.Constant(I32, i) for i in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(ADDRESS), emit


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
            return ir.Constant(I64, 0)
        register = cgutils.alloca_once(b, I32)
        pointer = b.bitcast(register, I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [I8.as_pointer()])
        b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.x86.sse.stmxcsr"), [pointer])
        old, new = b.load(register), args[0]
        flush = b.or_(old, ir.Constant(I32, _FLUSH_DENORMALS))
        wants_flush = b.icmp_signed("<", new, ir.Constant(I64, 0))
        b.store(b.select(wants_flush, flush, b.trunc(new, I32)), register)
        b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.x86.sse.ldmxcsr"), [pointer])
        return b.zext(old, I64)

    return types.int64(types.int64), emit
