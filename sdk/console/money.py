"""Money and orders of the shop, as the console is answered them."""

from typing import Any

from commerce.models.buying import OrderView as Order
from commerce.money import Money


def price(amount: Money) -> dict[str, Any]:
    """An amount as the page shows it."""
    return {"minor": amount.minor, "currency": amount.currency, "text": amount.display()}


def price_or_none(amount: Money | None) -> dict[str, Any] | None:
    """The same for an amount that may be missing."""
    return None if amount is None else price(amount)


def receipt(found: Order) -> dict[str, Any]:
    """An order, line by line, with what every price rests on."""
    left = Money(max(0, found.total.minor - found.refunded.minor), found.total.currency)
    amounts = {
        "goods": found.goods,
        "shipping": found.shipping,
        "tax": found.tax,
        "total": found.total,
        "refunded": found.refunded,
        "left": left,
    }
    return {
        "order": found.order,
        "status": found.status,
        "provider": found.provider,
        "is_test": found.is_test,
        "lines": [
            {
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "list_price": price(line.list_price),
                "unit_price": price(line.unit_price),
                "net": price(line.net),
                "mechanism": line.mechanism,
                "reason": line.reason,
            }
            for line in found.lines
        ],
        **{name: price(amount) for name, amount in amounts.items()},
        "created_at": found.created_at,
        "paid_at": found.paid_at,
        "expires_at": found.expires_at,
        "group": found.group,
        "note": found.note,
    }
