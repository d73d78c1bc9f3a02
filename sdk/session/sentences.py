"""Sentences: where a text may be cut so that something else can be said, and resumed."""

import re
from dataclasses import dataclass

# A stop ends a sentence only before white space (so "4.50" and "v2.1" stay whole) or when it is
# one of the full-width stops, after which Chinese and Japanese put no space.
_STOP = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+[」』”’）]*|\n{2,}")
_ABBREVIATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "nr", "inc", "ltd", "co", "approx"),
        *("ca", "e.g", "i.e", "etc", "bzw", "z.b", "d.h"),
    )
)
_LONGEST = 260  # characters; a longer sentence is cut at a comma, so that no viewer waits for it


@dataclass(frozen=True, slots=True)
class Sentence:
    """``text[start:end]`` of an utterance, without the white space around it."""

    text: str
    start: int
    end: int


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """Cut a text into sentences; joined with their gaps they are the text again.

    Example:
        ``"Only 4.50! Take two."`` gives ``"Only 4.50!"`` and ``"Take two."``
    """
    pieces: list[tuple[int, int]] = []
    start = 0
    for stop in _STOP.finditer(text):
        if not _is_abbreviation(text, start, stop.start(), stop.group()):
            pieces += _at_commas(text, start, stop.end())
            start = stop.end()
    pieces += _at_commas(text, start, len(text))
    return tuple(found for a, b in pieces if (found := _trimmed(text, a, b)) is not None)


def _is_abbreviation(text: str, start: int, stop: int, mark: str) -> bool:
    if mark != ".":
        return False
    words = text[start:stop].split()
    last = words[-1].lower() if words else ""
    return last.lstrip("(\"'") in _ABBREVIATIONS or (len(last) == 1 and last.isalpha())


def _at_commas(text: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    while end - start > _LONGEST:
        window = text[start : start + _LONGEST]
        cut = max(window.rfind(mark) for mark in (", ", "; ", ": ", "，", "；", " – "))
        if cut < _LONGEST // 4:
            cut = window.rfind(" ")
        if cut <= 0:
            cut = _LONGEST - 1
        pieces.append((start, start + cut + 1))
        start += cut + 1
    pieces.append((start, end))
    return pieces


def _trimmed(text: str, start: int, end: int) -> Sentence | None:
    piece = text[start:end]
    body = piece.strip()
    if not any(character.isalnum() for character in body):
        return None
    begin = start + piece.index(body)
    return Sentence(body, begin, begin + len(body))
