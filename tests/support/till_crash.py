"""One run of a till that dies at a named step.

Continues what an earlier run left in the folder: buys one mug, pays it, refunds a third of it. The
sandbox's state lies in the same database, so it survives as Stripe would.
"""

import asyncio
import json
import os
from pathlib import Path

from commerce.models.buying import CheckoutRequest, Wish
from commerce.models.happenings import Happening, OrderPaid, OrderRefunded
from commerce.money import Money
from commerce.settings import CommerceSettings
from commerce.shop import Shop
from commerce.shop.connecting import connected
from commerce.shop.door import utc_now
from tests.support.shops import up_to_date
from tests.support.tills import Clock

KILLED = 137


class Book:
    """A ledger on disk that books every happening once, and knows how often it was told."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def node(self, kind: str, *parts: str) -> str:
        return f"{kind}:{'-'.join(parts)}"

    async def book(self, happening: Happening) -> None:
        rows = self.rows()
        amount = happening.total if isinstance(happening, OrderPaid) else None
        if isinstance(happening, OrderRefunded):
            amount = happening.refunded
        row = [happening.order, type(happening).__name__, amount.minor if amount else 0]
        if row not in rows:
            self._path.write_text(json.dumps([*rows, row]))

    async def forget(self, node: str) -> None:
        raise AssertionError(node)

    def rows(self) -> list[list[object]]:
        return json.loads(self._path.read_text()) if self._path.exists() else []


async def main(folder: Path, dies_at: str, nth: int, earlier: int) -> None:
    seen = 0

    def step(name: str) -> None:
        nonlocal seen
        with (folder / "steps").open("a") as steps:
            steps.write(f"{name}\n")
        if name == dies_at:
            seen += 1
            if seen == nth:
                os._exit(KILLED)

    # A lease of the run that died would keep the next one waiting for a minute.
    clock = Clock(utc_now())
    clock.turn(minutes=2 * earlier)
    async with Shop.open(str(up_to_date(folder / "shop.db")), clock=clock) as shop:
        if not await shop.products():
            goods = folder / "goods.csv"
            goods.write_text("sku,title,price,stock\nmug,Mug,12.00,5\n")
            await shop.import_file(goods)
        shop.till._desk.step = shop.till.outbox._step = step
        shop.till.keep_books(Book(folder / "book.json"))
        async with connected(shop.till, CommerceSettings(stripe_api_key=None)) as connection:
            assert connection.sandbox is not None
            await _finish(shop, connection.sandbox)


async def _finish(shop, sandbox) -> None:
    async def work() -> None:
        for _ in range(6):
            await shop.till.outbox.dispatch()
            await sandbox.postman.tick()

    await work()
    live = [one for one in await shop.till.orders() if one.status != "released"]
    if not live:
        request = CheckoutRequest((Wish("mug"),), "visitor:ann", "http://x/order/{order}")
        await shop.till.checkout(request)
        live = await shop.till.orders()
    (order,) = live
    if order.status == "open":
        await sandbox.pay(str(order.page_url).rpartition("/")[2], card="success")
    await work()
    order = await shop.till.order(order.order)
    assert order.status == "paid", order
    if order.refunded.minor == 0:
        await shop.till.refund(order.order, Money(400, "USD"))
    await work()


def live(folder: str, dies_at: str, nth: int) -> None:
    """One run, in a process of its own."""
    where = Path(folder)
    runs = len(list(where.glob("run-*")))
    (where / f"run-{runs}").touch()
    asyncio.run(main(where, dies_at, nth, runs))
