"""Shops for tests: real files, a real database.

A module that says ``pytestmark = pytest.mark.usefixtures("both_databases")`` runs each of its tests
on SQLite and on PostgreSQL: the shops opened here then lie in a fresh database of that kind.

Making the schema costs more than most tests, so it is made once for each process and copied.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from commerce.database import Database
from commerce.shop import Shop

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

# Filled by the fixture both_databases.
where: list[Callable[[], str]] = []


def written(folder: Path, text: str | bytes, name: str = "shop.csv") -> Path:
    """A catalogue file of that content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def shop_url(default: str) -> str:
    """Where a test's shop lies: a fresh database of the kind under test, else the default."""
    if where:
        return where[-1]()
    if default in {"", ":memory:"} or "://" in default:
        return default
    return str(up_to_date(Path(default)))


def up_to_date(path: Path) -> Path:
    """A database file with our schema and nothing in it; one that exists stays as it is."""
    if not path.exists():
        path.write_bytes(_empty_shop())
    return path


@cache
def _empty_shop() -> bytes:
    async def make(path: Path) -> None:
        await (await Database.open(str(path))).aclose()

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        path = Path(folder) / "empty.db"
        # The caller may have a running loop of its own.
        thread.submit(lambda: asyncio.run(make(path))).result()
        assert [one.name for one in Path(folder).iterdir()] == [path.name]  # no log left behind
        return path.read_bytes()


@asynccontextmanager
async def shop_with(text: str | bytes, folder: Path, currency: str = "USD") -> AsyncIterator[Shop]:
    """A shop that sells what a CSV text says."""
    url = shop_url(str(folder / "shop.db"))
    async with Shop.open(url, clock=lambda: NOON, currency=currency) as shop:
        await shop.import_file(written(folder, text))
        yield shop


@asynccontextmanager
async def example_shop() -> AsyncIterator[Shop]:
    """The shop of the examples, in memory unless the test says where."""
    async with Shop.open(shop_url(":memory:"), clock=lambda: NOON) as shop:
        await shop.import_file(EXAMPLES / "catalogue.csv")
        yield shop
