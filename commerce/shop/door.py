"""The shop's door: every call a program makes on the shop, and the owner of its transactions."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository
from commerce.catalogue.cards import card_of
from commerce.catalogue.draft import FileDraft
from commerce.catalogue.folders import path_of
from commerce.catalogue.importer import Importer, Written
from commerce.catalogue.mapping import read_mapping
from commerce.catalogue.pictures import PictureFetcher
from commerce.catalogue.rows import read_catalogue
from commerce.catalogue.source import Format
from commerce.database import Database
from commerce.errors import StockError, UnknownProductError
from commerce.models.query import Query
from commerce.models.tables import Catalogue
from commerce.models.values import (
    Answer,
    Candidate,
    ImportReport,
    Pitch,
    ProductCard,
    Progress,
    StockChange,
    WarmUp,
)
from commerce.recommendation.pitch import write_pitch
from commerce.recommendation.ranking import ACCEPT
from commerce.recommendation.reply import Findings, Found, reply
from commerce.recommendation.understand import understand
from commerce.recommendation.wording import Tone, Wording, clean_name
from commerce.shop.announcer import Announcer
from commerce.shop.context import Context
from commerce.shop.finding import LEAST_SCORE, Finder
from commerce.shop.gallery import Gallery
from commerce.shop.ledger import Ledger
from commerce.shop.letterbox import Letterbox
from commerce.shop.meaning import Meaning, Near
from commerce.shop.news import News
from commerce.shop.speech import Speech
from commerce.shop.till import Till

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///livepitch.db"
_CATALOGUE = "default"
_MOST_UNITS = 1_000_000_000
# Name, price and closing line of a pitch, around what a writer may fill.
_FRAME_S = 6.0
_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The wall clock, timezone-aware."""
    return datetime.now(UTC)


