"""Webhooks twice, late and in any order lead to one history; the sandbox keeps Stripe's rules."""

import asyncio
import inspect
import json

import pytest
import stripe
from sqlalchemy import text

from commerce.checkout.gateway import Transfer
from commerce.checkout.sandbox import Chaos
from commerce.errors import GatewayError, PayoutError
from commerce.models.earnings import Payout
from commerce.models.happenings import OrderDisputed, OrderPaid, OrderRefunded
from commerce.money import Money
from commerce.shop.connect_rail import ConnectRail
from tests.support.tills import bench

pytestmark = pytest.mark.asyncio


def usd(minor):
    return Money(minor, "USD")


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_any_number_of_webhooks_gives_one_history(tmp_path, seed):
    async with bench(tmp_path) as b:
        b.sandbox.postman.chaos = Chaos(duplicate=1.0, is_shuffled=True, seed=seed)
        started = await b.buy("mug", 2)
        await b.sandbox.pay(started.url.rpartition("/")[2], card="success")
        async with b.shop._database.reading() as session:
            payment = await session.scalar(
                text("SELECT id FROM sandbox_object WHERE kind = 'payment_intent'")
            )
        # All of it happens at the provider before we hear of any of it.
        gateway = b.shop.till.gateway
        await gateway.refund(payment, usd(700), key="k1")
        await gateway.refund(payment, usd(300), key="k2")
        dispute = await b.sandbox.dispute(payment)
        await b.sandbox.close_dispute(dispute, "won")
        await b.settle()
        order = await b.shop.till.order(started.order)
        assert (order.status, order.refunded) == ("paid", usd(1000))
        assert await b.stock("mug") == 3
        kinds = [type(one) for one in b.diary.told]
        assert kinds.count(OrderPaid) == 1
        refunds = [one for one in b.diary.told if isinstance(one, OrderRefunded)]
        assert refunds[-1].refunded == usd(1000)
        states = [one.state for one in b.diary.told if isinstance(one, OrderDisputed)]
        assert states == ["won"]


async def test_a_webhook_that_is_refused_comes_again(tmp_path):
    async with bench(tmp_path) as b:
        deliver, calls = b.sandbox.postman.deliver, []

        async def stubborn(raw, signature):
            calls.append(json.loads(raw)["type"])
            return 500 if len(calls) < 4 else await deliver(raw, signature)

        b.sandbox.postman.deliver = stubborn
        started = await b.buy("mug")
        await b.pay(started)
        b.clock.turn(seconds=5)
        await b.settle()
        assert (await b.shop.till.order(started.order)).status == "paid"


async def test_idempotency_as_stripe_keeps_it(tmp_path):
    async with bench(tmp_path) as b:
        order = await b.bought("mug")
        gateway = b.shop.till.gateway
        async with b.shop._database.reading() as session:
            payment = await session.scalar(text("SELECT payment_ref FROM order_"))
        first = await gateway.refund(payment, usd(100), key="same")
        assert await gateway.refund(payment, usd(100), key="same") == first
        with pytest.raises(GatewayError, match="same parameters"):
            await gateway.refund(payment, usd(200), key="same")
        with pytest.raises(GatewayError, match="greater than unrefunded"):
            await gateway.refund(payment, usd(99_999), key="much")
        with pytest.raises(GatewayError, match="greater than unrefunded"):
            await gateway.refund(payment, usd(99_999), key="much")  # kept, as Stripe keeps it
        at_once = await asyncio.gather(
            *(gateway.refund(payment, usd(10), key="once") for _ in range(5)),
            return_exceptions=True,
        )
        made = {one for one in at_once if isinstance(one, str)}
        assert len(made) == 1
        assert all(one.is_passing for one in at_once if isinstance(one, GatewayError))
        assert (await gateway.payment(payment)).refunded == usd(110)
        assert (await gateway.payment(payment)).order == order


