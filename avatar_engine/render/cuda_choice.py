"""Which CUDA renderer this machine gets: the first that proves itself on a small frame."""

import logging
from typing import get_args

from avatar_engine.device import CudaKernels, has_cuda, missing_for_cuda, require_cuda
from avatar_engine.errors import RenderError
from avatar_engine.render.protocol import RenderConfig, Renderer
from avatar_engine.render.self_check import Opener, disagreement
from avatar_engine.types import Camera, HeadMaps, Plates

_log = logging.getLogger(__name__)


def open_cuda(maps: HeadMaps, plates: Plates, camera: Camera, config: RenderConfig) -> Renderer:
    """The tile renderer, or gsplat's where that cannot run or draws something else.

    Raises:
        RenderError: Neither can run or draws what the reference draws; the text says why.
    """
    if not has_cuda():
        require_cuda("triton")
    reasons: list[str] = []
    for kernels in get_args(CudaKernels):
        try:
            renderer = _proven(kernels, maps, plates, camera, config)
        except RenderError as error:
            reasons.append(f"{kernels}: {error}")
            continue
        if reasons:
            _log.warning("the %s renderer draws, for %s", kernels, reasons[0])
        return renderer
    raise RenderError(f"no cuda renderer can draw here ({'; '.join(reasons)})")


def _proven(
    kernels: CudaKernels, maps: HeadMaps, plates: Plates, camera: Camera, config: RenderConfig
) -> Renderer:
    """A renderer that agrees with the reference.

    Raises:
        RenderError: It does not, or cannot run.
    """
    missing = missing_for_cuda(kernels)
    if missing is not None:
        raise RenderError(f"it needs {missing}")
    try:
        opener = _opener(kernels)
        fault = disagreement(opener, maps, plates, camera, config)
        renderer = None if fault else opener(maps, plates, camera, config)
    # Compilers and drivers that nobody tried fail in their own ways; another renderer may do.
    except Exception as error:
        first_line = str(error).partition("\n")[0] or type(error).__name__
        raise RenderError(first_line) from error
    if renderer is None:
        raise RenderError(fault)
    return renderer


def _opener(kernels: CudaKernels) -> Opener:
    if kernels == "triton":
        from avatar_engine.render.gpu.renderer import TileRenderer

        return TileRenderer
    from avatar_engine.render.cuda import CudaRenderer

    return CudaRenderer