class Shop:
    """A catalogue in a database, and the words to sell from it.

    Open it with ``Shop.open``. All calls belong to one event loop.

    Example:
        async with Shop.open("sqlite+aiosqlite:///shop.db") as shop:
            await shop.import_file("products.csv", replace=True)
            answer = await shop.answer("do you have headphones under 50?")

    Attributes:
        till: Orders, reservations, prices and payments.
        ledger: Touches, credit, books and statements.
        letterbox: Chat messages in, group policies, pitches out.
        announcer: Signed webhooks to the seller's own programs.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        currency: str,
        speech: Speech | None = None,
        fetcher: PictureFetcher | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._currency = currency
        self._finder = Finder()
        self._speech = speech or Speech()
        embedder = self._speech.embedder
        self._meaning = Meaning(database, embedder) if embedder is not None else None
        self._gallery = Gallery(database, clock, fetcher)
        self._subscribers: list[Callable[[StockChange], None]] = []
        context = Context(database, clock, currency, self._announce)
        self.till = Till(context)
        self.ledger = Ledger(context)
        self.letterbox = Letterbox(context)
        self.announcer = Announcer(context, self.ledger)
        self.till.every_day(self.ledger.retain)
        self.till.keep_books(News(self.ledger, self.letterbox, self.announcer))

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        database_url: str = DEFAULT_DATABASE_URL,
        *,
        clock: Callable[[], datetime] = utc_now,
        currency: str = "USD",
        speech: Speech | None = None,
        fetcher: PictureFetcher | None = None,
    ) -> AsyncIterator[Self]:
        """Open the database, bring its schema up to date, and close it at the end.

        Args:
            database_url: SQLAlchemy URL, or a plain path of a SQLite file, or ``:memory:``.
            clock: Says the time; timezone-aware.
            currency: Of prices in files that name none.
            speech: Who words pitches, what may not be claimed, and who reads meaning; templates
                and words unless given.
            fetcher: Fetches pictures by address; from public places only unless given.

        Raises:
            DatabaseError: Locked, corrupt, full, or written by a newer version.
        """
        database = await Database.open(database_url)
        shop = cls(database, clock, currency, speech, fetcher)
        try:
            yield shop
        finally:
            await shop._gallery.aclose()
            await database.aclose()

    # Shelves ---------------------------------------------------------------------------------

    async def import_file(
        self,
        path: Path | str,
        *,
        dry_run: bool = False,
        replace: bool = False,
        format: Format | None = None,  # noqa: A002
        mapping: Path | str | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import a catalogue file in one transaction; bad rows are reported, good ones kept.

        Stock in the file counts when it is new or changed since the last import: importing the
        same file again does not bring sold units back.

        Args:
            path: A table, feed or JSON file, possibly gzipped; pictures are looked for beside it.
            dry_run: Report what would happen and write nothing.
            replace: The file is the whole truth: products it does not name leave the shelves.
            format: The kind of file, when its content does not tell.
            mapping: A mapping file, where the headings do not tell what they mean.
            progress: Told rows done and rows in all, on the caller's event loop.

        Raises:
            CatalogueFileError: The file as a whole is unusable.
            DatabaseError: The database failed; nothing was written.
        """
        file = await asyncio.to_thread(lambda: Path(path).absolute())
        draft = await asyncio.to_thread(self._read, file, format, mapping)
        async with self._database.writing() as session:
            catalogue = await repository.catalogue_named(session, _CATALOGUE)
            importer = Importer(session, catalogue, self._clock())
            written = await importer.write(draft, file.parent, replace=replace, progress=progress)
            changed = await self._levels(session, catalogue, written.stock_changed)
            if dry_run:
                await session.rollback()
        if not dry_run:
            self._announce(changed)
        return _report(file, draft, written, is_dry_run=dry_run)

    async def products(self, in_stock: bool | None = None) -> list[ProductCard]:
        """One card per product in the file's order, each at its first available variant.

        Args:
            in_stock: True for what can be bought now, False for what is sold out, None for all.
        """
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            if catalogue is None:
                return []
            products = await repository.products_on_sale(session, catalogue.id)
        cards = [card for product in products if (card := card_of(product)) is not None]
        return [card for card in cards if in_stock is None or card.is_available == in_stock]

    async def product(self, sku: str) -> ProductCard | None:
        """The card of one variant; None when it is not on sale."""
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            if catalogue is None:
                return None
            return await self._card(session, catalogue, sku)

    async def variants(
        self, words: str = "", *, limit: int = 50, offset: int = 0
    ) -> tuple[list[ProductCard], int]:
        """A part of all variants on sale, in the file's order, and how many there are in all.

        Args:
            words: Only those whose title or SKU contains this; empty for all.
            limit: Most cards.
            offset: Variants to pass over.
        """
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            if catalogue is None:
                return [], 0
            rows, count = await repository.variants_on_sale(
                session, catalogue.id, words.strip(), limit, offset
            )
            ids = [repository.product_id_of(row) for row in rows]
            products = await repository.products_with_ids(session, ids)
        cards = [card_of(products[repository.product_id_of(row)], row) for row in rows]
        return [card for card in cards if card is not None], count

    async def image_file(self, sku: str) -> Path | None:
        """Where a product's local picture lies; None when it has none, or it is a URL."""
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            if catalogue is None or catalogue.folder is None:
                return None
            card = await self._card(session, catalogue, sku)
        if card is None or card.image is None or "://" in card.image:
            return None
        return await asyncio.to_thread(_inside, path_of(catalogue.folder), card.image)

    async def picture(self, sku: str) -> Path | bytes | None:
        """A product's picture: its local file, or the WebP of an address; None when it has none.

        Addresses are fetched once, from public places only, and kept in the database.
        """
        card = await self.product(sku)
        if card is not None and card.image is not None and "://" in card.image:
            return await self._gallery.picture(card.image)
        return await self.image_file(sku)

    async def fetch_picture(self, sku: str, fetcher: PictureFetcher | None = None) -> bytes | None:
        """A product's picture from the web as WebP, repainted; None when it names no address.

        Args:
            sku: Of the variant.
            fetcher: Fetches it; refuses private networks unless told otherwise.

        Raises:
            PictureError: It must not be fetched, cannot be, or is no picture.
        """
        card = await self.product(sku)
        if card is None or card.image is None or "://" not in card.image:
            return None
        return await (fetcher or PictureFetcher()).fetch(card.image)

    # Stock -----------------------------------------------------------------------------------

    async def set_stock(self, sku: str, stock: int) -> StockChange:
        """Set the units that can be bought; raises the version and tells subscribers.

        Raises:
            StockError: Negative or absurd.
            UnknownProductError: No such variant is on sale.
        """
        if not 0 <= stock <= _MOST_UNITS:
            raise StockError(f"stock of {sku} cannot be {stock}; give 0 or more units")
        async with self._database.writing() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            is_known = catalogue is not None and await repository.change_stock(
                session, catalogue.id, sku, stock, self._clock()
            )
            if catalogue is None or not is_known:
                raise UnknownProductError(f"no product on sale has the SKU {sku!r}")
            (change,) = await self._levels(session, catalogue, [sku])
        self._announce([change])
        return change

    async def versions(self) -> dict[str, StockChange]:
        """Stock and version of every variant on sale, to poll for what other programs changed."""
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            if catalogue is None:
                return {}
            levels = await repository.stock_levels(session, catalogue.id)
        return {level.sku: level for level in levels}

    def subscribe(self, callback: Callable[[StockChange], None]) -> Callable[[], None]:
        """Be told of every change of stock made through this shop, after it was committed.

        Args:
            callback: Called on the event loop; must be quick and must not raise.

        Returns:
            Call it to be told no more.
        """
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    # Words -----------------------------------------------------------------------------------

    async def search(
        self,
        text: str,
        limit: int = 5,
        *,
        least_score: float = ACCEPT,
        by_meaning: bool = True,
    ) -> list[Candidate]:
        """Products that fit a text, best first; empty when none does well enough.

        Args:
            text: A question or a few words; price limits and "in stock" are understood.
            limit: Most products wanted, at least 1.
            least_score: What covers less of the text is left out, in [0, 1].
            by_meaning: Ask the embedder too, where one is configured.
        """
        near, least_similarity = await self._near(text) if by_meaning else ((), 1.0)
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
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
            for one in found
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
    ) -> Answer | None:
        """What to reply to a message in the chat; None to stay silent (chatter).

        Args:
            text: The message, in any of the understood languages (en, es, pt, zh).
            context_sku: The pinned product, which "it" and "this" mean.
            viewer_name: To address the viewer by; cleaned first.
            language: Of the reply, because the voice speaks one language.
            seed: Chooses among equal wordings.
        """
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
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
            context = await self._card(session, catalogue, context_sku) if context_sku else None
            suggestions = await self._suggestions(session, catalogue, query)
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
            catalogue = await repository.find_catalogue(session, _CATALOGUE)
            if catalogue is not None:
                await self._finder.prepare(session, catalogue)
        took = time.perf_counter() - started
        _log.info("search is ready", extra={"took_ms": round(1000 * took)})
        fetched = await self._meaning.prepare(_CATALOGUE, progress) if self._meaning else 0
        return WarmUp(took, fetched)

    # Private ---------------------------------------------------------------------------------

    def _read(self, file: Path, wanted: Format | None, mapping: Path | str | None) -> FileDraft:
        told = read_mapping(Path(mapping)) if mapping is not None else None
        return read_catalogue(file, self._currency, wanted=wanted, mapping=told, now=self._clock())

    async def _understood(self, session: AsyncSession, catalogue: Catalogue, text: str) -> Query:
        currency = await self._finder.currency(session, catalogue)
        return understand(text, currency or self._currency)

    async def _near(self, text: str) -> tuple[Sequence[Near], float]:
        """Products near a text, and from which similarity on they need share no word with it."""
        if self._meaning is None:
            return (), 1.0
        return await self._meaning.near(text), self._meaning.embedder.least_similarity

    async def _suggestions(
        self, session: AsyncSession, catalogue: Catalogue, query: Query
    ) -> list[ProductCard]:
        """What to recommend when nothing fits the words: gifts if the shop has some, in order."""
        if query.intent != "recommend":
            return []
        gifts = await self._finder.find(session, catalogue, understand("gift?"), 5)
        anything = await self._finder.find(session, catalogue, Query("", "find"), 5)
        return [found.card for found in [*gifts, *anything] if found.fits]

    async def _card(
        self, session: AsyncSession, catalogue: Catalogue, sku: str
    ) -> ProductCard | None:
        variant = await repository.variant_with_sku(session, catalogue.id, sku)
        if variant is None:
            return None
        product_id = repository.product_id_of(variant)
        products = await repository.products_with_ids(session, [product_id])
        product = products.get(product_id)
        return None if product is None else card_of(product, variant)

    async def _levels(
        self, session: AsyncSession, catalogue: Catalogue, skus: Iterable[str]
    ) -> list[StockChange]:
        wanted = set(skus)
        if not wanted:
            return []
        levels = await repository.stock_levels(session, catalogue.id)
        return [level for level in levels if level.sku in wanted]

    def _announce(self, changes: Iterable[StockChange]) -> None:
        for change in changes:
            for callback in tuple(self._subscribers):
                callback(change)


def _why(found: Found, query: Query) -> str:
    if not query.terms:
        return "keeps the price limit" if query.has_price_limit else f"the {query.order} first"
    reason = "fits " + ", ".join(found.match.matched)
    return f"{reason}; not {', '.join(found.match.missing)}" if found.match.missing else reason


def _report(path: Path, draft: FileDraft, written: Written, *, is_dry_run: bool) -> ImportReport:
    return ImportReport(
        path=path,
        rows=draft.rows,
        created=written.created,
        updated=written.updated,
        unchanged=written.unchanged,
        withdrawn=written.withdrawn,
        rejected=sum(issue.is_rejected for issue in draft.issues),
        issues=tuple(draft.issues),
        ignored_columns=draft.ignored_columns,
        is_dry_run=is_dry_run,
    )


def _inside(folder: Path, image: str) -> Path | None:
    """The picture's file, unless somebody has since moved it or put a link out in its place."""
    target = (folder / image).resolve()
    return target if target.is_relative_to(folder.resolve()) and target.is_file() else None
