"""Colour, size and brand in a message: what a version must have, where the row says what it has."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from commerce.models.query import Query
from commerce.models.words import fold, index_words, split
from commerce.recommendation import lexicon
from commerce.recommendation.synonyms import alternatives_of

_COLOUR_NAMES = ("colour", "color", "cor", "颜色", "顏色", "色", "カラー", "warna", "색")
_SIZE_NAMES = ("size", "talla", "tamanho", "tamano", "尺", "码", "サイズ", "ukuran", "사이즈")
_SIZES = {
    "small": "s", "medium": "m", "large": "l", "extra large": "xl", "pequeno": "s", "mediano": "m",
    "medio": "m", "grande": "l", "小号": "s", "中号": "m", "大号": "l", "kecil": "s", "besar": "l",
}  # fmt: skip
_SIZE = re.compile(
    r"\b(?:size|talla|tamanho|ukuran|サイズ|사이즈)\s*(?P<told>[a-z]{1,6}|\d{1,3}(?:[.,]5)?)\b"
    r"|\b(?P<plain>xxs|xs|xl|xxl|xxxl|[2-6]xl)\b|(?P<number>\d{2,3})\s*(?:码|号|サイズ)"
    r"|(?P<name>extra large|small|medium|large|小号|中号|大号)"
)
_BRAND = re.compile(
    r"\b(?:by|from|brand|marca|merek)\s+(?P<name>[\w&.-]{2,30})|(?P<cn>[\w]{2,12})牌"
)


def without_size(folded: str) -> str:
    """A text without "size M", "XL" or "42码", which no title holds; "large" may describe a pot."""
    return _SIZE.sub(lambda match: match.group() if match["name"] else " ", folded)


def keeps_wishes(query: Query, options: Mapping[str, str], brand: str | None) -> bool:
    """Whether a version has the colour, size and brand asked for; unknown ones are no obstacle.

    Args:
        query: What is wanted.
        options: Of the version, such as ``{"Colour": "Sand"}``.
        brand: Of the product.
    """
    text = fold(query.text)
    return (
        _keeps_colour(query, options) and _keeps_size(text, options) and _keeps_brand(text, brand)
    )


def _keeps_colour(query: Query, options: Mapping[str, str]) -> bool:
    wanted: set[str] = set()
    for term in query.terms:
        if term.word in _colours():
            wanted.update(*map(str.split, term.alternatives))
    had = set(index_words(" ".join(_values(options, _COLOUR_NAMES))))
    return not wanted or not had or bool(wanted & had)


def _keeps_size(text: str, options: Mapping[str, str]) -> bool:
    match = _SIZE.search(text)
    if match is None:
        return True
    wanted = next(value for value in match.groups() if value)
    had = {
        fold(part) for value in _values(options, _SIZE_NAMES) for part in re.split(r"[|,/]", value)
    }
    had = {_SIZES.get(one.strip(), one.strip()) for one in had}
    return not had or _SIZES.get(wanted, wanted) in had


def _keeps_brand(text: str, brand: str | None) -> bool:
    match = _BRAND.search(text)
    if match is None or not brand:
        return True
    wanted = set(split(match["name"] or match["cn"]))
    # "From the shop" names no brand: only what looks like one is held against a product.
    return bool(wanted & set(split(brand))) or bool(wanted & lexicon.FUNCTION_WORDS)


def _values(options: Mapping[str, str], names: Iterable[str]) -> list[str]:
    return [
        value for name, value in options.items() if any(fold(name).startswith(one) for one in names)
    ]


@cache
def _colours() -> frozenset[str]:
    known = {
        word for colour in lexicon.COLOURS for word in (colour, *alternatives_of().get(colour, ()))
    }
    return frozenset(known)
