"""From a wish to a paid order and back, through the real gateway and the sandbox till."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from commerce.errors import (
    CheckoutError,
    GatewayError,
    SoldOutError,
    UnknownOrderError,
    UnknownProductError,
)
from commerce.models.buying import CheckoutRequest, ShippingRate, TillConfig, Wish
from commerce.models.happenings import (
    OrderDelivered,
    OrderDisputed,
    OrderPaid,
    OrderRefunded,
    from_json,
    to_json,
)
from commerce.money import Money
from commerce.shop import StockChange
from commerce.shop.paying import APOLOGY
from tests.support.tills import bench

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]


def usd(minor):
    return Money(minor, "USD")


async def test_a_sale_from_the_wish_to_the_books(tmp_path):
    async with bench(tmp_path) as b:
        told: list[StockChange] = []
        b.shop.subscribe(told.append)
        started = await b.buy("mug", 2, referral="tok", session="main")
        assert started.is_test
        assert (await b.shop.till.order(started.order)).status == "open"
        assert told == [StockChange("mug", 3, 2)]
        assert await b.pay(started) == "paid"
        order = await b.shop.till.order(started.order)
        assert (order.status, order.total, order.is_test) == ("paid", usd(2400), True)
        (paid,) = b.diary.told
        assert isinstance(paid, OrderPaid)
        assert (paid.total, paid.referral, paid.session) == (usd(2400), "tok", "main")
        assert sum(line.net.minor for line in paid.lines) == 2400
        assert paid.buyer_keys == ("email_hash:buyer@example.com",)
        assert (paid.source, paid.is_test, paid.fee) == ("sandbox", True, usd(100))
        assert await b.stock("mug") == 3
        assert len(told) == 1


async def test_news_survives_its_way_through_json(tmp_path):
    async with bench(tmp_path) as b:
        order = await b.bought("mug", 2)
        await b.shop.till.refund(order, usd(500))
        await b.shop.till.deliver(order)
        await b.shop.till.deliver(order)
        await b.settle()
        assert [type(one) for one in b.diary.told] == [OrderPaid, OrderRefunded, OrderDelivered]
        for one in b.diary.told:
            assert from_json(to_json(one)) == one


async def test_an_unpaid_hold_ends_and_the_goods_come_back(tmp_path):
    async with bench(tmp_path) as b:
        started = await b.buy("mug", 5)
        with pytest.raises(SoldOutError, match="sold out"):
            await b.buy("mug", buyer="visitor:bob")
        b.clock.turn(minutes=29)
        await b.settle()
        assert await b.stock("mug") == 0
        b.clock.turn(minutes=2)
        await b.settle()
        assert await b.stock("mug") == 5
        assert (await b.shop.till.order(started.order)).status == "released"
        page = await b.sandbox.page(started.url.rpartition("/")[2])
        assert page is not None
        assert page.state == "expired"
        assert await b.pay(started) == "over"


async def test_a_hold_shorter_than_stripe_allows_is_ended_by_us(tmp_path):
    async with bench(tmp_path, config=TillConfig(hold=timedelta(minutes=5))) as b:
        started = await b.buy("mug")
        b.clock.turn(minutes=5, seconds=1)
        await b.settle()
        assert (await b.shop.till.order(started.order)).status == "released"
        assert await b.pay(started) == "over"


async def test_paying_at_the_last_moment_beats_the_sweeper(tmp_path):
    async with bench(tmp_path) as b:
        started = await b.buy("mug")
        await b.sandbox.pay(started.url.rpartition("/")[2], card="success")
        b.clock.turn(minutes=40)
        await b.shop.till.sweep()
        await b.shop.till.outbox.dispatch()
        assert (await b.shop.till.order(started.order)).status == "paid"
        await b.settle()
        assert [type(one) for one in b.diary.told] == [OrderPaid]


async def late(b, *, stock: int | None = None):
    """An order whose payment is told long after its hold was given up; what is left by then."""
    started = await b.buy("lamp", 3)
    await b.sandbox.pay(started.url.rpartition("/")[2], card="success")
    await b.shop.till._paying.release(started.order, "the hold ended")
    if stock is not None:
        await b.shop.set_stock("lamp", stock)
    await b.settle()
    return started.order


async def test_paid_after_its_release_and_still_in_stock(tmp_path):
    async with bench(tmp_path) as b:
        order = await late(b)
        found = await b.shop.till.order(order)
        assert (found.status, await b.stock("lamp")) == ("paid", 0)
        assert [type(one) for one in b.diary.told] == [OrderPaid]


async def test_paid_after_its_release_and_sold_meanwhile(tmp_path):
    async with bench(tmp_path) as b:
        order = await late(b, stock=2)
        found = await b.shop.till.order(order)
        assert (found.status, found.note) == ("returned", APOLOGY)
        assert found.refunded == found.total == usd(14970)
        assert await b.stock("lamp") == 2
        assert b.diary.told == []  # never sold, so never in the books


async def test_money_that_is_on_its_way_keeps_the_goods(tmp_path):
    async with bench(tmp_path) as b:
        started = await b.buy("mug")
        assert await b.pay(started, card="bank") == "processing"
        assert (await b.shop.till.order(started.order)).status == "processing"
        b.clock.turn(minutes=31)
        await b.settle()
        assert (await b.shop.till.order(started.order)).status == "paid"
        assert await b.stock("mug") == 4


async def test_money_that_never_arrives(tmp_path):
    async with bench(tmp_path) as b:
        started = await b.buy("mug")
        assert await b.pay(started, card="bank_fails") == "processing"
        assert await b.stock("mug") == 4
        b.clock.turn(seconds=10)
        await b.settle()
        order = await b.shop.till.order(started.order)
        assert (order.status, order.note) == ("released", "the payment failed")
        assert await b.stock("mug") == 5
        assert b.diary.told == []


async def test_declines_and_3d_secure(tmp_path):
    async with bench(tmp_path) as b:
        started = await b.buy("mug")
        assert await b.pay(started, card="declined") == "declined"
        assert await b.pay(started, card="insufficient") == "declined"
        assert await b.pay(started, card="authenticate") == "authenticate"
        assert (await b.shop.till.order(started.order)).status == "open"
        assert await b.pay(started, card="authenticate", is_authenticated=True) == "paid"
        assert (await b.shop.till.order(started.order)).status == "paid"


async def test_refunds_in_parts_never_more_than_paid(tmp_path):
    async with bench(tmp_path) as b:
        order = await b.bought("mug", 2)
        await b.shop.till.refund(order, usd(700))
        with pytest.raises(CheckoutError, match=r"17\.00 USD of the order is left"):
            await b.shop.till.refund(order, usd(1800))
        with pytest.raises(CheckoutError, match="paid in USD"):
            await b.shop.till.refund(order, Money(1, "EUR"))
        await b.shop.till.refund(order)
        with pytest.raises(CheckoutError):
            await b.shop.till.refund(order)
        await b.settle()
        refunds = [one for one in b.diary.told if isinstance(one, OrderRefunded)]
        assert [one.refunded for one in refunds] == [usd(700), usd(2400)]
        assert refunds[-1].goods_refunded == usd(2400)


async def test_many_refunds_at_once_share_what_is_left(tmp_path):
    async with bench(tmp_path) as b:
        order = await b.bought("mug", 2)
        results = await asyncio.gather(
            *(b.shop.till.refund(order, usd(1000)) for _ in range(5)), return_exceptions=True
        )
        await b.settle()
        assert sum(isinstance(one, CheckoutError) for one in results) == 3
        assert (await b.shop.till.order(order)).refunded == usd(2000)


async def test_shipping_and_tax_are_paid_and_given_back_in_their_share(tmp_path):
    config = TillConfig(
        shipping_countries=("DE", "US"),
        shipping_rates=(ShippingRate("Standard", usd(490)), ShippingRate("Express", usd(1200))),
        has_tax=True,
    )
    async with bench(tmp_path, config=config) as b:
        started = await b.buy("mug", 2)
        assert await b.pay(started, country="FR", rate=1) == "declined"
        assert await b.pay(started, country="DE", rate=1) == "paid"
        order = await b.shop.till.order(started.order)
        assert (order.goods, order.shipping, order.tax) == (usd(2400), usd(1200), usd(288))
        assert order.total == usd(3888)
        await b.shop.till.refund(started.order, usd(1944))
        await b.shop.till.refund(started.order)
        await b.settle()
        refunds = [one for one in b.diary.told if isinstance(one, OrderRefunded)]
        assert [one.goods_refunded for one in refunds] == [usd(1200), usd(2400)]


@pytest.mark.parametrize("verdict", ["won", "lost"])
async def test_disputes(verdict, tmp_path):
    async with bench(tmp_path) as b:
        order = await b.bought("mug")
        payment = await payment_of(b, order)
        dispute = await b.sandbox.dispute(payment)
        await b.settle()
        await b.shop.till.refund(order)
        (letter,) = await b.shop.till.outbox.dead_letters()
        assert "charged back" in letter.error
        await b.sandbox.close_dispute(dispute, verdict)
        await b.settle()
        states = [one.state for one in b.diary.told if isinstance(one, OrderDisputed)]
        assert states == ["withdrawn", verdict]


async def test_an_inquiry_is_only_a_warning(tmp_path):
    async with bench(tmp_path) as b:
        order = await b.bought("mug")
        await b.sandbox.dispute(await payment_of(b, order), is_inquiry=True)
        await b.settle()
        (told,) = [one for one in b.diary.told if isinstance(one, OrderDisputed)]
        assert (told.state, told.amount) == ("warning", usd(1200))


async def payment_of(b, order):
    async with b.shop._database.reading() as session:
        return await session.scalar(
            text("SELECT payment_ref FROM order_ WHERE public_id = :id"), {"id": order}
        )


async def test_wishes_that_make_no_sense(tmp_path):
    async with bench(tmp_path) as b:
        with pytest.raises(UnknownProductError):
            await b.buy("cup")
        for lines in ((), (Wish("mug"), Wish("mug")), (Wish("mug", 0),), (Wish("mug", 101),)):
            with pytest.raises(CheckoutError):
                await b.shop.till.checkout(CheckoutRequest(lines, "visitor:ann"))
        with pytest.raises(SoldOutError, match="down to 5; 6 were wanted"):
            await b.buy("mug", 6)
        with pytest.raises(UnknownOrderError):
            await b.shop.till.order("order_nothing")
        assert await b.stock("mug") == 5


async def test_two_products_are_all_or_nothing(tmp_path):
    async with bench(tmp_path) as b:
        wish = CheckoutRequest((Wish("mug", 2), Wish("lamp", 4)), "visitor:ann", "http://x/{order}")
        with pytest.raises(SoldOutError):
            await b.shop.till.checkout(wish)
        assert (await b.stock("mug"), await b.stock("lamp")) == (5, 3)


async def test_what_is_not_counted_is_always_there(tmp_path):
    async with bench(tmp_path) as b:
        await b.bought("tea", 50)
        card = await b.shop.product("tea")
        assert card is not None
        assert card.is_available


async def test_a_provider_that_does_not_answer_leaves_nothing_held(tmp_path, monkeypatch):
    async with bench(tmp_path) as b:

        async def silence(*args, **kwargs):
            raise GatewayError("nobody there", is_passing=True)

        monkeypatch.setattr(b.shop.till.gateway, "open_page", silence)
        with pytest.raises(GatewayError):
            await b.buy("mug")
        assert await b.stock("mug") == 5
        (order,) = await b.shop.till.orders()
        assert order.status == "released"


async def test_a_shop_without_a_provider_says_so(tmp_path):
    from tests.support.shops import shop_with

    async with shop_with("sku,title,price,stock\nmug,Mug,5,4\n", tmp_path) as shop:
        with pytest.raises(CheckoutError, match="not open"):
            await shop.till.checkout(CheckoutRequest((Wish("mug"),), "visitor:ann"))
        assert not shop.till.is_test
