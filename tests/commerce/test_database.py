"""The database file: created, brought up to date, and its failures told in one line."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from commerce import migrations
from commerce.database import Database
from commerce.errors import DatabaseError
from commerce.models.schema import Base
from commerce.shop import Shop
from tests.support.shops import shop_with

pytestmark = pytest.mark.asyncio


async def test_a_new_file_gets_the_whole_schema_and_keeps_it(tmp_path):
    path = tmp_path / "new.db"
    for _ in range(2):
        database = await Database.open(f"sqlite:///{path}")
        async with database.reading() as session:
            version = await session.scalar(text("SELECT version_num FROM alembic_version"))
            journal = await session.scalar(text("PRAGMA journal_mode"))
            keys = await session.scalar(text("PRAGMA foreign_keys"))
        await database.aclose()
        assert (version, journal, keys) == (migrations.HEAD, "wal", 1)


async def test_the_migrations_make_the_tables_that_the_models_describe(tmp_path):
    path = tmp_path / "new.db"
    await (await Database.open(str(path))).aclose()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    differences = [entry for entry in found if "product_search" not in str(entry)]
    assert differences == []


async def test_the_head_is_the_newest_revision_and_every_one_can_go_back():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]


async def test_revisions_can_be_taken_back_and_made_again(tmp_path):
    path = tmp_path / "shop.db"
    await (await Database.open(str(path))).aclose()
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        left = set(inspect(connection).get_table_names())
    engine.dispose()
    assert left == {"alembic_version"}
    async with shop_with("sku,title,price\nmug,Mug,5\n", tmp_path) as shop:
        assert len(await shop.products()) == 1


async def test_a_path_with_odd_characters(tmp_path):
    folder = tmp_path / "100% möbel & co"
    folder.mkdir()
    database = await Database.open(str(folder / "läden.db"))
    await database.aclose()
    assert (folder / "läden.db").exists()


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "shop.db"
    await (await Database.open(str(path))).aclose()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(DatabaseError, match="newer Livepitch") as caught:
        await Database.open(str(path))
    assert caught.value.reason == "newer_schema"


async def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "notes.db"
    path.write_bytes(b"these are only some notes, not a database at all" * 50)
    before = path.read_bytes()
    with pytest.raises(DatabaseError) as caught:
        await Database.open(str(path))
    assert caught.value.reason == "corrupt"
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


async def test_a_damaged_database(tmp_path):
    path = tmp_path / "shop.db"
    await (await Database.open(str(path))).aclose()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(DatabaseError) as caught:
        async with Shop.open(str(path)) as shop:
            await shop.products()
    assert caught.value.reason == "corrupt"


async def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DatabaseError) as caught:
        await Database.open(str(tmp_path / "nowhere" / "shop.db"))
    assert caught.value.reason == "unreachable"


async def test_a_locked_database_says_so_after_its_patience(tmp_path):
    path = tmp_path / "shop.db"
    await (await Database.open(str(path))).aclose()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = await Database.open(str(path), busy_timeout_s=0.05)
    try:
        with pytest.raises(DatabaseError, match="in use by another program") as caught:
            async with database.writing() as session:
                await session.execute(text("DELETE FROM image"))
        assert caught.value.reason == "locked"
        async with database.reading() as session:
            assert await session.scalar(text("SELECT count(*) FROM product")) == 0
    finally:
        await database.aclose()
        other.close()


async def test_a_full_disk_leaves_the_shelves_as_they_were(tmp_path):
    text_of_many = "title,price,description\n" + "".join(
        f"Product {n},5,{'long text ' * 60}\n" for n in range(400)
    )
    async with shop_with("sku,title,price\nmug,Mug,5\n", tmp_path) as shop:
        # SQLite's own page limit fails just as a full disk does.
        async with shop._database.reading() as session:
            pages = await session.scalar(text("PRAGMA page_count"))
        async with shop._database.writing() as session:
            await session.execute(text(f"PRAGMA max_page_count = {pages + 20}"))
        big = tmp_path / "big.csv"
        big.write_text(text_of_many)
        with pytest.raises(DatabaseError, match="disk is full") as caught:
            await shop.import_file(big)
        assert caught.value.reason == "full"
        assert [card.sku for card in await shop.products()] == ["mug"]


@pytest.mark.parametrize("url", ["mssql+aioodbc://h/d", "mysql+pymysql://h/d", "://"])
async def test_other_databases_are_named_as_unsupported(url):
    with pytest.raises(DatabaseError) as caught:
        await Database.open(url)
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize(
    "change", ["on_hand = -1", "reserved = 5", "reserved = -1", "price_minor = -1"]
)
async def test_the_database_itself_refuses_impossible_stock(change, tmp_path):
    async with shop_with("sku,title,price,stock\nmug,Mug,5,4\n", tmp_path) as shop:
        with pytest.raises(IntegrityError):
            async with shop._database.writing() as session:
                await session.execute(text(f"UPDATE variant SET {change}"))
        card = await shop.product("mug")
    assert card is not None
    assert card.stock == 4
