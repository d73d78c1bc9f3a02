"""Shops for tests: real files, real SQLite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from commerce.shop import Shop

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def written(folder: Path, text: str | bytes, name: str = "shop.csv") -> Path:
    """A catalogue file of that content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@asynccontextmanager
async def shop_with(text: str | bytes, folder: Path, currency: str = "USD") -> AsyncIterator[Shop]:
    """A shop that sells what a CSV text says."""
    url = str(folder / "shop.db")
    async with Shop.open(url, clock=lambda: NOON, currency=currency) as shop:
        await shop.import_file(written(folder, text))
        yield shop


@asynccontextmanager
async def example_shop() -> AsyncIterator[Shop]:
    """The shop of the examples, in memory."""
    async with Shop.open(":memory:", clock=lambda: NOON) as shop:
        await shop.import_file(EXAMPLES / "catalogue.csv")
        yield shop
