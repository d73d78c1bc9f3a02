"""Text or audio in, timed frames and 48 kHz sound out."""

from avatar_engine.engine.avatar import AvatarEngine
from avatar_engine.engine.background import Background
from avatar_engine.engine.opening import open_drawing, open_engine, open_plain_renderer

__all__ = ["AvatarEngine", "Background", "open_drawing", "open_engine", "open_plain_renderer"]
