"""PostgreSQL through asyncpg: many writers, possibly on other machines."""

import importlib.util
import socket
from functools import partial
from typing import Any

from sqlalchemy import URL, Dialect, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from commerce.database.failures import Mark
from commerce.errors import DatabaseError

_CONNECT_TIMEOUT_S = 10.0
# Any constant will do, as long as every program that migrates takes the same lock.
_MIGRATION_LOCK = 5_271_009

MARKS: tuple[Mark, ...] = (
    ("invalidpassword", "unreachable", "refuses the user or password; check the URL"),
    ("invalidauthorization", "unreachable", "refuses the user or password; check the URL"),
    ("invalidcatalogname", "unreachable", "does not exist on that server; create it first"),
    ("insufficientprivilege", "read_only", "may not be changed by that user; grant the rights"),
    ("readonlysqltransaction", "read_only", "may not be written: the server is read-only"),
    ("locknotavailable", "locked", "is in use by another program; try again"),
    ("deadlockdetected", "locked", "is in use by another program; try again"),
    ("serialization", "locked", "is in use by another program; try again"),
    ("toomanyconnections", "locked", "has no connection left; raise max_connections"),
    ("queuepool limit", "locked", "is asked for more connections than the pool holds; try again"),
    ("diskfull", "full", "cannot grow: the server's disk is full; free some space"),
    ("cannotconnectnow", "unreachable", "is starting or stopping; try again"),
    ("connectiondoesnotexist", "unreachable", "closed the connection; try again"),
    ("connection is closed", "unreachable", "closed the connection; try again"),
    ("adminshutdown", "unreachable", "was shut down; try again"),
)


def url_of(address: str) -> URL:
    """The driver's URL.

    Raises:
        DatabaseError: The driver is not installed.
    """
    if importlib.util.find_spec("asyncpg") is None:
        raise DatabaseError(
            "unsupported", "PostgreSQL needs its driver: pip install 'livepitch[postgres]'"
        )
    return make_url(address).set(drivername="postgresql+asyncpg")


def name_of(url: URL) -> str:
    """Host and database, never the password."""
    host = url.host or url.query.get("host", "") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"


def engine_of(url: URL, lock_timeout_s: float) -> AsyncEngine:
    """An engine that gives up on locks after so long, as SQLite does."""
    engine = create_async_engine(
        url,
        # A server that restarted leaves dead connections in the pool.
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_TIMEOUT_S,
            "server_settings": {
                "application_name": "livepitch",
                "lock_timeout": str(round(lock_timeout_s * 1000)),
                "timezone": "UTC",
                # Compiling costs more than our short queries.
                "jit": "off",
            },
        },
    )
    event.listen(engine.sync_engine, "do_connect", partial(_connect, name_of(url)))
    return engine


async def revision(connection: AsyncConnection) -> str | None:
    """The schema's revision; None for a new database."""
    if not await connection.scalar(text("SELECT to_regclass('alembic_version')::text")):
        return None
    found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _connect(name: str, dialect: Dialect, record: object, args: Any, options: Any) -> Any:
    """Connect; what the network itself raises would otherwise pass as an error of the program."""
    try:
        return dialect.connect(*args, **options)
    except TimeoutError:
        reason = "does not answer"
    except socket.gaierror:
        reason = "cannot be reached: no such host"
    except OSError as error:
        reason = f"cannot be reached: {error.strerror or 'no connection'}"
    raise DatabaseError("unreachable", f"database {name} {reason}; check that the server runs")


async def take_migration_lock(connection: AsyncConnection) -> None:
    """Wait until no other program migrates; let go at the transaction's end."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
