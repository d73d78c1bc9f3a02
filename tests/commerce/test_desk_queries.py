"""What the seller's desk asks of the shop, on both databases."""

from datetime import timedelta

import pytest

from tests.support.ledgers import paid, refunded
from tests.support.shops import NOON, shop_with
from tests.support.tills import bench

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]

GOODS = "sku,title,price,stock\nmug,Mug 100%,12.00,5\nlamp_a,Lamp,49.90,3\ntea,Tea,7.50,\n"


async def test_days_are_days_of_utc_and_tell_each_currency(tmp_path):
    async with shop_with(GOODS, tmp_path) as shop:
        midnight = NOON.replace(hour=0)
        for number, (at, minor, currency) in enumerate(
            (
                (midnight - timedelta(microseconds=1), 100, "USD"),
                (midnight, 250, "USD"),
                (midnight + timedelta(hours=23), 50, "USD"),
                (midnight + timedelta(hours=2), 900, "EUR"),
            )
        ):
            await shop.ledger.book(paid(f"o{number}", at, goods=(minor,), currency=currency))
        await shop.ledger.book(refunded("o1", NOON, 250))
        await shop.ledger.book(paid("o9", NOON, goods=(7,), is_test=True))
        days, is_test = await shop.ledger.days()
        shown = [(f"{one.day}", one.orders, str(one.goods), str(one.returned)) for one in days]
        assert shown == [
            ("2026-04-30", 1, "1.00 USD", "0.00 USD"),
            ("2026-05-01", 1, "9.00 EUR", "0.00 EUR"),
            ("2026-05-01", 2, "3.00 USD", "2.50 USD"),
        ]
        assert is_test is False
        later, _ = await shop.ledger.days(since=midnight, until=midnight + timedelta(hours=1))
        assert [one.goods.minor for one in later] == [250]


async def test_variants_come_in_parts_and_signs_stand_for_themselves(tmp_path):
    async with shop_with(GOODS, tmp_path) as shop:
        cards, count = await shop.variants(limit=2)
        assert ([card.sku for card in cards], count) == (["mug", "lamp_a"], 3)
        cards, count = await shop.variants(limit=2, offset=2)
        assert ([card.sku for card in cards], count) == (["tea"], 3)
        for words, skus in (("%", ["mug"]), ("_", ["lamp_a"]), (" LAMP ", ["lamp_a"]), ("cup", [])):
            cards, count = await shop.variants(words)
            assert ([card.sku for card in cards], count) == (skus, len(skus)), words


async def test_orders_come_in_parts(tmp_path):
    async with bench(tmp_path) as b:
        bought = [(await b.buy("tea")).order for _ in range(3)][::-1]
        first = await b.shop.till.orders(2)
        rest = await b.shop.till.orders(2, offset=2)
        assert [one.order for one in [*first, *rest]] == bought
