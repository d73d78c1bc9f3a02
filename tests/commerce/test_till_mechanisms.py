"""Coupons, flash prices, group orders and bargains through real orders (rows 2, 11, 12, 13)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commerce.checkout.bargaining import verify
from commerce.errors import PriceRefusedError
from commerce.models.buying import Coupon, FlashPrice
from commerce.models.happenings import OrderPaid, OrderRefunded
from commerce.money import Money
from tests.support.shops import NOON
from tests.support.tills import bench

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]
HOUR = NOON + timedelta(hours=1)


def usd(minor):
    return Money(minor, "USD")


async def goods_of(b, started):
    return (await b.shop.till.order(started.order)).goods


async def test_a_coupon_is_used_once_each_and_comes_back_when_nobody_pays(tmp_path):
    async with bench(tmp_path) as b:
        coupon = Coupon("Ten", percent=1000, quota=2, ends_at=HOUR)
        await b.shop.till.add_coupon(coupon)
        first = await b.buy("mug", coupon="ten")
        (line,) = (await b.shop.till.order(first.order)).lines
        assert line.unit_price == usd(1080)
        assert (line.mechanism, line.reason) == (
            "coupon:TEN",
            "coupon TEN: $10.80 instead of $12",
        )
        with pytest.raises(PriceRefusedError, match="used before"):
            await b.buy("mug", coupon="TEN")
        b.clock.turn(minutes=31)
        await b.settle()
        again = await b.bought("mug", coupon="TEN")
        await b.bought("mug", coupon="TEN", buyer="visitor:bob")
        with pytest.raises(PriceRefusedError, match="used up"):
            await b.buy("mug", coupon="TEN", buyer="visitor:eve")
        assert b.diary.told[0].order == again
        await b.shop.till.add_coupon(replace(coupon, quota=None, per_buyer=None))
        b.clock.turn(minutes=30)
        with pytest.raises(PriceRefusedError, match="has ended"):
            await b.buy("mug", coupon="TEN")


async def test_coupons_that_do_not_fit(tmp_path):
    async with bench(tmp_path) as b:
        await b.shop.till.add_coupon(Coupon("LAMP", amount=usd(500), sku="lamp"))
        await b.shop.till.add_coupon(Coupon("EURO", amount=Money(500, "EUR")))
        for code, why in (("LAMP", "another product"), ("EURO", "in EUR"), ("NO", "no coupon")):
            with pytest.raises(PriceRefusedError, match=why):
                await b.buy("mug", coupon=code)
        for wrong in (Coupon("X"), Coupon("X", percent=1, amount=usd(1)), Coupon("", percent=5)):
            with pytest.raises(PriceRefusedError):
                await b.shop.till.add_coupon(wrong)


async def test_a_flash_price_ends_with_its_time_its_quota_and_its_floor(tmp_path):
    async with bench(tmp_path) as b:
        await b.shop.till.set_floor("mug", usd(950))
        flash = FlashPrice("mug", usd(900), NOON, HOUR, quota=2, per_buyer=1)
        await b.shop.till.add_flash(flash)
        first = await b.buy("mug")
        assert await goods_of(b, first) == usd(950)
        assert first.expires_at == NOON + timedelta(minutes=5)
        assert await goods_of(b, await b.buy("mug")) == usd(1200)  # one each
        assert (await b.shop.till.flash_prices())[0].left == 1
        await b.pay(first)
        b.clock.turn(minutes=61)
        await b.settle()
        assert await b.shop.till.flash_prices() == []
        assert await goods_of(b, await b.buy("mug", buyer="visitor:bob")) == usd(1200)


async def grouped(b, target=2):
    group = await b.shop.till.open_group(
        "mug",
        target=target,
        ladder=[(target, usd(1000)), (target + 1, usd(900))],
        deadline=HOUR,
        leader="visitor:ann",
    )
    assert (group.joined, group.state) == (0, "open")
    return group.group


async def join(b, group, name):
    return await b.bought("mug", group=group, buyer=f"visitor:{name}")


async def test_a_group_pays_the_dearest_step_and_gets_the_difference_back(tmp_path):
    async with bench(tmp_path) as b:
        group = await grouped(b)
        orders = [await join(b, group, name) for name in ("ann", "bob", "eve")]
        state = await b.shop.till.group(group)
        assert (state.joined, state.state) == (3, "formed")
        assert await b.stock("mug") == 2
        b.clock.turn(minutes=61)
        await b.settle()
        state = await b.shop.till.group(group)
        assert (state.state, state.final_price) == ("settled", usd(900))
        for order in orders:
            found = await b.shop.till.order(order)
            assert (found.total, found.refunded) == (usd(1000), usd(100))
        paid = sum(one.total.minor for one in b.diary.told if isinstance(one, OrderPaid))
        back = sum(
            one.goods_refunded.minor for one in b.diary.told if isinstance(one, OrderRefunded)
        )
        assert paid - back == 3 * 900  # what commission is taken from
        assert await b.stock("mug") == 2


async def test_a_group_that_does_not_come_together_gets_everything_back(tmp_path):
    async with bench(tmp_path) as b:
        group = await grouped(b)
        order = await join(b, group, "ann")
        unpaid = await b.buy("mug", group=group, buyer="visitor:bob")
        b.clock.turn(minutes=61)
        await b.settle()
        state = await b.shop.till.group(group)
        assert (state.state, state.joined, state.final_price) == ("failed", 1, None)
        found = await b.shop.till.order(order)
        assert found.refunded == found.total
        assert (await b.shop.till.order(unpaid.order)).status == "released"
        assert await b.stock("mug") == 5


async def test_the_leader_leaves_and_the_next_one_leads(tmp_path):
    async with bench(tmp_path) as b:
        group = await grouped(b)
        first = await join(b, group, "ann")
        b.clock.turn(minutes=1)
        await join(b, group, "bob")
        await b.shop.till.leave_group(first)
        await b.settle()
        state = await b.shop.till.group(group)
        assert (state.leader, state.joined, state.state) == ("visitor:bob", 1, "open")
        found = await b.shop.till.order(first)
        assert found.refunded == found.total
        assert await b.stock("mug") == 4


async def test_who_pays_after_the_deadline_gets_everything_back(tmp_path):
    async with bench(tmp_path) as b:
        group = await grouped(b)
        for name in ("ann", "bob"):
            await join(b, group, name)
        late = await b.buy("mug", group=group, buyer="visitor:eve")
        await b.pay(late, card="bank")
        b.clock.turn(minutes=61)
        await b.shop.till.sweep()
        await b.shop.till.outbox.dispatch()
        await b.settle()
        found = await b.shop.till.order(late.order)
        assert found.refunded == found.total
        assert (await b.shop.till.group(group)).final_price == usd(1000)
        assert await b.stock("mug") == 3


async def test_each_buyer_joins_once_and_nobody_after_the_end(tmp_path):
    async with bench(tmp_path) as b:
        group = await grouped(b)
        await join(b, group, "ann")
        with pytest.raises(PriceRefusedError, match="each buyer may have 1"):
            await b.buy("mug", group=group)
        with pytest.raises(PriceRefusedError, match="is for mug"):
            await b.buy("lamp", group=group, buyer="visitor:bob")
        b.clock.turn(minutes=61)
        with pytest.raises(PriceRefusedError, match="over"):
            await b.buy("mug", group=group, buyer="visitor:bob")


async def test_a_bargain_is_honest_from_its_first_moment_to_its_last(tmp_path):
    async with bench(tmp_path) as b:
        till = b.shop.till
        first = await till.open_bargain(
            "mug", buyer="visitor:ann", floor=usd(900), helps=3, deadline=HOUR
        )
        assert (first.price, first.helps_needed, first.seed) == (usd(1200), 3, "")
        with pytest.raises(PriceRefusedError, match="your friends"):
            await till.help_bargain(first.bargain, helper="visitor:ann")
        for friend in ("bob", "eve"):
            await till.help_bargain(first.bargain, helper=f"visitor:{friend}")
            with pytest.raises(PriceRefusedError, match="once"):
                await till.help_bargain(first.bargain, helper=f"visitor:{friend}")
        now = await till.bargain(first.bargain)
        assert now.price.minor == 1200 - sum(cut.minor for cut in now.cuts) > 900
        with pytest.raises(PriceRefusedError, match="somebody else"):
            await b.buy("mug", bargain=first.bargain, buyer="visitor:bob")
        started = await b.buy("mug", bargain=first.bargain)
        assert await goods_of(b, started) == now.price
        await till.help_bargain(first.bargain, helper="visitor:zoe")
        last = await till.bargain(first.bargain)
        assert last.price == usd(900)
        assert verify(
            seed=bytes.fromhex(last.seed),
            commitment=first.commitment,
            start=1200,
            floor=900,
            helps=3,
            cuts=tuple(cut.minor for cut in last.cuts),
        )
        with pytest.raises(PriceRefusedError, match="as low as it gets"):
            await till.help_bargain(first.bargain, helper="visitor:ian")
