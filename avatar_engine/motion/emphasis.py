"""Which words deserve a nod or a raised brow: prices first, then what the text itself stresses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from avatar_engine.types.speech import Word

_PRICE = re.compile(r"[$€£¥₹₩₽฿₺₫₱]|\d+\s?%|%|\bRp\b|R\$|元|円|원")
_NUMBER = re.compile(r"\d")
_STRESSED = re.compile(r"^[A-Z]{3,}$|^\*.*\*$")
_STRONG_WORDS = (
    "only now today free new never best last everyone love sale half save",
    "solo hoy gratis nuevo nueva nunca mejor oferta ahora",
    "nur heute kostenlos neu beste jetzt",
    "seulement gratuit nouveau nouvelle maintenant meilleur",
    "apenas hoje grátis novo nova agora melhor",
    "oggi nuovo adesso soltanto",
    "hanya baru sekarang diskon",
)
_STRONG = frozenset(word for line in _STRONG_WORDS for word in line.split(" "))
_LETTERS = re.compile(r"[^\w$€£¥%]+")


Span = tuple[int, int]
"""Start and end of a stretch of text, in characters."""


@dataclass(frozen=True, slots=True)
class Accent:
    """One emphasised word.

    Attributes:
        time_s: When it begins, seconds into the utterance.
        strength: 0 to 1.
        has_nod, has_brows: Which gestures it takes.
    """

    time_s: float
    strength: float
    has_nod: bool
    has_brows: bool


class EmphasisReader:
    """Turns words, as they arrive, into accents; its own generator keeps that repeatable.

    Args:
        text: As given to the voice.
        rng: For nothing else.
        stressed: Stretches of the text that are emphasised whatever they say, each once, at the
            first word that begins in it: the product's name.
    """

    def __init__(self, text: str, rng: Generator, stressed: Sequence[Span] = ()) -> None:
        self._text = text
        self._stressed = list(stressed)
        self._rng = rng
        self._last_s = -10.0

    def read(self, words: Sequence[Word]) -> list[Accent]:
        """Accents of these words, which follow those read before."""
        accents = []
        for word in words:
            chance, taste = self._rng.random(2)  # drawn for every word: no accent shifts another
            strength = self._strength(word, chance)
            gap_s = word.start_s - self._last_s
            if strength == 0.0 or gap_s < (0.35 if strength >= 0.8 else 0.75):
                continue
            self._last_s = word.start_s
            is_question = self._ends_question(word)
            has_brows = strength >= 0.8 or taste < 0.45 or is_question
            has_nod = (strength >= 0.8 or taste > 0.3) and not is_question
            accents.append(Accent(word.start_s, strength, has_nod, has_brows))
        return accents

    def _ends_question(self, word: Word) -> bool:
        return self._text[word.end : word.end + 2].strip()[:1] in {"?", "？"}

    def _strength(self, word: Word, chance: float) -> float:
        for span in self._stressed:
            if span[0] <= word.start < span[1]:
                self._stressed.remove(span)
                return 0.9
        if self._ends_question(word):
            return 0.7
        written = self._text[word.start : word.end]
        around = self._text[max(0, word.start - 2) : word.end + 2]
        if _PRICE.search(written) or (_NUMBER.search(written) and _PRICE.search(around)):
            return 1.0
        plain = _LETTERS.sub("", written)
        if _STRESSED.match(plain) or plain.lower() in _STRONG:
            return 0.8
        if _NUMBER.search(written):
            return 0.6
        # Without the text, or for plain words, about every fifth longer word gets a light accent.
        is_long = not self._text or len(plain) >= 5 or not plain.isascii()
        return 0.4 + 0.2 * chance if is_long and chance < 0.22 else 0.0
