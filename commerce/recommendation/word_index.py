"""Every word of the shelves in memory, with what it says of each product (BM25F).

    index = index_of(products)
    postings = index.postings("mug")      # which products, how strongly, in which places

A word in the title says most, one among thousands in a table of details least; within a place it
says less the longer the place is. The places of a product add up before they saturate, so that a
word is not counted twice for being repeated (Robertson, Zaragoza and Taylor, 2004).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from commerce.models.query import IndexedProduct
from commerce.models.values import ProductId

TITLE, LABELS, DESCRIPTION, DETAILS = 1, 2, 4, 8
"""Bits of the places a word stands in."""


@dataclass(frozen=True, slots=True)
class _Place:
    """How much a place counts.

    Attributes:
        weight: Of one occurrence.
        length_share: How much of a place's length is held against it, in [0, 1].
    """

    bit: int
    weight: float
    length_share: float


_PLACES: Final = (
    _Place(TITLE, 4.0, 0.5),
    _Place(LABELS, 1.0, 0.0),
    _Place(DESCRIPTION, 1.0, 0.75),
    _Place(DETAILS, 1.0, 0.75),
)


class Postings(NamedTuple):
    """Where one word occurs: rows of the index, rising, each once.

    Attributes:
        rows: Places in ``WordIndex.ids``, ``[n]``.
        strengths: What the word says of each, above 0, not saturated yet, ``[n]``.
        places: Bits of the places it stands in, ``[n]``.
    """

    rows: NDArray[np.int32]
    strengths: NDArray[np.float32]
    places: NDArray[np.uint8]


class WordIndex:
    """An inverted index over products; ``WordIndexBuilder`` makes it.

    Args:
        ids: The products, in the order that decides between equals.
        words: Every word once.
        titles: Numbers of each title's words in their order.
        postings: Of all words, one word's after the other's.
        starts: Where each word's begin, and where the last one's end, ``[words + 1]``.
    """

    def __init__(
        self,
        ids: Sequence[ProductId],
        words: Sequence[str],
        titles: Sequence[NDArray[np.int32]],
        postings: Postings,
        starts: NDArray[np.int64],
    ) -> None:
        self.ids = ids
        self.words = words
        self._numbers = {word: number for number, word in enumerate(words)}
        self._titles = titles
        self._postings = postings
        self._starts = starts

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    def products_with(self, word: str) -> int:
        """In how many products a word occurs."""
        return len(self.postings(word).rows)

    def postings(self, word: str) -> Postings:
        """Where a word occurs; empty for an unknown one."""
        number = self._numbers.get(word)
        part = slice(0) if number is None else slice(*self._starts[number : number + 2])
        every = self._postings
        return Postings(every.rows[part], every.strengths[part], every.places[part])

    def title(self, row: int) -> list[str]:
        """The words of a title in their order."""
        return [self.words[number] for number in self._titles[row]]


class WordIndexBuilder:
    """Gathers products and makes an index of them."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        self._ids: list[ProductId] = []
        self._texts: list[list[NDArray[np.int32]]] = [[] for _ in _PLACES]

    def add(self, products: Iterable[IndexedProduct]) -> None:
        """Take products in, in the order that decides between equals."""
        numbers = self._numbers
        for product in products:
            self._ids.append(product.product_id)
            texts = (product.title, product.labels, product.description, product.details)
            for kept, text in zip(self._texts, texts, strict=True):
                kept.append(np.array([numbers[word] for word in text], np.int32))

    def built(self) -> WordIndex:
        """The index of all products taken in."""
        parts = [
            self._said_by(place, texts) for place, texts in zip(_PLACES, self._texts, strict=True)
        ]
        keys, strengths, bits = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        # What the places say of one product adds up.
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
        products = max(1, len(self._ids))
        postings = Postings(
            (keys[first] % products).astype(np.int32),
            np.add.reduceat(strengths[order], first) if len(first) else strengths,
            np.bitwise_or.reduceat(bits[order], first) if len(first) else bits,
        )
        starts = np.searchsorted(keys[first] // products, np.arange(len(self._numbers) + 1))
        return WordIndex(self._ids, list(self._numbers), self._texts[0], postings, starts)

    def _said_by(
        self, place: _Place, texts: Sequence[NDArray[np.int32]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.uint8]]:
        """What one place says: word and product as one key, how strongly, and its bit."""
        products = max(1, len(texts))
        lengths = np.array([len(text) for text in texts], np.int64)
        flat = np.concatenate(texts) if len(texts) else np.zeros(0, np.int32)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        keys, times = np.unique(flat.astype(np.int64) * products + rows, return_counts=True)
        usual = max(float(lengths.mean()), 1.0) if len(lengths) else 1.0
        length = lengths[keys % products] / usual if len(keys) else np.zeros(0)
        held = 1 - place.length_share + place.length_share * length
        strengths = (place.weight * times / held).astype(np.float32)
        return keys, strengths, np.full(len(keys), place.bit, np.uint8)


def index_of(products: Iterable[IndexedProduct]) -> WordIndex:
    """An index of these products."""
    builder = WordIndexBuilder()
    builder.add(products)
    return builder.built()
