"""Marks in a text, such as ``<act name="nod"/>``: not spoken, but fired when their place sounds."""

import re
from dataclasses import dataclass

_MARK = re.compile(r"<\s*(\w+)((?:\s+\w+\s*=\s*\"[^\"]*\")*)\s*/>")
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark at an offset of the text; ``name`` is ``tag`` or ``tag:value of its attributes``."""

    offset: int
    name: str


def take_marks(text: str) -> tuple[str, tuple[Mark, ...]]:
    """Blank the marks of a text and list them.

    The plain text keeps its length, so spans of words still point into the original.
    """
    marks = []
    plain = text
    for match in _MARK.finditer(text):
        values = ",".join(value for _, value in _ATTRIBUTE.findall(match[2]))
        marks.append(Mark(match.start(), f"{match[1]}:{values}" if values else match[1]))
        plain = plain[: match.start()] + " " * len(match[0]) + plain[match.end() :]
    return plain, tuple(marks)
