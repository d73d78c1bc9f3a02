"""Sellers with their own shop: links to its cart that carry our order, and its signed webhooks.

Shopify keeps cart attributes on the order as ``note_attributes``; WooCommerce keeps the campaign
of the link as order meta. Both come back with every webhook of the order.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from commerce.errors import CheckoutError, MoneyError, WebhookError
from commerce.money import Money

Platform = Literal["shopify", "woocommerce"]
ATTRIBUTE = "livepitch_order"
_WOO_META = ("_wc_order_attribution_utm_content", ATTRIBUTE)
_WOO_PAID = frozenset({"processing", "completed", "refunded"})
_WOO_PING = re.compile(rb"webhook_id=\d{1,12}")


@dataclass(frozen=True, slots=True)
class OwnShopLine:
    """One line of the other shop's order; ``net`` is after every reduction, without tax."""

    sku: str
    title: str
    quantity: int
    net: Money


@dataclass(frozen=True, slots=True)
class OwnShopRefund:
    """One refund of the other shop; ``goods`` is None where it does not say."""

    ref: str
    amount: Money
    goods: Money | None


@dataclass(frozen=True, slots=True)
class OwnShopOrder:
    """An order of the other shop as its webhook tells it.

    Attributes:
        ref: Its id there.
        order: Our public id, if it came through one of our links.
        is_paid: Whether the money has arrived.
        is_test: Whether it was a trial there.
        paid_at: When, if it says so.
        lines: What was bought.
        shipping: Without tax.
        tax: In all.
        total: What the buyer paid.
        email: The buyer's; never stored as it is.
        refunds: All of them so far.
    """

    ref: str
    order: str | None
    is_paid: bool
    is_test: bool
    paid_at: datetime | None
    lines: tuple[OwnShopLine, ...]
    shipping: Money
    tax: Money
    total: Money
    email: str | None
    refunds: tuple[OwnShopRefund, ...]


@dataclass(frozen=True, slots=True)
class OwnShopNews:
    """A verified webhook of the other shop.

    Attributes:
        event: Its id, for taking it once.
        topic: Such as ``orders/paid`` or ``customers/redact``.
        order: The order it tells of, if it tells of one.
        refund: A refund that comes alone, with the id of its order.
        email: Whose data is asked for or to be erased.
    """

    event: str
    topic: str
    order: OwnShopOrder | None = None
    refund: tuple[str, OwnShopRefund] | None = None
    email: str | None = None


def cart_link(
    platform: Platform, shop: str, order: str, lines: Sequence[tuple[str, int]], session: str | None
) -> str:
    """The other shop's cart with these variants in it, marked with our order.

    Args:
        platform: Which kind of shop.
        shop: Its address.
        order: Our public id.
        lines: The shop's own variant id and the quantity of each.
        session: The live session, for the shop's own statistics.

    Raises:
        CheckoutError: A variant id is not a number.
    """
    if any(not ref.isdecimal() for ref, _ in lines):
        raise CheckoutError("the shop's own variant ids are numbers")
    base = shop.rstrip("/")
    items = ",".join(f"{ref}:{quantity}" for ref, quantity in lines)
    if platform == "shopify":
        facts = {f"attributes[{ATTRIBUTE}]": order, "ref": "livepitch"}
        return f"{base}/cart/{items}?{urlencode(facts)}"
    facts = {"utm_source": "livepitch", "utm_medium": "live", "utm_content": order}
    if session:
        facts["utm_campaign"] = session
    if len(lines) == 1:
        ref, quantity = lines[0]
        return f"{base}/?add-to-cart={ref}&quantity={quantity}&{urlencode(facts)}"
    return f"{base}/checkout-link/?products={quote(items, safe=':,')}&{urlencode(facts)}"


def variant_in(url: str | None) -> str | None:
    """The variant id that Shopify writes into a product's own address."""
    found = parse_qs(urlsplit(url or "").query).get("variant", [""])[0]
    return found if found.isdecimal() else None


def news_of(
    platform: Platform, headers: Mapping[str, str], raw: bytes, secret: str
) -> OwnShopNews | None:
    """Verify a webhook and say what it tells.

    Args:
        platform: Which kind of shop.
        headers: With lower-case names.
        raw: The body as it arrived.
        secret: The app's or webhook's secret.

    Returns:
        None for WooCommerce's unsigned ping, which means nothing.

    Raises:
        WebhookError: Forged (401) or unreadable (400).
    """
    if platform == "woocommerce" and _WOO_PING.fullmatch(raw.strip()):
        return None
    if platform == "shopify":
        # Its newer events leave the X- away.
        given = headers.get("x-shopify-hmac-sha256") or headers.get("shopify-hmac-sha256", "")
        topic = headers.get("x-shopify-topic") or headers.get("shopify-topic", "")
        event = headers.get("x-shopify-webhook-id") or headers.get("shopify-webhook-id", "")
    else:
        given = headers.get("x-wc-webhook-signature", "")
        topic = headers.get("x-wc-webhook-topic", "")
        event = headers.get("x-wc-webhook-delivery-id", "")
    _verify(raw, given, secret)
    # The headers are not signed, the body is: a body seen before is not news under a new name.
    event = f"{topic}:{event}:{hashlib.sha256(raw).hexdigest()[:32]}"
    try:
        body = json.loads(raw.decode())
        return _news(platform, event, topic, body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MoneyError) as error:
        raise WebhookError(f"the webhook {topic[:60]!r} cannot be read: {error}"[:200]) from None


