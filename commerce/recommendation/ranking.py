"""Which products answer a query, best first, and how well: in two numbers.

``strength`` orders products among each other (BM25F over all their words). It says nothing
absolute: the best of a bad lot looks like the best. So there is also ``score``, the share of the
query's weight that a product covers, words weighed by rarity: below a threshold nothing is shown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commerce.models.query import Query, Term
from commerce.models.values import ProductId
from commerce.models.words import is_cjk, pairs, stem
from commerce.recommendation.compounds import is_head, is_part
from commerce.recommendation.synonyms import group_of, things
from commerce.recommendation.word_index import DESCRIPTION, DETAILS, LABELS, TITLE, WordIndex

ACCEPT = 0.5
"""Least score of a product that answers a plain question."""
ACCEPT_BARE = 0.8
"""Least score for a message that is but a few words and no question."""
ACCEPT_NAMED = 0.35
"""Least score of a product whose title holds the head noun: "leather backpack", of canvas."""

_SATURATION = 1.0
_SYNONYM = 0.95
_SYNONYM_STRENGTH = 0.6
_NOT_THE_THING = 0.9
_ANOTHER_THING, _SHELF_ONLY = 0.5, 0.75
_IN_TITLE, _IN_LABELS, _IN_TEXT, _IN_TEXT_HEAD = 0.95, 0.9, 0.55, 0.4

_Strengths = NDArray[np.float32]
_Places = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Match:
    """How one product fits.

    Attributes:
        score: Share of the query's weight covered, in [0, 1].
        strength: Above 0, higher is better, comparable within one query only.
        named: Words of the query that the title holds.
        matched: Words of the query that the product holds anywhere.
        missing: The rest of them.
    """

    product_id: ProductId
    score: float
    strength: float
    named: tuple[str, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]


def rank(query: Query, index: WordIndex, most: int) -> list[Match]:
    """The products that share words with a query, the strongest first; equals in the index's order.

    Args:
        query: With at least one term.
        index: Where to look.
        most: Matches wanted.
    """
    wishes = [_Wish(term, index) for term in query.terms]
    strengths = np.zeros(len(index), np.float32)
    held = np.zeros(len(index), np.float32)
    for wish in wishes:
        strengths += wish.worth()
        held += wish.gains > 0
    if not wishes:
        return []
    # One word of two is less than half of what was asked.
    strengths *= np.sqrt(held / len(wishes))
    found = np.flatnonzero(strengths)
    if len(found) > 4 * most:
        found = found[np.argpartition(-strengths[found], 4 * most)[: 4 * most]]
    found = found[np.argsort(-strengths[found], kind="stable")]
    head = max(wishes, key=lambda wish: wish.term.weight)
    if not is_part(head.own):
        for row in found:
            if not head.is_the_thing(int(row), index):
                strengths[row] *= _NOT_THE_THING
        found = found[np.argsort(-strengths[found], kind="stable")]
    return [_match(wishes, int(row), index, float(strengths[row])) for row in found[:most]]


class _Wish:
    """One term, looked up in the whole index.

    Attributes:
        gains: What it says of each product, over all ways to satisfy it, in [0, 1).
        shares: How much of it each product covers, in [0, 1].
        places: Where it stands in each product.
    """

    def __init__(self, term: Term, index: WordIndex) -> None:
        self.term = term
        self.own = " ".join(stem(part) for part in term.word.split())
        self.gains: _Strengths = np.zeros(len(index), np.float32)
        self.shares: _Strengths = np.zeros(len(index), np.float32)
        self.places: _Places = np.zeros(len(index), np.uint8)
        self.rarity = math.inf
        self._ways: list[str] = []
        for alternative in term.alternatives:
            self._add(alternative, index)
        products = int(np.count_nonzero(self.gains))
        self._idf = _rarity(products, len(index)) if products else 0.0
        if not products:
            self.rarity = _rarity(0, len(index))

    def worth(self) -> _Strengths:
        """What the term adds to each product's strength."""
        result: _Strengths = self.gains * np.float32(
            self._idf * (1 + _SATURATION) * math.sqrt(self.term.weight)
        )
        return result

    def is_the_thing(self, row: int, index: WordIndex) -> bool:
        """Whether the title names the term as what is sold, not as what it belongs to."""
        if not self.places[row] & TITLE:
            return True
        title = index.title(row)
        return any(is_head(title, way) for way in self._ways if set(way.split()) <= set(title))

    def _add(self, alternative: str, index: WordIndex) -> None:
        is_run = is_cjk(alternative)
        words = pairs(alternative) if is_run else alternative.split()
        strengths, places, share = (
            _run(alternative, words, index) if is_run and len(words) > 1 else _all(words, index)
        )
        if strengths is None or places is None or share is None:
            return
        is_own = alternative in (self.own, self.term.word)
        worth = np.float32(1.0 if is_own else _SYNONYM)
        covered = share * _worth_of(places, is_head=self.term.weight > 1) * worth
        better = covered > self.shares
        self.shares[better] = covered[better]
        self.places |= places
        gains = strengths / (strengths + np.float32(_SATURATION))
        if not is_own:
            gains *= np.float32(_SYNONYM_STRENGTH)
        np.maximum(self.gains, gains, out=self.gains)
        self._ways.append(alternative if not is_run else words[0])
        known = [index.products_with(word) for word in words]
        rarity = sum(_rarity(number, len(index)) for number in known) / len(known)
        self.rarity = min(self.rarity, rarity)


