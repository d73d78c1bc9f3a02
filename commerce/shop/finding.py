"""From a query to products: candidates of the index, ranked, filtered, at their best variant."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository, search_index
from commerce.catalogue.cards import card_of
from commerce.catalogue.repository import Offer
from commerce.models.query import IndexedProduct, Query, Vocabulary
from commerce.models.tables import Catalogue
from commerce.models.values import ProductCard, ProductId
from commerce.models.words import index_words
from commerce.recommendation.ranking import Match, rank
from commerce.recommendation.reply import Found
from commerce.recommendation.spelling import mend
from commerce.recommendation.understand import index_terms

_MOST_CANDIDATES = 150
_LEAST_SCORE = 0.25


class Finder:
    """Searches one catalogue; remembers its vocabulary until the catalogue changes."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary({}, 0)
        self._known: tuple[int, int] | None = None
        self._currency: tuple[tuple[int, int], str | None] | None = None

    async def find(
        self, session: AsyncSession, catalogue: Catalogue, query: Query, limit: int
    ) -> list[Found]:
        """Products for a query, best first; those that break a limit come after all that keep it.

        Args:
            session: Open for reading.
            catalogue: Where to look.
            query: What is wanted.
            limit: Most products wanted.
        """
        if query.terms:
            matches = await self._matches(session, catalogue, query)
        else:
            matches = None
        ids = None if matches is None else [match.product_id for match in matches]
        offers = _by_product(await repository.offers_of(session, catalogue.id, ids))
        query = _in_currency_of(query, [offer for offers_ in offers.values() for offer in offers_])
        if matches is None:
            matches = [Match(product_id, 0.0, (), (), ()) for product_id in offers]
        ranked = [
            (match, offer, _fits(query, offer))
            for match in matches
            if match.product_id in offers
            for offer in [_best_offer(query, offers[match.product_id])]
        ]
        ranked.sort(key=lambda entry: _place(query, entry[0], entry[1], is_fitting=entry[2]))
        return await _with_cards(session, ranked[:limit])

    async def currency(self, session: AsyncSession, catalogue: Catalogue) -> str | None:
        """The currency of most prices, which a number without one means."""
        key = (catalogue.id, catalogue.revision)
        if self._currency is None or self._currency[0] != key:
            self._currency = (key, await repository.usual_currency(session, catalogue.id))
        return self._currency[1]

    async def _matches(
        self, session: AsyncSession, catalogue: Catalogue, query: Query
    ) -> list[Match]:
        vocabulary = await self._current_vocabulary(session, catalogue)
        query = mend(query, vocabulary)
        words = [word for term in query.terms for word in index_terms(term)]
        found: list[IndexedProduct] = await search_index.find_products(
            session, [word for word in words if word in vocabulary.products_with], _MOST_CANDIDATES
        )
        return [
            match
            for match in rank(query, found, vocabulary)
            if match.score >= _LEAST_SCORE or match.named
        ]

    async def _current_vocabulary(self, session: AsyncSession, catalogue: Catalogue) -> Vocabulary:
        key = (catalogue.id, catalogue.revision)
        if self._known != key:
            self._vocabulary = await search_index.read_vocabulary(session)
            self._known = key
        return self._vocabulary


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
    # Half a tenth is no difference a shopper would notice; being available is.
    score = -round(match.score * 20) / 20
    if query.order is not None and not query.terms:
        return (not is_fitting, by_price, score, not offer.is_available)
    return (not is_fitting, score, by_price, not offer.is_available)
