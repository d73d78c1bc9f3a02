"""Words of the shop: what is found for a text, what is said to it, how a product is presented."""

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository
from commerce.catalogue.pictures import PictureFetcher
from commerce.database import Database
from commerce.errors import UnknownProductError
from commerce.models.query import Query
from commerce.models.tables import Catalogue
from commerce.models.values import Answer, Candidate, Pitch, ProductCard, Progress, WarmUp
from commerce.recommendation.leaning import NO_LEANING, Leaning, arranged, leant
from commerce.recommendation.pitch import write_pitch
from commerce.recommendation.ranking import ACCEPT
from commerce.recommendation.reply import Findings, Found, reply
from commerce.recommendation.understand import understand
from commerce.recommendation.wording import Tone, Wording, clean_name
from commerce.shop.finding import LEAST_SCORE, Finder
from commerce.shop.meaning import Meaning, Near
from commerce.shop.shelves import Shelves
from commerce.shop.speech import Speech
from commerce.shop.stock import CATALOGUE

# Name, price and closing line of a pitch, around what a writer may fill.
_FRAME_S = 6.0
_SUGGESTIONS, _MOST_SUGGESTED = 5, 100
_log = logging.getLogger(__name__)


class Answering(Shelves):
    """Searches the shelves, answers messages and writes pitches.

    Args:
        database: Open.
        clock: Says the time; timezone-aware.
        currency: Of prices in files that name none.
        speech: Who words pitches, what may not be claimed, and who reads meaning.
        fetcher: Fetches pictures by address; from public places only unless given.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        currency: str,
        speech: Speech,
        fetcher: PictureFetcher | None,
    ) -> None:
        super().__init__(database, clock, currency, fetcher)
        self._finder = Finder()
        self._speech = speech
        embedder = speech.embedder
        self._meaning = Meaning(database, embedder) if embedder is not None else None

    async def search(
        self,
        text: str,
        limit: int = 5,
        *,
        least_score: float = ACCEPT,
        by_meaning: bool = True,
        leaning: Leaning = NO_LEANING,
    ) -> list[Candidate]:
        """Products that fit a text, best first; empty when none does well enough.

        Args:
            text: A question or a few words; price limits and "in stock" are understood.
            limit: Most products wanted, at least 1.
            least_score: What covers less of the text is left out, in [0, 1].
            by_meaning: Ask the embedder too, where one is configured.
            leaning: Orders what fits about equally well; see ``Shop.leaning``.
        """
        near, least_similarity = await self._near(text) if by_meaning else ((), 1.0)
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None:
                return []
            query = await self._understood(session, catalogue, text)
            if not query.terms and not query.has_price_limit and query.order is None:
                return []
            found = await self._finder.find(
                session,
                catalogue,
                query,
                limit,
                least_score=min(least_score, LEAST_SCORE),
                near=near,
                least_similarity=least_similarity,
            )
        return [
            Candidate(one.card, one.match.score if query.terms else 1.0, _why(one, query))
            for one in _leant(found, query, leaning)
            if one.fits and (one.match.score >= least_score or not query.terms)
        ]

    async def answer(
        self,
        text: str,
        *,
        context_sku: str | None = None,
        viewer_name: str | None = None,
        language: str = "en",
        seed: int = 0,
        leaning: Leaning = NO_LEANING,
    ) -> Answer | None:
        """What to reply to a message in the chat; None to stay silent (chatter).

        Args:
            text: The message, in any of the understood languages (en, es, pt, zh).
            context_sku: The pinned product, which "it" and "this" mean.
            viewer_name: To address the viewer by; cleaned first.
            language: Of the reply, because the voice speaks one language.
            seed: Chooses among equal wordings.
            leaning: Orders what fits about equally well; see ``Shop.leaning``.
        """
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None:
                return None
            query = await self._understood(session, catalogue, text)
        if query.intent in {"greeting", "chatter"}:
            return None
        near, least_similarity = await self._near(text) if query.terms else ((), 1.0)
        async with self._database.reading() as session:
            found = await self._finder.find(
                session, catalogue, query, 5, near=near, least_similarity=least_similarity
            )
            found = _leant(found, query, leaning)
            context = await self._card(session, catalogue, context_sku) if context_sku else None
            suggestions = await self._suggestions(session, catalogue, query, leaning)
            named = [one.card.sku for one in found] + ([context.sku] if context else [])
            attributes = await repository.attributes_of(session, catalogue.id, named)
        findings = Findings(query, found, context, suggestions, attributes)
        answer = reply(findings, Wording(language, seed), clean_name(viewer_name))
        plain = reply(findings, Wording(language), "")
        if answer is None or plain is None:
            return None
        sku = plain.card.sku if plain.card is not None else None
        return dataclasses.replace(answer, key=f"{sku}:{plain.text}")

    async def pitch(
        self,
        sku: str,
        *,
        seconds: float = 20,
        seed: int = 0,
        language: str = "en",
        tone: Tone = "plain",
    ) -> Pitch:
        """Present one product in about so many seconds.

        Raises:
            UnknownProductError: No such product is on sale.
        """
        card = await self.product(sku)
        if card is None:
            raise UnknownProductError(f"no product on sale has the SKU {sku!r}")
        described: tuple[str, ...] = ()
        if self._speech.writer is not None:
            written = await self._speech.writer.describe(
                card, seconds=max(2.0, seconds - _FRAME_S), language=language, tone=tone
            )
            described = written.sentences
            if written.refused:
                _log.info("pitch not used", extra={"sku": sku, "reason": written.refused})
        return write_pitch(
            card,
            seconds=seconds,
            seed=seed,
            language=language,
            tone=tone,
            claims=self._speech.claims,
            described=described,
        )

    async def opening(self, *, seed: int = 0, language: str = "en") -> str:
        """The first words of a show, which say that an AI presents it."""
        return Wording(language, seed).say("opening")

    async def closing(self, *, seed: int = 0, language: str = "en") -> str:
        """The last words of a show."""
        return Wording(language, seed).say("closing")

    @property
    def has_embedder(self) -> bool:
        """Whether products are looked for by meaning too."""
        return self._meaning is not None

    async def warm_up(self, progress: Progress | None = None) -> WarmUp:
        """Do now what the first question would wait for: the index of words, missing vectors.

        Args:
            progress: Told vectors fetched and vectors missing, where an embedder is configured.

        Raises:
            EmbeddingError: The endpoint fails; words alone still find products.
        """
        started = time.perf_counter()
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is not None:
                await self._finder.prepare(session, catalogue)
        took = time.perf_counter() - started
        _log.info("search is ready", extra={"took_ms": round(1000 * took)})
        fetched = await self._meaning.prepare(CATALOGUE, progress) if self._meaning else 0
        return WarmUp(took, fetched)

    async def _understood(self, session: AsyncSession, catalogue: Catalogue, text: str) -> Query:
        currency = await self._finder.currency(session, catalogue)
        return understand(text, currency or self._currency)

    async def _near(self, text: str) -> tuple[Sequence[Near], float]:
        """Products near a text, and from which similarity on they need share no word with it."""
        if self._meaning is None:
            return (), 1.0
        return await self._meaning.near(text), self._meaning.embedder.least_similarity

    async def _suggestions(
        self, session: AsyncSession, catalogue: Catalogue, query: Query, leaning: Leaning
    ) -> list[ProductCard]:
        """What to recommend when nothing fits the words: gifts if the shop has some, and range."""
        if query.intent != "recommend":
            return []
        cards: dict[str, ProductCard] = {}
        for wish in (understand("gift?"), Query("", "find")):
            for one in await self._finder.find(session, catalogue, wish, _MOST_SUGGESTED):
                if one.fits and one.card.is_available:
                    cards.setdefault(one.card.sku, one.card)
        return arranged(list(cards.values()), leaning, _SUGGESTIONS)


def _leant(found: list[Found], query: Query, leaning: Leaning) -> list[Found]:
    # Who asked for the cheapest gets the cheapest.
    return leant(found, leaning) if query.order is None else found


def _why(found: Found, query: Query) -> str:
    if not query.terms:
        return "keeps the price limit" if query.has_price_limit else f"the {query.order} first"
    reason = "fits " + ", ".join(found.match.matched)
    return f"{reason}; not {', '.join(found.match.missing)}" if found.match.missing else reason
