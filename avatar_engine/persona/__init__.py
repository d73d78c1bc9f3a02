"""A persona: who speaks, prepared once from one photo and kept in one file.

Nothing heavy is imported before the first name is used; a live session that only plays a finished
persona loads neither the portrait models nor the solver.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatar_engine.persona.file import load_persona, save_persona
    from avatar_engine.persona.making import build_persona, open_persona
    from avatar_engine.persona.persona import Persona, Provenance
    from avatar_engine.persona.sheet import contact_sheet

__all__ = [
    "Persona",
    "Provenance",
    "build_persona",
    "contact_sheet",
    "load_persona",
    "open_persona",
    "save_persona",
]

_HOMES = {
    "Persona": "persona",
    "Provenance": "persona",
    "build_persona": "making",
    "open_persona": "making",
    "load_persona": "file",
    "save_persona": "file",
    "contact_sheet": "sheet",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
