"""The shop's door: every call a program makes on the shop, and the owner of its transactions."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self

from commerce.catalogue.pictures import PictureFetcher
from commerce.database import Database
from commerce.recommendation.leaning import Leaning, weight_of
from commerce.shop.announcer import Announcer
from commerce.shop.answering import Answering
from commerce.shop.context import Context
from commerce.shop.ledger import Ledger
from commerce.shop.letterbox import Letterbox
from commerce.shop.news import News
from commerce.shop.newsworthy import Newsworthy, newsworthy
from commerce.shop.speech import Speech
from commerce.shop.till import Till

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///livepitch.db"


def utc_now() -> datetime:
    """The wall clock, timezone-aware."""
    return datetime.now(UTC)


class Shop(Answering):
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
        super().__init__(database, clock, currency, speech or Speech(), fetcher)
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

    async def newsworthy(self) -> list[Newsworthy]:
        """What groups may be told without having asked, where their admins want it."""
        return await newsworthy(self, self.till, self.ledger)

    async def recognise(self, order: str, member: str, address: str) -> None:
        """A chat member showed the number of their order: they and its buyer are one person.

        They are asked once how it is, three days after delivery.

        Args:
            order: Its public id, which only the buyer's page shows.
            member: The member's node.
            address: Where the member wants to be written to.

        Raises:
            UnknownOrderError: Nothing was paid under that id.
        """
        purchase = await self.ledger.claim(order, member)
        await self.letterbox.groups.remember_contact(member, address)
        await self.letterbox.aftercare.expect(
            order, member, purchase.skus, delivered_at=purchase.delivered_at
        )

    async def leaning(self, *, asker: str | None = None, group: str | None = None) -> Leaning:
        """What decides between products that suit an asker about equally well.

        Args:
            asker: Their node; whose advice they followed before counts.
            group: The chat group's node; what it was shown lately steps back.
        """
        now = self._clock()
        liked = await self.ledger.liked(asker, lambda one: weight_of(one, now)) if asker else {}
        shown = await self.letterbox.groups.shown(group) if group else {}
        return Leaning(liked, shown)
