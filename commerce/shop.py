"""The shop's only door: catalogue, search and words for the avatar; it owns the transactions."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from commerce.models.values import (
    Answer,
    Candidate,
    ImportReport,
    Pitch,
    ProductCard,
    Progress,
    RowIssue,
    StockChange,
)
from commerce.money import Money

__all__ = [
    "Answer",
    "Candidate",
    "ImportReport",
    "Money",
    "Pitch",
    "ProductCard",
    "Progress",
    "RowIssue",
    "Shop",
    "StockChange",
]

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///livepitch.db"


def utc_now() -> datetime:
    """The wall clock, timezone-aware."""
    return datetime.now(UTC)


class Shop:
    """A catalogue in a database, and the words to sell from it.

    Example:
        async with Shop.open("sqlite+aiosqlite:///shop.db") as shop:
            await shop.import_file(Path("products.csv"), replace=True)
            answer = await shop.answer("do you have headphones under 50?")
    """

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        database_url: str = DEFAULT_DATABASE_URL,
        *,
        clock: Callable[[], datetime] = utc_now,
        currency: str = "USD",
    ) -> AsyncIterator[Self]:
        """Open the database, bring its schema up to date, and close it at the end.

        Args:
            database_url: SQLAlchemy URL, or a plain path of a SQLite file.
            clock: Says the time; timezone-aware.
            currency: Of prices that name none.

        Raises:
            DatabaseError: Locked, corrupt, full, or written by a newer version.
        """
        raise NotImplementedError
        yield cls()

    async def import_file(
        self,
        path: Path,
        *,
        dry_run: bool = False,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import a catalogue file in one transaction; bad rows are reported, good ones kept.

        Args:
            path: A CSV file; pictures are looked for beside it.
            dry_run: Report what would happen and write nothing.
            replace: The file is the whole truth: products it does not name leave the shelves.
            progress: Told rows done and rows in all, on the caller's event loop.

        Raises:
            CatalogueFileError: The file as a whole is unusable.
            DatabaseError: The database failed; nothing was written.
        """
        raise NotImplementedError

    async def products(self, in_stock: bool | None = None) -> list[ProductCard]:
        """One card per product in the file's order, each at its first available variant."""
        raise NotImplementedError

    async def product(self, sku: str) -> ProductCard | None:
        """The card of one variant; None when it is not on sale."""
        raise NotImplementedError

    async def search(self, text: str, limit: int = 5) -> list[Candidate]:
        """Products that fit a question, best first; empty when none does."""
        raise NotImplementedError

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
            text: The message, in any of the understood languages (en, zh, es, pt).
            context_sku: The pinned product, which "it" and "this" mean.
            viewer_name: To address the viewer by; cleaned first.
            language: Of the reply, because the voice speaks one language.
            seed: Chooses among equal wordings.
        """
        raise NotImplementedError

    async def pitch(
        self, sku: str, *, seconds: float = 20, seed: int = 0, language: str = "en"
    ) -> Pitch:
        """Present one product in about so many seconds.

        Raises:
            UnknownProductError: No such product is on sale.
        """
        raise NotImplementedError

    async def opening(self, *, seed: int = 0, language: str = "en") -> str:
        """The first words of a show."""
        raise NotImplementedError

    async def closing(self, *, seed: int = 0, language: str = "en") -> str:
        """The last words of a show."""
        raise NotImplementedError

    async def set_stock(self, sku: str, stock: int) -> StockChange:
        """Set the units that can be bought; raises the version and tells subscribers."""
        raise NotImplementedError

    async def versions(self) -> dict[str, StockChange]:
        """The stock and version of every variant on sale, to poll for changes of others."""
        raise NotImplementedError

    def subscribe(self, callback: Callable[[StockChange], None]) -> Callable[[], None]:
        """Be told of every change of stock made through this shop; returns the way to stop."""
        raise NotImplementedError

    async def image_file(self, sku: str) -> Path | None:
        """Where a product's local picture lies; None when it has none, or it is a URL."""
        raise NotImplementedError
