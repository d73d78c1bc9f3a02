"""Compile the tile renderer's kernels for GPUs that this machine does not have.

    python -m tests.support.compiled_kernels 80 90

Prints a line per compute capability and kernel. Where Triton interprets kernels instead
(``TRITON_INTERPRET``) there is nothing to compile.
"""

import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from avatar_engine.render.gpu.detail_kernels import collect_flow, find_nearest, smooth_flow
from avatar_engine.render.gpu.drawing import COMPILED, DEVICE_GRAIN
from avatar_engine.render.gpu.finish_kernel import I420, finish
from avatar_engine.render.gpu.pose_kernels import part_lips, pose_texels
from avatar_engine.render.gpu.tile_kernels import blend_tiles, write_records

BLOCK = {"BLOCK": DEVICE_GRAIN.texels}
KERNELS: list[tuple[Any, dict[str, Any]]] = [
    (part_lips, {"PAIRS": 32}),
    (pose_texels, {"PAIRS": 32, **BLOCK}),
    (write_records, BLOCK),
    (blend_tiles, {"CHUNK": DEVICE_GRAIN.entries}),
    (find_nearest, BLOCK),
    (collect_flow, BLOCK),
    (smooth_flow, {"BLOCK": DEVICE_GRAIN.cells}),
    (finish, {"FORMAT": I420, "ZOOM": 1, "HAS_DETAIL": True, "BLOCK": DEVICE_GRAIN.quads}),
]
REAL = "inputs fixed texels lips view records canvas plates follow flow sums origins"
WHOLE = "traits pairs used starts nearest carriers missing"
TYPES = {
    **dict.fromkeys(REAL.split(), "*fp32"),
    **dict.fromkeys(WHOLE.split(), "*i32"),
    "modes": "*i16",
    "keys": "*i64",
    "picture": "*u8",
    "per_cell": "fp32",
    "zoom": "fp32",
}
"""Of the kernels' arguments by name; all others are whole numbers."""


def compile_for(capability: int) -> None:
    """Compile every kernel as far as machine code."""
    for kernel, constants in KERNELS:
        names = kernel.arg_names
        signature = {n: "constexpr" if n in constants else TYPES.get(n, "i32") for n in names}
        source = ASTSource(kernel, signature=signature, constexprs=constants)
        target = GPUTarget("cuda", capability, 32)
        compiled = triton.compile(source, target=target, options=COMPILED)
        print(capability, kernel.fn.__name__, len(compiled.asm["cubin"]), "bytes")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        compile_for(int(given))
