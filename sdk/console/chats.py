"""``/api/console``: chat services, groups and their rules, letters that could not be worked on."""

from typing import Any

from fastapi import APIRouter, HTTPException

from commerce.models.groups import GroupPolicy, GroupProfile
from commerce.shop.inbox import EventState
from commerce.shop.letterbox import Group, changed_policy
from sdk.console.desk import Desk, refusing
from sdk.console.paging import Limit, Offset, part
from sdk.console.wire import Keys, Node, RowNumber, Rules
from sdk.types import desk_answers as answers
from sdk.types.answers import problems

_LOOKED_AT = 500  # letters, to find when each service was last heard


def chat_routes(desk: Desk) -> APIRouter:
    """The routes of the tab "Chats"."""
    router = APIRouter(prefix="/api/console", tags=["console"])
    shop = desk.shop
    box, outbox = shop.letterbox, shop.till.outbox

    @router.get("/chats", response_model=answers.Chats, responses=problems(503))
    async def chats() -> dict[str, Any]:
        """Which chat services are switched on, and how many of their events wait."""
        with refusing():
            counts = await box.inbox.counts()
            lines = await box.inbox.lines(None, _LOOKED_AT)
        heard: dict[str, Any] = {}
        for line in lines:  # newest first
            heard.setdefault(line.source, line.received_at)
        channels = [
            {
                "name": one.name,
                "is_on": one.is_on,
                "reads": one.reads,
                "richest": one.richest,
                "last_heard": heard.get(one.name),
            }
            for one in desk.channels
        ]
        return {"channels": channels, "inbox": counts}

    @router.get("/groups", response_model=answers.Groups, responses=problems(422, 503))
    async def groups(limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
        """The groups the shop is in, the latest active first, with their rules."""
        with refusing():
            rows, following = part(await box.groups.all(), limit, offset)
            items = [await _group(desk, one) for one in rows]
        return {"items": items, "next_offset": following}

    @router.patch(
        "/groups/{node:path}", response_model=answers.GroupView, responses=problems(404, 422, 503)
    )
    async def change(node: Node, body: Rules) -> dict[str, Any]:
        """Change a group's rules; all that is named, or nothing when a word of it is refused."""
        with refusing():
            group = await _known(desk, node)
            policy, profile = _changed(group.policy, group.profile, body)
            if policy != group.policy:
                await box.groups.set_policy(node, policy)
            if profile != group.profile:
                await box.groups.set_profile(node, profile)
            return await _group(desk, await _known(desk, node))

    @router.get("/inbox", response_model=answers.Letters, responses=problems(422, 503))
    async def inbox(
        state: EventState | None = None, limit: Limit = 50, offset: Offset = 0
    ) -> dict[str, Any]:
        """Events of chat services, newest first; never what was written."""
        with refusing():
            counts = await box.inbox.counts()
            lines = await box.inbox.lines(state, offset + limit + 1)
            rows, following = part(lines, limit, offset)
        items = [
            {
                "key": one.key,
                "source": one.source,
                "state": one.state,
                "received_at": one.received_at,
                "attempts": one.attempts,
                "problem": one.problem,
            }
            for one in rows
        ]
        return {"items": items, "counts": counts, "next_offset": following}

    @router.post("/inbox/retry", response_model=answers.Done, responses=problems(422, 503))
    async def retry(body: Keys) -> dict[str, Any]:
        """Let dead letters be tried again; those whose body is gone stay dead."""
        with refusing():
            return {"changed": await box.inbox.retry(body.keys)}

    @router.post("/inbox/drop", response_model=answers.Done, responses=problems(422, 503))
    async def drop(body: Keys) -> dict[str, Any]:
        """Give dead letters up, by their numbers; what they held is deleted."""
        if body.keys is None:
            raise HTTPException(422, "name the letters to give up; there is no way back")
        with refusing():
            return {"changed": await box.inbox.drop(body.keys)}

    @router.get("/dead-letters", response_model=answers.Errands, responses=problems(503))
    async def errands() -> dict[str, Any]:
        """Work of the till that failed too often to be tried again by itself."""
        with refusing():
            found = await outbox.dead_letters()
        items = [
            {
                "id": one.id,
                "kind": one.kind,
                "aggregate": one.aggregate,
                "attempts": one.attempts,
                "error": one.error,
                "created_at": one.created_at,
            }
            for one in found
        ]
        return {"items": items}

    @router.post(
        "/dead-letters/{number}/retry",
        response_model=answers.Done,
        responses=problems(404, 422, 503),
    )
    async def retry_errand(number: RowNumber) -> dict[str, Any]:
        """Give one of them another life."""
        with refusing():
            if not await outbox.retry(number):
                raise HTTPException(404, f"{number} is no dead letter")
        return {"changed": 1}

    @router.get("/wishes", response_model=answers.Wishes, responses=problems(503))
    async def wishes() -> dict[str, Any]:
        """What groups asked for in vain; words of one member alone are never shown."""
        with refusing():
            found = await box.aftercare.wished()
            on_sale = {card.sku for card in await shop.products()}
            shown = await box.groups.pitched_skus()
        items = [
            {"word": w.word, "members": w.members, "groups": w.groups, "lately": w.lately}
            for w in found
        ]
        return {"items": items, "pitched": len(on_sale & shown), "on_sale": len(on_sale)}

    return router


async def _known(desk: Desk, node: str) -> Group:
    found = next((one for one in await desk.shop.letterbox.groups.all() if one.node == node), None)
    if found is None:
        raise HTTPException(404, f"no group is called {node[:80]!r}")
    return found


async def _group(desk: Desk, group: Group) -> dict[str, Any]:
    policy, profile = group.policy, group.profile
    quiet = None
    if policy.quiet is not None:
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in policy.quiet)
        quiet = {"start": start, "end": end, "zone": policy.zone}
    return {
        "node": group.node,
        "channel": group.channel,
        "pitches": await desk.shop.letterbox.groups.pitches(group.node),
        "keeps_text": group.keeps_text,
        "rules": {
            "is_on": policy.is_on,
            "who": policy.who,
            "quiet": quiet,
            "per_day": policy.per_day,
            "every_minutes": policy.group_every_s // 60,
            "per_100_messages": policy.per_100_messages,
            "veto": policy.veto,
            "strikes": policy.strikes,
            "needs_approval": policy.needs_approval,
            "takes_alerts": policy.takes_alerts,
            "banned": sorted(policy.banned),
            "audience": profile.audience,
            "tone": profile.tone,
            "only": sorted(profile.only),
            "language": profile.language,
        },
    }