def _news(platform: Platform, event: str, topic: str, body: dict[str, Any]) -> OwnShopNews:
    if topic in ("customers/redact", "customers/data_request"):
        return OwnShopNews(event, topic, email=(body.get("customer") or {}).get("email"))
    if topic == "refunds/create":
        currency = _refund_currency(body)
        order_ref = str(body["order_id"])
        return OwnShopNews(event, topic, refund=(order_ref, _shopify_refund(body, currency)))
    if topic.startswith("orders/"):
        return OwnShopNews(event, topic, order=_shopify_order(body))
    if platform == "woocommerce" and topic.startswith("order."):
        return OwnShopNews(event, topic, order=_woo_order(body))
    return OwnShopNews(event, topic)


def _verify(raw: bytes, given: str, secret: str) -> None:
    if not secret.strip():
        raise WebhookError("no secret is set; see LIVEPITCH_OWN_SHOP_SECRET", 401)
    wanted = base64.b64encode(hmac.digest(secret.encode(), raw, "sha256"))
    if not hmac.compare_digest(wanted, given.strip().encode(errors="replace")):
        raise WebhookError("the webhook's signature is not ours", 401)


def _shopify_order(body: dict[str, Any]) -> OwnShopOrder:
    currency = str(body["currency"])
    attributes = {str(one.get("name")): one.get("value") for one in body["note_attributes"] or []}
    shipping = ((body.get("total_shipping_price_set") or {}).get("shop_money") or {}).get("amount")
    return OwnShopOrder(
        ref=str(body["id"]),
        order=_text(attributes.get(ATTRIBUTE)),
        is_paid=body.get("financial_status") in ("paid", "partially_refunded", "refunded"),
        is_test=bool(body.get("test")),
        paid_at=_moment(body.get("processed_at")),
        lines=tuple(_shopify_line(line, currency) for line in body["line_items"]),
        shipping=_money(shipping, currency),
        tax=_money(body.get("total_tax"), currency),
        total=_money(body["total_price"], currency),
        email=_text(body.get("email")),
        refunds=tuple(_shopify_refund(one, currency) for one in body.get("refunds") or []),
    )


def _shopify_line(line: dict[str, Any], currency: str) -> OwnShopLine:
    reductions = line.get("discount_allocations") or []
    off = sum(_money(one["amount"], currency).minor for one in reductions)
    quantity = int(line["quantity"])
    net = Money(_money(line["price"], currency).minor * quantity - off, currency)
    return OwnShopLine(str(line.get("sku") or ""), str(line["title"]), quantity, net)


def _shopify_refund(body: dict[str, Any], currency: str) -> OwnShopRefund:
    moved = [
        _money(one["amount"], currency).minor
        for one in body.get("transactions") or []
        if one.get("kind") == "refund" and one.get("status") == "success"
    ]
    goods = [_money(one["subtotal"], currency).minor for one in body.get("refund_line_items") or []]
    total = Money(sum(moved), currency)
    return OwnShopRefund(str(body["id"]), total, Money(min(sum(goods), total.minor), currency))


def _refund_currency(body: dict[str, Any]) -> str:
    for one in body.get("transactions") or []:
        if one.get("currency"):
            return str(one["currency"])
    raise KeyError("transactions")


def _woo_order(body: dict[str, Any]) -> OwnShopOrder:
    currency = str(body["currency"])
    meta = {str(one.get("key")): one.get("value") for one in body.get("meta_data") or []}
    order = next((meta[key] for key in _WOO_META if meta.get(key)), None)
    return OwnShopOrder(
        ref=str(body["id"]),
        order=_text(order),
        is_paid=body.get("status") in _WOO_PAID,
        is_test=False,
        paid_at=_moment(body.get("date_paid_gmt")),
        lines=tuple(
            OwnShopLine(
                str(line.get("sku") or ""),
                str(line["name"]),
                int(line["quantity"]),
                _money(line["total"], currency),
            )
            for line in body["line_items"]
        ),
        shipping=_money(body.get("shipping_total"), currency),
        tax=_money(body.get("total_tax"), currency),
        total=_money(body["total"], currency),
        email=_text((body.get("billing") or {}).get("email")),
        refunds=tuple(
            OwnShopRefund(str(one["id"]), _money(str(one["total"]).lstrip("-"), currency), None)
            for one in body.get("refunds") or []
        ),
    )


def _money(amount: Any, currency: str) -> Money:
    if amount in (None, ""):
        return Money(0, currency)
    return Money.parse(str(amount), currency, decimal=".")


def _moment(text: Any) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(str(text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
