"""From a query to products: candidates of the index, ranked, filtered, at their best variant."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository, search_index
from commerce.catalogue.cards import card_of
from commerce.catalogue.repository import Offer
from commerce.models.query import Query
from commerce.models.tables import Catalogue
from commerce.models.values import ProductCard, ProductId
from commerce.models.words import index_words
from commerce.recommendation.embedding import fused
from commerce.recommendation.ranking import ACCEPT, Match, rank
from commerce.recommendation.reply import Found
from commerce.recommendation.spelling import Speller
from commerce.recommendation.understand import index_terms
from commerce.recommendation.wishes import keeps_wishes
from commerce.recommendation.word_index import WordIndex, WordIndexBuilder, index_of
from commerce.shop.meaning import Near

LEAST_SCORE = 0.25
"""What covers less of a query is no candidate, unless its title names a word of it."""

_MOST_CANDIDATES = 1000
# A price limit may leave none of the best; without one the best are enough.
_MOST_RANKED, _MOST_LIMITED = 50, 200
# Neighbours in the fused order must differ by more than what counts as equal.
_FUSED_STRENGTH = 10_000.0


@dataclass(frozen=True, slots=True)
class _Shelves:
    """A catalogue's words as they were at one revision."""

    key: tuple[int, int]
    index: WordIndex
    speller: Speller


class Finder:
    """Searches one catalogue; keeps its words in memory until the catalogue changes.

    Args:
        most_in_memory: Of larger catalogues the database's own full-text index picks the
            candidates, and only those are ranked.
    """

    def __init__(self, most_in_memory: int = 200_000) -> None:
        self._most_in_memory = most_in_memory
        self._shelves: _Shelves | None = None
        self._turn = asyncio.Lock()
        self._currency: tuple[tuple[int, int], str | None] | None = None

    async def find(
        self,
        session: AsyncSession,
        catalogue: Catalogue,
        query: Query,
        limit: int,
        *,
        least_score: float = LEAST_SCORE,
        near: Sequence[Near] = (),
        least_similarity: float = 1.0,
    ) -> list[Found]:
        """Products for a query, best first; those that break a limit come after all that keep it.

        Args:
            session: Open for reading.
            catalogue: Where to look.
            query: What is wanted.
            limit: Most products wanted.
            least_score: What covers less of the query is left out, unless its title names a word.
            near: Products near the query's meaning, the nearest first.
            least_similarity: Nearer ones than this are accepted though they share no word.
        """
        if query.terms:
            matches = await self._matches(session, catalogue, query, least_score if not near else 0)
            if near:
                matches = _joined(matches, near, least_score, least_similarity)
        else:
            matches = None
        ids = None if matches is None else [match.product_id for match in matches]
        offers = _by_product(await repository.offers_of(session, catalogue.id, ids))
        query = _in_currency_of(query, [offer for offers_ in offers.values() for offer in offers_])
        if matches is None:
            matches = [Match(product_id, 0.0, 0.0, (), (), ()) for product_id in offers]
        ranked = [
            (match, offer, _fits(query, offer))
            for match in matches
            if match.product_id in offers
            for offer in [_best_offer(query, offers[match.product_id])]
        ]
        ranked.sort(key=lambda entry: _place(query, entry[0], entry[1], is_fitting=entry[2]))
        return await _with_cards(session, ranked[:limit])

    async def prepare(self, session: AsyncSession, catalogue: Catalogue) -> None:
        """Read the catalogue's words now, so that the first question need not wait for it."""
        await self._current(session, catalogue)

    async def currency(self, session: AsyncSession, catalogue: Catalogue) -> str | None:
        """The currency of most prices, which a number without one means."""
        key = (catalogue.id, catalogue.revision)
        if self._currency is None or self._currency[0] != key:
            self._currency = (key, await repository.usual_currency(session, catalogue.id))
        return self._currency[1]

    async def _matches(
        self, session: AsyncSession, catalogue: Catalogue, query: Query, least_score: float
    ) -> list[Match]:
        shelves = await self._current(session, catalogue)
        if shelves is None:
            words = [word for term in query.terms for word in index_terms(term)]
            found = await search_index.find_products(session, words, _MOST_CANDIDATES)
            index = index_of(found)
        else:
            index, query = shelves.index, shelves.speller.mend(query)
        return [
            match
            for match in rank(
                query, index, _MOST_LIMITED if query.has_price_limit else _MOST_RANKED
            )
            if match.score >= least_score or match.named
        ]

    async def _current(self, session: AsyncSession, catalogue: Catalogue) -> _Shelves | None:
        """The catalogue's words; None when there are too many products to keep them."""
        key = (catalogue.id, catalogue.revision)
        async with self._turn:
            if self._shelves is not None and self._shelves.key == key:
                return self._shelves
            if await search_index.count_products(session) > self._most_in_memory:
                return None
            builder = WordIndexBuilder()
            async for part in search_index.every_product(session):
                # Off the loop, which has viewers to serve.
                await asyncio.to_thread(builder.add, part)
            index = await asyncio.to_thread(builder.built)
            self._shelves = _Shelves(key, index, await asyncio.to_thread(Speller, index))
        return self._shelves


