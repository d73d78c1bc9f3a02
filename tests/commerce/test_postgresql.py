"""What only a PostgreSQL server can do wrong, told in one line; and its full text."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from commerce import migrations
from commerce.database import Database
from commerce.errors import DatabaseError
from commerce.models.schema import Base
from commerce.shop import Shop
from tests.support.shops import written

pytestmark = pytest.mark.asyncio

CSV = "sku,title,price,stock\nmug,Blue Mug,5,4\nlamp,Desk Lamp,20,2\nbottle,保温杯 Flask,9,1\n"


async def test_the_migrations_make_the_tables_that_the_models_describe(postgres):
    url = postgres.fresh_url()
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))

    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, Base.metadata)

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert [entry for entry in found if "product_search" not in str(entry)] == []


async def test_revisions_can_be_taken_back_and_made_again(postgres):
    url = postgres.fresh_url()
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    config = Config()
    config.set_main_option("script_location", str(next(iter(migrations.__path__))))

    def go_back(connection):
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        return set(inspect(connection).get_table_names())

    async with engine.begin() as connection:
        assert await connection.run_sync(go_back) == {"alembic_version"}
    await engine.dispose()
    async with Shop.open(url) as shop:
        assert await shop.products() == []


async def test_programs_that_start_at_once_migrate_once(postgres):
    url = postgres.fresh_url(is_empty=True)
    opened = await asyncio.gather(*(Database.open(url) for _ in range(3)))
    async with opened[0].reading() as session:
        versions = await session.scalars(text("SELECT version_num FROM alembic_version"))
        assert versions.all() == [migrations.HEAD]
    for database in opened:
        await database.aclose()


async def test_a_database_of_a_newer_version_is_left_alone(postgres):
    url = postgres.fresh_url()
    database = await Database.open(url)
    async with database.writing() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.aclose()
    with pytest.raises(DatabaseError, match="newer Livepitch") as caught:
        await Database.open(url)
    assert caught.value.reason == "newer_schema"


@pytest.mark.parametrize(
    ("url", "reason", "words"),
    [
        ("postgresql://anna:geheim@127.0.0.1:9/shop", "unreachable", "cannot be reached"),
        ("postgresql://anna:geheim@/shop?host=/nowhere", "unreachable", "cannot be reached"),
    ],
)
async def test_a_server_that_is_not_there(url, reason, words):
    with pytest.raises(DatabaseError, match=words) as caught:
        await Database.open(url)
    assert caught.value.reason == reason
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_database_or_user_that_is_not_there(postgres):
    with pytest.raises(DatabaseError, match="does not exist") as caught:
        await Database.open(postgres.url("nothing_here"))
    assert caught.value.reason == "unreachable"
    stranger = postgres.fresh_url().replace(f"{postgres.user}@", "stranger@")
    with pytest.raises(DatabaseError, match="user or password"):
        await Database.open(stranger)


async def test_a_reading_session_writes_nothing(postgres):
    database = await Database.open(postgres.fresh_url())
    with pytest.raises(DatabaseError) as caught:
        async with database.reading() as session:
            await session.execute(text("DELETE FROM image"))
    await database.aclose()
    assert caught.value.reason == "read_only"


async def test_a_lock_somebody_keeps_is_given_up_in_time(postgres):
    url = postgres.fresh_url()
    one = await Database.open(url)
    two = await Database.open(url, busy_timeout_s=0.1)
    async with one.writing() as session:
        await session.execute(text("LOCK TABLE image IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(DatabaseError, match="in use by another program") as caught:
            async with two.writing() as other:
                await other.execute(text("DELETE FROM image"))
    assert caught.value.reason == "locked"
    await one.aclose()
    await two.aclose()


async def test_full_text_goes_through_the_index(postgres, tmp_path):
    async with Shop.open(postgres.fresh_url()) as shop:
        await shop.import_file(written(tmp_path, CSV))
        async with shop._database.writing() as session:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = await session.scalars(
                text(
                    "EXPLAIN SELECT rowid FROM product_search"
                    " WHERE words @@ CAST('''mug'' | ''lamp''' AS tsquery)"
                )
            )
            assert "ix_product_search_words" in "\n".join(plan)
        assert [one.card.sku for one in await shop.search("保温杯")] == ["bottle"]
        assert [one.card.sku for one in await shop.search("mug under 6")] == ["mug"]


@pytest.mark.parametrize("question", ["it's a 'mug'", "mug & | ! <-> :*", "a\\b'c mug?", "'"])
async def test_operators_of_the_search_language_are_words(question, postgres, tmp_path):
    async with Shop.open(postgres.fresh_url()) as shop:
        await shop.import_file(written(tmp_path, "sku,title,price\nx,O'Neil\\'s | mug:*,5\n"))
        await shop.search(question)
        assert len(await shop.search("mug")) == 1
