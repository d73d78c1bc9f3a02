"""The sandbox till's front: Stripe's HTTP protocol as one function, for any server."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

from commerce.checkout.sandbox import buyer, payments, sessions
from commerce.checkout.sandbox.failure import Refusal
from commerce.checkout.sandbox.params import checked, nested
from commerce.checkout.sandbox.postman import Deliver, Postman
from commerce.checkout.sandbox.store import Body, Store
from commerce.database import Database

_KINDS = {
    "payment_intents": "payment_intent",
    "charges": "charge",
    "disputes": "dispute",
    "refunds": "refund",
    "transfers": "transfer",
    "accounts": "account",
    "events": "event",
}
_LONGEST_KEY = 255
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SandboxReply:
    """An HTTP answer; the body is JSON."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Sandbox:
    """A stateful stand-in for Stripe; see the package.

    Args:
        database: Where its state lies.
        clock: Says the time; timezone-aware.
        key: The API key it answers to.
        webhook_secret: Signs its webhooks.
        page_address: Where its payment pages are; the id of a page is appended.
        deliver: Takes its webhooks to the shop.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        key: str,
        webhook_secret: str,
        page_address: str,
        deliver: Deliver,
    ) -> None:
        self._database = database
        self._clock = clock
        self._key = key
        self._page_address = page_address
        self._working: set[str] = set()
        self.postman = Postman(database, clock, webhook_secret, deliver)

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes, query: str = ""
    ) -> SandboxReply:
        """Answer a request of the API.

        Args:
            method: ``GET`` or ``POST``.
            path: From ``/v1/`` on.
            headers: With lower-case names.
            raw: The body, form-encoded.
            query: What stood behind the question mark.
        """
        about = {"request-id": f"req_{secrets.token_hex(8)}"}
        if not secrets.compare_digest(headers.get("authorization", ""), f"Bearer {self._key}"):
            refusal = Refusal(401, "Invalid API Key provided", kind="invalid_request_error")
            return SandboxReply(401, refusal.body, about)
        try:
            if method == "GET":
                body = await self._read(path, dict(nested(parse_qsl(query))))
                return SandboxReply(200, json.dumps(body), about)
            if method != "POST" or len(raw) > _MOST_BYTES:
                raise Refusal(404, f"Unrecognized request URL ({method}: {path})", is_kept=False)
            return await self._write(path, headers, raw, about)
        except Refusal as refusal:
            return SandboxReply(refusal.status, refusal.body, about)

    # The hosted page ---------------------------------------------------------------------------

    async def page(self, ref: str) -> buyer.TestPage | None:
        """What the hosted page shows; None when there is no such page."""
        try:
            async with self._transaction() as store:
                return await buyer.look(store, ref)
        except Refusal:
            return None

    async def pay(
        self,
        ref: str,
        *,
        card: str,
        email: str = "buyer@example.com",
        rate: int = 0,
        country: str = "",
        is_authenticated: bool = False,
    ) -> buyer.Paid:
        """Press "Pay" on the hosted page."""
        try:
            async with self._transaction() as store:
                return await buyer.pay(
                    store,
                    ref,
                    card=card,
                    email=email,
                    rate=rate,
                    country=country,
                    is_authenticated=is_authenticated,
                )
        except Refusal as refusal:
            return buyer.Paid("declined", str(refusal), "")

    # What only a test does ---------------------------------------------------------------------

    async def dispute(self, payment: str, *, is_inquiry: bool = False) -> str:
        """Have a buyer's bank ask for the money; returns the dispute's id."""
        async with self._transaction() as store:
            made = await payments.dispute(store, payment, is_inquiry=is_inquiry)
        return str(made["id"])

    async def close_dispute(self, ref: str, status: Literal["won", "lost"]) -> None:
        """Have the bank decide."""
        async with self._transaction() as store:
            await payments.close_dispute(store, ref, status)

    # Private -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Store]:
        async with self._database.writing() as session:
            yield Store(session, self._clock())
        self.postman.wake()

    async def _read(self, path: str, given: dict[str, Any]) -> Body:
        wanted = given.get("expand") or []
        async with self._transaction() as store:
            match path.strip("/").split("/"):
                case ["v1", "checkout", "sessions", ref]:
                    body = await sessions.current(store, ref)
                case ["v1", kind, ref] if kind in _KINDS:
                    body = await store.get(ref, _KINDS[kind])
                case _:
                    raise Refusal(404, f"Unrecognized request URL (GET: {path})", is_kept=False)
            return await store.expanded(body, wanted if isinstance(wanted, list) else [])

    async def _write(
        self, path: str, headers: Mapping[str, str], raw: bytes, about: dict[str, str]
    ) -> SandboxReply:
        key = headers.get("idempotency-key", "")
        if len(key) > _LONGEST_KEY:
            raise Refusal(400, "Idempotency keys have 255 characters.", is_kept=False)
        if key in self._working:
            raise Refusal(
                409,
                "There is a request with this idempotency key in progress.",
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        if key:
            self._working.add(key)
        try:
            return await self._once(path, key, raw, about)
        finally:
            self._working.discard(key)

    async def _once(self, path: str, key: str, raw: bytes, about: dict[str, str]) -> SandboxReply:
        fingerprint = hashlib.sha256(path.encode() + b"\0" + raw).hexdigest()
        async with self._transaction() as store:
            if key and (known := await store.answer(key)) is not None:
                if known.fingerprint != fingerprint:
                    raise Refusal(
                        400,
                        "Keys for idempotent requests can only be used with the same parameters "
                        f"they were first used with. Try using a key other than '{key}'.",
                        kind="idempotency_error",
                        is_kept=False,
                    )
                return SandboxReply(
                    known.status, known.body, {**about, "idempotent-replayed": "true"}
                )
            try:
                made = await self._made(
                    store, path, nested(parse_qsl(raw.decode(errors="replace")))
                )
                status, body = 200, json.dumps(await store.expanded(made, []))
            except Refusal as refusal:
                if not refusal.is_kept:
                    raise
                status, body = refusal.status, refusal.body
            if key:
                store.keep_answer(key, fingerprint, status, body)
        return SandboxReply(status, body, about)

    async def _made(self, store: Store, path: str, given: dict[str, Any]) -> Body:
        match path.strip("/").split("/"):
            case ["v1", "checkout", "sessions"]:
                wished = checked("checkout/sessions", given)
                return await sessions.create(store, wished, page_address=self._page_address)
            case ["v1", "checkout", "sessions", ref, "expire"]:
                checked("checkout/sessions/expire", given)
                return await sessions.expire(store, ref)
            case ["v1", "refunds"]:
                return await payments.refund(store, checked("refunds", given))
            case ["v1", "transfers"]:
                return await payments.transfer(store, checked("transfers", given))
            case ["v1", "transfers", ref, "reversals"]:
                return await payments.reverse(store, ref, checked("transfers/reversals", given))
            case ["v1", "accounts"]:
                return await payments.account(store, checked("accounts", given))
        raise Refusal(404, f"Unrecognized request URL (POST: {path})", is_kept=False)
