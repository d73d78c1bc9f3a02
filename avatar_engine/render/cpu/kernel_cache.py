"""How the CPU renderer's kernels are compiled, and when what was compiled earlier is too old.

numba keeps a compiled kernel as long as the kernel's own file stays the same. Ours are spread over
several files that are compiled into each other, so an edit or an update of one left stale machine
code for the others, which drew nonsense or crashed. Here one digest of all of them decides.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from avatar_engine.device import compiled

JIT = {
    # Without nnan and ninf: comparisons with NaN stay false, and such texels are culled.
    "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"},
    "error_model": "numpy",
    "boundscheck": False,
    "nogil": True,
}
_STAMP = "kernels.sha256"
_HERE = Path(__file__).parent


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for the CPU renderer; machine code of older sources is dropped first."""
    made = compiled(function, **JIT)
    stats = getattr(made, "stats", None)  # a plain function where numba is switched off
    if stats is not None and stats.cache_path:
        _freshen(Path(stats.cache_path))
    return made


def drop_stale(folder: Path, digest: str) -> bool:
    """Empty a folder of numba's cache that was filled from other sources.

    Safe without a lock. Whoever finds the old stamp removes everything before it compiles, so
    nobody loads what is old; the worst that two at once can do is to compile twice.

    Args:
        folder: Holds ``.nbi`` and ``.nbc`` files of our kernels only.
        digest: Of the sources that are about to be compiled.

    Returns:
        Whether it was of other sources.
    """
    stamp = folder / _STAMP
    with contextlib.suppress(OSError):
        if stamp.read_text() == digest:
            return False
    for pattern in ("*.nbi", "*.nbc"):
        for old in folder.glob(pattern):
            old.unlink(missing_ok=True)
    fresh = folder / f"{_STAMP}.{os.getpid()}"
    fresh.write_text(digest)
    fresh.replace(stamp)
    return True


@cache
def _freshen(folder: Path) -> None:
    # A folder that cannot be written keeps its files; numba then compiles elsewhere or anew.
    with contextlib.suppress(OSError):
        drop_stale(folder, _digest())


@cache
def _digest() -> str:
    """Of every file whose code or constants end up in a kernel."""
    sources = [*sorted(_HERE.glob("*.py")), *sorted(_HERE.parent.glob("*definition.py"))]
    sources.append(_HERE.parents[1] / "types" / "head.py")  # the charts' numbers
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()
