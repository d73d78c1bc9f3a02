"""Which accelerator this machine offers, found out without importing torch in vain."""

import importlib.util

from avatar_engine.errors import RenderError


def has_cuda() -> bool:
    """Whether the CUDA renderer can run here: torch, gsplat and a CUDA device."""
    return _missing() is None


def require_cuda() -> None:
    """Refuse with the missing part.

    Raises:
        RenderError: torch, gsplat or a CUDA device is missing.
    """
    missing = _missing()
    if missing is not None:
        raise RenderError(f"the cuda renderer needs {missing}; or choose the cpu renderer")


def _missing() -> str | None:
    for name in ("gsplat", "torch"):  # importing torch takes seconds: look before
        if importlib.util.find_spec(name) is None:
            return f"{name}: pip install 'livepitch[cuda]'"
    import torch

    return None if torch.cuda.is_available() else "a CUDA device, and torch finds none"
