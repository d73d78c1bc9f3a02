"""The letterbox on the command line: what a seller sees of it, and can do about it."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from commerce.cli import app
from commerce.shop import Shop
from commerce.shop.letterbox import ExternalEvent, Wanted
from tests.support.shops import EXAMPLES

NODE = "group:telegram:abc"


@pytest.fixture
def database(tmp_path):
    path = str(tmp_path / "shop.db")

    async def fill():
        async with Shop.open(path) as shop:
            await shop.import_file(EXAMPLES / "catalogue.csv")
            box = shop.letterbox.inbox
            events = [ExternalEvent("line", f"e{n}", b"hidden words") for n in range(3)]
            await box.accept(events)
            first, second, _ = await box.claim()
            await box.finish([first.key])
            await box.fail(second.key, "refused with status 403", is_final=True)
            groups = shop.letterbox.groups
            await groups.open(NODE, "telegram")
            await groups.tell(NODE, Wanted("chat:telegram:a", "lamp-arc", frozenset({"home"})))
            for member in ("chat:telegram:a", "chat:telegram:b"):
                await shop.letterbox.wish(NODE, member, "do you have a ladder?")

    asyncio.run(fill())
    return path


def run(*words, status=0):
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == status, done.output
    return done.output


def test_dead_letters_are_listed_retried_and_given_up(database):
    shown = run("inbox", "list", "--database", database)
    assert "refused with status 403" in shown
    assert "1 new, 1 done, 1 dead" in shown
    assert "hidden words" not in shown
    dead = json.loads(run("inbox", "list", "--state", "dead", "--database", database, "--json"))
    (key,) = [one["key"] for one in dead["events"]]
    assert "1 will" in run("inbox", "retry", str(key), "--database", database)
    counts = json.loads(run("inbox", "list", "--database", database, "--json"))["counts"]
    assert counts == {"new": 2, "done": 1, "dead": 0}
    assert "0 given up" in run("inbox", "drop", str(key), "--database", database)
    assert "0 bodies" in run("inbox", "sweep", "--database", database)
    assert "choose" in run("inbox", "list", "--state", "odd", "--database", database, status=1)


def test_rules_are_shown_and_changed_in_the_words_of_the_chat(database):
    shown = run("groups", "list", "--database", database)
    assert NODE in shown
    changed = run("groups", "policy", NODE, "quiet", "22:00-08:00", "UTC", "--database", database)
    assert "quiet 22:00-08:00 UTC" in changed
    (group,) = json.loads(run("groups", "list", "--database", database, "--json"))
    assert "quiet 22:00-08:00 UTC" in group["rules"]
    assert "Error" in run("groups", "policy", NODE, "nonsense", "--database", database, status=1)
    assert "Error" in run("groups", "policy", "group:x", "off", "--database", database, status=1)


def test_wishes_and_how_much_of_the_catalogue_was_shown(database):
    shown = run("wishes", "--database", database)
    assert "ladder" in shown
    assert "1 of " in shown
    told = json.loads(run("wishes", "--database", database, "--json"))
    assert told["coverage"]["pitched"] == 1
    assert run("reviews", "lamp-arc", "--database", database) == ""


def test_an_empty_shop_has_an_empty_letterbox(tmp_path):
    nowhere = str(tmp_path / "none.db")
    assert "0 new" in run("inbox", "list", "--database", nowhere)
    assert "No group" in run("groups", "list", "--database", nowhere)
    assert not (tmp_path / "none.db").exists()
