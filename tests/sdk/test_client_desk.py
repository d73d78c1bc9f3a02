"""The seller's desk by ``sdk.Client``: everything the console does, from a program."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import sdk
from commerce.attribution import fraud
from commerce.models.referrals import Referral
from commerce.shop.ledger import Ledger
from sdk.errors import NotAllowedError, NotFoundError, RefusedError
from sdk.testing import fake_session
from tests.support.shops import EXAMPLES

pytestmark = pytest.mark.asyncio
CATALOGUE = EXAMPLES / "catalogue.csv"
TOKEN = "a-seller-token-of-some-length"


async def bought(fake, sku="mug-morning"):
    """An order that a recommended link led to, paid in the sandbox: its id, and who earns."""
    ledger, later = fake.shop.ledger, datetime.now(UTC) + timedelta(days=1)
    bo = await ledger.node("chat", "telegram", "bo")
    group = await ledger.node("group", "telegram", "g")
    token = await ledger.issue(
        Referral(recommender=bo, group=group, channel="telegram", sku=sku, expires_at=later)
    )
    person = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"}
    async with (
        httpx.AsyncClient(headers=person, timeout=60) as http,
        sdk.Client(fake.url, timeout_s=60) as shopper,
    ):
        await http.get(f"{fake.url}/r/{token}")
        wish = {"lines": [{"sku": sku}], "session": "main"}
        started = (await http.post(f"{fake.url}/checkout", json=wish)).json()
        await http.post(started["url"], json={"card": "success"})
        while (await shopper.order(started["order"])).status != "paid":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    while not (await fake.shop.ledger.report("recommender")).rows:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return started["order"], bo


async def test_the_show_is_steered():
    async with fake_session(CATALOGUE) as fake:
        desk = fake.client.desk
        about = await desk.about()
        assert (about.session, about.is_test, about.till) == ("main", True, "sandbox")
        assert (await desk.show()).script == "none"
        performed = await desk.perform("emotion", about.emotions[0])
        assert performed.name == about.emotions[0]
        with pytest.raises(RefusedError, match="no script"):
            await desk.script(is_on=False)


async def test_money_from_order_to_payout(monkeypatch):
    monkeypatch.setattr(fraud, "IMPOSSIBLE_S", 600)  # a test buys fast, on a busy machine too
    async with fake_session(CATALOGUE) as fake:
        desk = fake.client.desk
        order, bo = await bought(fake)
        found = await desk.order(order)
        assert (found.status, found.total.minor) == ("paid", 1650)
        assert [one.order for one in (await desk.orders("paid")).items] == [order]
        (row,) = [one for one in (await desk.sales()).rows if one.key == bo]
        assert (row.goods.minor, row.orders) == (1650, 1)
        assert (await desk.days()).items[0].goods.minor == 1650
        assert bo.encode() in await desk.sales_csv()
        assert (await desk.payouts_csv()).decode("utf-8-sig").startswith("key,recommender")
        key = (await desk.about()).public_key
        document = await desk.statement(order)
        assert Ledger.verify_statement(document, key)["order"] == order
        assert (await desk.balances()).items[0].recommender == bo
        assert (await desk.accounts()).items == ()
        entered = await desk.name_account(bo, "acct_1Recommender")
        accounts = await desk.accounts()
        assert (accounts.provider, accounts.items) == ("sandbox", (entered,))
        with pytest.raises(RefusedError, match="acct_"):
            await desk.name_account(bo, "DE12500105170648489890")
        (hold,) = (await desk.holds()).items
        assert hold.signals[0].code == "impossible_time"
        decided = await desk.decide(order, "release", by="Ann", note="a test buys fast")
        assert (decided.verdict, (await desk.holds()).items) == ("release", ())
        await desk.deliver(order)
        refunded = await desk.refund(order, "6.50", reason="a scratch")
        assert refunded.refunded.minor == 650
        await desk.settle()
        assert (await desk.pay_out()).items == ()  # the return window is open
        assert (await desk.payouts()).items == ()
        with pytest.raises(NotFoundError):
            await desk.decide("order_none", "deny", by="Ann", note="test")
        for change in (desk.confirm, desk.fail):
            with pytest.raises(RefusedError):
                await change("none", "text")


async def test_stock_and_chats():
    async with fake_session(CATALOGUE) as fake:
        desk = fake.client.desk
        (mug,) = (await desk.stock("Stoneware")).items
        changed = await desk.set_stock(mug.sku, 7)
        assert (changed.stock, (await desk.stock("Stoneware")).items[0].stock) == (7, 7)
        assert {one.name for one in (await desk.chats()).channels} >= {"telegram", "slack"}
        node = await fake.shop.ledger.node("group", "telegram", "g")
        await fake.shop.letterbox.groups.open(node, "telegram")
        (group,) = (await desk.groups()).items
        assert group.rules.veto == 3
        assert (await desk.change_group(node, {"veto": 5, "is_on": False})).rules.veto == 5
        with pytest.raises(RefusedError):
            await desk.change_group(node, {"veto": 0})
        assert (await desk.letters("dead")).items == ()
        assert await desk.retry_letters() == 0
        assert await desk.drop_letters([1]) == 0
        assert (await desk.errands()).items == ()
        with pytest.raises(NotFoundError):
            await desk.retry_errand(1)
        wishes = await desk.wishes()
        assert (wishes.items, wishes.pitched, wishes.on_sale) == ((), 0, 12)


async def test_only_the_seller_may_sit_at_it():
    async with fake_session(CATALOGUE, token=TOKEN) as fake:
        assert (await fake.client.desk.about()).is_guarded
        ticket = (await fake.client.desk.about()).ticket
        async with sdk.Client(fake.url, ticket) as viewer:
            assert (await viewer.session()).state == "connected"
            with pytest.raises(NotAllowedError):
                await viewer.desk.balances()