def _all(
    words: Sequence[str], index: WordIndex
) -> tuple[_Strengths | None, _Places | None, _Strengths | None]:
    """Products that hold every one of the words; as strong as the weakest of them."""
    strengths: _Strengths | None = None
    places: _Places | None = None
    for word in words:
        postings = index.postings(word)
        if not len(postings.rows):
            return None, None, None
        strength = np.zeros(len(index), np.float32)
        place = np.zeros(len(index), np.uint8)
        strength[postings.rows] = postings.strengths
        place[postings.rows] = postings.places
        strengths = strength if strengths is None else np.minimum(strengths, strength)
        places = place if places is None else places & place
    if strengths is None or places is None:
        return None, None, None
    # Words that stand in different places are no phrase.
    strengths[places == 0] = 0
    return strengths, places, (places > 0).astype(np.float32)


def _run(
    run: str, words: Sequence[str], index: WordIndex
) -> tuple[_Strengths | None, _Places | None, _Strengths | None]:
    """Products that hold at least half of a Chinese run: the rest may be filler no list knows."""
    size = len(index)
    before = np.zeros(size, bool)
    covered = np.zeros(size, np.float32)
    total = np.zeros(size, np.float32)
    places: _Places = np.zeros(size, np.uint8)
    for word in words:
        postings = index.postings(word)
        now = np.zeros(size, bool)
        now[postings.rows] = True
        covered += now | before
        total[postings.rows] += postings.strengths
        places[postings.rows] |= postings.places
        before = now
    covered += before
    share = covered / np.float32(len(run))
    is_enough = share >= 0.5
    if not is_enough.any():
        return None, None, None
    share[~is_enough] = 0
    places[~is_enough] = 0
    return np.where(is_enough, total / len(words), 0).astype(np.float32), places, share


def _worth_of(places: _Places, *, is_head: bool) -> _Strengths:
    """How much standing in these places says that the product *is* that."""
    table = np.zeros(16, np.float32)
    for bits in range(1, 16):
        if bits & TITLE and bits & LABELS:
            # "Laser printer toner" has the words too; the shelf it stands on tells a printer.
            table[bits] = 1.0
        elif bits & TITLE:
            table[bits] = _IN_TITLE
        elif bits & LABELS:
            table[bits] = _IN_LABELS
        elif bits & (DESCRIPTION | DETAILS):
            table[bits] = _IN_TEXT_HEAD if is_head else _IN_TEXT
    result: _Strengths = table[places]
    return result


def _match(wishes: Sequence[_Wish], row: int, index: WordIndex, strength: float) -> Match:
    covered = total = 0.0
    named: list[str] = []
    matched: list[str] = []
    missing: list[str] = []
    for wish in wishes:
        share = float(wish.shares[row])
        weight = wish.term.weight * wish.rarity
        total += weight
        covered += weight * share
        (matched if share else missing).append(wish.term.word)
        if wish.places[row] & TITLE:
            named.append(wish.term.word)
    score = covered / total if total else 0.0
    head = max(wishes, key=lambda wish: wish.term.weight)
    if not head.places[row] & TITLE:
        if _is_another_thing(head.term.alternatives, index.title(row)):
            score *= _ANOTHER_THING
        elif any(wish.term.weight >= 1 and not wish.shares[row] for wish in wishes):
            # The name of a shelf alone ("food") does not answer "dog food".
            score *= _SHELF_ONLY
    return Match(index.ids[row], score, strength, tuple(named), tuple(matched), tuple(missing))


def _is_another_thing(asked: tuple[str, ...], title: Sequence[str]) -> bool:
    """Whether a title names a thing, but not the one asked for: a backpack is no laptop."""
    wanted = group_of(asked)
    named = {things()[word] for word in title if word in things()}
    return wanted is not None and bool(named) and wanted not in named


def _rarity(products_with: int, products: int) -> float:
    return math.log(1 + (products - products_with + 0.5) / (products_with + 0.5))
