"""Chat services, groups and dead letters over the console's API."""

import pytest

from commerce.models.groups import GroupPolicy
from commerce.shop.letterbox import ExternalEvent
from tests.support.consoles import API, console

pytestmark = pytest.mark.asyncio

GROUP = "group:telegram:0f0f"


async def patch(c, body: dict, status: int = 200, node: str = GROUP) -> dict:
    answer = await c.client.patch(f"{API}/groups/{node}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_which_services_are_on(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVEPITCH_TELEGRAM_TOKEN", "4242:AAbbCC")
    async with console(tmp_path) as c:
        await c.till.shop.letterbox.inbox.accept([ExternalEvent("telegram", "1", b"{}")])
        shown = await c.get("/chats")
        found = {one["name"]: one for one in shown["channels"]}
        assert found["telegram"]["is_on"] is True
        assert found["telegram"]["last_heard"].startswith("2026-05-01T12:00")
        assert found["line"] == {
            "name": "line", "is_on": False, "reads": "everything", "richest": "card",
            "last_heard": None,
        }  # fmt: skip
        assert shown["inbox"] == {"new": 1, "done": 0, "dead": 0}
        assert "4242" not in str(shown)


async def test_a_groups_rules_are_changed_whole_or_not_at_all(tmp_path):
    async with console(tmp_path) as c:
        groups = c.till.shop.letterbox.groups
        await groups.open(GROUP, "telegram")
        changed = await patch(
            c,
            {
                "quiet": {"start": "22:00", "end": "08:00", "zone": "Asia/Shanghai"},
                "per_day": 6, "every_minutes": 15, "who": "admins", "veto": 2,
                "needs_approval": True, "banned": ["Alcohol", "knives"], "audience": "hikers",
                "only": ["home"], "tone": "warm",
            },
        )  # fmt: skip
        rules = changed["rules"]
        assert rules["quiet"] == {"start": "22:00", "end": "08:00", "zone": "Asia/Shanghai"}
        assert (rules["per_day"], rules["every_minutes"], rules["who"]) == (6, 15, "admins")
        assert rules["banned"] == ["alcohol", "knives"]
        (group,) = await groups.all()
        assert group.policy.quiet == (22 * 60, 8 * 60)
        assert group.policy.group_every_s == 900
        # Who is not named stays; a shorter list takes words away.
        again = await patch(c, {"banned": ["knives"], "quiet": "off", "only": []})
        assert again["rules"]["banned"] == ["knives"]
        assert (again["rules"]["quiet"], again["rules"]["only"]) == (None, [])
        assert again["rules"]["per_day"] == 6
        (listed,) = (await c.get("/groups"))["items"]
        assert listed == again


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_day": 201},
        {"per_day": "many"},
        {"veto": 0},
        {"who": "nobody"},
        {"quiet": {"start": "25:00", "end": "08:00", "zone": "UTC"}},
        {"quiet": {"start": "22:00", "end": "08:00", "zone": "Moon/Crater"}},
        {"quiet": {"start": "22:00", "end": "08:00", "zone": "UTC off"}},
        {"audience": "pregnant women"},
        {"banned": ["x"] * 31},
        {"sudo": True},
    ],
)
async def test_impossible_rules_are_refused_and_nothing_changes(tmp_path, wrong):
    async with console(tmp_path) as c:
        await c.till.shop.letterbox.groups.open(GROUP, "telegram")
        answer = await patch(c, {"strikes": 7, **wrong}, 422)
        assert isinstance(answer["detail"], str)
        (group,) = await c.till.shop.letterbox.groups.all()
        assert group.policy == GroupPolicy()
        await patch(c, {"per_day": 3}, 404, "group:line:none")


async def test_dead_letters_are_shown_without_their_words_and_tried_again(tmp_path):
    async with console(tmp_path) as c:
        inbox = c.till.shop.letterbox.inbox
        await inbox.accept([ExternalEvent("line", str(n), b"hush hush") for n in range(3)])
        for event in await inbox.claim():
            await inbox.fail(event.key, "the service refuses us", is_final=True)
        shown = await c.get("/inbox", state="dead", limit=2)
        assert (len(shown["items"]), shown["next_offset"]) == (2, 2)
        assert shown["counts"]["dead"] == 3
        assert "hush" not in str(shown)
        first = shown["items"][0]
        assert first["problem"] == "the service refuses us"
        assert await c.post("/inbox/retry", {"keys": [first["key"]]}) == {"changed": 1}
        await c.post("/inbox/drop", {}, 422)
        rest = [one["key"] for one in (await c.get("/inbox", state="dead"))["items"]]
        assert await c.post("/inbox/drop", {"keys": rest}) == {"changed": 2}
        assert (await c.get("/inbox"))["counts"] == {"new": 1, "done": 2, "dead": 0}
        assert (await c.get("/dead-letters"))["items"] == []
        await c.post("/dead-letters/5/retry", None, 404)


async def test_what_the_catalogue_lacks(tmp_path):
    async with console(tmp_path) as c:
        box = c.till.shop.letterbox
        await box.groups.open(GROUP, "telegram")
        for member in ("chat:telegram:aa", "chat:telegram:bb"):
            assert await box.wish(GROUP, member, "do you have a hammock?")
        shown = await c.get("/wishes")
        assert shown["items"] == [{"word": "hammock", "members": 2, "groups": 1, "lately": 2}]
        assert (shown["pitched"], shown["on_sale"]) == (0, 3)
