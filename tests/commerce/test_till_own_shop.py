"""Sellers with their own shop: its cart carries our order, its webhooks feed the same books."""

import base64
import hmac
import json

import pytest

from commerce.checkout.own_shop import cart_link
from commerce.checkout.own_shop_gateway import OwnShopGateway
from commerce.errors import GatewayError, WebhookError
from commerce.models.happenings import OrderPaid, OrderRefunded
from commerce.money import Money
from tests.support.tills import bench

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("both_databases")]
SECRET = "app-secret"


def usd(minor):
    return Money(minor, "USD")


def signed(body, topic, platform="shopify", secret=SECRET):
    raw = json.dumps(body).encode()
    digest = base64.b64encode(hmac.digest(secret.encode(), raw, "sha256")).decode()
    if platform == "shopify":
        return {"x-shopify-hmac-sha256": digest, "x-shopify-topic": topic}, raw
    return {"x-wc-webhook-signature": digest, "x-wc-webhook-topic": topic}, raw


def shopify_order(order, **changes):
    return {
        "id": 5551,
        "currency": "USD",
        "financial_status": "paid",
        "processed_at": "2026-05-01T14:05:00+02:00",
        "total_price": "31.90",
        "total_tax": "2.00",
        "total_shipping_price_set": {"shop_money": {"amount": "5.90"}},
        "email": "Ann@Example.com",
        "note_attributes": [{"name": "livepitch_order", "value": order}],
        "line_items": [
            {
                "sku": "mug",
                "title": "Mug",
                "quantity": 2,
                "price": "13.00",
                "discount_allocations": [{"amount": "2.00"}],
            }
        ],
        "refunds": [],
    } | changes


def refund_of(amount, goods, ref=77):
    moved = {"amount": amount, "kind": "refund", "status": "success", "currency": "USD"}
    return {
        "id": ref,
        "order_id": 5551,
        "transactions": [moved],
        "refund_line_items": [{"subtotal": goods}],
    }


async def opened(b, platform="shopify"):
    b.shop.till.connect(OwnShopGateway(platform, "https://shop.example", SECRET))
    await b.shop.till.name_in_own_shop(platform, {"mug": "4201"})
    return await b.buy("mug", 2, referral="tok", session="main")


async def test_the_cart_carries_our_order_and_nothing_is_held_here(tmp_path):
    async with bench(tmp_path) as b:
        started = await opened(b)
        assert started.url == (
            "https://shop.example/cart/4201:2"
            f"?attributes%5Blivepitch_order%5D={started.order}&ref=livepitch"
        )
        assert not started.is_test
        assert await b.stock("mug") == 5
        with pytest.raises(GatewayError, match="own id of 'Lamp'"):
            await b.buy("lamp")


async def test_an_order_and_its_refunds_in_any_order_and_twice(tmp_path):
    async with bench(tmp_path) as b:
        started = await opened(b)
        till = b.shop.till
        news = [
            signed(refund_of("10.00", "8.00"), "refunds/create"),
            signed(shopify_order(started.order), "orders/paid"),
            signed(
                shopify_order(started.order, refunds=[refund_of("10.00", "8.00")]), "orders/updated"
            ),
        ]
        for headers, raw in [*news, *news]:
            await till.receive_own_shop("shopify", headers, raw)
        await b.settle()
        b.clock.turn(seconds=5)
        await b.settle()
        order = await till.order(started.order)
        assert (order.status, order.total, order.refunded) == ("paid", usd(3190), usd(1000))
        assert (order.shipping, order.tax, order.goods) == (usd(590), usd(200), usd(2400))
        paid, refunded = b.diary.told
        assert isinstance(paid, OrderPaid)
        assert (paid.source, paid.referral, paid.lines[0].net) == ("shopify", "tok", usd(2400))
        assert paid.buyer_keys == ("email_hash:ann@example.com",)
        assert isinstance(refunded, OrderRefunded)
        assert (refunded.refunded, refunded.goods_refunded) == (usd(1000), usd(800))


