"""Refunds of single lines: their own commission goes with them, the rest in proportion."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.attribution.books import GoodsLine, Paid, Standing, after_returns
from commerce.attribution.rule import CommissionRule
from commerce.attribution.statement import verify
from commerce.errors import CheckoutError
from commerce.models.buying import CheckoutRequest, Wish
from commerce.models.happenings import OrderRefunded, ReturnedGoods, from_json, to_json
from commerce.models.referrals import Referral
from commerce.money import Money
from tests.support.tills import bench

both = pytest.mark.usefixtures("both_databases")
ANN = "chat:telegram:ann"


def usd(minor):
    return Money(minor, "USD")


async def two_lines(b, mugs=2):
    """An order of mugs at 12.00 and a lamp at 49.90, recommended by Ann, in the real books."""
    b.shop.till.keep_books(b.shop.ledger)
    rule = CommissionRule(bps=500, product_bps={"lamp": 2000})
    await b.shop.ledger.declare(rule)
    token = await b.shop.ledger.issue(Referral(recommender=ANN, channel="telegram", sku="mug"))
    await b.shop.ledger.follow(token, visitor="visitor:bob")
    b.clock.turn(minutes=1)
    started = await b.shop.till.checkout(
        CheckoutRequest(
            (Wish("mug", mugs), Wish("lamp")), "visitor:bob", "http://x/{order}", referral=token
        )
    )
    assert await b.pay(started) == "paid"
    return started.order


async def held(b):
    return sum(balance.held.minor for balance in await b.shop.ledger.balances(ANN))


async def statement(b, order):
    return verify(await b.shop.ledger.statement(order))


@pytest.mark.asyncio
@both
async def test_a_line_takes_its_own_commission_and_the_rest_goes_in_proportion(tmp_path):
    async with bench(tmp_path) as b:
        order = await two_lines(b)
        assert await held(b) == 120 + 998  # 5 % of 24.00, 20 % of 49.90
        await b.shop.till.refund(order, lines={"lamp": 1})
        await b.settle()
        assert (await b.shop.till.order(order)).refunded == usd(4990)
        assert await held(b) == 120
        said = await statement(b, order)
        assert [line["returned_minor"] for line in said["lines"]] == [0, 4990]
        (row,) = (await b.shop.ledger.report("recommender")).rows
        assert (row.returned.minor, row.commission.minor) == (4990, 120)
        products = {row.key: row for row in (await b.shop.ledger.report("product")).rows}
        assert (products["lamp"].returned.minor, products["lamp"].commission.minor) == (4990, 0)
        assert (products["mug"].returned.minor, products["mug"].commission.minor) == (0, 120)
        # An amount for nothing in particular: of what is left, in proportion.
        await b.shop.till.refund(order, usd(600))
        await b.settle()
        assert await held(b) == 90
        await b.shop.till.refund(order)
        await b.settle()
        assert await held(b) == 0
        assert (await statement(b, order))["earnings"][0]["left"] == 0
        assert (await b.shop.ledger.audit()).problems == ()


@pytest.mark.asyncio
@both
async def test_units_of_a_line_one_by_one_and_never_more_than_bought(tmp_path):
    async with bench(tmp_path) as b:
        order = await two_lines(b)
        for left in (60 + 998, 998):
            await b.shop.till.refund(order, lines={"mug": 1})
            await b.settle()
            assert await held(b) == left
        for wrong in ({"mug": 1}, {"lamp": 2}, {"tea": 1}, {"lamp": 0}, {}):
            with pytest.raises(CheckoutError):
                await b.shop.till.refund(order, lines=wrong)
        with pytest.raises(CheckoutError, match="either"):
            await b.shop.till.refund(order, usd(1), lines={"lamp": 1})
        assert (await b.shop.till.order(order)).refunded == usd(2400)
        assert (await b.shop.ledger.audit()).problems == ()


@pytest.mark.asyncio
@both
async def test_lines_in_any_order_of_news_lead_to_the_same_books(tmp_path):
    async with bench(tmp_path) as b:
        order = await two_lines(b)
        at = b.clock.now
        lamp = ReturnedGoods(1, usd(4990))
        news = [
            OrderRefunded(order, at, usd(4990), usd(4990), (lamp,)),
            OrderRefunded(order, at, usd(6190), usd(6190), (ReturnedGoods(0, usd(1200)), lamp)),
        ]
        assert [from_json(to_json(one)) for one in news] == news
        for one in [news[1], news[0], news[1]]:
            await b.shop.ledger.book(one)
        assert await held(b) == 60
        assert (await b.shop.ledger.audit()).problems == ()


lines = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(0, 10_000), st.integers(0, 100)),
    min_size=1,
    max_size=4,
)


@given(lines=lines, parts=st.lists(st.integers(0, 100), max_size=4), seed=st.integers(1, 10**6))
def test_however_it_comes_back_the_commission_only_shrinks_and_ends_at_nothing(lines, parts, seed):
    goods = sum(net for net, _, _ in lines)
    pool = sum(net * rate for net, rate, _ in lines)
    full = round(Fraction(pool, 10_000))
    paid = Paid(goods, 0, 0, goods, 0)
    named = tuple(GoodsLine(net, rate, net * part // 100) for net, rate, part in lines)
    known = sum(line.back for line in named)
    left, back = full, known
    for part in [*parts, 100]:
        back += (goods - back) * part // 100
        standing = Standing(paid, back, back, {}, named)
        now = after_returns(full, standing)
        assert 0 <= now <= left
        assert standing.commission_gone <= 1
        left = now
    assert left == 0


@given(net=st.integers(1, 10**6), rate=st.integers(1, 10_000), share=st.integers(0, 100))
def test_with_one_rate_lines_change_nothing(net, rate, share):
    back = net * share // 100
    paid = Paid(2 * net, 0, 0, 2 * net, 0)
    plain = Standing(paid, back, back)
    named = Standing(paid, back, back, {}, (GoodsLine(net, rate, back), GoodsLine(net, rate)))
    assert plain.commission_gone == named.commission_gone