def _joined(
    matches: Sequence[Match], near: Sequence[Near], least_score: float, least_similarity: float
) -> list[Match]:
    """Matches of words and of meaning in one order; only the near enough need share no word."""
    by_words = {match.product_id: match for match in matches}
    similarity = {one.product_id: one.similarity for one in near}
    order = fused([match.product_id for match in matches], [one.product_id for one in near])
    found = []
    for number, worth in order:
        product = ProductId(number)
        match = by_words.get(product) or Match(product, 0.0, 0.0, (), (), ())
        is_meant = least_similarity < 1 and similarity.get(product, -1.0) >= least_similarity
        score = max(match.score, ACCEPT) if is_meant else match.score
        if score >= least_score or match.named:
            found.append(replace(match, score=score, strength=_FUSED_STRENGTH * worth))
    return found


async def _with_cards(
    session: AsyncSession, ranked: Sequence[tuple[Match, Offer, bool]]
) -> list[Found]:
    products = await repository.products_with_ids(
        session, [match.product_id for match, _, _ in ranked]
    )
    found: list[Found] = []
    for match, offer, fits in ranked:
        product = products.get(match.product_id)
        if product is None:
            continue
        variant = next((one for one in product.variants if one.id == offer.variant_id), None)
        card: ProductCard | None = card_of(product, variant)
        if card is not None:
            found.append(Found(card, match, fits))
    return found


def _by_product(offers: Sequence[Offer]) -> dict[ProductId, list[Offer]]:
    grouped: dict[ProductId, list[Offer]] = {}
    for offer in offers:
        grouped.setdefault(offer.product_id, []).append(offer)
    return grouped


def _in_currency_of(query: Query, offers: Sequence[Offer]) -> Query:
    """The query without limits in a currency nothing is sold in: there is no rate to compare by."""
    sold_in = {offer.currency for offer in offers}
    limits = [limit for limit in (query.minimum, query.maximum) if limit is not None]
    if all(limit.currency in sold_in for limit in limits):
        return query
    return replace(query, minimum=None, maximum=None)


def _fits(query: Query, offer: Offer) -> bool:
    for limit in (query.minimum, query.maximum):
        if limit is not None and limit.currency != offer.currency:
            return False
    if query.minimum is not None and offer.price_minor < query.minimum.minor:
        return False
    if query.maximum is not None and offer.price_minor > query.maximum.minor:
        return False
    if not keeps_wishes(query, offer.options, offer.brand):
        return False
    return offer.is_available or not query.wants_in_stock


def _best_offer(query: Query, offers: Sequence[Offer]) -> Offer:
    """The variant to show: one that fits, has the colour or size asked for, and can be bought."""
    if len(offers) == 1:
        return offers[0]
    wanted = {word for term in query.terms for word in index_terms(term)}

    def place(offer: Offer) -> tuple[bool, int, bool]:
        has = len(wanted & set(index_words(" ".join(offer.options.values()))))
        return (not _fits(query, offer), -has, not offer.is_available)

    return min(offers, key=place)


def _place(
    query: Query, match: Match, offer: Offer, *, is_fitting: bool
) -> tuple[bool, float, float, bool]:
    by_price = {"cheapest": offer.price_minor, "dearest": -offer.price_minor, None: 0}[query.order]
    # A tenth is no difference a shopper would notice; being available is.
    strength = -round(match.strength, 1)
    if query.order is not None and not query.terms:
        return (not is_fitting, by_price, strength, not offer.is_available)
    return (not is_fitting, strength, by_price, not offer.is_available)