PAGE = {
    "mode": "payment",
    "success_url": "https://shop.example/ok",
    "line_items": [
        {
            "quantity": 1,
            "price_data": {
                "currency": "usd",
                "unit_amount": 100,
                "product_data": {"name": "马克杯"},
            },
        }
    ],
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nonsense": "1"}, "unknown parameter: nonsense"),
        ({"payment_method_types": ["card"]}, "unknown parameter: payment_method_types"),
        ({"line_items": [{"quantity": 1, "prise": 1}]}, "unknown parameter"),
        ({"line_items": "x"}, "line_items"),
        ({"expires_at": 1}, "between 30 minutes and 24 hours"),
        ({"metadata": {"k" * 41: "v"}}, "Metadata"),
        ({"client_reference_id": "x" * 201}, "too long"),
        ({"mode": "subscription"}, "only knows mode=payment"),
    ],
)
async def test_the_sandbox_refuses_what_stripe_would(tmp_path, change, says):
    async with bench(tmp_path) as b:
        sessions = b.shop.till.gateway._client.v1.checkout.sessions
        with pytest.raises(stripe.InvalidRequestError, match=says):
            await sessions.create_async({**PAGE, **change})
        made = await sessions.create_async({**PAGE, "allowed_payment_method_types": ["card"]})
        assert made.status == "open"


async def test_the_sandbox_says_nothing_that_stripes_own_classes_do_not_know(tmp_path):
    async with bench(tmp_path) as b:
        await b.bought("mug")
        async with b.shop._database.reading() as session:
            rows = (await session.execute(text("SELECT kind, body FROM sandbox_object"))).all()
        classes = {
            "checkout.session": stripe.checkout.Session,
            "payment_intent": stripe.PaymentIntent,
            "charge": stripe.Charge,
            "balance_transaction": stripe.BalanceTransaction,
        }
        seen = set()
        for kind, body in rows:
            body = json.loads(body) if isinstance(body, str) else body
            if kind not in classes:
                continue
            known = {"object", "id"}
            for part in inspect.getmro(classes[kind]):
                known |= set(vars(part).get("__annotations__", {}))
            assert {name for name in body if not name.startswith("_")} <= known, kind
            seen.add(kind)
        assert seen == set(classes)


async def test_commissions_go_out_and_come_back(tmp_path):
    async with bench(tmp_path) as b:
        await b.bought("mug", 5)
        gateway = b.shop.till.gateway
        account = (await gateway._client.v1.accounts.create_async({"type": "express"})).id
        rail = ConnectRail(gateway, b.shop.till.database)
        payout = Payout("p1", "chat:telegram:ab", usd(600), "begun", rail.name)
        with pytest.raises(PayoutError, match="no sandbox account"):
            await rail.pay(payout)
        await rail.name_account("chat:telegram:ab", "acct_1Other5678901234")
        await rail.name_account("chat:telegram:ab", account)
        reference = await rail.pay(payout)
        assert await rail.pay(payout) == reference
        paid = Payout("p1", "chat:telegram:ab", usd(600), "paid", rail.name, reference)
        assert await rail.take_back(paid, usd(200), "t1") == usd(200)
        assert await rail.take_back(paid, usd(200), "t1") == usd(200)
        assert await rail.take_back(paid, usd(500), "t2") == usd(0)  # only 400 are left of it
        assert (rail.name, rail.is_test) == ("sandbox", True)


async def test_a_transfer_is_never_more_than_its_charge(tmp_path):
    async with bench(tmp_path) as b:
        await b.bought("mug")
        gateway = b.shop.till.gateway
        account = (await gateway._client.v1.accounts.create_async({"type": "express"})).id
        async with b.shop._database.reading() as session:
            charge = await session.scalar(text("SELECT charge_ref FROM order_"))
        await gateway.transfer(Transfer(account, usd(1000), charge=charge), key="a")
        with pytest.raises(GatewayError, match="exceed"):
            await gateway.transfer(Transfer(account, usd(300), charge=charge), key="b")
