"""Marks: what a face does at a place of its text. The vocabulary, and the one way to read it.

Only text of callers who may direct the avatar is read for marks (``take_marks``); everything else,
a viewer's message or a catalogue's row, is never searched for them, so nobody can slip one in.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from avatar_engine.errors import MarkError

Emotion = Literal["neutral", "happy", "excited", "concerned", "serious"]
EMOTIONS: Final[tuple[Emotion, ...]] = get_args(Emotion)

Act = Literal[
    "nod", "shake", "tilt", "wave", "wink", "brows", "smile", "think", "glance",
    "glance-left", "glance-right", "glance-up", "glance-down",
]  # fmt: skip
ACTS: Final[tuple[Act, ...]] = get_args(Act)
"""``wave`` is a greeting by head and brows; ``glance`` looks at the pinned card."""

MarkKind = Literal["act", "emotion", "cue", "stress"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happens when its place in the text sounds.

    Attributes:
        offset: In characters; the word that ends behind it fires it.
        kind: ``act`` and ``emotion`` move the face; ``cue`` only tells; ``stress`` emphasises the
            words that begin within ``length`` characters.
        name: Of the act, emotion or cue.
        length: Of a stressed stretch.
    """

    offset: int
    kind: MarkKind
    name: str
    length: int = 0

    @property
    def cue_name(self) -> str:
        """``act:nod``; what a cue and its event are called."""
        return f"{self.kind}:{self.name}"

    def moved(self, by: int) -> "Mark":
        """The same mark in a text that begins elsewhere."""
        return replace(self, offset=max(0, self.offset + by))


_WHOLE = re.compile(r"<\s*(\w+)((?:\s+\w+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))*)\s*/>")
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_SUSPECT = re.compile(r"<\s*/?\s*(act|emotion|cue)\b[^<>]{0,60}>?", re.IGNORECASE)
_LINE_BREAKS = frozenset(("br", "hr", "p", "wbr"))  # markup that catalogues are full of


def take_marks(text: str) -> tuple[str, tuple[Mark, ...]]:
    """Blank the marks of a text and list them.

    The plain text keeps its length, so spans of words still point into the original.

    Example:
        ``take_marks('Hi! <act name="nod"/>')`` gives ``('Hi!                  ', (Mark(4, ...),))``

    Raises:
        MarkError: A mark has an unknown tag or name, or is not written in full.
    """
    marks = []
    plain = text
    for match in _WHOLE.finditer(text):
        if match[1].lower() in _LINE_BREAKS:
            continue
        marks.append(_read(match))
        plain = plain[: match.start()] + " " * len(match[0]) + plain[match.end() :]
    if broken := _SUSPECT.search(plain):
        raise MarkError(f'{broken[0]!r} is no whole mark; write <{broken[1].lower()} name="…"/>')
    return plain, tuple(marks)


def _read(match: re.Match[str]) -> Mark:
    tag = match[1]
    attributes = {key: double or single for key, double, single in _ATTRIBUTE.findall(match[2])}
    known = {"act": ACTS, "emotion": EMOTIONS, "cue": None}
    if tag not in known:
        raise MarkError(f"unknown mark {match[0]!r}; there are act, emotion and cue")
    name = attributes.get("name", "")
    if set(attributes) != {"name"} or not name:
        raise MarkError(f'{match[0]!r}: write <{tag} name="…"/> and nothing else')
    names = known[tag]
    if names is not None and name not in names:
        raise MarkError(f"unknown {tag} {name!r}; there are {', '.join(names)}")
    kind: MarkKind = "act" if tag == "act" else "emotion" if tag == "emotion" else "cue"
    return Mark(match.start(), kind, name[:80])
