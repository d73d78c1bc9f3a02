"""The inbox: what chat services push is durable before they get their 200, and worked on once.

Writers share commits: while one batch is being written, whatever arrives waits and is written as
the next one, so that the disk is asked a few dozen times a second and not thousands of times.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from commerce.database import Database
from commerce.errors import LetterboxError
from commerce.models.letterbox import InboxEvent
from commerce.shop.vault import Vault

_BATCH = 256
_MOST_ATTEMPTS = 5
_BACKOFF = timedelta(seconds=5)
_LEASE = timedelta(seconds=60)
_BODY_LIFE = timedelta(days=30)
# Longer than any service repeats a call: WhatsApp tries for 7 days.
_KEY_LIFE = timedelta(days=35)

EventState = Literal["new", "done", "dead"]


@dataclass(frozen=True, slots=True)
class ExternalEvent:
    """One pushed item of a service.

    Attributes:
        source: The channel that pushed it.
        event_id: The service's own id for it; the same id is the same event.
        body: What was pushed, verified.
    """

    source: str
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ClaimedEvent:
    """An event to be worked on now.

    Attributes:
        key: For ``finish`` and ``fail``.
        attempts: How often it was tried, this time included.
    """

    key: int
    source: str
    body: bytes
    received_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class InboxLine:
    """An event as a person may see it: never its body."""

    key: int
    source: str
    state: EventState
    received_at: datetime
    attempts: int
    problem: str


class Inbox:
    """Events between their arrival and the end of the work on them. One event loop.

    Args:
        database: Open.
        clock: Says the time.
        vault: Makes the vault when it is first needed.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], vault: Callable[[], Vault]
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._waiting: list[tuple[list[dict[str, object]], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def accept(self, events: Sequence[ExternalEvent]) -> None:
        """Keep events; returns once they are on the disk. Those known already change nothing.

        Raises:
            DatabaseError: They could not be kept; the service must not get its 200.
        """
        if not events:
            return
        now, vault = self._clock(), self._vault()
        rows = [_row(event, now, vault) for event in events]
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="inbox")
        await kept

    async def claim(self, limit: int = 16) -> list[ClaimedEvent]:
        """Events that are due, oldest first; nobody else gets them for a minute.

        What cannot be decrypted any more becomes a dead letter.
        """
        now = self._clock()
        due = (
            select(InboxEvent)
            .where(InboxEvent.state == "new", InboxEvent.due_at <= now)
            .order_by(InboxEvent.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed: list[ClaimedEvent] = []
        async with self._database.writing() as session:
            for event in await session.scalars(due):
                event.attempts += 1
                event.due_at = now + _LEASE
                try:
                    body = self._vault().open(event.body or b"", _about(event.source))
                except LetterboxError as error:
                    event.state, event.problem = "dead", str(error)
                    continue
                if event.attempts > _MOST_ATTEMPTS:
                    # Whoever worked on it died with it each time.
                    event.state = "dead"
                    event.problem = event.problem or "the work on it never came to an end"
                    continue
                claimed.append(
                    ClaimedEvent(event.id, event.source, body, event.received_at, event.attempts)
                )
        return claimed

    async def finish(self, keys: Sequence[int]) -> None:
        """Events were worked on; their bodies go, their ids stay to know repetitions by."""
        change = (
            update(InboxEvent)
            .where(InboxEvent.id.in_(keys))
            .values(state="done", body=None, problem="")
        )
        async with self._database.writing() as session:
            await session.execute(change)

    async def fail(self, key: int, problem: str, *, is_final: bool = False) -> EventState:
        """The work on an event failed: try again later, after five times not any more.

        Args:
            key: Of the claimed event.
            problem: Why, without anything a person wrote.
            is_final: Whether trying again is useless.

        Returns:
            ``new`` when it will be tried again, else ``dead``.
        """
        async with self._database.writing() as session:
            event = await session.get(InboxEvent, key)
            if event is None or event.state != "new":
                return "done"
            event.problem = problem[:500]
            event.due_at = self._clock() + _BACKOFF * 4 ** (event.attempts - 1)
            is_over = is_final or event.attempts >= _MOST_ATTEMPTS
            event.state = "dead" if is_over else "new"
            return "dead" if event.state == "dead" else "new"

    async def wait(self, timeout_s: float) -> None:
        """Return when something new was kept, or after the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        except TimeoutError:
            pass
        self._arrived.clear()

    # For the person who looks after it ----------------------------------------------------------

    async def lines(self, state: EventState | None = None, limit: int = 50) -> list[InboxLine]:
        """Events, newest first."""
        chosen = select(InboxEvent).order_by(InboxEvent.id.desc()).limit(limit)
        if state is not None:
            chosen = chosen.where(InboxEvent.state == state)
        async with self._database.reading() as session:
            return [_line(event) for event in await session.scalars(chosen)]

    async def counts(self) -> dict[str, int]:
        """How many events are in each state."""
        counted = select(InboxEvent.state, func.count()).group_by(InboxEvent.state)
        async with self._database.reading() as session:
            rows = (await session.execute(counted)).all()
        found: dict[str, int] = {str(state): int(number) for state, number in rows}
        return {state: found.get(state, 0) for state in ("new", "done", "dead")}

    async def retry(self, keys: Sequence[int] | None = None) -> int:
        """Let dead letters be tried again; those whose body is gone stay dead.

        Args:
            keys: Which; None for all.

        Returns:
            How many will be tried.
        """
        change = (
            update(InboxEvent)
            .where(InboxEvent.state == "dead", InboxEvent.body.is_not(None))
            .values(state="new", attempts=0, due_at=self._clock(), problem="")
            .returning(InboxEvent.id)
        )
        if keys is not None:
            change = change.where(InboxEvent.id.in_(keys))
        async with self._database.writing() as session:
            revived = len((await session.execute(change)).all())
        self._arrived.set()
        return revived

    async def drop(self, keys: Sequence[int]) -> int:
        """Give dead letters up: their bodies go.

        Returns:
            How many there were.
        """
        change = (
            update(InboxEvent)
            .where(InboxEvent.id.in_(keys), InboxEvent.state == "dead")
            .values(state="done", body=None)
            .returning(InboxEvent.id)
        )
        async with self._database.writing() as session:
            return len((await session.execute(change)).all())

    async def sweep(self) -> tuple[int, int]:
        """Let bodies older than 30 days and rows older than 35 go.

        Returns:
            How many bodies, and how many rows.
        """
        now = self._clock()
        old = (
            update(InboxEvent)
            .where(InboxEvent.body.is_not(None), InboxEvent.received_at < now - _BODY_LIFE)
            .values(state="dead", body=None, problem="too old: 30 days have passed")
            .returning(InboxEvent.id)
        )
        ancient = (
            delete(InboxEvent)
            .where(InboxEvent.received_at < now - _KEY_LIFE)
            .returning(InboxEvent.id)
        )
        async with self._database.writing() as session:
            bodies = len((await session.execute(old)).all())
            rows = len((await session.execute(ancient)).all())
        return bodies, rows

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch = self._next_batch()
                try:
                    await self._write([row for rows, _ in batch for row in rows])
                except BaseException as error:
                    _settle(batch, error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    _settle(batch, None)
                    self._arrived.set()
        finally:
            self._writing = None

    def _next_batch(self) -> list[tuple[list[dict[str, object]], asyncio.Future[None]]]:
        taken = rows = 0
        for one, _ in self._waiting:
            if taken and rows + len(one) > _BATCH:
                break
            taken += 1
            rows += len(one)
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    async def _write(self, rows: list[dict[str, object]]) -> None:
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        statement = insert(InboxEvent.__table__).on_conflict_do_nothing(  # type: ignore[arg-type]
            index_elements=["source", "event_key"]
        )
        async with self._database.writing() as session:
            connection = await session.connection()
            await connection.execute(statement, rows)


def _row(event: ExternalEvent, now: datetime, vault: Vault) -> dict[str, object]:
    return {
        "source": event.source,
        "event_key": vault.digest(event.source, event.event_id),
        "received_at": now,
        "body": vault.seal(event.body, _about(event.source)),
        "state": "new",
        "attempts": 0,
        "due_at": now,
        "problem": "",
    }


def _about(source: str) -> str:
    return f"an event of {source}"


def _settle(
    batch: list[tuple[list[dict[str, object]], asyncio.Future[None]]], error: BaseException | None
) -> None:
    for _, kept in batch:
        if kept.done():  # who asked has gone
            continue
        if error is None:
            kept.set_result(None)
        elif isinstance(error, Exception):
            kept.set_exception(error)
        else:
            kept.cancel()


def _line(event: InboxEvent) -> InboxLine:
    state: EventState = event.state  # type: ignore[assignment]
    return InboxLine(
        event.id, event.source, state, event.received_at, event.attempts, event.problem
    )
