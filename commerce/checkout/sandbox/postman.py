"""Webhooks of the sandbox till: signed, delivered at least once, and as badly as one asks for."""

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from commerce.checkout.sandbox.buyer import settle_due
from commerce.checkout.sandbox.store import Body, Store, public
from commerce.checkout.signature import sign
from commerce.database import Database
from commerce.errors import DatabaseError

Deliver = Callable[[bytes, str], Awaitable[int]]
"""Takes a body and its signature to the shop; returns the HTTP status."""

_MOST_ATTEMPTS = 16
_LONGEST_WAIT_S = 60.0
_IDLE_S, _BUSY_S = 30.0, 0.2


@dataclass(slots=True)
class Chaos:
    """How badly webhooks travel, for tests: real ones come twice, late and in any order.

    Attributes:
        duplicate: Share of events that come twice.
        is_shuffled: Whether their order is lost.
        delay_s: How long they stay away.
        seed: Same seed, same mischief.
    """

    duplicate: float = 0.0
    is_shuffled: bool = False
    delay_s: float = 0.0
    seed: int = 0


class Postman:
    """Delivers the sandbox's events.

    Attributes:
        deliver: Takes them to the shop; may be changed while it runs.
        chaos: How badly they travel.

    Args:
        database: Where they wait.
        clock: Says the time; timezone-aware.
        secret: Signs them.
        deliver: Takes them to the shop.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], secret: str, deliver: Deliver
    ) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret
        self.deliver = deliver
        self._wake = asyncio.Event()
        self.chaos = Chaos()

    def wake(self) -> None:
        """There is something to deliver."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._wake.clear()
            try:
                is_busy = await self.tick()
            except DatabaseError:
                is_busy = True  # locked or full for the moment; the next round may do better
            if is_busy:
                await asyncio.sleep(_BUSY_S)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _IDLE_S)

    async def tick(self) -> bool:
        """Settle what is due and deliver once; returns whether anything still waits."""
        async with self._database.writing() as session:
            store = Store(session, self._clock())
            unsettled = await settle_due(store)
            events = await store.listed("event", "due")
        now = self._clock().timestamp()
        ready = [event for event in events if event["_due"] + self.chaos.delay_s <= now]
        mischief = random.Random(self.chaos.seed)
        ready += [event for event in ready if mischief.random() < self.chaos.duplicate]
        if self.chaos.is_shuffled:
            mischief.shuffle(ready)
        done: set[str] = set()
        for event in ready:
            if await self._accepted(event):
                done.add(event["id"])
        await self._note({event["id"]: event for event in ready}, done)
        return bool(unsettled or len(done) < len(events))

    async def _accepted(self, event: Body) -> bool:
        raw = json.dumps(public(event), indent=2).encode()
        signature = sign(raw, self._secret, at=int(self._clock().timestamp()))
        try:
            status = await self.deliver(raw, signature)
        except OSError:
            return False
        return 200 <= status < 300

    async def _note(self, tried: dict[str, Body], done: set[str]) -> None:
        if not tried:
            return
        async with self._database.writing() as session:
            store = Store(session, self._clock())
            for ref, event in tried.items():
                if ref in done:
                    await store.put({**event, "pending_webhooks": 0}, parent="")
                    continue
                attempts = event["_attempts"] + 1
                wait = min(_LONGEST_WAIT_S, 0.1 * 2**attempts)
                later = {"_attempts": attempts, "_due": store.now.timestamp() + wait}
                is_over = attempts >= _MOST_ATTEMPTS
                await store.put({**event, **later}, parent="lost" if is_over else "due")
