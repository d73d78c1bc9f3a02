"""Stripe as the till's gateway, through stripe-python's asynchronous client.

The same code talks to Stripe, to Stripe's test mode and to our sandbox till: only the key and the
address differ.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import stripe

from commerce.checkout.amounts import from_stripe, to_stripe
from commerce.checkout.gateway import (
    DisputeState,
    News,
    PageRequest,
    PageState,
    PaymentState,
    Transfer,
)
from commerce.checkout.signature import verify
from commerce.errors import GatewayError, MoneyError, WebhookError
from commerce.models.buying import Provider
from commerce.money import Money

# What this code was written and tested against; another version may mean other things.
API_VERSION = "2026-10-28.endive"
# Stripe's own limits are half an hour and a day from when the request arrives, which after a crash
# may be minutes after the order was made.
SHORTEST_PAGE_S, LONGEST_PAGE_S = 40 * 60, 24 * 3600 - 60
_TIMEOUT_S = 20.0
_STATES: dict[str, str] = {"won": "won", "lost": "lost"}
_SHOWN_PAYMENT = ["payment_intent.latest_charge.balance_transaction"]


class StripeGateway:
    """One Stripe account.

    Args:
        key: Secret or restricted API key.
        webhook_secret: Of the endpoint that brings us news.
        clock: Says the time; timezone-aware.
        provider: ``stripe`` or ``sandbox``.
        address: Where the API is; None for Stripe's own.
        transport: How requests travel; None for the network.
    """

    def __init__(
        self,
        key: str,
        webhook_secret: str,
        *,
        clock: Callable[[], datetime],
        provider: Provider = "stripe",
        address: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._provider: Provider = provider
        self._is_test = provider == "sandbox" or "_test_" in key
        self._secret = webhook_secret
        self._clock = clock
        self._http = _HttpClient(transport)
        self._client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": address} if address else {},
            http_client=self._http,
            # The outbox tries again, with the same idempotency key, over hours.
            max_network_retries=1,
        )

    @property
    def provider(self) -> Provider:
        """``stripe`` or ``sandbox``."""
        return self._provider

    @property
    def is_test(self) -> bool:
        """Whether no real money moves."""
        return self._is_test

    async def open_page(self, request: PageRequest, *, key: str) -> PageState:
        """Create a Checkout Session.

        Raises:
            GatewayError: Refused or unreachable.
        """
        with _failures("open the payment page"):
            params = cast(Any, _session_params(request))
            made = await self._client.v1.checkout.sessions.create_async(
                params, {"idempotency_key": key}
            )
        return _page_state(_plain(made))

    async def page(self, ref: str) -> PageState:
        """Retrieve a Checkout Session, with its payment and fee."""
        with _failures("look at the payment page"):
            found = await self._client.v1.checkout.sessions.retrieve_async(
                ref, {"expand": _SHOWN_PAYMENT}
            )
        return _page_state(_plain(found))

    async def close_page(self, ref: str) -> PageState:
        """Expire a Checkout Session; one that is complete or expired is returned as it is."""
        try:
            with _failures("close the payment page"):
                await self._client.v1.checkout.sessions.expire_async(ref)
        except GatewayError as error:
            if error.is_passing:
                raise
        return await self.page(ref)

    async def refund(self, payment: str, amount: Money, *, key: str) -> str:
        """Refund a part or the whole of a payment."""
        with _failures("give the money back"):
            made = await self._client.v1.refunds.create_async(
                {
                    "payment_intent": payment,
                    "amount": to_stripe(amount),
                    "metadata": {"livepitch_key": key[:500]},
                },
                {"idempotency_key": key},
            )
        return str(_plain(made)["id"])

    async def payment(self, ref: str) -> PaymentState:
        """Retrieve a PaymentIntent with its charge."""
        with _failures("look at the payment"):
            found = await self._client.v1.payment_intents.retrieve_async(
                ref, {"expand": ["latest_charge"]}
            )
        body = _plain(found)
        charge = body.get("latest_charge") or {}
        refunded = int(charge.get("amount_refunded") or 0)
        order = (body.get("metadata") or {}).get("livepitch_order")
        return PaymentState(order, from_stripe(refunded, body["currency"]), charge.get("id"))

    async def dispute(self, ref: str) -> DisputeState:
        """Retrieve a Dispute."""
        with _failures("look at the dispute"):
            body = _plain(await self._client.v1.disputes.retrieve_async(ref))
        status = str(body["status"])
        state = "warning" if status.startswith("warning") else _STATES.get(status, "withdrawn")
        amount = from_stripe(int(body["amount"]), body["currency"])
        return DisputeState(ref, str(body["payment_intent"]), cast(Any, state), amount)

    async def transfer(self, transfer: Transfer, *, key: str) -> str:
        """Create a Transfer to a connected account."""
        params: dict[str, Any] = {
            "amount": to_stripe(transfer.amount),
            "currency": transfer.amount.currency.lower(),
            "destination": transfer.account,
            "metadata": dict(transfer.about or {}),
        }
        if transfer.charge is not None:
            params["source_transaction"] = transfer.charge
        if transfer.group is not None:
            params["transfer_group"] = transfer.group
        with _failures("send the commission"):
            made = await self._client.v1.transfers.create_async(
                cast(Any, params), {"idempotency_key": key}
            )
        return str(_plain(made)["id"])

    async def reverse_transfer(self, ref: str, amount: Money, *, key: str) -> str:
        """Reverse a part or the whole of a Transfer."""
        with _failures("take the commission back"):
            made = await self._client.v1.transfers.reversals.create_async(
                ref, {"amount": to_stripe(amount)}, {"idempotency_key": key}
            )
        return str(_plain(made)["id"])

    def news(self, raw: bytes, signature: str) -> News:
        """Verify a webhook and say what it is about.

        Raises:
            WebhookError: Forged, stale, from the future, or unreadable.
        """
        verify(raw, signature, self._secret, now=self._clock().timestamp())
        try:
            body = json.loads(raw.decode())
            about = body["data"]["object"]
            kind, event, ref = str(body["type"]), str(body["id"]), str(about["id"])
            order = dict(about.get("metadata") or {}).get("livepitch_order")
            what, payment = about.get("object"), about.get("payment_intent")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise WebhookError("the webhook is signed, but is no event of Stripe's") from None
        return News(
            event=event,
            kind=kind,
            about=ref,
            page=ref if what == "checkout.session" else None,
            payment=ref if what == "payment_intent" else _id_of(payment),
            order=str(order) if order else None,
        )

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()


class _HttpClient(stripe.HTTPXClient):
    """The library's client on a transport of our choice; its own constructor offers none."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        super().__init__(timeout=_TIMEOUT_S)
        if transport is not None:
            self._client_async = httpx.AsyncClient(transport=transport, trust_env=False)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request; the body is text already, which httpx no longer takes as ``data``."""
        try:
            answer = await self._client_async.request(
                method, url, headers=dict(headers), content=post_data or "", timeout=_TIMEOUT_S
            )
        except httpx.HTTPError as error:
            message = f"no answer ({type(error).__name__})"
            raise stripe.APIConnectionError(message, should_retry=True) from error  # type: ignore[no-untyped-call]
        return answer.content, answer.status_code, answer.headers

    async def aclose(self) -> None:
        """Close connections."""
        await self._client_async.aclose()


def _session_params(request: PageRequest) -> dict[str, Any]:
    currency = request.lines[0].unit.currency.lower()
    wished = int((request.expires_at - request.opened_at).total_seconds())
    life_s = max(SHORTEST_PAGE_S, min(LONGEST_PAGE_S, wished))
    about = {"livepitch_order": request.order}
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": request.order,
        "metadata": about,
        # Refunds and disputes name the payment, not the session.
        "payment_intent_data": {"metadata": about, "transfer_group": request.order},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.opened_at.timestamp()) + life_s,
        "line_items": [
            {
                "quantity": line.quantity,
                "price_data": {
                    "currency": currency,
                    "unit_amount": to_stripe(line.unit),
                    "product_data": {"name": line.title}
                    | ({"description": line.detail} if line.detail else {}),
                },
            }
            for line in request.lines
        ],
    }
    if request.shipping_countries:
        params["shipping_address_collection"] = {
            "allowed_countries": list(request.shipping_countries)
        }
    if request.shipping_rates:
        params["shipping_options"] = [
            {
                "shipping_rate_data": {
                    "type": "fixed_amount",
                    "display_name": rate.name,
                    "fixed_amount": {"amount": to_stripe(rate.price), "currency": currency},
                }
            }
            for rate in request.shipping_rates
        ]
    if request.has_tax:
        params["automatic_tax"] = {"enabled": True}
    return params


def _page_state(body: Mapping[str, Any]) -> PageState:
    currency = str(body["currency"])
    details = body.get("total_details") or {}
    intent = body.get("payment_intent")
    intent = intent if isinstance(intent, Mapping) else {"id": intent}
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, Mapping) else {"id": charge}
    balance = charge.get("balance_transaction")
    fee = int(balance.get("fee") or 0) if isinstance(balance, Mapping) else 0

    def money(amount: Any) -> Money:
        return from_stripe(int(amount or 0), currency)

    return PageState(
        ref=str(body["id"]),
        order=str(body.get("client_reference_id") or ""),
        url=body.get("url"),
        state=cast(Any, _page_status(body, intent)),
        payment=_id_of(intent),
        charge=_id_of(charge),
        goods=money(body.get("amount_subtotal")),
        shipping=money(details.get("amount_shipping")),
        tax=money(details.get("amount_tax")),
        total=money(body.get("amount_total")),
        # The fee is in the account's own currency, which may be another one.
        fee=money(fee) if balance and balance["currency"] == currency else money(0),
        email=(body.get("customer_details") or {}).get("email"),
        paid_at=datetime.fromtimestamp(charge["created"], UTC) if charge.get("created") else None,
    )


def _page_status(body: Mapping[str, Any], intent: Mapping[str, Any]) -> str:
    if body["status"] != "complete":
        return str(body["status"])
    if body["payment_status"] in ("paid", "no_payment_required"):
        return "paid"
    is_over = intent.get("status") in ("requires_payment_method", "canceled")
    return "failed" if is_over else "processing"


def _plain(answer: Any) -> dict[str, Any]:
    body: dict[str, Any] = answer.to_dict()
    return body


def _id_of(value: Any) -> str | None:
    found = value.get("id") if isinstance(value, Mapping) else value
    return str(found) if found else None


@contextlib.contextmanager
def _failures(what: str) -> Iterator[None]:
    try:
        yield
    except MoneyError as error:
        raise GatewayError(f"cannot {what}: {error}", is_passing=False) from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        is_passing = (
            isinstance(error, stripe.APIConnectionError | stripe.RateLimitError)
            or status >= 500
            or status in (0, 409, 429)
        )
        is_silent = isinstance(error, stripe.APIConnectionError)
        reason = "the provider does not answer" if is_silent else error.user_message or "refused"
        raise GatewayError(
            f"cannot {what}: {reason}", is_passing=is_passing, code=error.code or ""
        ) from error
