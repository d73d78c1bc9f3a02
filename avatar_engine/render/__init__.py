"""The camera: a persona and a FaceState in, a picture out.

``CONVENTIONS.md`` defines the picture; ``reference`` draws it slowly and obviously, ``cpu`` in a
few milliseconds on one thread, ``cuda`` on a GPU. Importing this package compiles nothing:
``blend_weights`` and ``warm_up`` load numba when they are first asked for.
"""

from typing import TYPE_CHECKING, Any

from avatar_engine.render.choice import RendererName, open_renderer
from avatar_engine.render.protocol import PixelFormat, RenderConfig, Renderer

if TYPE_CHECKING:
    from avatar_engine.render.cpu.warm_up import warm_up
    from avatar_engine.render.weights import blend_weights

__all__ = [
    "PixelFormat",
    "RenderConfig",
    "Renderer",
    "RendererName",
    "blend_weights",
    "open_renderer",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    if name == "warm_up":
        from avatar_engine.render.cpu.warm_up import warm_up

        return warm_up
    if name == "blend_weights":
        from avatar_engine.render.weights import blend_weights

        return blend_weights
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
