"""Lines of the presenter: templates per language, filled with facts, wordings chosen by a seed."""

import random
import re
from functools import cache
from importlib import resources
from typing import Literal

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from commerce.models.values import ProductCard
from commerce.recommendation.speakable import speakable

Tone = Literal["plain", "warm", "brisk"]

LANGUAGES = ("en", "es", "pt", "zh")
_JOINERS = {"en": (", ", " and "), "es": (", ", " y "), "pt": (", ", " e "), "zh": ("、", "和")}
_LONGEST_TITLE = 90
_MOST_VALUES = 6


_LONGEST_FACT = 120
_YES_AND_NO = {
    "en": dict[str, str](),
    "es": {"yes": "sí", "no": "no"},
    "pt": {"yes": "sim", "no": "não"},
    "zh": {"yes": "是", "no": "否"},
}


class Wording:
    """Says things in one language, always the same for the same seed.

    Args:
        language: ISO 639-1 code; one without templates is spoken in English.
        seed: Chooses among equal wordings.
        tone: Warm or brisk where a language has such lines.
    """

    def __init__(self, language: str, seed: int = 0, tone: Tone = "plain") -> None:
        short = language[:2].lower()
        self.language = short if short in LANGUAGES else "en"
        self._seed = seed
        self._tone = tone

    def say(self, moment: str, card: ProductCard | None = None, **facts: str) -> str:
        """One line for a moment.

        Args:
            moment: Section of the templates, such as ``price``.
            card: The product the line is about.
            facts: Further values the template names.
        """
        lines = _lines(self.language)
        choices = lines.get(f"{moment}.{self._tone}") or lines[moment]
        about = card.sku if card else ""
        chance = random.Random(f"{self._seed}/{moment}/{about}")
        template = chance.choice(choices)
        return template.render(**(self._facts_of(card) if card else {}), **facts).strip()

    def listed(self, values: tuple[str, ...]) -> str:
        """Values as they are spoken: "sand, slate and black"."""
        shown = [_lowered(speakable(value, 40)) for value in values[:_MOST_VALUES]]
        comma, last = _JOINERS[self.language]
        if len(shown) < 2:
            return "".join(shown)
        return comma.join(shown[:-1]) + last + shown[-1]

    def fact(self, name: str, value: str) -> str:
        """A fact of a row as it is spoken: "Water resistance: 30 m"."""
        said = _YES_AND_NO[self.language].get(value.casefold(), value)
        return speakable(f"{name}: {said}", _LONGEST_FACT)

    def _facts_of(self, card: ProductCard) -> dict[str, str]:
        return {
            "title": speakable(card.title, _LONGEST_TITLE),
            "price": card.price.display(self.language),
            "was": card.compare_at.display(self.language) if card.compare_at else "",
            "stock": str(card.stock),
            "brand": speakable(card.brand or "", 60),
        }


def _lowered(value: str) -> str:
    """A value as it stands inside a sentence: "warm white", but XL."""
    return value[:1].lower() + value[1:] if len(value) > 2 and value[1:].islower() else value


def clean_name(name: str | None) -> str:
    """A viewer's name fit to be spoken: letters only, short; empty when nothing is left.

    Names come from strangers, who may have put a slogan, a link or markup into theirs.
    """
    first = re.sub(r"[^\w\s'’-]|[\d_]", " ", name or "").split()
    joined = " ".join(first[:2])
    return joined if 2 <= len(joined) <= 24 else first[0] if first and len(first[0]) <= 24 else ""


@cache
def _lines(language: str) -> dict[str, list[Template]]:
    """Every wording of a language by moment.

    The sandbox compiles our own files only; what the catalogue says is a value, never a template.
    """
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    source = resources.files("commerce.recommendation").joinpath(
        "templates", language, "lines.jinja"
    )
    moments: dict[str, list[Template]] = {}
    current: list[Template] = []
    for line in source.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if match := re.fullmatch(r"\[([a-z_.]+)\]", text):
            current = moments.setdefault(match[1], [])
        elif text and not text.startswith("#"):
            current.append(environment.from_string(text))
    return moments
