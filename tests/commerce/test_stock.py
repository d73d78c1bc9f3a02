"""Live stock: changed in one place, told with a version that only rises."""

import asyncio

import pytest
from sqlalchemy import text

from commerce.errors import StockError, UnknownProductError
from commerce.shop import Shop, StockChange
from tests.support.shops import example_shop, shop_url, shop_with, written

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]

CSV = "sku,title,price,stock\nmug,Mug,5,4\nlamp,Lamp,9,\n"


async def test_a_change_raises_the_version_and_tells_subscribers(tmp_path):
    async with shop_with(CSV, tmp_path) as shop:
        told: list[StockChange] = []
        stop = shop.subscribe(told.append)
        change = await shop.set_stock("mug", 2)
        stop()
        await shop.set_stock("mug", 1)
        card = await shop.product("mug")
        versions = await shop.versions()
    assert told == [change] == [StockChange("mug", 2, 2)]
    assert card is not None
    assert (card.stock, card.stock_version) == (1, 3)
    assert versions["mug"] == StockChange("mug", 1, 3)


async def test_an_import_tells_what_it_changed_and_a_dry_run_nothing(tmp_path):
    async with shop_with(CSV, tmp_path) as shop:
        told: list[StockChange] = []
        shop.subscribe(told.append)
        path = tmp_path / "next.csv"
        path.write_text("sku,title,price,stock\nmug,Mug,5,9\nlamp,Lamp,9,\n")
        await shop.import_file(path, dry_run=True)
        assert told == []
        await shop.import_file(path)
    assert told == [StockChange("mug", 9, 2)]


async def test_counting_starts_when_a_stock_is_set(tmp_path):
    async with shop_with(CSV, tmp_path) as shop:
        before = await shop.product("lamp")
        await shop.set_stock("lamp", 0)
        after = await shop.product("lamp")
    assert before is not None
    assert after is not None
    assert (before.is_available, after.is_available) == (True, False)


async def test_impossible_stock_and_unknown_products(tmp_path):
    async with shop_with(CSV, tmp_path) as shop:
        for stock in (-1, 10**12):
            with pytest.raises(StockError):
                await shop.set_stock("mug", stock)
        with pytest.raises(UnknownProductError, match="'cup'"):
            await shop.set_stock("cup", 1)
        assert (await shop.versions())["mug"].stock_version == 1


async def test_what_is_reserved_is_not_for_sale(tmp_path):
    async with shop_with(CSV, tmp_path) as shop:
        async with shop._database.writing() as session:
            await session.execute(text("UPDATE variant SET reserved = 3 WHERE sku = 'mug'"))
        card = await shop.product("mug")
        change = await shop.set_stock("mug", 10)
        async with shop._database.reading() as session:
            on_hand = await session.scalar(text("SELECT on_hand FROM variant WHERE sku = 'mug'"))
    assert card is not None
    assert card.stock == 1
    assert (change.stock, on_hand) == (10, 13)


async def test_two_programs_see_each_others_changes(tmp_path, database_url):
    async with Shop.open(database_url) as shop, Shop.open(database_url) as other:
        await shop.import_file(written(tmp_path, CSV))
        await other.set_stock("mug", 7)
        assert (await shop.versions())["mug"] == StockChange("mug", 7, 2)


async def test_many_changes_at_once_each_get_their_own_version(tmp_path):
    async with shop_with(CSV, tmp_path) as shop:
        changes = await asyncio.gather(*(shop.set_stock("mug", n) for n in range(30)))
        final = (await shop.versions())["mug"]
    assert sorted(change.stock_version for change in changes) == list(range(2, 32))
    assert final in changes


async def test_an_empty_shop_answers_calmly():
    async with Shop.open(shop_url(":memory:")) as shop:
        assert await shop.products() == []
        assert await shop.product("x") is None
        assert await shop.versions() == {}
        assert await shop.search("mug") == []
        assert await shop.answer("do you have mugs?") is None
        assert await shop.image_file("x") is None
        with pytest.raises(UnknownProductError):
            await shop.pitch("x")


async def test_a_database_in_memory_serves_many_callers(tmp_path):
    async with example_shop() as shop:
        work = [shop.set_stock("lamp-arc", n) for n in range(10)]
        asked = [shop.answer("how much is the lamp?") for _ in range(10)]
        results = await asyncio.gather(*work, *asked)
        assert (await shop.versions())["lamp-arc"].stock_version == 11
    assert all(results)
