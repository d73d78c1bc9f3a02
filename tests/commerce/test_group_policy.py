"""No trace of events yields a pitch that breaks a group's rules: recounted from the trace alone."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from commerce.errors import LetterboxError
from commerce.models.groups import (
    AskAdmin,
    Consented,
    Forgotten,
    GroupPolicy,
    GroupProfile,
    GroupState,
    Heeded,
    Judged,
    KeepSilent,
    MakePitch,
    Novelties,
    Novelty,
    Spoke,
    TakeBack,
    TellNews,
    Voted,
    Wanted,
)
from commerce.recommendation.policy import is_quiet, step
from commerce.recommendation.policy_words import changed, described

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MEMBERS = ("ana", "bo", "cy", "di")
SKUS = {
    "mug": frozenset({"kitchen"}),
    "knife": frozenset({"kitchen", "knives"}),
    "lamp": frozenset({"home"}),
}
CAUSES = ("ask", "ask", "recommendation", "recommendation", "alert", "progress")


def mostly(usual, *others):
    """The usual value four times out of five: a rule that forbids everything tests nothing else."""
    return st.sampled_from([*[usual] * 4 * len(others), *others])


policies = st.builds(
    GroupPolicy,
    is_on=mostly(True, False),
    who=mostly("anyone", "consented", "admins"),
    quiet=mostly(None, (22 * 60, 8 * 60), (9 * 60, 17 * 60)),
    zone=st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
    per_day=mostly(24, 0, 2, 6),
    group_burst=st.sampled_from([1, 2, 8]),
    group_every_s=st.sampled_from([20, 600]),
    member_burst=st.sampled_from([1, 2, 8]),
    member_every_s=st.sampled_from([20, 1200]),
    per_100_messages=st.sampled_from([1, 2, 20]),
    veto=st.integers(1, 3),
    strikes=st.integers(1, 2),
    ignored=st.sampled_from([1, 2, 100, 100]),
    ignored_after_s=st.sampled_from([120, 1800]),
    banned=st.sampled_from([frozenset(), frozenset({"knives"})]),
    needs_approval=st.sampled_from([False, False, True]),
    takes_alerts=st.booleans(),
)


class Referee(RuleBasedStateMachine):
    """Keeps its own log of what happened, and judges every pitch by recounting it."""

    @initialize(policy=policies)
    def begin(self, policy):
        self.policy, self.state, self.now = policy, GroupState(), NOON
        self.messages = 0
        self.pitches = []  # dicts: number, at, message, member, sku, cause, against, heeded, gone
        self.waiting = {}
        self.consented = set()
        self.strikes = []  # (member, at)
        self.drained = None  # (when, how many pitches before, seconds per pitch at best since)
        self.forgotten_at = {}
        self.silences = []  # (from, until)
        self.in_a_row = 0
        self.told = {}

    def tell(self, event):
        self.count_ignored()
        self.state, verdict = step(self.policy, self.state, event, self.now)
        return verdict

    # What members and admins do ---------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 20, 61, 300, 1801, 7200, 40_000, 90_000]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(member=st.sampled_from(MEMBERS), count=st.sampled_from([1, 1, 5, 120]))
    def chat(self, member, count):
        for _ in range(count):
            assert self.tell(Spoke(member)) is None
            self.messages += 1

    @rule(
        member=st.sampled_from(MEMBERS),
        sku=st.sampled_from(sorted(SKUS)),
        cause=st.sampled_from(CAUSES),
        is_admin=st.sampled_from([False, False, True]),
    )
    def want(self, member, sku, cause, is_admin):
        self.ask_for(member, sku, cause, is_admin=is_admin)

    def ask_for(self, member, sku, cause, *, is_admin):
        assert self.tell(Spoke(member)) is None
        self.messages += 1
        verdict = self.tell(Wanted(member, sku, SKUS[sku], cause, is_admin))
        mine = [p for p in self.pitches if p["member"] == member and not p["settled"]]
        for pitch in mine if cause == "ask" else []:
            if self.alive(pitch["number"]) is not None:
                self.heed(pitch)
        match verdict:
            case MakePitch():
                assert not self.policy.needs_approval or is_admin
                self.judge_pitch(verdict, member, sku, cause, is_admin=is_admin)
            case AskAdmin():
                assert self.policy.needs_approval
                self.waiting[verdict.number] = (member, sku, cause)
            case _:
                assert isinstance(verdict, KeepSilent)

    @rule(data=st.data(), is_approved=st.booleans(), is_admin=st.booleans())
    def decide(self, data, is_approved, is_admin):
        self.judge(data.draw(st.sampled_from([*self.waiting, 99])), is_approved, is_admin)

    def judge(self, number, is_approved, is_admin):
        verdict = self.tell(Judged(number, is_approved, is_admin))
        if isinstance(verdict, MakePitch):
            assert is_approved
            assert is_admin
            member, sku, cause = self.waiting[number]
            self.judge_pitch(verdict, member, sku, cause, is_admin=True)
        if is_admin:
            self.waiting.pop(number, None)

    @rule(data=st.data(), member=st.sampled_from(MEMBERS), is_against=st.booleans())
    def vote(self, data, member, is_against):
        number = data.draw(st.sampled_from([*(p["number"] for p in self.pitches), 99]))
        self.cast(member, number, is_against)

    def cast(self, member, number, is_against):
        verdict = self.tell(Voted(member, number, is_against))
        pitch = self.alive(number)
        if pitch is None:
            assert verdict is None
            return
        if not is_against:
            pitch["against"].discard(member)
            self.heed(pitch)
            assert verdict is None
            return
        pitch["against"].add(member)
        self.drained = (self.now, len(self.pitches), self.policy.group_every_s)
        if len(pitch["against"]) >= self.policy.veto:
            assert isinstance(verdict, TakeBack), "enough votes, and it still stands"
            pitch["gone"] = self.now
            is_recommended = pitch["cause"] == "recommendation"
            assert verdict.struck == (pitch["member"] if is_recommended else None)
            if is_recommended:
                self.strikes.append((pitch["member"], self.now))
        else:
            assert verdict is None

    @rule(data=st.data())
    def click(self, data):
        number = data.draw(st.sampled_from([*(p["number"] for p in self.pitches), 99]))
        self.tell(Heeded(number))
        if (pitch := self.alive(number)) is not None:
            self.heed(pitch)

    @rule(member=st.sampled_from(MEMBERS), is_given=st.booleans())
    def consent(self, member, is_given):
        self.tell(Consented(member, is_given))
        (self.consented.add if is_given else self.consented.discard)(member)

    @rule(member=st.sampled_from(MEMBERS))
    def forget(self, member):
        self.tell(Forgotten(member))
        self.consented.discard(member)
        self.forgotten_at[member] = self.now
        self.strikes = [one for one in self.strikes if one[0] != member]
        self.waiting = {n: one for n, one in self.waiting.items() if one[0] != member}
        for pitch in self.pitches:
            pitch["against"].discard(member)
            pitch["member"] = "" if pitch["member"] == member else pitch["member"]
        assert member not in repr(self.state)

    @rule(data=st.data())
    def gang_up(self, data):
        """Everybody is against one pitch, and its product is wanted again."""
        number = data.draw(st.sampled_from([*(p["number"] for p in self.pitches), 99]))
        for member in MEMBERS:
            self.cast(member, number, True)
        if number != 99:
            pitch = next(p for p in self.pitches if p["number"] == number)
            self.now += timedelta(seconds=data.draw(st.sampled_from([0, 30, 900])))
            sku = data.draw(st.sampled_from([pitch["sku"], "mug", "lamp"]))
            self.ask_for(pitch["member"] or "ana", sku, pitch["cause"], is_admin=True)

    @rule(first=st.sampled_from(MEMBERS), second=st.sampled_from(MEMBERS), count=st.integers(1, 2))
    def pass_by(self, first, second, count):
        """Pitches that nobody heeds, and somebody else who asks."""
        for sku in ("mug", "lamp")[:count]:
            self.ask_for(first, sku, "recommendation", is_admin=True)
            self.now += timedelta(seconds=2000)
        self.ask_for(second, "mug", "ask", is_admin=True)

    @rule(
        skus=st.lists(st.sampled_from(sorted(SKUS)), min_size=1, max_size=3, unique=True),
        day=st.integers(1, 2),
        cause=st.sampled_from(["alert", "progress"]),
    )
    def news(self, skus, day, cause):
        """Something new that nobody asked for; all of it in one message, and never twice."""
        items = tuple(Novelty(f"{sku}:{day}", sku, SKUS[sku]) for sku in skus)
        verdict = self.tell(Novelties(items, cause))
        if not isinstance(verdict, TellNews):
            assert verdict is None or isinstance(verdict, KeepSilent)
            return
        assert self.policy.takes_alerts
        assert not self.policy.needs_approval
        told = [one for one in items if one.key in verdict.keys]
        assert [one.key for one in told] == list(verdict.keys)
        fresh = {key for key, at in self.told.items() if self.now - at < timedelta(days=60)}
        assert not fresh & set(verdict.keys), "told twice"
        gone = [p for p in self.pitches if p["gone"] and self.now - p["gone"] < timedelta(days=7)]
        for one in told:
            assert not self.policy.banned & one.labels
            assert one.sku not in {p["sku"] for p in gone}
            self.told[one.key] = self.now
        assert verdict.sku == told[0].sku
        self.judge_pitch(verdict, "", verdict.sku, cause, is_admin=True)

    @rule(member=st.sampled_from(MEMBERS))
    def push(self, member):
        """A member recommends one thing after the other, and the group is against each."""
        for sku in ("lamp", "mug", "knife"):
            before = len(self.pitches)
            self.ask_for(member, sku, "recommendation", is_admin=True)
            for pitch in self.pitches[before:]:
                for voter in MEMBERS:
                    self.cast(voter, pitch["number"], True)
            self.now += timedelta(seconds=1300)

    @rule(data=st.data(), is_admin=st.booleans(), seconds=st.sampled_from([0, 0, 7200]))
    def decide_what_waits(self, data, is_admin, seconds):
        if self.waiting:
            self.now += timedelta(seconds=seconds)
            self.judge(data.draw(st.sampled_from(sorted(self.waiting))), True, is_admin)

    @rule(policy=policies, is_now=mostly(False, True))
    def change_the_rules(self, policy, is_now):
        if is_now:
            self.count_ignored()
            self.policy = policy
            if self.drained is not None:
                when, before, every_s = self.drained
                self.drained = (when, before, min(every_s, policy.group_every_s))

    @rule(is_on=st.booleans(), is_now=mostly(False, True))
    def switch(self, is_on, is_now):
        """Only this: what waits for approval meets a shop that was switched off meanwhile."""
        if is_now:
            self.policy = replace(self.policy, is_on=is_on)

    # The referee ------------------------------------------------------------------------------

    def judge_pitch(self, verdict, member, sku, cause, *, is_admin):
        policy, now = self.policy, self.now
        assert policy.is_on
        names_asker = isinstance(verdict, MakePitch) and verdict.names_asker
        assert names_asker == (member in self.consented), "named without consent"
        assert policy.who == "anyone" or is_admin or (
            policy.who == "consented" and member in self.consented
        )  # fmt: skip
        assert cause != "alert" or policy.takes_alerts
        assert not policy.banned & SKUS[sku]
        if policy.quiet is not None:
            local = now.astimezone(ZoneInfo(policy.zone))
            quiet = set(range(1440)) & set(
                range(*policy.quiet)
                if policy.quiet[0] <= policy.quiet[1]
                else [*range(policy.quiet[0], 1440), *range(policy.quiet[1])]
            )
            assert local.hour * 60 + local.minute not in quiet
        assert not any(start <= now < end for start, end in self.silences), "spoke while silent"
        day = [p for p in self.pitches if now - p["at"] < timedelta(days=1)]
        assert len(day) < policy.per_day
        last_100 = [p for p in self.pitches if p["message"] > self.messages - 100]
        assert len(last_100) < policy.per_100_messages
        vetoed = [p for p in self.pitches if p["gone"] and p["sku"] == sku]
        assert not any(now - p["gone"] < timedelta(days=7) for p in vetoed)
        struck = [at for who, at in self.strikes if who == member and now - at < timedelta(days=30)]
        assert cause != "recommendation" or len(struck) < policy.strikes
        # A bucket cannot let more through in any span than it holds and gains in it.
        self.judge_bucket(self.pitches, "group_burst", "group_every_s")
        mine = [p for p in self.pitches if p["member"] == member]
        self.judge_bucket(mine, "member_burst", "member_every_s")
        if self.drained is not None:
            when, before, every_s = self.drained
            gained = (now - when).total_seconds() / every_s
            assert len(self.pitches) - before + 1 <= gained + 1e-6, "pitched right after a 👎"
        self.pitches.append(
            {"number": verdict.number, "at": now, "message": self.messages, "member": member,
             "sku": sku, "cause": cause, "against": set(), "settled": False, "gone": None,
             "rules": policy}
        )  # fmt: skip

    def judge_bucket(self, pitches, burst, every):
        # Rules may have changed on the way; the most generous of them bounds every span.
        rules = [self.policy, *(p["rules"] for p in pitches)]
        most = max(getattr(one, burst) for one in rules)
        fastest = min(getattr(one, every) for one in rules)
        for start in range(len(pitches)):
            span_s = (self.now - pitches[start]["at"]).total_seconds()
            assert len(pitches) - start + 1 <= most + span_s / fastest + 1e-6

    def count_ignored(self):
        for pitch in self.pitches:
            due = pitch["at"] + timedelta(seconds=self.policy.ignored_after_s)
            if pitch["settled"] or pitch["gone"] or due > self.now:
                continue
            pitch["settled"] = True
            if self.now - pitch["at"] >= timedelta(days=7):
                continue  # forgotten long ago
            self.in_a_row += 1
            if self.in_a_row >= self.policy.ignored:
                self.in_a_row = 0
                self.silences.append((due, due + timedelta(seconds=self.policy.silent_s)))

    def heed(self, pitch):
        pitch["settled"] = True
        self.in_a_row = 0

    def alive(self, number):
        found = next((p for p in self.pitches if p["number"] == number), None)
        is_old = found is not None and self.now - found["at"] >= timedelta(days=7)
        return None if found is None or found["gone"] or is_old else found

    @invariant()
    def numbers_are_never_reused(self):
        if hasattr(self, "pitches"):
            numbers = [p["number"] for p in self.pitches]
            assert len(numbers) == len(set(numbers))


TestReferee = Referee.TestCase
TestReferee.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def play(policy, script, state=None):
    """Each entry of the script is (seconds since noon, event); returns all verdicts."""
    state, verdicts = state or GroupState(), []
    for seconds, event in script:
        state, verdict = step(policy, state, event, NOON + timedelta(seconds=seconds))
        verdicts.append(verdict)
    return state, verdicts


def ask(member="ana", sku="mug", **more):
    return Wanted(member, sku, SKUS[sku], **more)


def test_an_ask_is_pitched_and_the_asker_is_not_named_without_consent():
    _, (first, _, named) = play(
        GroupPolicy(), [(0, ask()), (1, Consented("bo", True)), (2, ask("bo", "lamp"))]
    )
    assert isinstance(first, MakePitch)
    assert not first.names_asker
    assert named.names_asker


def test_a_waiting_pitch_needs_an_admins_yes():
    policy = GroupPolicy(needs_approval=True)
    script = [(0, ask()), (1, Judged(1, True, False)), (2, Judged(1, True, True))]
    _, verdicts = play(policy, [*script, (3, Judged(1, True, True))])
    assert verdicts[:2] == [AskAdmin(1, "mug"), KeepSilent("not_allowed")]
    assert isinstance(verdicts[2], MakePitch)
    assert verdicts[3] == KeepSilent("unknown")


def test_ignored_twice_means_silent_for_a_day_and_a_click_means_not():
    script = [(0, ask()), (4000, ask("bo")), (8000, ask("cy")), (8000 + 86_400, ask("cy"))]
    _, verdicts = play(GroupPolicy(), script)
    assert verdicts[2] == KeepSilent("silent")
    assert isinstance(verdicts[3], MakePitch)
    script.insert(1, (10, Heeded(1)))
    _, verdicts = play(GroupPolicy(), script)
    assert isinstance(verdicts[3], MakePitch)


def test_three_votes_take_a_pitch_back_and_the_product_rests_for_a_week():
    votes = [(n, Voted(m, 1, True)) for n, m in ((1, "bo"), (2, "bo"), (3, "cy"), (4, "di"))]
    script = [(0, ask(cause="recommendation")), *votes, (90_000, ask()), (7 * 86_401, ask())]
    state, verdicts = play(GroupPolicy(), script)
    assert verdicts[1:4] == [None, None, None], "one member votes once"
    assert verdicts[4] == TakeBack(1, "mug", "ana")
    assert verdicts[5] == KeepSilent("vetoed")
    assert isinstance(verdicts[6], MakePitch)
    assert len(state.struck["ana"]) == 1


def test_quiet_hours_are_those_of_the_groups_own_zone():
    policy = GroupPolicy(quiet=(22 * 60, 8 * 60), zone="Asia/Shanghai")
    assert not is_quiet(policy, datetime(2026, 5, 1, 13, 59, tzinfo=UTC))
    assert is_quiet(policy, datetime(2026, 5, 1, 14, 0, tzinfo=UTC))
    assert is_quiet(policy, datetime(2026, 5, 1, 23, 59, tzinfo=UTC))
    assert not is_quiet(policy, datetime(2026, 5, 2, 0, 0, tzinfo=UTC))
    summer = GroupPolicy(quiet=(22 * 60, 8 * 60), zone="Europe/Berlin")
    assert is_quiet(summer, datetime(2026, 7, 1, 20, 0, tzinfo=UTC))
    assert not is_quiet(summer, datetime(2026, 12, 1, 20, 0, tzinfo=UTC))


@pytest.mark.parametrize("cap", [1, 5, 20])
def test_pitches_per_100_messages_never_exceed_the_cap(cap):
    """A simulated busy month: many members, every tenth message an ask."""
    policy = GroupPolicy(per_100_messages=cap, per_day=200, group_every_s=1, member_every_s=1)
    chance, state, at = random.Random(cap), GroupState(), 0.0
    pitched = []
    for number in range(4000):
        at += chance.expovariate(1 / 60)
        now = NOON + timedelta(seconds=at)
        member = f"m{chance.randrange(40)}"
        state, _ = step(policy, state, Spoke(member), now)
        verdict = None
        if chance.random() < 0.1:
            state, verdict = step(policy, state, ask(member), now)
        pitched.append(isinstance(verdict, MakePitch))
        if pitched[-1] and chance.random() < 0.8:
            state, _ = step(policy, state, Heeded(verdict.number), now)
        del number
    worst = max(sum(pitched[start : start + 100]) for start in range(len(pitched) - 99))
    assert 0 < worst <= cap
    assert len(repr(state)) < 20_000, "the state of a busy group stays small"


def test_rules_are_changed_in_words_and_shown_in_the_same_words():
    policy, profile = GroupPolicy(), GroupProfile()
    for words in ("quiet 22:30-07:00 Asia/Shanghai", "veto 5", "approval on", "who admins",
                  "ban Knives, alcohol", "tone warm", "about hikers and neighbours", "only beauty",
                  "language zh", "per-day 6", "every 30", "alerts on"):  # fmt: skip
        policy, profile = changed(policy, profile, words)
    shown = described(policy, profile)
    assert "quiet 22:30-07:00 Asia/Shanghai" in shown
    assert "banned: alcohol, knives" in shown
    assert policy.group_every_s == 1800
    again, profile_again = policy, profile
    for words in shown:
        if not words.startswith("banned"):
            again, profile_again = changed(again, profile_again, words)
    assert (again, profile_again) == (policy, profile)


@pytest.mark.parametrize(
    "words",
    ["", "nonsense", "quiet 25:00-07:00", "quiet 22:00-07:00 Nowhere/Land", "veto 0", "veto -1",
     "veto ٣", "who everybody", "tone rude", "language xx", "approval maybe", "ban", "per-day 1e9",
     "quiet ../../etc/passwd", "quiet 22:00-07:00 ../../etc/passwd", "about muslim mothers",
     "about people with cancer", "about 穆斯林姐妹"],
)  # fmt: skip
def test_wrong_words_are_refused_in_one_line(words):
    with pytest.raises(LetterboxError) as caught:
        changed(GroupPolicy(), GroupProfile(), words)
    assert "\n" not in str(caught.value)


def test_ordinary_words_are_not_taken_for_protected_ones():
    for words in ("about family reunion planners", "about public transport fans", "about parents"):
        _, profile = changed(GroupPolicy(), GroupProfile(), words)
        assert profile.audience
