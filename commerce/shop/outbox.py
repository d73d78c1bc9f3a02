"""The outbox: what must be done outside, done at least once, whatever dies in between.

An errand is written in the transaction that makes it necessary. The dispatcher takes it, does it,
and only then ticks it off: a crash at any point leaves it to be done again, so everything it does
must be safe to do twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from commerce.checkout.once import insert_once
from commerce.errors import CommerceError, GatewayError, NoticeError
from commerce.models.buying import DeadLetter
from commerce.models.orders import Errand
from commerce.shop.context import Context

log = logging.getLogger(__name__)

Handler = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Told the errand's aggregate and payload; raises to be asked again later."""

_LEASE = timedelta(seconds=60)
_LONGEST_WAIT_S = 3600.0
# The provider may forget an idempotency key after a day; then trying again could act twice.
_LONGEST_LIFE = timedelta(hours=23)
_IDLE_S = 2.0


async def post(
    session: AsyncSession,
    *,
    key: str,
    aggregate: str,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Write an errand into the caller's transaction; returns False when its key is known already.

    Args:
        session: Open for writing.
        key: The same key is one errand, ever.
        aggregate: Errands of one aggregate are done in their order.
        kind: Names the handler.
        payload: JSON-ready.
        now: The time.
        due_at: Not before this; now when None.
    """
    return await insert_once(
        session,
        Errand,
        {
            "key": key,
            "aggregate": aggregate,
            "kind": kind,
            "payload": dict(payload),
            "due_at": due_at or now,
            "created_at": now,
        },
    )


class Outbox:
    """Does what the shop's transactions left to be done.

    Args:
        context: Of the shop.
        step: Told the name of every step; tests end the process there.
        at_once: Errands of different aggregates that are done beside each other.
    """

    def __init__(self, context: Context, step: Callable[[str], None], *, at_once: int = 1) -> None:
        self._database = context.database
        self._clock = context.clock
        self._step = step
        self._at_once = at_once
        self._handlers: dict[str, Handler] = {}
        self._wake = asyncio.Event()

    def on(self, kind: str, handler: Handler) -> None:
        """Have errands of a kind done by somebody."""
        self._handlers[kind] = handler

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Do errands until cancelled."""
        while True:
            self._wake.clear()
            done = 0
            try:
                done = await self.dispatch()
            except CommerceError as error:
                log.warning("outbox pauses", extra={"reason": str(error)})
            if not done:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _IDLE_S)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Do errands in the background while the block runs."""
        task = asyncio.create_task(self.run(), name="outbox")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def dispatch(self, *, most: int = 200) -> int:
        """Do what is due, in rounds, until nothing is; returns how many were tried."""
        tried = 0
        while tried < most:
            ids = await self._ready(min(50, most - tried))
            if not ids:
                break
            for start in range(0, len(ids), self._at_once):
                part = ids[start : start + self._at_once]
                await asyncio.gather(*[self._try(number) for number in part])
            tried += len(ids)
        return tried

    async def do(self, key: str) -> None:
        """Do one errand now, and raise what its handler raises; it is ticked off in both cases."""
        async with self._database.reading() as session:
            number = await session.scalar(select(Errand.id).where(Errand.key == key))
        if number is None:
            return
        errand = await self._lease(number)
        if errand is None:
            return
        try:
            await self._handle(errand)
        except CommerceError as error:
            await self._finish(errand.id, "done", str(error))
            raise
        self._step(f"did {errand.kind}")
        await self._finish(errand.id, "done", "")

    # Dead letters ------------------------------------------------------------------------------

    async def dead_letters(self) -> list[DeadLetter]:
        """Errands that failed too often, oldest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(Errand).where(Errand.state == "dead").order_by(Errand.id)
            )
            return [
                DeadLetter(
                    row.id,
                    row.kind,
                    row.aggregate,
                    row.attempts,
                    row.last_error,
                    row.created_at,
                    row.payload,
                )
                for row in rows
            ]

    async def retry(self, number: int) -> bool:
        """Give a dead letter another life; False when there is no such one."""
        now = self._clock()
        async with self._database.writing() as session:
            revived = await session.execute(
                update(Errand)
                .where(Errand.id == number, Errand.state == "dead")
                .values(state="waiting", attempts=0, due_at=now, created_at=now, leased_until=None)
            )
        self.wake()
        return bool(revived.rowcount)  # type: ignore[attr-defined]

    # Private -----------------------------------------------------------------------------------

    async def _ready(self, most: int) -> list[int]:
        """The first waiting errand of every aggregate, if it is due and nobody has it."""
        now = self._clock()
        earlier = aliased(Errand)
        first = (
            select(func.min(earlier.id))
            .where(earlier.aggregate == Errand.aggregate, earlier.state == "waiting")
            .correlate(Errand)
            .scalar_subquery()
        )
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(Errand.id)
                .where(
                    Errand.state == "waiting",
                    Errand.due_at <= now,
                    or_(Errand.leased_until.is_(None), Errand.leased_until <= now),
                    Errand.kind.in_(tuple(self._handlers)),
                    Errand.id == first,
                )
                .order_by(Errand.due_at, Errand.id)
                .limit(most)
            )
            return list(rows)

    async def _lease(self, number: int) -> Errand | None:
        """Take an errand for a while; None when somebody else has it."""
        now = self._clock()
        async with self._database.writing() as session:
            taken = await session.execute(
                update(Errand)
                .where(
                    Errand.id == number,
                    Errand.state == "waiting",
                    or_(Errand.leased_until.is_(None), Errand.leased_until <= now),
                )
                .values(leased_until=now + _LEASE, attempts=Errand.attempts + 1)
            )
            if not taken.rowcount:  # type: ignore[attr-defined]
                return None
            found: Errand | None = await session.scalar(select(Errand).where(Errand.id == number))
        return found

    async def _try(self, number: int) -> None:
        errand = await self._lease(number)
        if errand is None:
            return
        self._step(f"took {errand.kind}")
        try:
            await self._handle(errand)
        except CommerceError as error:
            await self._failed(errand, error)
            return
        except Exception as error:
            # One errand that trips over a mistake must not hold up all the others.
            log.exception("errand failed", extra={"kind": errand.kind, "errand": errand.id})
            await self._failed(errand, error)
            return
        self._step(f"did {errand.kind}")
        await self._finish(errand.id, "done", "")

    async def _handle(self, errand: Errand) -> None:
        handler = self._handlers.get(errand.kind)
        if handler is None:
            raise CommerceError(f"nobody does errands of the kind {errand.kind!r} here")
        await handler(errand.aggregate, errand.payload)

    async def _failed(self, errand: Errand, error: Exception) -> None:
        now = self._clock()
        is_final = isinstance(error, GatewayError | NoticeError) and not error.is_passing
        if is_final or now - errand.created_at > _LONGEST_LIFE:
            log.error("errand is dead", extra={"kind": errand.kind, "reason": str(error)})
            await self._finish(errand.id, "dead", str(error))
            return
        wait = min(_LONGEST_WAIT_S, 2.0 ** min(errand.attempts - 1, 20))
        async with self._database.writing() as session:
            await session.execute(
                update(Errand)
                .where(Errand.id == errand.id)
                .values(
                    due_at=now + timedelta(seconds=wait),
                    leased_until=None,
                    last_error=f"{type(error).__name__}: {error}"[:500],
                )
            )

    async def _finish(self, number: int, state: str, error: str) -> None:
        async with self._database.writing() as session:
            await session.execute(
                update(Errand)
                .where(Errand.id == number)
                .values(
                    state=state, done_at=self._clock(), leased_until=None, last_error=error[:500]
                )
            )
