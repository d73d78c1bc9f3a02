"""Where one sentence ends and the next begins, in the scripts our sellers write."""

import re

from avatar_engine.speech.alignment import AlignedText, split_after

LONGEST = 320
"""Characters in one request to a voice; longer sentences are cut at a comma or a space."""

# Full stop and friends need white space after them; CJK stops do not.
_END = re.compile(r"[.!?…؟।]+[\"'”’»)\]]*(?=\s)|[。！？；]+[”’」』）]*|\n+")
_SOFT = re.compile(r"[,;:，、：—–]\s*")
_INITIAL = re.compile(r"(?:^|[\s(])\w\.$")


def split_sentences(text: AlignedText) -> list[AlignedText]:
    """Sentences in order, none longer than :data:`LONGEST`, none empty.

    A single letter before a full stop is an initial ("J. Smith"), not an end.
    """
    cuts = [
        match.end()
        for match in _END.finditer(text.text)
        if not _INITIAL.search(text.text, max(0, match.start() - 2), match.end())
    ]
    return [piece for sentence in split_after(text, cuts) for piece in _short(sentence)]


def _short(sentence: AlignedText) -> list[AlignedText]:
    if len(sentence) <= LONGEST:
        return [sentence]
    window = sentence.text[:LONGEST]
    soft = [m.end() for m in _SOFT.finditer(window) if m.end() > LONGEST // 3]
    cut = soft[-1] if soft else window.rfind(" ") + 1
    if cut <= 0:
        cut = LONGEST
    head, tail = sentence[:cut].strip(), sentence[cut:].strip()
    return ([head] if len(head) else []) + (_short(tail) if len(tail) else [])
