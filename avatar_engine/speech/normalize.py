"""From what a seller wrote to what can be read aloud, without losing where each word stood."""

import re

from avatar_engine.speech.alignment import AlignedText

_BREAKS = re.compile(r"<\s*(?:br|/p|/li|/h\d|/div|/tr)\b[^<>]*>", re.IGNORECASE)
_TAGS = re.compile(r"<[!/?a-zA-Z][^<>]*>")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")


def normalized(text: str, language: str) -> AlignedText:
    """Speakable text for a language tag; empty when nothing is left to say."""
    spoken = AlignedText.of(text)
    spoken = spoken.sub(_BREAKS, "\n").sub(_TAGS, " ").sub(_SPACES, " ")
    return spoken.strip()