def _changed(
    policy: GroupPolicy, profile: GroupProfile, rules: Rules
) -> tuple[GroupPolicy, GroupProfile]:
    """Through the words that admins type, so that the same things are refused here and there."""
    for words in _words(policy, rules):
        policy, profile = changed_policy(policy, profile, words)
    return policy, profile


def _words(policy: GroupPolicy, rules: Rules) -> list[str]:
    def switch(verb: str, value: bool | None) -> list[str]:
        return [] if value is None else [f"{verb} {'on' if value else 'off'}"]

    found = [] if rules.is_on is None else ["on" if rules.is_on else "off"]
    plain = {
        "who": rules.who,
        "per-day": rules.per_day,
        "every": rules.every_minutes,
        "share": rules.per_100_messages,
        "veto": rules.veto,
        "strikes": rules.strikes,
        "about": rules.audience,
        "tone": rules.tone,
        "language": rules.language,
    }
    found += [f"{verb} {value}" for verb, value in plain.items() if value is not None]
    if rules.quiet == "off":
        found.append("quiet off")
    elif rules.quiet is not None:
        found.append(f"quiet {rules.quiet.start}-{rules.quiet.end} {rules.quiet.zone}")
    found += switch("approval", rules.needs_approval) + switch("alerts", rules.takes_alerts)
    if rules.banned is not None:
        found += [f"unban {','.join(sorted(policy.banned))}"] if policy.banned else []
        found += [f"ban {','.join(rules.banned)}"] if rules.banned else []
    if rules.only is not None:
        found.append(f"only {','.join(rules.only) or 'everything'}")
    return found
