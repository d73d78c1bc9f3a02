"""Commission paid out through the provider, and back, against the sandbox till."""

import asyncio
import json

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from commerce.cli import app
from commerce.errors import PayoutError
from commerce.models.orders import PayoutAccount, SandboxObject
from commerce.models.referrals import Referral
from commerce.money import Money
from commerce.shop.connect_rail import ConnectRail
from commerce.shop.paying_out import pay_out
from tests.support.ledgers import delivered, paid
from tests.support.shops import up_to_date, where
from tests.support.tills import bench

both = pytest.mark.usefixtures("both_databases")
ANN, AMY = "chat:telegram:ann", "chat:line:amy"


def usd(minor):
    return Money(minor, "USD")


async def account(b, **metadata):
    body = {"type": "express", "metadata": metadata}
    return (await b.shop.till.gateway._client.v1.accounts.create_async(body)).id


async def sold(b, recommender=ANN, buyer="visitor:bob"):
    """A mug at 12.00 that somebody recommended, paid, delivered, past its return window."""
    b.shop.till.keep_books(b.shop.ledger)
    token = await b.shop.ledger.issue(Referral(recommender=recommender, channel="telegram"))
    await b.shop.ledger.follow(token, visitor=buyer)
    b.clock.turn(minutes=5)
    order = await b.bought("mug", buyer=buyer, referral=token)
    await b.shop.till.deliver(order)
    await b.settle()
    b.clock.turn(days=31)
    await b.shop.ledger.settle()
    return order


async def payable(b, who=ANN):
    return [(one.payable.minor, one.paid.minor) for one in await b.shop.ledger.balances(who)]


async def transfers(b):
    async with b.shop.till.database.reading() as session:
        rows = await session.scalars(
            select(SandboxObject.body).where(SandboxObject.kind == "transfer")
        )
        return [(one["destination"], one["amount"], one["amount_reversed"]) for one in rows]


@pytest.mark.asyncio
@both
async def test_a_commission_goes_out_fails_goes_again_and_comes_back(tmp_path):
    async with bench(tmp_path) as b:
        order = await sold(b)
        rail = b.shop.till.rail
        assert await pay_out(b.shop.ledger, rail) == []  # no account, and a test is paid by nobody
        await rail.name_account(ANN, "acct_nobody0")
        (failed,) = await pay_out(b.shop.ledger, rail)
        assert (failed.state, failed.rail, failed.is_test) == ("failed", "sandbox", True)
        assert "acct_nobody0" in failed.problem
        assert await payable(b) == [(60, 0)]
        theirs = await account(b)
        await rail.name_account(ANN, theirs)
        (done,) = await pay_out(b.shop.ledger, rail)
        assert (done.state, done.amount) == ("paid", usd(60))
        assert done.reference.startswith("tr_")
        assert await pay_out(b.shop.ledger, rail) == []
        assert await transfers(b) == [(theirs, 60, 0)]
        await b.shop.till.refund(order, usd(400))
        await b.settle()
        assert await payable(b) == [(-20, 60)]
        assert await pay_out(b.shop.ledger, rail) == []
        assert await transfers(b) == [(theirs, 60, 20)]
        assert await payable(b) == [(0, 40)]
        assert (await b.shop.ledger.audit()).problems == ()


@pytest.mark.asyncio
@both
async def test_what_was_spent_is_carried_against_the_next_commission(tmp_path):
    async with bench(tmp_path) as b:
        order = await sold(b)
        rail = b.shop.till.rail
        await rail.name_account(ANN, await account(b, sandbox_balance="spent"))
        await pay_out(b.shop.ledger, rail)
        await b.shop.till.refund(order)
        await b.settle()
        assert await pay_out(b.shop.ledger, rail) == []
        (standing,) = await b.shop.ledger.balances(ANN)
        assert (standing.payable.minor, standing.carried) == (-60, usd(60))
        await sold(b, buyer="visitor:eve")
        assert await pay_out(b.shop.ledger, rail) == []  # 60 owed, 60 earned
        await sold(b, buyer="visitor:joe")
        assert [one.amount for one in await pay_out(b.shop.ledger, rail)] == [usd(60)]
        assert (await b.shop.ledger.audit()).problems == ()


class LiveRail(ConnectRail):
    """As with a live key: the sandbox behind it is told nothing of that."""

    @property
    def is_test(self):
        return False


@pytest.mark.asyncio
@both
async def test_whoever_has_no_account_is_listed_for_the_seller_to_pay(tmp_path):
    async with bench(tmp_path) as b:
        ledger = b.shop.ledger
        for order, who in (("o1", ANN), ("o2", AMY)):
            b.clock.turn(minutes=1)
            await ledger.touch(kind="click", actor=f"visitor:{order}", recommender=who)
            b.clock.turn(minutes=9)
            await ledger.book(paid(order, b.clock.now, buyer=f"visitor:{order}"))
            await ledger.book(delivered(order, b.clock.now))
        b.clock.turn(days=31)
        await ledger.settle()
        rail = LiveRail(b.shop.till.gateway, b.shop.till.database)
        await rail.name_account(ANN, await account(b))
        found = await pay_out(ledger, rail)
        assert [(one.recommender, one.rail, one.state) for one in found] == [
            (ANN, "sandbox", "paid"), (AMY, "csv", "started"),
        ]  # fmt: skip
        with pytest.raises(PayoutError, match="acct_"):
            await rail.name_account(AMY, "DE12 3456")
        await ledger.forget(ANN)
        async with b.shop.till.database.reading() as session:
            assert (await session.scalars(select(PayoutAccount))).all() == []


@pytest.mark.asyncio
async def test_without_a_provider_that_sends_money_on_everything_is_listed(tmp_path):
    async with bench(tmp_path) as b:
        b.shop.till._desk.gateway = None
        assert b.shop.till.rail is None
        assert await pay_out(b.shop.ledger, b.shop.till.rail) == []


def test_on_the_command_line(tmp_path):
    path = up_to_date(tmp_path / "shop.db")

    async def fill():
        where.append(lambda: str(path))
        try:
            async with bench(tmp_path) as b:
                await sold(b)
                return await account(b)
        finally:
            where.pop()

    theirs = asyncio.run(fill())

    def call(*words, status=0):
        done = CliRunner().invoke(app, [*words, "--database", str(path)], catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done

    assert "nobody is known" in call("recommender", AMY, "--account", theirs, status=1).stderr
    assert "acct_" in call("recommender", ANN, "--account", "x", status=1).stderr
    call("recommender", "--account", theirs, status=2)
    assert theirs in call("recommender", ANN, "--account", theirs).stdout
    assert json.loads(call("recommender", "--json").stdout)["accounts"] == {ANN: theirs}
    told = json.loads(call("payouts", "--settle", "--pay", "--json").stdout)
    (payout,) = told["payouts"]
    assert (payout["state"], payout["rail"], payout["is_test"]) == ("paid", "sandbox", True)
    assert payout["amount"]["minor"] == 60
