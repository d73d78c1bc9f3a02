"""Payment pages of the sandbox till: opened, looked at, expired."""

from typing import Any

from commerce.checkout.sandbox.failure import Refusal
from commerce.checkout.sandbox.store import Body, Store

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600
_LEEWAY_S = 5
_MOST_LINES = 100


async def create(store: Store, given: dict[str, Any], *, page_address: str) -> Body:
    """Open a page, if Stripe would.

    Raises:
        Refusal: Something that a type cannot say is wrong.
    """
    lines = given.get("line_items") or []
    if given.get("mode") != "payment":
        raise Refusal.parameter("The sandbox only knows mode=payment.", "mode")
    if not lines:
        raise Refusal.parameter(
            "Missing required param: line_items.", "line_items", "parameter_missing"
        )
    if len(lines) > _MOST_LINES:
        raise Refusal.parameter("line_items can hold 100 entries.", "line_items")
    if not given.get("success_url"):
        raise Refusal.parameter(
            "Missing required param: success_url.", "success_url", "parameter_missing"
        )
    expires_at = int(given.get("expires_at") or store.second + LONGEST_S)
    if not (
        store.second + SHORTEST_S - _LEEWAY_S <= expires_at <= store.second + LONGEST_S + _LEEWAY_S
    ):
        raise Refusal.parameter(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            "expires_at",
        )
    if len(given.get("client_reference_id") or "") > 200:
        raise Refusal.parameter("client_reference_id is too long.", "client_reference_id")
    intent = given.get("payment_intent_data") or {}
    for metadata in (given.get("metadata") or {}, intent.get("metadata") or {}):
        _check_metadata(metadata)
    amount, currency = _sum(lines)
    options = given.get("shipping_options") or []
    shipping = _rate(options[0])["amount"] if options else 0
    body = await store.add("cs_test", _skeleton(given, amount, shipping, currency, expires_at))
    body["url"] = f"{page_address}/{body['id']}"
    return await store.put(body)


async def expire(store: Store, ref: str) -> Body:
    """End an open page.

    Raises:
        Refusal: It is over already.
    """
    body = await current(store, ref)
    if body["status"] != "open":
        raise Refusal(
            400, 'Only Checkout Sessions with a status in ["open"] can be expired.', param="session"
        )
    return await _expired(store, body)


async def current(store: Store, ref: str) -> Body:
    """A page as it is now; one whose time is over expires when somebody looks."""
    body = await store.get(ref, "checkout.session")
    if body["status"] == "open" and body["expires_at"] <= store.second:
        return await _expired(store, body)
    return body


async def _expired(store: Store, body: Body) -> Body:
    body = await store.put({**body, "status": "expired", "url": None})
    await store.event("checkout.session.expired", body)
    return body


def _skeleton(
    given: dict[str, Any], amount: int, shipping: int, currency: str, expires_at: int
) -> Body:
    has_tax = bool((given.get("automatic_tax") or {}).get("enabled"))
    return {
        "object": "checkout.session",
        "mode": "payment",
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        "amount_subtotal": amount,
        "amount_total": amount + shipping,
        "total_details": {"amount_discount": 0, "amount_shipping": shipping, "amount_tax": 0},
        "automatic_tax": {"enabled": has_tax, "status": None, "liability": None, "provider": None},
        "currency": currency,
        "client_reference_id": given.get("client_reference_id"),
        "metadata": dict(given.get("metadata") or {}),
        "customer": None,
        "customer_details": None,
        "customer_email": given.get("customer_email"),
        "shipping_address_collection": given.get("shipping_address_collection"),
        "expires_at": expires_at,
        "success_url": given.get("success_url"),
        "cancel_url": given.get("cancel_url"),
        "url": None,
        "locale": None,
        "_lines": [_line(line) for line in given["line_items"]],
        "_rates": [_rate(option) for option in given.get("shipping_options") or []],
        "_intent": given.get("payment_intent_data") or {},
    }


def _line(line: dict[str, Any]) -> Body:
    data = line["price_data"]
    return {
        "title": data["product_data"]["name"],
        "detail": data["product_data"].get("description", ""),
        "unit": int(data["unit_amount"]),
        "quantity": int(line["quantity"]),
    }


def _rate(option: dict[str, Any]) -> Body:
    data = option.get("shipping_rate_data")
    if data is None or data.get("fixed_amount") is None:
        raise Refusal.parameter(
            "The sandbox only knows shipping_rate_data with a fixed_amount.", "shipping_options"
        )
    return {"name": data["display_name"], "amount": int(data["fixed_amount"]["amount"])}


def _sum(lines: list[dict[str, Any]]) -> tuple[int, str]:
    total, currencies = 0, set()
    for place, line in enumerate(lines):
        data, name = line.get("price_data"), f"line_items[{place}]"
        if data is None or data.get("product_data") is None or data.get("unit_amount") is None:
            raise Refusal.parameter(
                "The sandbox only knows price_data with product_data and unit_amount.", name
            )
        quantity, unit = int(line.get("quantity") or 0), int(data["unit_amount"])
        if quantity < 1 or unit < 0:
            raise Refusal.parameter(f"Invalid {name}: quantity and price are positive.", name)
        if not data["product_data"].get("name"):
            raise Refusal.parameter("You passed an empty string.", f"{name}[price_data]")
        total += unit * quantity
        currencies.add(str(data["currency"]).lower())
    if len(currencies) != 1:
        raise Refusal.parameter("All line items must have one currency.", "line_items")
    if total > 99_999_999:
        raise Refusal.parameter("The total must be no more than 8 digits.", "line_items")
    return total, currencies.pop()


def _check_metadata(metadata: dict[str, Any]) -> None:
    if len(metadata) > 50 or any(
        len(name) > 40 or len(str(value)) > 500 for name, value in metadata.items()
    ):
        raise Refusal.parameter(
            "Metadata takes 50 keys, 40-character names and 500-character values.", "metadata"
        )
