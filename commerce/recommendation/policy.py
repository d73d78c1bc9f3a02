"""A group's rules as a pure state machine: what happened goes in, what to do comes out.

No clock, no database and no chance: the same events at the same times give the same verdicts. A
test drives it with every kind of trace and recounts the rules from the trace alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from commerce.models.groups import (
    AskAdmin,
    Bucket,
    Consented,
    Forgotten,
    GroupEvent,
    GroupPolicy,
    GroupState,
    Heeded,
    Judged,
    KeepSilent,
    MakePitch,
    Novelties,
    Novelty,
    Reason,
    RecentPitch,
    Spoke,
    TakeBack,
    TellNews,
    Verdict,
    Voted,
    WaitingPitch,
    Wanted,
)

DAY_S = 86_400.0
MESSAGES = 100
STRIKE_LIFE_S = 30 * DAY_S
VETO_LIFE_S = 7 * DAY_S
_PITCH_LIFE_S = 7 * DAY_S
_WAITING_LIFE_S = DAY_S
_TOLD_LIFE_S = 60 * DAY_S
_MOST_WAITING = 20
_MOST_RECENT = 100


def step(
    policy: GroupPolicy, state: GroupState, event: GroupEvent, now: datetime
) -> tuple[GroupState, Verdict]:
    """What follows from an event.

    Args:
        policy: The rules as they are now.
        state: What happened before.
        event: What happens.
        now: When; timezone-aware, never before the last event.

    Returns:
        The new state, and what to do.
    """
    at = now.timestamp()
    state = _settled(policy, _pruned(state, at), at)
    match event:
        case Spoke():
            return replace(state, messages=state.messages + 1), None
        case Wanted():
            return _wanted(policy, state, event, now)
        case Voted():
            return _voted(policy, state, event, at)
        case Heeded():
            return _heeded(state, event.number), None
        case Judged():
            return _judged(policy, state, event, now)
        case Consented():
            changed = state.consented - {event.member}
            if event.is_given:
                changed |= {event.member}
            return replace(state, consented=changed), None
        case Forgotten():
            return _without(state, event.member), None
        case Novelties():
            return _news(policy, state, event, now)


def _wanted(
    policy: GroupPolicy, state: GroupState, wish: Wanted, now: datetime
) -> tuple[GroupState, Verdict]:
    if wish.cause == "ask":
        # Who asks on has heeded what they were shown before.
        for pitch in state.pitches:
            if pitch.asker == wish.member and not pitch.is_settled:
                state = _heeded(state, pitch.number)
    reason = _refusal(policy, state, wish, now)
    if reason is not None:
        return state, KeepSilent(reason)
    number = state.next_number
    if policy.needs_approval and not wish.is_admin:
        waiting = WaitingPitch(
            number, now.timestamp(), wish.sku, wish.labels, wish.member, wish.cause
        )
        kept = (*state.waiting, waiting)[-_MOST_WAITING:]
        return replace(state, waiting=kept, next_number=number + 1), AskAdmin(number, wish.sku)
    state = replace(state, next_number=number + 1)
    return _pitched(policy, state, wish, number, now.timestamp())


def _news(
    policy: GroupPolicy, state: GroupState, event: Novelties, now: datetime
) -> tuple[GroupState, Verdict]:
    """All that is new and allowed in one message, which counts as one pitch."""
    at = now.timestamp()

    def may_be_told(one: Novelty) -> bool:
        is_vetoed = state.vetoed_until.get(one.sku, 0.0) > at
        return one.key not in state.told and not policy.banned & one.labels and not is_vetoed

    items = tuple(filter(may_be_told, event.items))
    if not items:
        return state, None
    if policy.needs_approval or not policy.takes_alerts:
        return state, KeepSilent("alerts_off")
    # The admin who switched news on has said who may cause them: nobody.
    wish = Wanted("", items[0].sku, items[0].labels, event.cause)
    reason = _refusal(policy, state, wish, now, is_approved=True)
    if reason is not None:
        return state, KeepSilent(reason)
    number = state.next_number
    told = {**state.told, **{one.key: at for one in items}}
    state = replace(state, next_number=number + 1, told=told)
    state, _ = _pitched(policy, state, wish, number, at)
    return state, TellNews(number, wish.sku, tuple(one.key for one in items))


def _judged(
    policy: GroupPolicy, state: GroupState, event: Judged, now: datetime
) -> tuple[GroupState, Verdict]:
    found = next((one for one in state.waiting if one.number == event.number), None)
    if found is None:
        return state, KeepSilent("unknown")
    if not event.is_admin:
        return state, KeepSilent("not_allowed")
    state = replace(state, waiting=tuple(one for one in state.waiting if one is not found))
    if not event.is_approved:
        return state, None
    # The admin's yes replaces nobody's cap: night may have fallen since the question.
    wish = Wanted(found.asker, found.sku, found.labels, found.cause)
    reason = _refusal(policy, state, wish, now, is_approved=True)
    if reason is not None:
        return state, KeepSilent(reason)
    return _pitched(policy, state, wish, found.number, now.timestamp())


def _refusal(
    policy: GroupPolicy,
    state: GroupState,
    wish: Wanted,
    now: datetime,
    *,
    is_approved: bool = False,
) -> Reason | None:
    """Which rule speaks against a pitch, if any."""
    at = now.timestamp()
    if not policy.is_on:
        return "off"
    if not is_approved and not _may_cause(policy, state, wish):
        return "not_allowed"
    if wish.cause == "alert" and not policy.takes_alerts:
        return "alerts_off"
    if policy.banned & wish.labels:
        return "banned"
    if state.vetoed_until.get(wish.sku, 0.0) > at:
        return "vetoed"
    if wish.cause == "recommendation" and len(state.struck.get(wish.member, ())) >= policy.strikes:
        return "strikes"
    if is_quiet(policy, now):
        return "quiet_hours"
    if state.silent_until > at:
        return "silent"
    if len(state.pitched_at) >= policy.per_day:
        return "daily_cap"
    first = state.messages - MESSAGES
    if sum(message > first for message in state.pitched_at_message) >= policy.per_100_messages:
        return "share_cap"
    if _level(state.group, policy.group_burst, policy.group_every_s, at) < 1:
        return "group_cap"
    bucket = state.members.get(wish.member)
    if _level(bucket, policy.member_burst, policy.member_every_s, at) < 1:
        return "member_cap"
    return None


def is_quiet(policy: GroupPolicy, now: datetime) -> bool:
    """Whether it is a quiet hour where the group lives."""
    if policy.quiet is None:
        return False
    local = now.astimezone(ZoneInfo(policy.zone))
    minute = local.hour * 60 + local.minute
    start, end = policy.quiet
    return start <= minute < end if start <= end else minute >= start or minute < end


def _may_cause(policy: GroupPolicy, state: GroupState, wish: Wanted) -> bool:
    if policy.who == "admins":
        return wish.is_admin
    return policy.who == "anyone" or wish.is_admin or wish.member in state.consented


def _pitched(
    policy: GroupPolicy, state: GroupState, wish: Wanted, number: int, at: float
) -> tuple[GroupState, Verdict]:
    group = _level(state.group, policy.group_burst, policy.group_every_s, at)
    member = _level(state.members.get(wish.member), policy.member_burst, policy.member_every_s, at)
    is_recommended = wish.cause == "recommendation"
    pitch = RecentPitch(number, at, wish.sku, wish.member, is_recommended)
    state = replace(
        state,
        pitched_at=(*state.pitched_at, at),
        pitched_at_message=(*state.pitched_at_message, state.messages),
        group=Bucket(group - 1, at),
        members={**state.members, wish.member: Bucket(member - 1, at)},
        pitches=(*state.pitches, pitch)[-_MOST_RECENT:],
    )
    names_asker = wish.member in state.consented
    return state, MakePitch(number, wish.sku, wish.member, wish.cause, names_asker)


def _voted(
    policy: GroupPolicy, state: GroupState, vote: Voted, at: float
) -> tuple[GroupState, Verdict]:
    pitch = next((one for one in state.pitches if one.number == vote.number), None)
    if pitch is None or pitch.is_withdrawn:
        return state, None
    if not vote.is_against:
        against = pitch.against - {vote.member}
        state = _with_pitch(state, replace(pitch, against=against))
        return _heeded(state, vote.number), None
    against = pitch.against | {vote.member}
    # Whoever is against one pitch does not want the next one at once.
    state = replace(state, group=Bucket(0.0, at))
    if len(against) < policy.veto:
        return _with_pitch(state, replace(pitch, against=against)), None
    state = _with_pitch(state, replace(pitch, against=against, is_withdrawn=True, is_settled=True))
    vetoed = {**state.vetoed_until, pitch.sku: at + VETO_LIFE_S}
    state = replace(state, vetoed_until=vetoed)
    if not pitch.is_recommended:
        return state, TakeBack(pitch.number, pitch.sku)
    strikes = (*state.struck.get(pitch.asker, ()), at)
    state = replace(state, struck={**state.struck, pitch.asker: strikes})
    return state, TakeBack(pitch.number, pitch.sku, pitch.asker)


def _heeded(state: GroupState, number: int) -> GroupState:
    pitch = next((one for one in state.pitches if one.number == number), None)
    if pitch is None or pitch.is_withdrawn:
        return state
    state = _with_pitch(state, replace(pitch, is_heeded=True, is_settled=True))
    return replace(state, ignored_in_a_row=0)


def _settled(policy: GroupPolicy, state: GroupState, at: float) -> GroupState:
    """Count the pitches that nobody heeded in time, in their order."""
    for pitch in state.pitches:
        ignored_at = pitch.at + policy.ignored_after_s
        if pitch.is_settled or ignored_at > at:
            continue
        in_a_row = state.ignored_in_a_row + 1
        silent_until = state.silent_until
        if in_a_row >= policy.ignored:
            in_a_row, silent_until = 0, max(silent_until, ignored_at + policy.silent_s)
        state = replace(
            _with_pitch(state, replace(pitch, is_settled=True)),
            ignored_in_a_row=in_a_row,
            silent_until=silent_until,
        )
    return state


def _with_pitch(state: GroupState, changed: RecentPitch) -> GroupState:
    pitches = tuple(changed if one.number == changed.number else one for one in state.pitches)
    return replace(state, pitches=pitches)


def _pruned(state: GroupState, at: float) -> GroupState:
    """Without what no rule asks about any more, so that a state stays small."""
    first = state.messages - MESSAGES
    strikes = {
        member: kept
        for member, times in state.struck.items()
        if (kept := tuple(time for time in times if time > at - STRIKE_LIFE_S))
    }
    return replace(
        state,
        pitched_at=tuple(time for time in state.pitched_at if time > at - DAY_S),
        pitched_at_message=tuple(m for m in state.pitched_at_message if m > first),
        members=_still_filling(state.members, at),
        pitches=tuple(one for one in state.pitches if one.at > at - _PITCH_LIFE_S),
        waiting=tuple(one for one in state.waiting if one.at > at - _WAITING_LIFE_S),
        struck=strikes,
        told={key: time for key, time in state.told.items() if time > at - _TOLD_LIFE_S},
        vetoed_until={sku: until for sku, until in state.vetoed_until.items() if until > at},
    )


def _still_filling(members: Mapping[str, Bucket], at: float) -> dict[str, Bucket]:
    # A week fills every bucket that /policy can make.
    return {member: one for member, one in members.items() if one.at > at - 7 * DAY_S}


def _without(state: GroupState, member: str) -> GroupState:
    return replace(
        state,
        members={one: bucket for one, bucket in state.members.items() if one != member},
        pitches=tuple(
            replace(
                one,
                asker="" if one.asker == member else one.asker,
                against=one.against - {member},
            )
            for one in state.pitches
        ),
        waiting=tuple(one for one in state.waiting if one.asker != member),
        struck={one: times for one, times in state.struck.items() if one != member},
        consented=state.consented - {member},
    )


def _level(bucket: Bucket | None, burst: int, every_s: int, at: float) -> float:
    """What may pass now: a bucket that nobody has drawn from is full."""
    if bucket is None:
        return float(burst)
    return min(float(burst), bucket.level + max(0.0, at - bucket.at) / every_s)
