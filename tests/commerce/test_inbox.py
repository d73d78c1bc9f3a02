"""The inbox on both databases: durable, once, in order, encrypted, and visible to a person."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from commerce.errors import DatabaseError, LetterboxError
from commerce.shop import Shop
from commerce.shop.letterbox import ExternalEvent
from commerce.shop.vault import Vault

pytestmark = pytest.mark.asyncio


class Clock:
    def __init__(self):
        self.now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_(self, **span):
        self.now += timedelta(**span)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LIVEPITCH_LETTERBOX_KEY", "a key for tests")


def event(number, source="telegram", body=b"hello"):
    return ExternalEvent(source, f"id-{number}", body)


async def test_what_was_accepted_is_claimed_once_in_order_and_finished(database_url):
    clock = Clock()
    async with Shop.open(database_url, clock=clock) as shop:
        inbox = shop.letterbox.inbox
        await inbox.accept([event(1, body=b"one"), event(2, body=b"two")])
        claimed = await inbox.claim()
        assert [one.body for one in claimed] == [b"one", b"two"]
        assert await inbox.claim() == [], "somebody works on them already"
        await inbox.finish([claimed[0].key])
        assert await inbox.counts() == {"new": 1, "done": 1, "dead": 0}
        clock.pass_(seconds=61)
        (again,) = await inbox.claim()
        assert (again.body, again.attempts) == (b"two", 2), "whoever had it died"


async def test_the_same_event_is_kept_once_from_whichever_side_it_comes(database_url):
    async with Shop.open(database_url) as shop:
        inbox = shop.letterbox.inbox
        await asyncio.gather(*[inbox.accept([event(n % 5), event(n % 7)]) for n in range(100)])
        assert (await inbox.counts())["new"] == 7
        await inbox.accept([event(1, source="line"), event(1)])
        assert (await inbox.counts())["new"] == 8, "another service may use the same id"
        claimed = await inbox.claim(50)
        await inbox.finish([one.key for one in claimed])
        await inbox.accept([event(1)])
        assert (await inbox.counts())["new"] == 0, "a repetition after the work is one, too"


async def test_many_at_once_share_few_commits(tmp_path):
    """Counted, not timed: how often the file is synchronised."""
    async with Shop.open(str(tmp_path / "shop.db")) as shop:
        inbox, commits = shop.letterbox.inbox, 0
        write = inbox._write

        async def counted(rows):
            nonlocal commits
            commits += 1
            assert len(rows) <= 256
            await write(rows)

        inbox._write = counted
        await asyncio.gather(*[inbox.accept([event(number)]) for number in range(1000)])
        assert (await inbox.counts())["new"] == 1000
        assert commits <= 5


async def test_what_cannot_be_kept_is_told_to_everybody_who_waits(tmp_path):
    async with Shop.open(str(tmp_path / "shop.db")) as shop:
        inbox = shop.letterbox.inbox

        async def broken(rows):
            raise DatabaseError("full", "the disk is full")

        write, inbox._write = inbox._write, broken
        waiting = [asyncio.create_task(inbox.accept([event(n)])) for n in range(3)]
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, DatabaseError) for one in done)
        inbox._write = write
        await inbox.accept([event(9)])
        assert (await inbox.counts())["new"] == 1


async def test_a_failing_event_is_tried_ever_later_and_then_a_dead_letter(database_url):
    clock = Clock()
    async with Shop.open(database_url, clock=clock) as shop:
        inbox = shop.letterbox.inbox
        await inbox.accept([event(1)])
        waits = []
        for attempt in range(1, 6):
            (claimed,) = await inbox.claim()
            assert claimed.attempts == attempt
            state = await inbox.fail(claimed.key, "the service is down")
            began = clock.now
            while state == "new" and not (found := await inbox.claim(1)):
                clock.pass_(seconds=5)
                assert clock.now - began < timedelta(hours=1)
            if state == "new":
                waits.append((clock.now - began).total_seconds())
                # Give the claim back: as if its worker had died.
                async with shop.letterbox.inbox._database.writing() as session:
                    await session.execute(
                        text("UPDATE inbox_event SET attempts = attempts - 1, due_at = :now"),
                        {"now": clock.now.replace(tzinfo=None) if "sqlite" in database_url
                         else clock.now},
                    )  # fmt: skip
                del found
        assert state == "dead"
        assert waits == sorted(waits)
        assert waits[-1] > 10 * waits[0]
        (line,) = await inbox.lines("dead")
        assert (line.source, line.problem, line.attempts) == ("telegram", "the service is down", 5)
        assert await inbox.retry() == 1
        (claimed,) = await inbox.claim()
        assert claimed.body == b"hello"
        await inbox.fail(claimed.key, "gone for good", is_final=True)
        assert await inbox.drop([claimed.key]) == 1
        assert await inbox.counts() == {"new": 0, "done": 1, "dead": 0}


async def test_a_worker_that_dies_each_time_leaves_a_dead_letter(database_url):
    clock = Clock()
    async with Shop.open(database_url, clock=clock) as shop:
        inbox = shop.letterbox.inbox
        await inbox.accept([event(1)])
        for _ in range(5):
            assert len(await inbox.claim()) == 1
            clock.pass_(seconds=61)
        assert await inbox.claim() == []
        (line,) = await inbox.lines("dead")
        assert "never came to an end" in line.problem


async def test_bodies_go_after_the_work_and_after_30_days_and_rows_after_35(database_url):
    clock = Clock()
    async with Shop.open(database_url, clock=clock) as shop:
        inbox = shop.letterbox.inbox
        await inbox.accept([event(1), event(2)])
        (first, _) = await inbox.claim()
        await inbox.finish([first.key])
        bodies = text("SELECT count(*) FROM inbox_event WHERE body IS NOT NULL")
        async with inbox._database.reading() as session:
            assert await session.scalar(bodies) == 1
        clock.pass_(days=31)
        assert await shop.letterbox.sweep() == (1, 0)
        async with inbox._database.reading() as session:
            assert await session.scalar(bodies) == 0
        assert await inbox.retry() == 0, "there is nothing left to work on"
        clock.pass_(days=5)
        assert (await shop.letterbox.sweep())[1] == 2


async def test_the_file_holds_no_word_of_a_message(tmp_path):
    path = tmp_path / "shop.db"
    async with Shop.open(str(path)) as shop:
        secret = b"the secret sentence of a member"
        await shop.letterbox.inbox.accept([ExternalEvent("whatsapp", "wamid.HBgM491511", secret)])
        (claimed,) = await shop.letterbox.inbox.claim()
        assert claimed.body == secret
    raw = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"secret sentence" not in raw
    assert b"HBgM491511" not in raw


async def test_without_its_key_a_body_is_a_dead_letter_and_nothing_worse(tmp_path, monkeypatch):
    path = str(tmp_path / "shop.db")
    monkeypatch.delenv("LIVEPITCH_LETTERBOX_KEY")
    async with Shop.open(path) as shop:
        await shop.letterbox.inbox.accept([event(1)])
    key = tmp_path / "shop.db.key"
    assert key.stat().st_mode & 0o777 == 0o600
    async with Shop.open(path) as shop:
        assert len(await shop.letterbox.inbox.claim()) == 1, "the key beside the file is used again"
    key.unlink()
    async with Shop.open(path, clock=lambda: datetime.now(UTC) + timedelta(minutes=5)) as shop:
        assert await shop.letterbox.inbox.claim() == []
        (line,) = await shop.letterbox.inbox.lines("dead")
        assert "letterbox key" in line.problem
    key.write_bytes(b"damaged")
    async with Shop.open(path) as shop:
        with pytest.raises(LetterboxError, match=r"shop\.db\.key"):
            shop.letterbox.require_key()


async def test_postgresql_without_a_key_says_which_setting(postgres, monkeypatch):
    monkeypatch.delenv("LIVEPITCH_LETTERBOX_KEY")
    async with Shop.open(postgres.fresh_url()) as shop:
        with pytest.raises(LetterboxError, match="LIVEPITCH_LETTERBOX_KEY"):
            await shop.letterbox.inbox.accept([event(1)])


async def test_a_sealed_text_opens_for_its_own_purpose_only():
    vault = Vault(b"key")
    sealed = vault.seal(b"text", "an event")
    assert sealed != vault.seal(b"text", "an event")
    assert vault.open(sealed, "an event") == b"text"
    for other in (sealed[:-1], sealed[:5], b"", bytes(40)):
        with pytest.raises(LetterboxError):
            vault.open(other, "an event")
    with pytest.raises(LetterboxError):
        vault.open(sealed, "a contact")
    with pytest.raises(LetterboxError):
        Vault(b"other").open(sealed, "an event")
    assert vault.digest("ab", "c") != vault.digest("a", "bc")
