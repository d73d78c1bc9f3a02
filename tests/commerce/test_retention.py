"""Old touches leave under a seal; what is left still verifies, and nothing else may leave."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from commerce.attribution.statement import verify
from commerce.cli import app
from commerce.errors import LedgerError
from commerce.shop import Shop
from tests.support.ledgers import Clock, delivered, ledger_house, paid
from tests.support.shops import up_to_date

ANN, BOB = "chat:telegram:ann", "visitor:bob"


async def history(house):
    """Four old touches, of which one earned, then fourteen months, then two young ones."""
    for actor in (BOB, "visitor:eve", "visitor:joe"):
        house.clock.pass_(minutes=1)
        await house.ledger.touch(kind="click", actor=actor, recommender=ANN)
    await house.ledger.book(paid("o1", house.clock.pass_(minutes=9), buyer=BOB))
    await house.ledger.book(delivered("o1", house.clock.pass_(days=1)))
    await house.ledger.touch(kind="view", actor="visitor:eve", recommender=ANN)
    house.clock.pass_(days=430)
    for _ in range(2):
        house.clock.pass_(minutes=1)
        await house.ledger.touch(kind="click", actor="visitor:new", recommender=ANN)


async def ids(house):
    async with house.database.reading() as session:
        return list(await session.scalars(text("SELECT id FROM touch ORDER BY id")))


async def refused(house, statement):
    with pytest.raises(IntegrityError):
        async with house.database.writing() as session:
            await session.execute(text(statement))


@pytest.mark.asyncio
async def test_old_touches_go_and_the_books_still_verify(database_url):
    async with ledger_house(database_url) as house:
        await history(house)
        before = await house.projection()
        all_ids = await ids(house)
        planned = await house.ledger.retain(is_dry_run=True)
        assert (planned.removed, planned.kept, planned.is_dry_run) == (3, 1, True)
        assert await ids(house) == all_ids
        done = await house.ledger.retain()
        assert (done.removed, done.kept) == (3, 1)
        assert await ids(house) == [1, 5, 6]
        assert await house.projection() == before
        assert (await house.ledger.retain()).removed == 0
        found = await house.ledger.audit()
        assert (found.touches, found.problems) == (3, ())
        verify(await house.ledger.statement("o1"))
        # Life goes on, and so does the chain; the next year's seal follows.
        await house.ledger.touch(kind="click", actor=BOB, recommender=ANN)
        house.clock.pass_(days=400)
        assert (await house.ledger.retain()).removed == 3
        assert await ids(house) == [1]
        await house.ledger.touch(kind="click", actor=BOB, recommender=ANN)
        found = await house.ledger.audit()
        assert (found.touches, found.problems) == (2, ())


@pytest.mark.asyncio
async def test_the_database_lets_go_only_what_is_sealed(database_url):
    async with ledger_house(database_url) as house:
        await history(house)
        await refused(house, "DELETE FROM touch WHERE id = 2")
        seal = (
            "INSERT INTO touch_anchor (last_id, hash, before_us, removed, kept, kept_hash,"
            " sealed_us) SELECT id, {hash}, {before}, 0, 0, '', {now} FROM touch WHERE id = {id}"
        )
        year = 400 * 86_400_000_000
        young = "recorded_us + 1"
        sealed = {"hash": "hash", "before": young, "now": f"recorded_us + 1 + {year}"}
        await refused(house, seal.format(id=2, **{**sealed, "hash": "'made up'"}))
        await refused(house, seal.format(id=2, **{**sealed, "now": young}))  # not old enough
        await refused(house, seal.format(id=2, **{**sealed, "before": "recorded_us"}))
        await house.ledger.retain()
        await refused(house, "DELETE FROM touch WHERE id = 5")
        await refused(house, "UPDATE touch SET sku = 'x' WHERE id = 5")
        await refused(house, "DELETE FROM touch_anchor")
        await refused(house, "UPDATE touch_anchor SET kept = 7")


@pytest.mark.asyncio
async def test_a_broken_past_is_not_sealed_and_a_sealed_one_is_still_watched(tmp_path):
    async with ledger_house(str(up_to_date(tmp_path / "a.db"))) as house:
        await history(house)
        await forge(house, "UPDATE touch SET sku = 'forged' WHERE id = 2")
        with pytest.raises(LedgerError, match="nothing was removed: touch 2"):
            await house.ledger.retain()
    async with ledger_house(str(up_to_date(tmp_path / "b.db"))) as house:
        await history(house)
        await house.ledger.retain()
        await forge(house, "UPDATE touch SET sku = 'forged' WHERE id = 1")
        (problem,) = (await house.ledger.audit()).problems
        assert "after they were sealed" in problem


async def forge(house, statement):
    """What somebody with the file in hand could do."""
    async with house.database.writing() as session:
        await session.execute(text("DROP TRIGGER touch_no_update"))
        await session.execute(text(statement))


@pytest.mark.asyncio
async def test_the_running_till_does_it_every_day(tmp_path):
    clock = Clock()
    async with Shop.open(str(up_to_date(tmp_path / "shop.db")), clock=clock) as shop:
        await shop.ledger.touch(kind="click", actor=BOB, recommender=ANN)
        clock.pass_(days=500)
        async with shop.till.running():
            for _ in range(100):
                await asyncio.sleep(0.05)
                found = await shop.ledger.audit()
                if found.touches == 0:
                    break
        assert (found.touches, found.problems) == (0, ())


def test_on_the_command_line(tmp_path):
    path = str(up_to_date(tmp_path / "shop.db"))

    async def fill():
        async with ledger_house(path) as house:
            house.clock.now = datetime.now(UTC) - timedelta(days=440)
            await history(house)

    asyncio.run(fill())

    def call(*words):
        done = CliRunner().invoke(app, [*words, "--database", path], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert call("retain", "--dry-run").startswith("3 touches from before ")
    assert json.loads(call("retain", "--json"))["removed"] == 3
    assert call("retain").startswith("0 touches")
    assert "Checked 3 touches" in call("audit")
