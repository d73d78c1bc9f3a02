"""Money of the sandbox till: charges, refunds, disputes, transfers. None of it is real."""

from typing import Any, Literal

from commerce.checkout.sandbox.failure import Refusal
from commerce.checkout.sandbox.store import Body, Store


async def charge(store: Store, intent: Body) -> Body:
    """Take the money of an intent: its charge, with a fee like Stripe's standard one."""
    amount, currency = intent["amount"], intent["currency"]
    fee = min(amount, (amount * 29 + 500) // 1000 + 30)
    balance = await store.add(
        "txn",
        {
            "object": "balance_transaction",
            "type": "charge",
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": currency,
            "status": "available",
        },
    )
    made = await store.add(
        "ch",
        {
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "refunded": False,
            "captured": True,
            "paid": True,
            "disputed": False,
            "status": "succeeded",
            "currency": currency,
            "payment_intent": intent["id"],
            "balance_transaction": balance["id"],
            "transfer_group": intent["transfer_group"],
            "metadata": intent["metadata"],
        },
        parent=intent["id"],
    )
    await store.put(
        {
            **intent,
            "status": "succeeded",
            "amount_received": amount,
            "latest_charge": made["id"],
        }
    )
    return made


async def refund(store: Store, given: dict[str, Any]) -> Body:
    """Give money back, never more than was taken.

    Raises:
        Refusal: No such charge, nothing left of it, or a bank has it.
    """
    ref = given.get("charge")
    if ref is None and given.get("payment_intent"):
        ref = (await store.get(given["payment_intent"], "payment_intent"))["latest_charge"]
    if ref is None:
        raise Refusal.missing("charge")
    paid = await store.get(ref, "charge")
    left = paid["amount"] - paid["amount_refunded"]
    if paid["disputed"]:
        raise Refusal(400, f"Charge {ref} has been charged back.", code="charge_disputed")
    if left == 0:
        raise Refusal(
            400, f"Charge {ref} has already been refunded.", code="charge_already_refunded"
        )
    amount = int(given.get("amount") or left)
    if not 0 < amount <= left:
        raise Refusal(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    made = await store.add(
        "re",
        {
            "object": "refund",
            "amount": amount,
            "currency": paid["currency"],
            "charge": ref,
            "payment_intent": paid["payment_intent"],
            "reason": given.get("reason"),
            "status": "succeeded",
            "metadata": dict(given.get("metadata") or {}),
        },
        parent=ref,
    )
    refunded = paid["amount_refunded"] + amount
    paid = await store.put(
        {**paid, "amount_refunded": refunded, "refunded": refunded == paid["amount"]}
    )
    await store.event("refund.created", made)
    await store.event("charge.refunded", paid)
    return made


async def dispute(store: Store, payment: str, *, is_inquiry: bool = False) -> Body:
    """A buyer's bank asks: what a test does to see how the shop takes it."""
    intent = await store.get(payment, "payment_intent")
    paid = await store.get(intent["latest_charge"], "charge")
    made = await store.add(
        "du",
        {
            "object": "dispute",
            "amount": paid["amount"] - paid["amount_refunded"],
            "currency": paid["currency"],
            "charge": paid["id"],
            "payment_intent": payment,
            "reason": "fraudulent",
            "status": "warning_needs_response" if is_inquiry else "needs_response",
            "is_charge_refundable": is_inquiry,
            "metadata": {},
        },
    )
    await store.event("charge.dispute.created", made)
    if not is_inquiry:
        await store.put({**paid, "disputed": True})
        await store.event("charge.dispute.funds_withdrawn", made)
    return made


async def close_dispute(store: Store, ref: str, status: Literal["won", "lost"]) -> Body:
    """The bank decides."""
    body = await store.put({**await store.get(ref, "dispute"), "status": status})
    await store.event("charge.dispute.closed", body)
    if status == "won":
        paid = await store.get(body["charge"], "charge")
        await store.put({**paid, "disputed": False})
        await store.event("charge.dispute.funds_reinstated", body)
    return body


async def account(store: Store, given: dict[str, Any]) -> Body:
    """A recommender's account, ready to be paid."""
    return await store.add(
        "acct",
        {
            "object": "account",
            "type": given.get("type", "express"),
            "country": given.get("country", "US"),
            "email": given.get("email"),
            "charges_enabled": True,
            "payouts_enabled": True,
            "details_submitted": True,
            "metadata": dict(given.get("metadata") or {}),
        },
    )


async def transfer(store: Store, given: dict[str, Any]) -> Body:
    """Send commission, within the charge it comes from.

    Raises:
        Refusal: No such account or charge, or more than the charge brought.
    """
    destination = given.get("destination") or ""
    await store.get(destination, "account")
    amount, source = int(given.get("amount") or 0), given.get("source_transaction")
    if amount < 1:
        raise Refusal.parameter("This value must be greater than or equal to 1.", "amount")
    if source is not None:
        paid = await store.get(source, "charge")
        sent = sum(one["amount"] for one in await store.listed("transfer", source))
        if sent + amount > paid["amount"]:
            raise Refusal(400, "The transfers exceed the source charge.", param="amount")
        if given["currency"] != paid["currency"]:
            raise Refusal.parameter("The currency is not that of the source charge.", "currency")
    made = await store.add(
        "tr",
        {
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "reversed": False,
            "currency": given["currency"],
            "destination": destination,
            "source_transaction": source,
            "transfer_group": given.get("transfer_group"),
            "metadata": dict(given.get("metadata") or {}),
        },
        parent=source or "",
    )
    await store.event("transfer.created", made)
    return made


async def reverse(store: Store, ref: str, given: dict[str, Any]) -> Body:
    """Take commission back, never more than was sent.

    Raises:
        Refusal: No such transfer, or less is left of it.
    """
    sent = await store.get(ref, "transfer")
    left = sent["amount"] - sent["amount_reversed"]
    amount = int(given.get("amount") or left)
    account = await store.get(sent["destination"], "account")
    if (account.get("metadata") or {}).get("sandbox_balance") == "spent":
        # Whom the money went to has spent it: said here in the account's own metadata.
        raise Refusal(400, "The account has no balance for this.", code="balance_insufficient")
    if not 0 < amount <= left:
        raise Refusal(
            400, f"The reversal ({amount}) is more than is left ({left}).", param="amount"
        )
    made = await store.add(
        "trr",
        {
            "object": "transfer_reversal",
            "amount": amount,
            "currency": sent["currency"],
            "transfer": ref,
            "metadata": dict(given.get("metadata") or {}),
        },
        parent=ref,
    )
    back = sent["amount_reversed"] + amount
    sent = await store.put({**sent, "amount_reversed": back, "reversed": back == sent["amount"]})
    await store.event("transfer.reversed", sent)
    return made
