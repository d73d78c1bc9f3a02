"""How well a product answers a query, in [0, 1], so that below a threshold nothing is shown.

bm25 orders candidates but says nothing absolute: the best of a bad lot looks like the best. So the
score here is the share of the query's weight that the product covers, words weighed by rarity.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from commerce.models.query import IndexedProduct, Query, Term, Vocabulary
from commerce.models.values import ProductId
from commerce.models.words import is_cjk, pairs, stem

ACCEPT = 0.5
"""Least score of a product that answers a plain question."""
ACCEPT_BARE = 0.8
"""Least score for a message that is but a few words and no question."""
ACCEPT_NAMED = 0.35
"""Least score of a product whose title holds the head noun: "leather backpack", of canvas."""

_TITLE, _LABELS, _DESCRIPTION, _DESCRIPTION_HEAD = 0.95, 0.9, 0.55, 0.4
_SYNONYM = 0.95


@dataclass(frozen=True, slots=True)
class Match:
    """How one product fits.

    Attributes:
        score: Share of the query's weight covered, in [0, 1].
        named: Words of the query that the title holds.
        matched: Words of the query that the product holds anywhere.
        missing: The rest of them.
    """

    product_id: ProductId
    score: float
    named: tuple[str, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]


def rank(query: Query, products: Iterable[IndexedProduct], vocabulary: Vocabulary) -> list[Match]:
    """Score candidates, best first; equal ones keep their order."""
    wishes = [_wish(term, vocabulary) for term in query.terms]
    matches = [(_match(wishes, product), product) for product in products]
    # Of equal ones the shorter title is more exactly what was asked.
    matches.sort(key=lambda pair: (-round(pair[0].score, 4), len(pair[1].title)))
    return [match for match, _ in matches]


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to satisfy a term: all these index words, or enough of a run of Chinese."""

    run: str
    words: tuple[str, ...]
    rarity: float
    is_own: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    """A term, prepared once for all candidates."""

    word: str
    weight: float
    is_head: bool
    ways: tuple[_Way, ...]


def _wish(term: Term, vocabulary: Vocabulary) -> _Wish:
    ways = []
    own = " ".join(stem(part) for part in term.word.split())
    for alternative in term.alternatives:
        is_run = is_cjk(alternative)
        words = pairs(alternative) if is_run else alternative.split()
        known = vocabulary.products_with
        rarity = sum(_rarity(known.get(word, 0), vocabulary.products) for word in words)
        run = alternative if is_run and len(words) > 1 else ""
        is_own = alternative == own or alternative == term.word
        ways.append(_Way(run, tuple(words), rarity / max(1, len(words)), is_own))
    return _Wish(term.word, term.weight, term.weight > 1, tuple(ways))


def _match(wishes: list[_Wish], product: IndexedProduct) -> Match:
    covered = total = 0.0
    named: list[str] = []
    matched: list[str] = []
    missing: list[str] = []
    title = frozenset(product.title)
    for wish in wishes:
        share, rarity, is_named = _best(wish, product, title)
        total += wish.weight * rarity
        covered += wish.weight * rarity * share
        (matched if share else missing).append(wish.word)
        if is_named:
            named.append(wish.word)
    score = covered / total if total else 0.0
    return Match(product.product_id, score, tuple(named), tuple(matched), tuple(missing))


def _best(wish: _Wish, product: IndexedProduct, title: frozenset[str]) -> tuple[float, float, bool]:
    """The largest share of a wish a product covers, how rare that is, and if the title names it."""
    best, rarity, is_named = 0.0, min(way.rarity for way in wish.ways), False
    for way in wish.ways:
        in_title = _held(way, title)
        in_labels = _held(way, product.labels)
        share = max(_TITLE * in_title, _LABELS * in_labels)
        if in_title and in_labels:
            # "Laser printer toner" has the words too; the shelf it stands on tells a printer.
            share = max(in_title, in_labels)
        elif not share:
            worth = _DESCRIPTION_HEAD if wish.is_head else _DESCRIPTION
            share = worth * _held(way, product.description)
        if not way.is_own:
            share *= _SYNONYM
        if share > best:
            best, rarity, is_named = share, way.rarity, in_title > 0
    return best, rarity, is_named


def _held(way: _Way, place: frozenset[str]) -> float:
    """How much of a way a text holds: all or nothing, but any larger part of a Chinese run."""
    if not way.run:
        return 1.0 if place.issuperset(way.words) else 0.0
    part = _characters_covered(way.run, place)
    # Half of a run may be filler that no list knows.
    return part if part >= 0.5 else 0.0


def _characters_covered(run: str, place: frozenset[str]) -> float:
    covered = [False] * len(run)
    for index in range(len(run) - 1):
        if run[index : index + 2] in place:
            covered[index] = covered[index + 1] = True
    return sum(covered) / len(run)


def _rarity(products_with: int, products: int) -> float:
    return math.log(1 + (products - products_with + 0.5) / (products_with + 0.5))
