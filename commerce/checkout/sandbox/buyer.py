"""The hosted test page: what a buyer sees and does there. No card number is ever typed."""

from dataclasses import dataclass
from typing import Any, Literal

from commerce.checkout.amounts import from_stripe
from commerce.checkout.sandbox.failure import Refusal
from commerce.checkout.sandbox.payments import charge
from commerce.checkout.sandbox.sessions import current
from commerce.checkout.sandbox.store import Body, Store
from commerce.money import Money

TAX_PERCENT = 8  # invented, and said so on the page
SETTLES_AFTER_S = 3.0

CARDS: dict[str, tuple[str, str]] = {
    "success": ("4242 4242 4242 4242", "Pays at once"),
    "authenticate": ("4000 0025 0000 3155", "Asks the bank first (3-D Secure)"),
    "declined": ("4000 0000 0000 0002", "Is declined"),
    "insufficient": ("4000 0000 0000 9995", "Has too little money"),
    "bank": ("Bank debit", "Confirms now, the money arrives a few seconds later"),
    "bank_fails": ("Bank debit", "Confirms now, the money never arrives"),
}
_DECLINES = {
    "declined": "The test card was declined.",
    "insufficient": "The test card has insufficient funds.",
}

Outcome = Literal["paid", "processing", "declined", "authenticate", "over"]


@dataclass(frozen=True, slots=True)
class TestPage:
    """What the page shows.

    Attributes:
        state: ``open``, ``complete`` or ``expired``.
        lines: Title, detail, quantity and sum of each.
        goods: Sum of the lines.
        rates: Name and price of each way to ship.
        totals: What is paid with each of them, tax included; one when nothing is shipped.
        countries: Where goods can be shipped to.
        has_tax: Whether the invented tax is added.
        expires_at: Seconds since the epoch.
        success_url: Where to go after paying.
        cancel_url: Where to go otherwise.
    """

    __test__ = False  # pytest would collect a name that begins so

    state: str
    lines: tuple[tuple[str, str, int, Money], ...]
    goods: Money
    rates: tuple[tuple[str, Money], ...]
    totals: tuple[Money, ...]
    countries: tuple[str, ...]
    has_tax: bool
    expires_at: int
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What came of pressing "Pay"; ``message`` says why not."""

    outcome: Outcome
    message: str
    next_url: str


async def look(store: Store, ref: str) -> TestPage:
    """The page as it is now.

    Raises:
        Refusal: No such page.
    """
    body = await current(store, ref)
    currency = body["currency"]
    collection = body["shipping_address_collection"] or {}
    return TestPage(
        state=body["status"],
        lines=tuple(
            (
                line["title"],
                line["detail"],
                line["quantity"],
                from_stripe(line["unit"] * line["quantity"], currency),
            )
            for line in body["_lines"]
        ),
        goods=from_stripe(body["amount_subtotal"], currency),
        rates=tuple(
            (rate["name"], from_stripe(rate["amount"], currency)) for rate in body["_rates"]
        ),
        totals=tuple(
            from_stripe(_total(body, shipping), currency)
            for shipping in [rate["amount"] for rate in body["_rates"]] or [0]
        ),
        countries=tuple(collection.get("allowed_countries") or ()),
        has_tax=body["automatic_tax"]["enabled"],
        expires_at=body["expires_at"],
        success_url=body["success_url"],
        cancel_url=body["cancel_url"] or body["success_url"],
    )


async def pay(
    store: Store,
    ref: str,
    *,
    card: str,
    email: str,
    rate: int = 0,
    country: str = "",
    is_authenticated: bool = False,
) -> Paid:
    """Press "Pay" with a test card.

    Raises:
        Refusal: No such page or card, or the address is not one the shop ships to.
    """
    body = await current(store, ref)
    if card not in CARDS:
        raise Refusal.parameter("no such test card", "card")
    if body["status"] != "open":
        return Paid("over", "This page has already been used or has expired.", body["success_url"])
    if card in _DECLINES:
        return Paid("declined", _DECLINES[card], "")
    if card == "authenticate" and not is_authenticated:
        return Paid("authenticate", "The bank wants to know that it is you.", "")
    body = _with_address(body, email=email, rate=rate, country=country)
    intent = await _intent(store, body)
    body = {**body, "status": "complete", "url": None, "payment_intent": intent["id"]}
    if card.startswith("bank"):
        body = await store.put(body)
        due = {"_settles_at": store.now.timestamp() + SETTLES_AFTER_S, "_arrives": card == "bank"}
        await store.put({**intent, "status": "processing", "_session": ref, **due}, parent="due")
        await store.event("checkout.session.completed", body)
        return Paid("processing", "", body["success_url"])
    body = await store.put({**body, "payment_status": "paid"})
    taken = await charge(store, intent)
    await store.event("payment_intent.succeeded", await store.get(intent["id"]))
    await store.event("charge.succeeded", taken)
    await store.event("checkout.session.completed", body)
    return Paid("paid", "", body["success_url"])


async def settle_due(store: Store) -> int:
    """Let the bank debits arrive, or not, whose time has come; returns how many still wait."""
    waiting = await store.listed("payment_intent", "due")
    for intent in waiting:
        if intent["_settles_at"] > store.now.timestamp():
            continue
        page = await store.get(intent["_session"], "checkout.session")
        if intent["_arrives"]:
            taken = await charge(store, intent)
            await store.put(await store.get(intent["id"]), parent="")
            page = await store.put({**page, "payment_status": "paid"})
            await store.event("charge.succeeded", taken)
            await store.event("checkout.session.async_payment_succeeded", page)
        else:
            await store.put({**intent, "status": "requires_payment_method"}, parent="")
            await store.event("checkout.session.async_payment_failed", page)
    return len(waiting)


async def _intent(store: Store, body: Body) -> Body:
    wished: dict[str, Any] = body["_intent"]
    return await store.add(
        "pi",
        {
            "object": "payment_intent",
            "amount": body["amount_total"],
            "amount_received": 0,
            "currency": body["currency"],
            "status": "requires_confirmation",
            "metadata": dict(wished.get("metadata") or {}),
            "transfer_group": wished.get("transfer_group"),
            "latest_charge": None,
        },
    )


def _with_address(body: Body, *, email: str, rate: int, country: str) -> Body:
    rates, shipping = body["_rates"], 0
    if rates:
        if not 0 <= rate < len(rates):
            raise Refusal.parameter("no such way to ship", "rate")
        shipping = rates[rate]["amount"]
    allowed = (body["shipping_address_collection"] or {}).get("allowed_countries") or []
    if allowed and country not in allowed:
        raise Refusal.parameter("the shop does not ship there", "country")
    total = _total(body, shipping)
    tax = total - body["amount_subtotal"] - shipping
    address = {"country": country or None, "city": None, "line1": None, "line2": None}
    return {
        **body,
        "amount_total": total,
        "total_details": {"amount_discount": 0, "amount_shipping": shipping, "amount_tax": tax},
        "customer_details": {
            "email": email,
            "name": "Test buyer",
            "phone": None,
            "address": {**address, "postal_code": None, "state": None},
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }


def _total(body: Body, shipping: int) -> int:
    before = int(body["amount_subtotal"]) + shipping
    return before + (before * TAX_PERCENT // 100 if body["automatic_tax"]["enabled"] else 0)
