"""The one way to get a renderer."""

import importlib.util
import logging
from typing import Literal, get_args

from avatar_engine.device import has_cuda
from avatar_engine.errors import RenderError
from avatar_engine.render.cuda_choice import open_cuda
from avatar_engine.render.protocol import RenderConfig, Renderer
from avatar_engine.types import Camera, HeadMaps, Plates

RendererName = Literal["auto", "reference", "cpu", "cuda"]

_log = logging.getLogger(__name__)


def open_renderer(
    name: RendererName, maps: HeadMaps, plates: Plates, camera: Camera, config: RenderConfig
) -> Renderer:
    """Open a renderer for one persona.

    Args:
        name: ``cuda`` takes the tile renderer, or gsplat where that cannot run or does not draw
            what the reference draws; ``auto`` takes the same, or ``cpu``.
        maps: The persona.
        plates: At the source view's pixels.
        camera: The source view; framed to the output here.
        config: Size and pixel format.

    Raises:
        RenderError: The name is unknown, this machine cannot run it, or maps and plates do not
            fit together.
    """
    if name not in get_args(RendererName):
        known = ", ".join(get_args(RendererName))
        raise RenderError(f"unknown renderer {name!r}: choose one of {known}")
    if name == "reference":
        if importlib.util.find_spec("torch") is None:
            raise RenderError(
                "the reference renderer needs torch: pip install 'livepitch[torch]', or choose cpu"
            )
        from avatar_engine.render.reference import ReferenceRenderer

        return ReferenceRenderer(maps, plates, camera, config)
    if name == "cuda" or (name == "auto" and has_cuda()):
        try:
            return open_cuda(maps, plates, camera, config)
        except RenderError as error:
            if name == "cuda":
                raise
            _log.warning("pictures are drawn on the CPU: %s", error)
    from avatar_engine.render.cpu.renderer import CpuRenderer

    return CpuRenderer(maps, plates, camera, config)
