"""Ledgers for tests: a real database, a clock that the test moves, orders in one line."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from commerce.attribution.repository import accounts, people
from commerce.database import Database
from commerce.models.happenings import (
    DisputeState,
    OrderDelivered,
    OrderDisputed,
    OrderPaid,
    OrderRefunded,
    SoldLine,
)
from commerce.models.ledger import Sale
from commerce.money import Money
from commerce.shop.context import Context
from commerce.shop.ledger import Ledger
from tests.support.shops import up_to_date

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Clock:
    """Says what the test last set."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> datetime:
        """Let time pass: ``clock.pass_(days=1)``."""
        self.now += timedelta(**span)
        return self.now


class LedgerHouse:
    """A ledger with its clock and database."""

    def __init__(self, ledger: Ledger, clock: Clock, database: Database) -> None:
        self.ledger = ledger
        self.clock = clock
        self.database = database

    async def projection(self) -> dict[str, object]:
        """Everything the ledger says, without numbers that depend on the order of arrival."""
        async with self.database.reading() as session:
            totals = await accounts.balances(session)
            names = await people.names_of(session, {who for _, who, _ in totals if who})
        report = await self.ledger.report("recommender")
        statements = {}
        for order in await self.orders():
            body = (await self.ledger.statement(order))["statement"]
            kept = {
                name: body[name]
                for name in ("lines", "paid", "returned", "earnings", "state", "paid_at", "buyer")
            }
            kept["credits"] = [
                {name: credit[name] for name in credit if name != "touch"}
                for credit in body["credits"]
            ]
            statements[order] = kept
        return {
            "balances": sorted(
                [kind, names.get(who or 0, ""), currency, total]
                for (kind, who, currency), total in totals.items()
            ),
            "report": [repr(row) for row in report.rows],
            "statements": statements,
            "relations": [],
        }

    async def orders(self) -> list[str]:
        """Every paid order."""
        async with self.database.reading() as session:
            return sorted(await session.scalars(select(Sale.order)))

    async def total(self, kind: str) -> int:
        """What stands on all accounts of a kind: credit below zero."""
        async with self.database.reading() as session:
            standing = await accounts.balances(session)
        return sum(total for (name, _, _), total in standing.items() if name == kind)


@asynccontextmanager
async def ledger_house(
    url: str, clock: Clock | None = None, seed: int = 1
) -> AsyncIterator[LedgerHouse]:
    """A ledger in a database; the same seed makes the same pseudonyms and tokens."""
    clock = clock or Clock()
    database = await Database.open(url)
    if database.dialect == "sqlite" and database.name != ":memory:":
        # Tests kill processes, not machines: waiting for the disk would prove nothing.
        event.listen(database._engine.sync_engine, "connect", _hurry)
        await database._engine.dispose()
    try:
        context = Context(database, clock, "USD", lambda changes: None)
        ledger = Ledger(context, entropy=random.Random(seed).randbytes)
        yield LedgerHouse(ledger, clock, database)
    finally:
        await database.aclose()


def _hurry(connection: Any, record: object) -> None:
    connection.cursor().execute("PRAGMA synchronous=OFF")


class SqliteTemplate:
    """Fresh files with an up-to-date schema, each a copy of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def fresh(self) -> str:
        """The address of another copy."""
        self._count += 1
        return str(up_to_date(self._folder / f"ledger-{self._count}.db"))


Fresh = Callable[[], str]


def usd(minor: int) -> Money:
    """Dollars in cents."""
    return Money(minor, "USD")


def paid(
    order: str,
    at: datetime,
    *,
    buyer: str = "visitor:bob",
    goods: tuple[int, ...] = (10_000,),
    keys: tuple[str, ...] = (),
    referral: str | None = None,
    shipping: int = 0,
    tax: int = 0,
    fee: int = 0,
    product: str = "mug",
    mechanism: str = "list",
    is_test: bool = False,
    currency: str = "USD",
) -> OrderPaid:
    """An order of one unit a line."""

    def money(minor: int) -> Money:
        return Money(minor, currency)

    lines = tuple(
        SoldLine(f"{product}-{i}", product, product.title(), 1, money(net), mechanism)
        for i, net in enumerate(goods)
    )
    total = sum(goods) + shipping + tax
    return OrderPaid(
        order, at, lines, money(shipping), money(tax), money(total), money(fee), buyer, keys,
        referral, None, "stripe", is_test,
    )  # fmt: skip


def refunded(order: str, at: datetime, so_far: int, goods: int | None = None) -> OrderRefunded:
    """So much went back in all."""
    return OrderRefunded(order, at, usd(so_far), usd(so_far if goods is None else goods))


def disputed(
    order: str, at: datetime, state: DisputeState, amount: int, dispute: str = "dp_1"
) -> OrderDisputed:
    """The bank asks."""
    return OrderDisputed(order, at, dispute, state, usd(amount))


def delivered(order: str, at: datetime) -> OrderDelivered:
    """The buyer has the goods."""
    return OrderDelivered(order, at)
