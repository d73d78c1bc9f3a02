"""An open database with an up-to-date schema, and the two kinds of session on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Literal, Self

from sqlalchemy import Connection, exc, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from commerce import migrations
from commerce.database import postgresql, sqlite
from commerce.database.checkpoints import Checkpoints
from commerce.database.failures import failures_of
from commerce.errors import DatabaseError

_BUSY_TIMEOUT_S = 5.0


class Database:
    """An open database with an up-to-date schema.

    Readers and writers get separate sessions. On SQLite a write takes the lock when it begins, so
    that it waits its turn instead of failing half-way; on PostgreSQL writers run side by side, so
    whatever must not change between reading and writing is guarded by a condition in the UPDATE, by
    a constraint or by ``SELECT … FOR UPDATE``.

    Attributes:
        name: The file, or host and database; never a password.
        dialect: Which of the two it is.
    """

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.name = name
        self.dialect: Literal["sqlite", "postgresql"] = (
            "postgresql" if engine.dialect.name == "postgresql" else "sqlite"
        )
        self._engine = engine
        marks = postgresql.MARKS if self.dialect == "postgresql" else sqlite.MARKS
        self._failures: Callable[[], AbstractContextManager[None]] = partial(
            failures_of, name, marks
        )
        # A database in memory lives in one connection, which can hold one transaction at a time.
        self._turn = asyncio.Lock() if name == sqlite.MEMORY else nullcontext()
        # SQLite's own waiting is polling, and no queue: of a crowd, some would wait for ever.
        self._write_turn = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()
        is_file = self.dialect == "sqlite" and name != sqlite.MEMORY
        self._log = Checkpoints(name, self._write_turn, _BUSY_TIMEOUT_S) if is_file else None
        reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._readers = async_sessionmaker(
            engine.execution_options(**reading) if self.dialect == "postgresql" else engine,
            expire_on_commit=False,
        )
        self._writing_engine = engine.execution_options(**{sqlite.WRITES: True})
        self._writers = async_sessionmaker(self._writing_engine, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> Self:
        """Open, or create, a database and bring its schema up to date.

        Args:
            url: ``sqlite:///shop.db``, or a plain path; ``:memory:`` for a passing one;
                ``postgresql://user:password@host/database`` (an existing one).
            busy_timeout_s: How long to wait for another program's write.

        Raises:
            DatabaseError: Unusable; ``.reason`` says why.
        """
        if _backend(url) == "postgresql":
            parsed = postgresql.url_of(url)
            engine = postgresql.engine_of(parsed, busy_timeout_s)
            database = cls(engine, postgresql.name_of(parsed))
        else:
            parsed = sqlite.url_of(url)
            name = parsed.database or sqlite.MEMORY
            with failures_of(name, sqlite.MARKS):
                await asyncio.to_thread(sqlite.probe, name, busy_timeout_s)
            database = cls(sqlite.engine_of(parsed, busy_timeout_s), name)
        try:
            await database._migrate()
        except BaseException:
            await database.aclose()
            raise
        return database

    async def aclose(self) -> None:
        """Close every connection."""
        if self._log is not None:
            await self._log.aclose()
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one consistent state and writes nothing."""
        with self._failures():
            async with self._turn, self._readers() as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session that is committed at the end, or rolled back when the block raises."""
        with self._failures():
            async with self._write_turn, self._turn, self._writers.begin() as session:
                yield session
        if self._log is not None:
            self._log.committed()

    async def _migrate(self) -> None:
        read_revision = postgresql.revision if self.dialect == "postgresql" else sqlite.revision
        with self._failures():
            async with self._engine.connect() as connection:
                revision = await read_revision(connection)
            if revision == migrations.HEAD:
                return
            async with self._writing_engine.begin() as connection:
                if self.dialect == "postgresql":
                    await postgresql.take_migration_lock(connection)
                await connection.run_sync(_upgrade, self.name)


def _backend(url: str) -> str:
    """Which database an address means.

    Raises:
        DatabaseError: Neither a file nor a database we know.
    """
    if "://" not in url:
        return "sqlite"
    try:
        backend = make_url(url).get_backend_name()
    except exc.ArgumentError:
        raise DatabaseError(
            "unsupported", f"database {url!r} is not an address or a file"
        ) from None
    if backend in {"postgres", "postgresql"}:
        return "postgresql"
    if backend != "sqlite":
        raise DatabaseError(
            "unsupported",
            f"database {backend!r} is not supported; use sqlite:///FILE or postgresql://…",
        )
    return backend


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
