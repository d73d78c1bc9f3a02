"""Mends misspelt words of a query with the catalogue's own words."""

from dataclasses import replace

from rapidfuzz import fuzz, process

from commerce.models.query import Query, Term
from commerce.models.words import is_cjk, stem
from commerce.recommendation.understand import index_terms
from commerce.recommendation.word_index import WordIndex

# Below four letters nearly every word is near another: tea, sea, pea.
_SHORTEST = 4
_ALIKE_PERCENT = 80.0


class Speller:
    """Knows how the words of one index are written."""

    def __init__(self, index: WordIndex) -> None:
        self._index = index
        self._words = [
            word
            for word in index.words
            if len(word) >= _SHORTEST and word.isalpha() and word.isascii()
        ]

    def mend(self, query: Query) -> Query:
        """Give each unknown word the nearest words of the catalogue as alternatives.

        Words with digits stay as they are: 750 ml is not 500 ml, and Z62 is not Z72. A word may
        also have been written apart or together: "head set", "smartwatch".
        """
        if all(self._is_known(term) for term in query.terms):
            return query
        terms = [self._joined(term, query) for term in query.terms]
        return replace(query, terms=tuple(map(self._mended, terms)))

    def _is_known(self, term: Term) -> bool:
        return any(word in self._index for word in index_terms(term))

    def _joined(self, term: Term, query: Query) -> Term:
        """The term, also as one word with its neighbour, or as two words."""
        if self._is_known(term) or is_cjk(term.word) or not term.word.isalpha():
            return term
        words = [one.word for one in query.terms]
        place = words.index(term.word)
        forms = [stem("".join(words[place - 1 : place + 1]))] if place else []
        forms.append(stem("".join(words[place : place + 2])))
        found = [form for form in forms if form != term.word and form in self._index]
        for cut in range(3, len(term.word) - 2):
            first, second = term.word[:cut], stem(term.word[cut:])
            if first in self._index and second in self._index:
                found.append(f"{first} {second}")
        return replace(term, alternatives=term.alternatives + tuple(found)) if found else term

    def _mended(self, term: Term) -> Term:
        if self._is_known(term) or is_cjk(term.word) or not term.word.isalpha():
            return term
        if len(term.word) < _SHORTEST:
            return term
        near = process.extract(
            term.alternatives[0],
            self._words,
            scorer=fuzz.ratio,
            limit=3,
            score_cutoff=_ALIKE_PERCENT,
        )
        # People misspell the middle of a word, hardly ever its first letter.
        found = tuple(word for word, _, _ in near if word[0] == term.word[0])
        return replace(term, alternatives=term.alternatives + found) if found else term
