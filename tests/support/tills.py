"""A shop with a sandbox till for tests: the real gateway, the real protocol, a clock to turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from commerce.checkout.sandbox import Sandbox
from commerce.models.buying import CheckoutRequest, CheckoutStarted, TillConfig, Wish
from commerce.models.happenings import Happening
from commerce.settings import CommerceSettings
from commerce.shop import Shop
from commerce.shop.connecting import connected
from tests.support.shops import NOON, shop_url, written

GOODS = "sku,title,price,stock\nmug,Mug,12.00,5\nlamp,Lamp,49.90,3\ntea,Tea,7.50,\n"


@dataclass
class Clock:
    """Time that passes when told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Diary:
    """A ledger that only remembers what it was told."""

    told: list[Happening] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def node(self, kind: str, *parts: str) -> str:
        return f"{kind}:{'-'.join(parts)}"

    async def book(self, happening: Happening) -> None:
        if happening not in self.told:
            self.told.append(happening)

    async def forget(self, node: str) -> None:
        self.forgotten.append(node)


@dataclass
class Bench:
    """Everything a test of the till needs."""

    shop: Shop
    sandbox: Sandbox
    clock: Clock
    diary: Diary

    async def buy(self, sku: str = "mug", quantity: int = 1, **extra: Any) -> CheckoutStarted:
        request = CheckoutRequest(
            lines=(Wish(sku, quantity),),
            buyer=str(extra.pop("buyer", "visitor:ann")),
            return_url="http://127.0.0.1/order/{order}",
            **extra,
        )
        return await self.shop.till.checkout(request)

    async def pay(self, started: CheckoutStarted, card: str = "success", **extra: Any) -> str:
        paid = await self.sandbox.pay(started.url.rpartition("/")[2], card=card, **extra)
        await self.settle()
        return paid.outcome

    async def bought(self, sku: str = "mug", quantity: int = 1, **extra: Any) -> str:
        """A paid order."""
        started = await self.buy(sku, quantity, **extra)
        assert await self.pay(started) == "paid"
        return started.order

    async def settle(self) -> None:
        """Deliver webhooks and do errands until nothing is left that is due."""
        for _ in range(10):
            await self.shop.till.sweep()
            await self.sandbox.postman.tick()
            if not await self.shop.till.outbox.dispatch():
                return

    async def stock(self, sku: str) -> int:
        card = await self.shop.product(sku)
        assert card is not None
        return card.stock


@asynccontextmanager
async def bench(
    folder: Path, goods: str = GOODS, *, config: TillConfig | None = None, currency: str = "USD"
) -> AsyncIterator[Bench]:
    """An open shop whose till is the sandbox, inside this process."""
    clock, diary = Clock(), Diary()
    url = shop_url(str(folder / "shop.db"))
    async with Shop.open(url, clock=clock, currency=currency) as shop:
        await shop.import_file(written(folder, goods))
        shop.till.keep_books(diary)
        settings = CommerceSettings(stripe_api_key=None)
        async with connected(shop.till, settings, config=config) as connection:
            assert connection.sandbox is not None
            yield Bench(shop, connection.sandbox, clock, diary)