async def test_a_refund_of_somebody_elses_order_is_forgotten_in_time(tmp_path):
    async with bench(tmp_path) as b:
        await opened(b)
        headers, raw = signed(refund_of("10.00", "8.00"), "refunds/create")
        await b.shop.till.receive_own_shop("shopify", headers, raw)
        await b.settle()
        b.clock.turn(minutes=15)
        await b.settle()
        assert await b.shop.till.outbox.dead_letters() == []
        assert b.diary.told == []


async def test_an_order_with_an_invented_id_is_nobodys(tmp_path):
    async with bench(tmp_path) as b:
        await opened(b)
        headers, raw = signed(shopify_order("order_" + "0" * 30), "orders/paid")
        await b.shop.till.receive_own_shop("shopify", headers, raw)
        await b.settle()
        assert b.diary.told == []


async def test_privacy_topics(tmp_path):
    async with bench(tmp_path) as b:
        await opened(b)
        body = {"customer": {"email": "Ann@Example.com"}}
        for topic in ("customers/redact", "customers/data_request", "shop/redact"):
            headers, raw = signed({**body, "topic": topic}, topic)
            await b.shop.till.receive_own_shop("shopify", headers, raw)
        await b.settle()
        assert b.diary.forgotten == ["email_hash:ann@example.com"]
        (letter,) = await b.shop.till.outbox.dead_letters()
        assert "30 days" in letter.error
        assert "ann" not in str(letter.payload).replace("email_hash:ann@example.com", "")


async def test_forgeries_and_nonsense(tmp_path):
    async with bench(tmp_path) as b:
        await opened(b)
        headers, raw = signed(shopify_order("x"), "orders/paid", secret="other")
        cases = [
            (headers, raw, 401),
            ({}, raw, 401),
            (*signed([], "orders/paid"), 400),
            (*signed({"id": 1}, "orders/paid"), 400),
            (*signed(shopify_order("x", total_price="free"), "orders/paid"), 400),
        ]
        for headers, raw, status in cases:
            with pytest.raises(WebhookError) as caught:
                await b.shop.till.receive_own_shop("shopify", headers, raw)
            assert caught.value.status == status


async def test_woocommerce(tmp_path):
    async with bench(tmp_path) as b:
        started = await opened(b, "woocommerce")
        assert "?add-to-cart=4201&quantity=2&utm_source=livepitch" in started.url
        assert f"utm_content={started.order}" in started.url
        await b.shop.till.receive_own_shop("woocommerce", {}, b"webhook_id=12")
        body = {
            "id": 9,
            "status": "processing",
            "currency": "USD",
            "total": "30.00",
            "total_tax": "2.00",
            "shipping_total": "4.00",
            "date_paid_gmt": "2026-05-01T12:03:00",
            "billing": {"email": "ann@example.com"},
            "meta_data": [
                {"key": "_wc_order_attribution_utm_content", "value": started.order},
            ],
            "line_items": [{"sku": "mug", "name": "Mug", "quantity": 2, "total": "24.00"}],
            "refunds": [],
        }
        for change in ({}, {"status": "refunded", "refunds": [{"id": 3, "total": "-30.00"}]}):
            headers, raw = signed(body | change, "order.updated", "woocommerce")
            await b.shop.till.receive_own_shop("woocommerce", headers, raw)
            await b.settle()
        order = await b.shop.till.order(started.order)
        assert (order.total, order.refunded) == (usd(3000), usd(3000))
        assert [type(one) for one in b.diary.told] == [OrderPaid, OrderRefunded]
        assert b.diary.told[-1].goods_refunded == usd(2400)


async def test_several_products_in_one_woocommerce_cart():
    link = cart_link("woocommerce", "https://s.example/", "order_1", [("1", 2), ("7", 1)], "main")
    assert link.startswith("https://s.example/checkout-link/?products=1:2,7:1&utm_source=livepitch")
