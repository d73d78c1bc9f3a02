"""What arrives at the counter, and how its answers look."""

from typing import Annotated, Any
from urllib.parse import quote as quoted

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from commerce.models.buying import (
    BargainState,
    FlashState,
    GroupState,
    OrderView,
    Quote,
    QuotedLine,
)
from commerce.models.values import ProductCard
from commerce.money import Money

_SHOWN_DESCRIPTION = 300

Sku = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PublicId = Annotated[str, StringConstraints(pattern=r"^[a-z]+_[0-9a-f]{30}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BuyLine(_Strict):
    """So many of a product."""

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=100)] = 1


class Buy(_Strict):
    """A buyer wants to pay, or to know what it would cost."""

    lines: Annotated[list[BuyLine], Field(min_length=1, max_length=20)]
    session: Annotated[str, StringConstraints(max_length=100)] | None = None
    coupon: Annotated[str, StringConstraints(max_length=60)] | None = None
    group: PublicId | None = None
    bargain: PublicId | None = None


class TestPayment(_Strict):
    """What a person chose on the sandbox's payment page."""

    __test__ = False

    card: Annotated[str, StringConstraints(max_length=30)]
    email: Annotated[str, StringConstraints(max_length=200)] = ""
    rate: Annotated[int, Field(ge=0, le=50)] = 0
    country: Annotated[str, StringConstraints(max_length=2)] = ""
    is_authenticated: bool = False


def money(amount: Money) -> dict[str, Any]:
    """An amount as pages show it."""
    return {"minor": amount.minor, "currency": amount.currency, "text": amount.display()}


def quote(found: Quote) -> dict[str, Any]:
    """A quote, line by line."""
    return {
        "lines": [line(one) for one in found.lines],
        "goods": money(found.goods),
        "saved": money(found.saved),
    }


def line(one: QuotedLine) -> dict[str, Any]:
    """One line with the reason of its price."""
    return {
        "sku": one.sku,
        "title": one.title,
        "quantity": one.quantity,
        "list_price": money(one.list_price),
        "unit_price": money(one.unit_price),
        "net": money(one.net),
        "mechanism": one.mechanism,
        "reason": one.reason,
    }


def order(found: OrderView) -> dict[str, Any]:
    """An order as its page shows it; nothing in it names the buyer."""
    return {
        "order": found.order,
        "status": found.status,
        "is_test": found.is_test,
        "lines": [line(one) for one in found.lines],
        "goods": money(found.goods),
        "shipping": money(found.shipping),
        "tax": money(found.tax),
        "total": money(found.total),
        "refunded": money(found.refunded),
        "expires_at": found.expires_at.isoformat(),
        "paid_at": found.paid_at.isoformat() if found.paid_at else None,
        "group": found.group,
        "note": found.note,
        "page_url": found.page_url,
    }


def flash(found: FlashState) -> dict[str, Any]:
    """A flash price with what a countdown needs."""
    return {
        "sku": found.sku,
        "price": money(found.price),
        "left": found.left,
        "starts_at": found.starts_at.isoformat(),
        "ends_at": found.ends_at.isoformat(),
        "is_running": found.is_running,
    }


def group(found: GroupState) -> dict[str, Any]:
    """A group order as anybody may see it; nobody's name is in it."""
    return {
        "group": found.group,
        "sku": found.sku,
        "state": found.state,
        "joined": found.joined,
        "target": found.target,
        "ladder": [{"people": people, "price": money(price)} for people, price in found.ladder],
        "price": money(found.price),
        "deadline": found.deadline.isoformat(),
        "final_price": money(found.final_price) if found.final_price else None,
    }


def shared_product(card: ProductCard | None) -> dict[str, Any] | None:
    """What a shared page is about."""
    if card is None:
        return None
    return {
        "title": card.title,
        "variant": card.variant,
        "description": card.description[:_SHOWN_DESCRIPTION],
        "image": f"/picture/{quoted(card.sku, safe='')}" if card.image is not None else None,
        "list_price": money(card.price),
    }


def bargain(found: BargainState, visitor: str | None) -> dict[str, Any]:
    """A bargain as anybody may see and check it, and whether it is the visitor's own."""
    return {
        "bargain": found.bargain,
        "sku": found.sku,
        "is_yours": visitor is not None and visitor == found.buyer,
        "price": money(found.price),
        "start": money(found.start),
        "floor": money(found.floor),
        "helps": found.helps,
        "helps_needed": found.helps_needed,
        "deadline": found.deadline.isoformat(),
        "commitment": found.commitment,
        "seed": found.seed,
        "cuts": [money(cut) for cut in found.cuts],
    }
