"""What a person noted: ``hand.json`` to learn from, ``kept_apart.json`` to measure by.

Per portrait (by file name without ending): ``kinds``, what the head is like, and ``strokes``, lines
drawn over the aligned crop of 256 pixels, flat lists ``[x0, y0, x1, y1, ...]`` by class; a line of
four points or more that returns to its beginning is an area.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from avatar_engine.types import LabelKind

HAND = Path(__file__).with_name("hand.json")
"""The notes of the shipped recipe."""
KEPT_APART = Path(__file__).with_name("kept_apart.json")
"""People that nothing is learned from: what they wear, and some of it drawn."""


@dataclass(frozen=True, slots=True)
class Notes:
    """One portrait's.

    Attributes:
        kinds: Of ``bald``, ``long`` (hair beside the face below the ears), ``ears`` (seen in spite
            of it), ``glasses``, ``beard``, ``moustache``, ``earrings``, ``drop``; of those kept
            apart also ``ear-left``, ``ear-right`` (of the picture), ``no-ear-left`` and so on.
        strokes: Lines by class.
    """

    kinds: frozenset[str] = frozenset()
    strokes: dict[LabelKind, list[list[int]]] = field(default_factory=dict)


def read_notes(path: Path = HAND) -> dict[str, Notes]:
    """All notes, by the portrait's name."""
    return {
        name: Notes(
            frozenset(entry.get("kinds", "").split()),
            {LabelKind[k.upper()]: lines for k, lines in entry.get("strokes", {}).items()},
        )
        for name, entry in json.loads(path.read_text()).items()
    }
