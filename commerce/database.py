"""The database file: opened, brought up to date, and its failures told in one line."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, event, exc, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from commerce import migrations
from commerce.errors import DatabaseError, DatabaseReason

_BUSY_TIMEOUT_S = 5.0
_WRITES = "shop_writes"
_MEMORY = ":memory:"
_MARKS: tuple[tuple[str, DatabaseReason, str], ...] = (
    ("locked", "locked", "is in use by another program; close it or try again"),
    ("busy", "locked", "is in use by another program; close it or try again"),
    ("not a database", "corrupt", "is not a database file; choose another or restore a backup"),
    ("malformed", "corrupt", "is damaged; restore a backup"),
    ("is full", "full", "cannot grow: the disk is full; free some space"),
    ("readonly", "read_only", "may not be written; check its permissions"),
    ("unable to open", "unreachable", "cannot be opened; check that its folder exists"),
    ("disk i/o", "failed", "cannot be read or written: the disk reports an error"),
    ("no such module: fts5", "unsupported", "needs SQLite with FTS5; use another Python build"),
)


class Database:
    """An open database with an up-to-date schema.

    Readers and writers get separate sessions: a write takes SQLite's lock when it begins, so that
    it waits its turn instead of failing half-way.
    """

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.name = name
        self._engine = engine
        # A database in memory lives in one connection, which can hold one transaction at a time.
        self._turn = asyncio.Lock() if name == _MEMORY else nullcontext()
        self._readers = async_sessionmaker(engine, expire_on_commit=False)
        self._writers = async_sessionmaker(
            engine.execution_options(**{_WRITES: True}), expire_on_commit=False
        )

    @classmethod
    async def open(cls, url: str, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> Self:
        """Open, or create, a database and bring its schema up to date.

        Args:
            url: ``sqlite+aiosqlite:///shop.db``, or a plain path; ``:memory:`` for a passing one.
            busy_timeout_s: How long to wait for another program's write.

        Raises:
            DatabaseError: Unusable; ``.reason`` says why.
        """
        parsed = _sqlite_url(url)
        name = parsed.database or _MEMORY
        with _failures_of(name):
            await asyncio.to_thread(_probe, name, busy_timeout_s)
        engine = create_async_engine(parsed, connect_args={"timeout": busy_timeout_s})
        event.listen(engine.sync_engine, "connect", _prepare_connection)
        event.listen(engine.sync_engine, "begin", _begin)
        database = cls(engine, name)
        try:
            await database._migrate()
        except BaseException:
            await engine.dispose()
            raise
        return database

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one consistent state and writes nothing."""
        with _failures_of(self.name):
            async with self._turn, self._readers() as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session that is committed at the end, or rolled back when the block raises."""
        with _failures_of(self.name):
            async with self._turn, self._writers.begin() as session:
                yield session

    async def _migrate(self) -> None:
        with _failures_of(self.name):
            async with self._engine.connect() as connection:
                revision = await _revision(connection)
            if revision == migrations.HEAD:
                return
            async with self._engine.execution_options(**{_WRITES: True}).begin() as connection:
                await connection.run_sync(_upgrade, self.name)


def _probe(path: str, busy_timeout_s: float) -> None:
    """Fail early: the asynchronous driver leaves a thread behind when it cannot open a file."""
    if path == _MEMORY:
        return
    connection = sqlite3.connect(path, timeout=busy_timeout_s)
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    finally:
        connection.close()


async def _revision(connection: AsyncConnection) -> str | None:
    exists = await connection.scalar(
        text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
    )
    if not exists:
        return None
    revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _upgrade(connection: Connection, name: str) -> None:
    # Alembic costs a quarter of a second, which an up-to-date database need not pay.
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    # A % in the path would be read as an interpolation.
    location = str(Path(migrations.__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", location)
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise DatabaseError(
            "newer_schema",
            f"database {name} was written by a newer Livepitch (schema {found}); update Livepitch",
        )
    command.upgrade(config, "head")


def _sqlite_url(url: str) -> URL:
    if url == _MEMORY:
        return make_url("sqlite+aiosqlite://")
    if "://" not in url:
        return URL.create("sqlite+aiosqlite", database=url)
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise DatabaseError(
            "unsupported", f"database {url!r} is not an address or a file"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseError(
            "unsupported",
            f"database {parsed.get_backend_name()!r} is not supported yet; use sqlite:///FILE",
        )
    return parsed.set(drivername="sqlite+aiosqlite")


def _prepare_connection(connection: Any, record: object) -> None:
    # The driver would otherwise begin its own, deferred transactions, and around DDL none at all.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        # The pool never saw it, so nobody else would end the driver's thread.
        connection.close()
        raise
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a write meets SQLITE_BUSY at once, despite the timeout.
    is_writing = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


@contextmanager
def _failures_of(name: str) -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.DBAPIError, sqlite3.Error) as error:
        cause = str(error.orig if isinstance(error, exc.DBAPIError) else error)
        for mark, reason, advice in _MARKS:
            if mark in cause.lower():
                raise DatabaseError(reason, f"database {name} {advice}") from error
        raise DatabaseError("failed", f"database {name} failed: {cause}") from error
