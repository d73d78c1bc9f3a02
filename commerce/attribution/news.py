"""The till's news as rows, and everything told about an order folded into one state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from commerce.attribution.books import Dispute, GoodsLine, Paid, Standing
from commerce.attribution.chain import digest
from commerce.models.happenings import (
    Happening,
    OrderDelivered,
    OrderDisputed,
    OrderPaid,
    OrderRefunded,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of news as it is kept: nobody's name is in the payload."""

    kind: str
    key: str
    payload: dict[str, Any]
    buyer_id: int | None = None
    token_id: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything known about a paid order.

    Attributes:
        payload: Of the payment.
        buyer_id: Who paid.
        token_id: The link the checkout carried.
        paid_us: When it was paid.
        delivered_us: When the buyer had the goods.
        standing: The money.
    """

    payload: dict[str, Any]
    buyer_id: int
    token_id: int | None
    paid_us: int
    delivered_us: int | None
    standing: Standing

    @property
    def currency(self) -> str:
        """Of every amount."""
        currency: str = self.payload["currency"]
        return currency


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    since = moment.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(us: int) -> datetime:
    """The way back from ``micros``."""
    return _EPOCH + timedelta(microseconds=us)


def told(happening: Happening) -> Told:
    """A happening as it is kept; the same happening always has the same key."""
    occurred_us = micros(happening.occurred_at)
    match happening:
        case OrderPaid():
            payload = _paid_payload(happening, occurred_us)
            names = [happening.buyer, sorted(happening.buyer_keys), happening.referral]
            kind = "paid"
        case OrderRefunded():
            kind, names = "refunded", []
            payload = {
                "currency": happening.refunded.currency,
                "refunded": happening.refunded.minor,
                "goods_refunded": happening.goods_refunded.minor,
                "occurred_us": occurred_us,
            }
            if happening.returned:
                payload["returned"] = [[one.position, one.net.minor] for one in happening.returned]
        case OrderDisputed():
            kind, names = "disputed", []
            payload = {
                "currency": happening.amount.currency,
                "dispute": happening.dispute,
                "state": happening.state,
                "amount": happening.amount.minor,
                "occurred_us": occurred_us,
            }
        case OrderDelivered():
            kind, names, payload = "delivered", [], {"occurred_us": occurred_us}
    return Told(kind, digest([happening.order, kind, payload, names]), payload)


def known(news: Iterable[Told]) -> Known | None:
    """Fold news, in whatever order they came; None until the payment is among them."""
    rows = list(news)
    payments = [one for one in rows if one.kind == "paid"]
    if not payments:
        return None
    # Of payments told twice in different words the first is the truth; the fee may come later.
    paid = min(payments, key=lambda one: (one.payload["occurred_us"], one.key))
    assert paid.buyer_id is not None
    payload = paid.payload
    disputes: dict[str, Dispute] = {}
    refunded = goods_refunded = 0
    returned: dict[int, int] = {}
    deliveries = []
    for one in rows:
        if one.payload.get("currency", payload["currency"]) != payload["currency"]:
            continue
        if one.kind == "refunded":
            refunded = max(refunded, one.payload["refunded"])
            goods_refunded = max(goods_refunded, one.payload["goods_refunded"])
            for position, minor in one.payload.get("returned", ()):
                returned[position] = max(returned.get(position, 0), minor)
        elif one.kind == "disputed":
            name, new = one.payload["dispute"], _dispute(one.payload)
            disputes[name] = disputes[name].or_later(new) if name in disputes else new
        elif one.kind == "delivered":
            deliveries.append(one.payload["occurred_us"])
    money = Paid(
        goods=sum(line["net"] for line in payload["lines"]),
        shipping=payload["shipping"],
        tax=payload["tax"],
        total=payload["total"],
        fee=max(one.payload["fee"] for one in payments),
    )
    return Known(
        payload=payload,
        buyer_id=paid.buyer_id,
        token_id=paid.token_id,
        paid_us=payload["occurred_us"],
        delivered_us=min(deliveries, default=None),
        standing=Standing(
            money, refunded, goods_refunded, disputes, _lines(payload["lines"], returned)
        ),
    )


def _lines(lines: list[dict[str, Any]], returned: Mapping[int, int]) -> tuple[GoodsLine, ...]:
    """The goods by line; nothing where no refund named one."""
    if not any(returned.get(position) for position in range(len(lines))):
        return ()
    return tuple(
        GoodsLine(line["net"], 0, min(line["net"], returned.get(position, 0)))
        for position, line in enumerate(lines)
    )


def _paid_payload(happening: OrderPaid, occurred_us: int) -> dict[str, Any]:
    return {
        "currency": happening.total.currency,
        "lines": [
            {
                "sku": line.sku,
                "product": line.product,
                "title": line.title,
                "quantity": line.quantity,
                "net": line.net.minor,
                "mechanism": line.mechanism,
            }
            for line in happening.lines
        ],
        "shipping": happening.shipping.minor,
        "tax": happening.tax.minor,
        "total": happening.total.minor,
        "fee": happening.fee.minor,
        "session": happening.session,
        "source": happening.source,
        "is_test": happening.is_test,
        "occurred_us": occurred_us,
    }


def _dispute(payload: dict[str, Any]) -> Dispute:
    return Dispute(payload["state"], payload["amount"], payload["occurred_us"])
