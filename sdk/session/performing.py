"""What the face does in one sentence of a longer speech."""

import re
from collections.abc import Callable, Iterator, Sequence

from avatar_engine.types import Mark
from sdk.session.sentences import Sentence
from sdk.types.session import Utterance

_SHORTEST_NAME = 3
_MOST_WORDS = 4  # of a product's title, which may be a line long; it is said from its beginning


def marks_of(
    utterance: Utterance,
    sentences: Sequence[Sentence],
    index: int,
    name_of: Callable[[str], str],
) -> tuple[Mark, ...]:
    """The marks of one sentence, at offsets into it.

    Marks between two sentences belong to the second. A feeling goes on from one sentence of a
    speech to the next until another one is marked.

    Args:
        utterance: Whose marks and product these are.
        sentences: Of its text.
        index: The sentence that is asked for.
        name_of: A product's name by SKU.
    """
    sentence = sentences[index]
    begin = sentences[index - 1].end if index else 0
    is_last = index == len(sentences) - 1
    end = len(utterance.text) + 1 if is_last else sentence.end
    here = [mark.moved(-sentence.start) for mark in utterance.marks if begin <= mark.offset < end]
    before = [m for m in utterance.marks if m.kind == "emotion" and m.offset < begin]
    if before:
        here.insert(0, Mark(0, "emotion", before[-1].name))
    if utterance.product is not None:
        here += _names(sentence.text, name_of(utterance.product))
    return tuple(here)


def _names(text: str, name: str) -> Iterator[Mark]:
    """Where a product's name, or its first words, stand in a sentence."""
    words = name.split()
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        part = " ".join(words[:count])
        if len(part) < _SHORTEST_NAME:
            return
        if found := re.search(re.escape(part), text, re.IGNORECASE):
            yield Mark(found.start(), "stress", "product", len(part))
            return
