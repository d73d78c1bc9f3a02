"""Stock that cannot be sold twice; benchmarks/bench_till.py sends a thousand buyers."""

import asyncio

import pytest

from commerce.errors import PriceRefusedError, SoldOutError
from commerce.models.buying import CheckoutRequest, FlashPrice, Wish
from commerce.money import Money
from tests.support.shops import NOON
from tests.support.tills import bench

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]
TWENTY = "sku,title,price,stock\nmug,Mug,12.00,20\n"


async def crowd(b, number, **extra):
    async def want(n):
        request = CheckoutRequest((Wish("mug"),), f"visitor:{n}", "http://x/{order}", **extra)
        try:
            return await b.shop.till.checkout(request)
        except (SoldOutError, PriceRefusedError) as error:
            return error

    return await asyncio.gather(*(want(n) for n in range(number)))


async def test_a_crowd_gets_exactly_what_is_there(tmp_path):
    async with bench(tmp_path, TWENTY) as b:
        versions = []
        b.shop.subscribe(lambda change: versions.append((change.stock_version, change.stock)))
        results = await crowd(b, 120)
        sold = [one for one in results if not isinstance(one, Exception)]
        assert len(sold) == 20
        assert all(isinstance(one, SoldOutError) for one in results if isinstance(one, Exception))
        assert len({one.order for one in sold}) == 20
        assert await b.stock("mug") == 0
        # A page that keeps the highest version never counts upwards.
        assert [left for _, left in sorted(versions)] == list(range(19, -1, -1))


async def test_a_flash_price_is_given_no_oftener_than_promised(tmp_path):
    async with bench(tmp_path, TWENTY) as b:
        price = Money(900, "USD")
        end = NOON.replace(hour=13)
        await b.shop.till.add_flash(FlashPrice("mug", price, NOON, end, quota=7))
        results = await crowd(b, 14)
        orders = [
            await b.shop.till.order(one.order) for one in results if not isinstance(one, Exception)
        ]
        assert sum(order.goods == price for order in orders) == 7
        assert all(order.goods in (price, Money(1200, "USD")) for order in orders)
