"""SQLite: one file, many readers, one writer at a time."""

import sqlite3
from typing import Any

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from commerce.database.failures import Mark
from commerce.errors import DatabaseError

MEMORY = ":memory:"
WRITES = "shop_writes"
"""Execution option of engines whose transactions write."""

MARKS: tuple[Mark, ...] = (
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


def url_of(address: str) -> URL:
    """The driver's URL of a path, of ``:memory:`` or of a SQLite URL."""
    if address == MEMORY:
        return make_url("sqlite+aiosqlite://")
    if "://" not in address:
        return URL.create("sqlite+aiosqlite", database=address)
    return make_url(address).set(drivername="sqlite+aiosqlite")


def probe(path: str, busy_timeout_s: float) -> None:
    """Fail early: the asynchronous driver leaves a thread behind when it cannot open a file.

    Raises:
        DatabaseError: The path cannot be a file's name here.
        sqlite3.Error: It cannot be opened.
    """
    if path == MEMORY:
        return
    try:
        connection = sqlite3.connect(path, timeout=busy_timeout_s)
    except UnicodeEncodeError:
        raise DatabaseError(
            "unreachable",
            f"database {path!r} cannot be named in this system's character set;"
            " choose a plain name or set PYTHONUTF8=1",
        ) from None
    except ValueError as error:  # a NUL in the name
        raise DatabaseError("unreachable", f"database {path!r} is no file name: {error}") from None
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    finally:
        connection.close()


def engine_of(url: URL, busy_timeout_s: float) -> AsyncEngine:
    """An engine whose transactions begin as the session says: reading or writing."""
    engine = create_async_engine(url, connect_args={"timeout": busy_timeout_s})
    event.listen(engine.sync_engine, "connect", _prepare_connection)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


async def revision(connection: AsyncConnection) -> str | None:
    """The schema's revision; None for a new file."""
    exists = await connection.scalar(
        text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
    )
    if not exists:
        return None
    found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _prepare_connection(connection: Any, record: object) -> None:
    # The driver would otherwise begin its own, deferred transactions, and around DDL none at all.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # Only where Checkpoints did not come in time: this commit would wait for all of it.
        cursor.execute("PRAGMA wal_autocheckpoint=32000")
    except BaseException:
        # The pool never saw it, so nobody else would end the driver's thread.
        connection.close()
        raise
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a write meets SQLITE_BUSY at once, despite the timeout.
    is_writing = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
