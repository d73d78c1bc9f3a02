"""What happened to an order: the news that the till leaves in the outbox and the ledger reads.

Every amount that can change is cumulative, so that news that comes twice, late or out of order
leads to the same books.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from commerce.money import Money


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line of a paid order.

    Attributes:
        sku: The variant's identifier.
        product: The catalogue's own name for the product (its handle).
        title: As the buyer saw it.
        quantity: Units, at least 1.
        net: What the buyer pays for the line after every reduction, without shipping and tax.
        mechanism: What set the price: ``list``, ``coupon:CODE``, ``flash:ID``, ``group:ID``, ….
    """

    sku: str
    product: str
    title: str
    quantity: int
    net: Money
    mechanism: str


@dataclass(frozen=True, slots=True)
class OrderPaid:
    """Money for an order arrived.

    Attributes:
        order: The order's public id.
        occurred_at: When it was paid; attribution windows are counted back from here.
        lines: What was sold; the sum of ``net`` is what commission is taken from.
        shipping: What the buyer paid for shipping.
        tax: What the buyer paid as tax.
        total: Everything the buyer paid.
        fee: What the payment provider kept; 0 while unknown.
        buyer: Identity node of the buyer, such as ``viewer:ab12``.
        buyer_keys: Further nodes the checkout proved to be the same person (``email_hash:…``).
        referral: The token that led to the order, if any.
        session: The live session it was bought from, if any.
        source: ``stripe``, ``sandbox``, ``shopify`` or ``woocommerce``.
        is_test: Whether no real money moved.
    """

    order: str
    occurred_at: datetime
    lines: tuple[SoldLine, ...]
    shipping: Money
    tax: Money
    total: Money
    fee: Money
    buyer: str
    buyer_keys: tuple[str, ...] = ()
    referral: str | None = None
    session: str | None = None
    source: str = "sandbox"
    is_test: bool = True


@dataclass(frozen=True, slots=True)
class ReturnedGoods:
    """What went back for the goods of one line, so far.

    Attributes:
        position: Of the line in ``OrderPaid.lines``.
        net: Everything given back for it so far, at most what was paid for it.
    """

    position: int
    net: Money


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """Money went back to the buyer.

    Attributes:
        order: The order's public id.
        occurred_at: When.
        refunded: Everything refunded so far, over all refunds of the order.
        goods_refunded: How much of it was for goods (not shipping or tax), so far.
        returned: The lines it was for, where they are known; what they leave of
            ``goods_refunded`` is for all goods in proportion.
    """

    order: str
    occurred_at: datetime
    refunded: Money
    goods_refunded: Money
    returned: tuple[ReturnedGoods, ...] = ()


DisputeState = Literal["warning", "withdrawn", "won", "lost"]


@dataclass(frozen=True, slots=True)
class OrderDisputed:
    """The buyer's bank asks the money back, or settled the question.

    Attributes:
        order: The order's public id.
        occurred_at: When.
        dispute: The provider's id of the dispute.
        state: ``warning`` moves no money; ``withdrawn`` took it; ``won`` gave it back; ``lost`` did
            not.
        amount: What is in dispute.
    """

    order: str
    occurred_at: datetime
    dispute: str
    state: DisputeState
    amount: Money


@dataclass(frozen=True, slots=True)
class OrderDelivered:
    """The buyer has the goods; return windows are counted from here."""

    order: str
    occurred_at: datetime


Happening = OrderPaid | OrderRefunded | OrderDisputed | OrderDelivered
"""Everything the ledger books. The outbox keeps it as JSON under the class's name."""

_KINDS: dict[str, type[Happening]] = {
    kind.__name__: kind for kind in (OrderPaid, OrderRefunded, OrderDisputed, OrderDelivered)
}


def to_json(happening: Happening) -> dict[str, Any]:
    """A happening as the outbox keeps it: its class under ``kind``, its fields beside it."""
    return {"kind": type(happening).__name__, **_written(happening)}


def from_json(payload: Mapping[str, Any]) -> Happening:
    """The happening that ``to_json`` wrote; unknown fields of a newer version are left out.

    Raises:
        KeyError: Not such a payload.
    """
    kind = _KINDS[payload["kind"]]
    found: Happening = kind(
        **{
            field.name: _read(field.name, payload[field.name])
            for field in fields(kind)
            if field.name in payload
        }
    )
    return found


def _written(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, SoldLine | ReturnedGoods):
        return _written(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _read(name: str, value: Any) -> Any:
    if name == "occurred_at":
        return datetime.fromisoformat(value)
    if name == "lines":
        return tuple(
            SoldLine(**{part: _read(part, inner) for part, inner in line.items()}) for line in value
        )
    if name == "returned":
        return tuple(ReturnedGoods(one["position"], _read("net", one["net"])) for one in value)
    if isinstance(value, dict):
        return Money(value["minor"], value["currency"])
    return tuple(value) if isinstance(value, list) else value
