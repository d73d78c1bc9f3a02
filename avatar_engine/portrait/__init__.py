"""The eye: reads a photo, finds the face, says whether it will do, and cuts the person out.

Nothing is imported or loaded before the first name is used, so that a live session which only
plays a finished persona stays small.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatar_engine.portrait.photo import read_photo
    from avatar_engine.portrait.reader import read_portrait

__all__ = ["read_photo", "read_portrait"]

_HOMES = {"read_photo": "photo", "read_portrait": "reader"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
