"""Mends misspelt words of a query with the catalogue's own words."""

from dataclasses import replace

from rapidfuzz import fuzz, process

from commerce.models.query import Query, Term, Vocabulary
from commerce.models.words import is_cjk
from commerce.recommendation.understand import index_terms

# Below four letters nearly every word is near another: tea, sea, pea.
_SHORTEST = 4
_ALIKE_PERCENT = 80.0


def mend(query: Query, vocabulary: Vocabulary) -> Query:
    """Give each unknown word the nearest words of the catalogue as alternatives.

    Words with digits stay as they are: 750 ml is not 500 ml, and Z62 is not Z72.
    """
    if all(_is_known(term, vocabulary) for term in query.terms):
        return query
    words = [
        word
        for word in vocabulary.products_with
        if len(word) >= _SHORTEST and word.isalpha() and word.isascii()
    ]
    return replace(query, terms=tuple(_mended(term, words, vocabulary) for term in query.terms))


def _is_known(term: Term, vocabulary: Vocabulary) -> bool:
    return any(word in vocabulary.products_with for word in index_terms(term))


def _mended(term: Term, words: list[str], vocabulary: Vocabulary) -> Term:
    if _is_known(term, vocabulary) or is_cjk(term.word) or not term.word.isalpha():
        return term
    if len(term.word) < _SHORTEST:
        return term
    near = process.extract(
        term.alternatives[0], words, scorer=fuzz.ratio, limit=3, score_cutoff=_ALIKE_PERCENT
    )
    # People misspell the middle of a word, hardly ever its first letter.
    found = tuple(word for word, _, _ in near if word[0] == term.word[0])
    return replace(term, alternatives=term.alternatives + found) if found else term
