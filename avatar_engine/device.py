"""What this machine offers: an accelerator, and a place for compiled kernels."""

import contextlib
import importlib.util
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar, get_args

from avatar_engine.errors import RenderError

P = ParamSpec("P")
R = TypeVar("R")


CudaKernels = Literal["triton", "gsplat"]
"""Whose kernels a CUDA renderer runs."""


def has_cuda() -> bool:
    """Whether a CUDA renderer can run here: torch, Triton or gsplat, and a CUDA device."""
    return any(missing_for_cuda(kernels) is None for kernels in get_args(CudaKernels))


def require_cuda(kernels: CudaKernels) -> None:
    """Refuse with the missing part.

    Raises:
        RenderError: torch, the kernels' package or a CUDA device is missing.
    """
    missing = missing_for_cuda(kernels)
    if missing is not None:
        raise RenderError(f"the cuda renderer needs {missing}; or choose the cpu renderer")


def missing_for_cuda(kernels: CudaKernels) -> str | None:
    """What is missing for a CUDA renderer with these kernels; None where nothing is."""
    for name in (kernels, "torch"):
        if importlib.util.find_spec(name) is None:
            return f"{name}: pip install 'livepitch[cuda]'"
    if has_nvidia_driver():  # importing torch takes seconds: look before
        import torch

        if torch.cuda.is_available():
            return None
    return "a CUDA device, and there is none"


def has_nvidia_driver() -> bool:
    """Whether NVIDIA's driver is installed: known without torch."""
    import ctypes

    name = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Compile with numba, and keep the machine code on disk where there is a place for it.

    numba refuses to keep anything where neither the package nor the user's cache folder can be
    written, and for a user without a home it makes a folder called ``~`` in the current one.

    Args:
        function: A kernel.
        options: As for ``numba.njit``, without ``cache``.
    """
    from numba import config, njit

    has_home = os.path.expanduser("~") != "~"
    beside = Path(function.__code__.co_filename).parent
    if config.CACHE_DIR or has_home or os.access(beside, os.W_OK):
        with contextlib.suppress(RuntimeError):
            return _kept_where_possible(njit(cache=True, **options)(function))
    return njit(**options)(function)


def _kept_where_possible(made: Any) -> Any:
    """The kernel, whose machine code is compiled again next time where the disk is full now."""
    cache = getattr(made, "_cache", None)  # a plain function where numba is switched off
    if cache is not None:
        keep = cache.save_overload

        def save(*args: Any) -> None:
            with contextlib.suppress(OSError):
                keep(*args)

        cache.save_overload = save
    return made


def with_quiet_blas(function: Callable[P, R]) -> Callable[P, R]:
    """Let numpy's linear algebra use one thread while a function runs.

    Our matrices are small. OpenBLAS still hands them to a thread per core, each of which spins
    while it waits: where a show is live on the same cores, that doubles the work.
    """

    @wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return function(*args, **kwargs)

    return quiet


def give_back_memory() -> None:
    """Hand free memory back to the system, where its allocator would rather keep it.

    glibc keeps what large arrays left behind: two hundred megabytes after a persona was made, for
    as long as a show lasts.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
