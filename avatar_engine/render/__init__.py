"""The camera: a persona and a FaceState in, a picture out.

``CONVENTIONS.md`` defines the picture; ``reference`` draws it slowly and obviously, ``cpu`` in a
few milliseconds on one thread, ``cuda`` on a GPU. ``blend_weights`` and ``warm_up`` live in
``render.weights`` and ``render.cpu.warm_up``, so that importing this package compiles nothing.
"""

from avatar_engine.render.choice import RendererName, open_renderer
from avatar_engine.render.protocol import PixelFormat, RenderConfig, Renderer

__all__ = ["PixelFormat", "RenderConfig", "Renderer", "RendererName", "open_renderer"]
