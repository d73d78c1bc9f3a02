"""What the seller's own shop tells becomes what our order is; the ledger sees no difference."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout import orders
from commerce.checkout.once import insert_once
from commerce.checkout.own_shop import (
    OwnShopOrder,
    OwnShopRefund,
    Platform,
    news_of,
    variant_in,
)
from commerce.checkout.own_shop_gateway import OwnShopGateway
from commerce.errors import GatewayError, UnknownOrderError, WebhookError
from commerce.models.happenings import OrderPaid, SoldLine
from commerce.models.orders import Errand, Order, OrderLine, OwnShopVariant, ProviderEvent, Refund
from commerce.models.tables import Product, Variant
from commerce.money import Money
from commerce.shop.desk import Desk
from commerce.shop.outbox import post
from commerce.shop.refunding import Refunding

# A refund may overtake the order it belongs to; after this it belongs to an order of others.
_PATIENCE = timedelta(minutes=10)


class OwnShop:
    """Takes the other shop's webhooks."""

    def __init__(self, desk: Desk, refunding: Refunding) -> None:
        self._desk = desk
        self._refunding = refunding

    async def receive(self, platform: Platform, headers: Mapping[str, str], raw: bytes) -> None:
        """Take a webhook; it is durable when this returns.

        Raises:
            WebhookError: Forged, unreadable, or of a shop that is not connected.
        """
        gateway = self._desk.gateway
        if not isinstance(gateway, OwnShopGateway) or gateway.platform != platform:
            raise WebhookError(f"no {platform} shop is connected", 404)
        news = news_of(platform, headers, raw, gateway.secret)
        if news is None:
            return
        node = await self._node(news.email or (news.order.email if news.order else None))
        async with self._desk.context.database.writing() as session:
            is_new = await insert_once(
                session,
                ProviderEvent,
                {
                    "source": platform,
                    "event_id": hashlib.sha256(news.event.encode()).hexdigest(),
                    "kind": news.topic[:100],
                    "received_at": self._desk.now,
                    "body_sha256": hashlib.sha256(raw).hexdigest(),
                },
            )
            if not is_new:
                return
            key = f"own:{platform}:{hashlib.sha256(news.event.encode()).hexdigest()[:40]}"
            if news.order is not None and news.order.order is not None:
                await self._post(
                    session, key, news.order.ref, "own_order", _order(news.order, node)
                )
            elif news.refund is not None:
                payload = {"ref": news.refund[0], "refund": _refund(news.refund[1])}
                # Not in line with its order: a refund that came first waits for it.
                await self._post(session, key, f"refund:{news.refund[0]}", "own_refund", payload)
            elif news.topic == "customers/redact" and node:
                await self._post(session, key, node, "forget", {"node": node})
            elif news.topic == "customers/data_request":
                await self._ask_person(session, key, node)
        self._desk.step("received event")
        self._desk.outbox.wake()

    async def name(self, platform: Platform, ids: Mapping[str, str]) -> None:
        """What the other shop calls our variants, by SKU."""
        async with self._desk.context.database.writing() as session:
            for sku, external_id in ids.items():
                await session.execute(
                    delete(OwnShopVariant).where(
                        OwnShopVariant.platform == platform, OwnShopVariant.sku == sku
                    )
                )
                session.add(OwnShopVariant(platform=platform, sku=sku, external_id=external_id))

    async def order(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """The errand: an order of the other shop came through one of our links."""
        told = payload["order"]
        async with self._desk.context.database.writing() as session:
            try:
                order = await orders.order_with_id(session, str(payload["ours"]), lock=True)
            except UnknownOrderError:
                return  # somebody wrote an id into the link by hand
            if told["currency"] != order.currency and order.status != "paid":
                order.currency = told["currency"]
            if told["is_paid"] and order.paid_at is None:
                await self._paid(session, order, told, payload.get("node"))
            if order.paid_at is not None and order.payment_ref == told["ref"]:
                for refund in told["refunds"]:
                    await self._refunded(session, order, refund)

    async def refund(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """The errand: a refund of the other shop."""
        async with self._desk.context.database.writing() as session:
            order = await orders.order_of_payment(session, str(payload["ref"]), lock=True)
            if order is not None:
                await self._refunded(session, order, payload["refund"])
                return
        if self._desk.now - datetime.fromisoformat(payload["at"]) < _PATIENCE:
            raise GatewayError("the refund's order has not been told yet", is_passing=True)

    async def _paid(
        self, session: AsyncSession, order: Order, told: Mapping[str, Any], node: str | None
    ) -> None:
        currency = order.currency
        await session.execute(delete(OrderLine).where(OrderLine.order_id == order.id))
        sold = []
        for line in told["lines"]:
            variant = await session.scalar(select(Variant).where(Variant.sku == line["sku"]))
            product = await session.get(Product, variant.product_id) if variant else None
            handle = product.handle if product else line["sku"] or line["title"]
            unit = line["net"] // line["quantity"]
            session.add(
                OrderLine(
                    order_id=order.id,
                    variant_id=variant.id if variant else None,
                    sku=line["sku"],
                    product=handle[:255],
                    title=line["title"][:300],
                    quantity=line["quantity"],
                    list_minor=unit,
                    unit_minor=unit,
                    mechanism="own_shop",
                    reason=f"sold by the seller's own {order.provider} shop",
                )
            )
            net = Money(line["net"], currency)
            sold.append(
                SoldLine(line["sku"], handle, line["title"], line["quantity"], net, "own_shop")
            )
        order.status, order.note = "paid", ""
        order.payment_ref, order.is_test = told["ref"], told["is_test"]
        order.goods_minor = order.list_minor = sum(line.net.minor for line in sold)
        order.shipping_minor, order.tax_minor = told["shipping"], told["tax"]
        order.total_minor = told["total"]
        order.paid_at = (
            datetime.fromisoformat(told["paid_at"]) if told["paid_at"] else self._desk.now
        )
        order.buyer_keys = [node] if node else []
        order.version += 1
        happening = OrderPaid(
            order=order.public_id,
            occurred_at=order.paid_at,
            lines=tuple(sold),
            shipping=Money(order.shipping_minor, currency),
            tax=Money(order.tax_minor, currency),
            total=Money(order.total_minor, currency),
            fee=Money(0, currency),
            buyer=order.buyer,
            buyer_keys=tuple(order.buyer_keys),
            referral=order.referral,
            session=order.session,
            source=order.provider,
            is_test=order.is_test,
        )
        await self._desk.tell(session, happening, f"paid:{order.public_id}")

    async def _refunded(
        self, session: AsyncSession, order: Order, refund: Mapping[str, Any]
    ) -> None:
        left = await self._refunding.left(session, order)
        amount = min(int(refund["amount"]), left.minor)
        goods = refund["goods"]
        if goods is None:
            goods = amount * order.goods_minor // max(1, order.total_minor)
        if amount <= 0:
            return
        is_new = await insert_once(
            session,
            Refund,
            {
                "order_id": order.id,
                "key": f"refund:{order.provider}:{refund['ref']}"[:120],
                "amount_minor": amount,
                "goods_minor": min(int(goods), amount, order.goods_minor),
                "reason": f"refunded in the seller's {order.provider} shop",
                "state": "done",
                "refund_ref": refund["ref"],
                "created_at": self._desk.now,
            },
        )
        if is_new:
            rows = await orders.refunds_of(session, order.id)
            back = Money(sum(row.amount_minor for row in rows), order.currency)
            await self._refunding.apply(session, order, back)

    async def _post(
        self, session: AsyncSession, key: str, about: str, kind: str, payload: dict[str, Any]
    ) -> None:
        now = self._desk.now
        await post(
            session,
            key=key,
            aggregate=f"own:{about}"[:80],
            kind=kind,
            payload={**payload, "at": now.isoformat()},
            now=now,
        )

    async def _ask_person(self, session: AsyncSession, key: str, node: str | None) -> None:
        """A buyer asks for their data: nothing a program should answer alone."""
        await insert_once(
            session,
            Errand,
            {
                "key": key,
                "aggregate": f"own:{node or 'buyer'}"[:80],
                "kind": "data_request",
                "payload": {"node": node},
                "state": "dead",
                "last_error": "a buyer asks for their data; export it and answer within 30 days",
                "due_at": self._desk.now,
                "created_at": self._desk.now,
            },
        )

    async def _node(self, email: str | None) -> str | None:
        if not email or self._desk.books is None:
            return None
        return await self._desk.books.node("email_hash", email.strip().lower())


async def own_id(session: AsyncSession, platform: str, sku: str, url: str | None) -> str | None:
    """What the other shop calls a variant: as it was told, or as the product's address says."""
    found: str | None = await session.scalar(
        select(OwnShopVariant.external_id).where(
            OwnShopVariant.platform == platform, OwnShopVariant.sku == sku
        )
    )
    return found or (variant_in(url) if platform == "shopify" else None)


def _order(order: OwnShopOrder, node: str | None) -> dict[str, Any]:
    """The order without whatever names the buyer."""
    return {
        "ours": order.order,
        "node": node,
        "order": {
            "ref": order.ref,
            "currency": order.total.currency,
            "is_paid": order.is_paid,
            "is_test": order.is_test,
            "paid_at": order.paid_at.isoformat() if order.paid_at else None,
            "lines": [
                {
                    "sku": line.sku,
                    "title": line.title,
                    "quantity": line.quantity,
                    "net": line.net.minor,
                }
                for line in order.lines
            ],
            "shipping": order.shipping.minor,
            "tax": order.tax.minor,
            "total": order.total.minor,
            "refunds": [_refund(refund) for refund in order.refunds],
        },
    }


def _refund(refund: OwnShopRefund) -> dict[str, Any]:
    goods = refund.goods.minor if refund.goods is not None else None
    return {"ref": refund.ref, "amount": refund.amount.minor, "goods": goods}
