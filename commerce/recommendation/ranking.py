"""How well a product answers a query, in [0, 1], so that below a threshold nothing is shown.

bm25 orders candidates but says nothing absolute: the best of a bad lot looks like the best. So the
score here is the share of the query's weight that the product covers, words weighed by rarity.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from commerce.models.query import IndexedProduct, Query, Term, Vocabulary
from commerce.models.values import ProductId
from commerce.models.words import is_cjk, pairs
from commerce.recommendation.understand import index_terms

ACCEPT = 0.5
"""Least score of a product that answers a plain question."""
ACCEPT_BARE = 0.8
"""Least score for a message that is but a few words and no question."""
ACCEPT_NAMED = 0.35
"""Least score of a product whose title holds the head noun: "leather backpack", of canvas."""

_TITLE, _LABELS, _DESCRIPTION, _DESCRIPTION_HEAD = 1.0, 0.9, 0.55, 0.4


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
    idf = {
        word: _rarity(vocabulary.products_with.get(word, 0), vocabulary.products)
        for term in query.terms
        for word in index_terms(term)
    }
    matches = [(_match(query, product, idf), product) for product in products]
    # Of equal ones the shorter title is more exactly what was asked.
    matches.sort(key=lambda pair: (-round(pair[0].score, 4), len(pair[1].title)))
    return [match for match, _ in matches]


def _match(query: Query, product: IndexedProduct, idf: dict[str, float]) -> Match:
    covered = total = 0.0
    named: list[str] = []
    matched: list[str] = []
    missing: list[str] = []
    title = frozenset(product.title)
    for term in query.terms:
        share, rarity, is_named = _best(term, product, title, idf)
        total += term.weight * rarity
        covered += term.weight * rarity * share
        (matched if share else missing).append(term.word)
        if is_named:
            named.append(term.word)
    score = covered / total if total else 0.0
    return Match(product.product_id, score, tuple(named), tuple(matched), tuple(missing))


def _best(
    term: Term, product: IndexedProduct, title: frozenset[str], idf: dict[str, float]
) -> tuple[float, float, bool]:
    """The share of a term a product covers, the term's rarity, and whether the title names it."""
    best, rarity = 0.0, 0.0
    for alternative in term.alternatives:
        words = pairs(alternative) if is_cjk(alternative) else alternative.split()
        worth = sum(idf[word] for word in words) / len(words)
        share = _share(alternative, words, product, title, is_head=term.weight > 1)
        if share > best:
            best, rarity = share, worth
    if best == 0.0:
        rarity = min(
            sum(idf[word] for word in words) / len(words)
            for words in (index_words_of(alternative) for alternative in term.alternatives)
        )
    return best, rarity, best >= _TITLE


def index_words_of(alternative: str) -> list[str]:
    """The index words of one alternative."""
    return pairs(alternative) if is_cjk(alternative) else alternative.split()


def _share(
    alternative: str,
    words: list[str],
    product: IndexedProduct,
    title: frozenset[str],
    *,
    is_head: bool,
) -> float:
    in_description = _DESCRIPTION_HEAD if is_head else _DESCRIPTION
    places = ((title, _TITLE), (product.labels, _LABELS), (product.description, in_description))
    for place, worth in places:
        if is_cjk(alternative) and len(words) > 1:
            part = _characters_covered(alternative, place)
            # Half of a run may be filler that no list knows.
            if part >= 0.5:
                return worth * part
        elif all(word in place for word in words):
            return worth
    return 0.0


def _characters_covered(run: str, place: frozenset[str]) -> float:
    covered = [False] * len(run)
    for index in range(len(run) - 1):
        if run[index : index + 2] in place:
            covered[index] = covered[index + 1] = True
    return sum(covered) / len(run)


def _rarity(products_with: int, products: int) -> float:
    return math.log(1 + (products - products_with + 0.5) / (products_with + 0.5))
