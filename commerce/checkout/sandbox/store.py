"""What the sandbox till remembers, in the shop's own database."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.checkout.sandbox.failure import Refusal
from commerce.models.orders import SandboxAnswer, SandboxObject

Body = dict[str, Any]


class Store:
    """One transaction on the sandbox's objects.

    Names that begin with ``_`` are the sandbox's own and never told.
    """

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session = session
        self.now = now

    @property
    def second(self) -> int:
        """Now, as Stripe writes time."""
        return int(self.now.timestamp())

    async def add(self, prefix: str, body: Body, *, parent: str = "") -> Body:
        """Keep a new object under a new id."""
        ref = f"{prefix}_{secrets.token_hex(12)}"
        whole = {"id": ref, "created": self.second, **body}
        if body["object"] not in ("refund", "transfer_reversal", "balance_transaction", "account"):
            whole["livemode"] = False
        self._session.add(
            SandboxObject(
                id=ref, kind=body["object"], parent=parent, body=whole, created_at=self.now
            )
        )
        await self._session.flush()
        return whole

    async def get(self, ref: str, kind: str | None = None) -> Body:
        """An object.

        Raises:
            Refusal: There is none, or it is another kind of thing.
        """
        found = await self._session.get(SandboxObject, ref)
        if found is None or (kind is not None and found.kind != kind):
            raise Refusal.missing(f"{kind or 'object'}: '{ref[:80]}'")
        return dict(found.body)

    async def put(self, body: Body, *, parent: str | None = None) -> Body:
        """Keep an object as it has become."""
        values: dict[str, Any] = {"body": body}
        if parent is not None:
            values["parent"] = parent
        await self._session.execute(
            update(SandboxObject).where(SandboxObject.id == body["id"]).values(values)
        )
        return body

    async def listed(self, kind: str, parent: str) -> list[Body]:
        """Objects that belong to another, oldest first."""
        rows = await self._session.scalars(
            select(SandboxObject)
            .where(SandboxObject.kind == kind, SandboxObject.parent == parent)
            .order_by(SandboxObject.created_at, SandboxObject.id)
        )
        return [dict(row.body) for row in rows]

    async def answer(self, key: str) -> SandboxAnswer | None:
        """What was answered to an idempotency key."""
        return await self._session.get(SandboxAnswer, key)

    def keep_answer(self, key: str, fingerprint: str, status: int, body: str) -> None:
        """Answer the same again."""
        self._session.add(SandboxAnswer(key=key, fingerprint=fingerprint, status=status, body=body))

    async def expanded(self, body: Body, paths: list[str]) -> Body:
        """An object with the objects that some of its fields name."""
        body = public(body)
        for path in paths:
            await self._expand(body, path.split("."))
        return body

    async def _expand(self, body: Body, parts: list[str]) -> None:
        name, rest = parts[0], parts[1:]
        value = body.get(name)
        if isinstance(value, str):
            value = body[name] = public(await self.get(value))
        if isinstance(value, dict) and rest:
            await self._expand(value, rest)

    async def event(self, kind: str, about: Mapping[str, Any]) -> None:
        """Something happened that a webhook must tell."""
        await self.add(
            "evt",
            {
                "object": "event",
                "api_version": about.get("_api_version"),
                "type": kind,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "data": {"object": public(about)},
                "_due": self.now.timestamp(),
                "_attempts": 0,
            },
            parent="due",
        )


def public(body: Mapping[str, Any]) -> Body:
    """What may be told of an object."""
    return {name: value for name, value in body.items() if not name.startswith("_")}
