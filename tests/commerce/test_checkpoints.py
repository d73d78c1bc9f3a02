"""The log of a SQLite file stays short, and no commit waits for all of it."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from commerce.database import Database, checkpoints
from tests.support.shops import up_to_date

pytestmark = pytest.mark.asyncio


async def write(database, rows):
    async with database.writing() as session:
        await session.execute(text("CREATE TABLE IF NOT EXISTS heap (id INTEGER, stuff BLOB)"))
        await session.execute(
            text("INSERT INTO heap VALUES (:id, zeroblob(4000))"), [{"id": n} for n in range(rows)]
        )


def log_of(path):
    return path.with_name(f"{path.name}-wal").stat().st_size


async def test_the_log_is_emptied_beside_the_writers_and_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_EVERY_S", 0.02)
    monkeypatch.setattr(checkpoints, "_LONG_PAGES", 100)
    path = up_to_date(tmp_path / "shop.db")
    database = await Database.open(str(path))
    try:
        for _ in range(60):
            await write(database, 50)
            await asyncio.sleep(0.01)
        written = 60 * 50 * 4096
        assert log_of(path) < written / 3
        async with database.reading() as session:
            assert await session.scalar(text("SELECT count(*) FROM heap")) == 3000
    finally:
        await database.aclose()
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_copy_that_fails_is_told_and_tried_again(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(checkpoints, "_EVERY_S", 0.0)
    copied = asyncio.Event()
    results = iter([sqlite3.OperationalError("disk I/O error"), 1])
    loop = asyncio.get_running_loop()

    def copy(keeper):
        result = next(results)
        if isinstance(result, Exception):
            raise result
        loop.call_soon_threadsafe(copied.set)
        return result

    monkeypatch.setattr(checkpoints.Checkpoints, "_copy", copy)
    database = await Database.open(str(up_to_date(tmp_path / "shop.db")))
    try:
        await write(database, 1)
        await asyncio.sleep(0.05)
        await write(database, 1)
        await asyncio.wait_for(copied.wait(), 5)
    finally:
        await database.aclose()
    assert [record.getMessage() for record in caplog.records] == ["log not emptied"]
