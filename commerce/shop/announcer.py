"""``shop.announcer``: tells sellers' own programs what happens, signed, until they say 2xx."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select

from commerce.errors import NoticeError, SettingsError, UnknownOrderError
from commerce.models.happenings import (
    Happening,
    OrderDelivered,
    OrderDisputed,
    OrderPaid,
    OrderRefunded,
    to_json,
)
from commerce.models.orders import Errand
from commerce.models.webhooks import ID, SIGNATURE, TIMESTAMP, Endpoint, Notice, signature
from commerce.settings import CommerceSettings
from commerce.shop.context import Context
from commerce.shop.delivering import Delivering
from commerce.shop.ledger import Ledger
from commerce.shop.outbox import Outbox, post

_KIND = "webhook"
_AT_ONCE = 8
_TYPES = {
    OrderPaid: "order.paid",
    OrderRefunded: "order.refunded",
    OrderDisputed: "order.disputed",
    OrderDelivered: "order.delivered",
}
# Who the buyer is stays here, even as a pseudonym.
_KEPT_BACK = ("kind", "occurred_at", "buyer", "buyer_keys", "referral")


class Announcer:
    """Signed webhooks to endpoints of the seller's choice.

    News waits in the outbox of the database until it was taken: a crash, or an endpoint that is
    down, loses nothing. News of one order arrives in order; the same news may arrive twice, with
    the same id. After 23 hours in vain it is a dead letter.

    Part of a shop: ``shop.announcer``.

    Attributes:
        outbox: What waits to be sent; apart from the till's, so that a slow receiver holds up no
            order.
    """

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger
        self._endpoints: dict[str, Endpoint] = {}
        self._delivering = Delivering()
        self.outbox = Outbox(context, _no_step, at_once=_AT_ONCE)
        self.outbox.on(_KIND, self._send)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Who is told."""
        return tuple(self._endpoints.values())

    def tell(self, endpoints: Sequence[Endpoint]) -> None:
        """Tell these, and no others, from now on.

        Raises:
            SettingsError: An address cannot be one of a receiver, or a secret is too short.
        """
        for endpoint in endpoints:
            _check(endpoint)
        self._endpoints = {endpoint.key: endpoint for endpoint in endpoints}

    async def announce(
        self, event: str, data: Mapping[str, Any], *, subject: str, identity: str
    ) -> Notice | None:
        """Have news sent to everybody who wants it; it is durable when this returns.

        Args:
            event: Its type, such as ``product.heard``.
            data: JSON-ready particulars.
            subject: The order or session it is about.
            identity: What makes two pieces of news one, such as the number of an event.

        Returns:
            The news; None when nobody wants it.
        """
        notice = Notice(_id_of(event, subject, identity), event, subject, data, self._now)
        return notice if await self._post(notice) else None

    async def book(self, happening: Happening) -> None:
        """Something happened to an order, and the ledger has booked it. May be told twice."""
        if not self._endpoints:
            return
        event, written = _TYPES[type(happening)], to_json(happening)
        identity = json.dumps(written, sort_keys=True)
        data = {name: value for name, value in written.items() if name not in _KEPT_BACK}
        order, occurred_at = happening.order, happening.occurred_at
        notice_id = _id_of(event, order, identity)
        await self._post(Notice(notice_id, event, order, data, occurred_at))
        await self._attributed(order)

    async def figures(self, endpoint: Endpoint) -> dict[str, Any]:
        """How much an endpoint took (``sent``), what is ``waiting`` or ``dead``, and why."""
        aggregate = f"{_KIND}:{endpoint.key}:"
        async with self._context.database.reading() as session:
            counted = await session.execute(
                select(Errand.state, func.count())
                .where(Errand.kind == _KIND, Errand.aggregate.startswith(aggregate))
                .group_by(Errand.state)
            )
            counts = {row[0]: row[1] for row in counted}
            problem = await session.scalar(
                select(Errand.last_error)
                .where(
                    Errand.kind == _KIND,
                    Errand.aggregate.startswith(aggregate),
                    Errand.state != "done",
                    Errand.last_error != "",
                )
                .order_by(Errand.id.desc())
                .limit(1)
            )
        return {
            "sent": counts.get("done", 0),
            "waiting": counts.get("waiting", 0),
            "dead": counts.get("dead", 0),
            "problem": problem or "",
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send what waits, in the background, while the block runs."""
        async with self._delivering.open(), self.outbox.at_work():
            yield

    # -------------------------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return self._context.clock()

    async def _attributed(self, order: str) -> None:
        """Who earns what, whenever that has become something else."""
        try:
            statement = await self._ledger.statement(order)
        except UnknownOrderError:
            return  # news of its payment is still on the way
        body = statement["statement"]
        data = {
            "order": order,
            "currency": body["currency"],
            "is_test": body["is_test"],
            "model": body["attribution"]["model"],
            "state": body["state"],
            "credits": [
                {name: one[name] for name in ("recommender", "share", "commission", "reason")}
                for one in body["credits"]
            ],
            "earnings": body["earnings"],
        }
        identity = json.dumps(data, sort_keys=True)
        notice_id = _id_of("order.attributed", order, identity)
        await self._post(Notice(notice_id, "order.attributed", order, data, self._now))

    async def _post(self, notice: Notice) -> bool:
        wanted = [one for one in self._endpoints.values() if one.wants(notice.type)]
        if not wanted:
            return False
        async with self._context.database.writing() as session:
            for endpoint in wanted:
                await post(
                    session,
                    key=f"{_KIND}:{endpoint.key}:{notice.id}",
                    aggregate=f"{_KIND}:{endpoint.key}:{notice.subject}"[:80],
                    kind=_KIND,
                    payload={
                        "endpoint": endpoint.key,
                        "url": endpoint.url,
                        "id": notice.id,
                        "type": notice.type,
                        "body": notice.body(),
                    },
                    now=self._now,
                )
        self.outbox.wake()
        return True

    async def _send(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        endpoint = self._endpoints.get(payload["endpoint"])
        if endpoint is None:
            raise NoticeError(f"{payload['url']} is no longer told anything", is_passing=False)
        raw = str(payload["body"]).encode()
        # Signed anew for each try: receivers refuse old signatures.
        timestamp = int(self._now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "livepitch",
            ID: payload["id"],
            TIMESTAMP: str(timestamp),
            SIGNATURE: signature(endpoint.secret, payload["id"], timestamp, raw),
        }
        await self._delivering.post(endpoint, raw, headers)


def endpoints_of(settings: CommerceSettings) -> list[Endpoint]:
    """The endpoints that the environment names.

    Raises:
        SettingsError: There are some, but no secret.
    """
    urls = settings.webhook_urls.replace(",", " ").split()
    if not urls:
        return []
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    if not secret:
        raise SettingsError("LIVEPITCH_WEBHOOK_URLS needs LIVEPITCH_WEBHOOK_SECRET to sign with")
    events = tuple(settings.webhook_events.replace(",", " ").split()) or ("*",)
    return [Endpoint(url, secret, events, settings.webhook_loopback) for url in urls]


def _check(endpoint: Endpoint) -> None:
    shown = endpoint.url[:100]
    try:
        parts = urlsplit(endpoint.url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"webhook {shown!r} is not a web address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"webhook {shown!r}: begin it with https://")
    if parts.username is not None:
        raise SettingsError("a webhook's address holds no password; its secret signs")
    if parts.scheme == "http" and not endpoint.allows_loopback:
        raise SettingsError(f"webhook {shown!r}: use https://; http:// is for loopback only")
    if len(endpoint.secret) < 16:
        raise SettingsError(f"webhook {shown!r}: a secret has at least 16 characters")


def _id_of(event: str, subject: str, identity: str) -> str:
    digest = hashlib.sha256(f"{event}\n{subject}\n{identity}".encode()).hexdigest()
    return f"ntc_{digest[:32]}"


def _no_step(name: str) -> None:
    return None
