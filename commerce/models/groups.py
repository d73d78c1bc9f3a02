"""A chat group's rules and profile, and what happened in it as far as the rules care."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Who = Literal["anyone", "consented", "admins"]
"""Who may cause a pitch: every member, those who opted in, or the group's admins."""

Cause = Literal["ask", "recommendation", "alert", "progress"]
"""Why something would be pitched: a member asked; a member recommended it; a kind of news that the
group switched on; a group order of theirs moved."""

Reason = Literal[
    "off",
    "not_allowed",
    "quiet_hours",
    "silent",
    "daily_cap",
    "group_cap",
    "member_cap",
    "share_cap",
    "banned",
    "vetoed",
    "strikes",
    "alerts_off",
    "unknown",
]
"""Why the shop keeps silent."""

Manner = Literal["plain", "warm", "brisk"]


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """What the group's admins allow. Every number may be lowered and raised with ``/policy``.

    Attributes:
        is_on: Whether the shop may speak here at all.
        who: Who may cause a pitch.
        quiet: Minutes of the local day, from (inclusive) until (exclusive), without pitches; over
            midnight when the first is larger.
        zone: IANA time zone that ``quiet`` is told in.
        per_day: Most pitches in any 24 hours.
        group_burst: Pitches that may follow each other at once.
        group_every_s: Seconds after which one more is allowed, up to ``group_burst``.
        member_burst: The same, caused by one member.
        member_every_s: Seconds after which that member may cause one more.
        per_100_messages: Most pitches in any 100 messages of the group in a row.
        veto: So many members against a pitch take it back.
        strikes: A member whose recommendations were taken back so often in 30 days recommends no
            more.
        ignored: After so many pitches in a row that nobody heeded, the shop falls silent.
        ignored_after_s: A pitch that nobody heeded for so long counts as ignored.
        silent_s: How long it then stays silent.
        banned: Categories, tags and words of titles, lower case, that are never pitched.
        needs_approval: Whether an admin says yes to each pitch.
        takes_alerts: Whether the group wants news that nobody asked for.
    """

    is_on: bool = True
    who: Who = "anyone"
    quiet: tuple[int, int] | None = None
    zone: str = "UTC"
    per_day: int = 24
    group_burst: int = 3
    group_every_s: int = 300
    member_burst: int = 2
    member_every_s: int = 600
    per_100_messages: int = 20
    veto: int = 3
    strikes: int = 3
    ignored: int = 2
    ignored_after_s: int = 1800
    silent_s: int = 86_400
    banned: frozenset[str] = frozenset()
    needs_approval: bool = False
    takes_alerts: bool = False


PRIVATE = GroupPolicy(
    per_day=200,
    group_burst=20,
    group_every_s=5,
    member_burst=20,
    member_every_s=5,
    per_100_messages=100,
    veto=1,
    ignored=1_000_000,
)
"""The rules of a chat with one person, who is spoken to only when they ask."""


@dataclass(frozen=True, slots=True)
class GroupProfile:
    """What a group is about, as its admin says; nothing is inferred about anybody.

    Attributes:
        audience: What the members share, such as "parents"; shown, and used for nothing else.
        tone: The manner of pitches.
        only: Categories or tags, lower case, that pitches keep to; empty for everything.
        language: Of what the shop writes, such as ``en``; empty for the session's.
    """

    audience: str = ""
    tone: Manner = "plain"
    only: frozenset[str] = frozenset()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Bucket:
    """How much may pass now, at a moment in seconds since 1970."""

    level: float
    at: float


@dataclass(frozen=True, slots=True)
class RecentPitch:
    """A pitch that can still be voted on or heeded.

    Attributes:
        number: Counts the group's pitches.
        at: When it was made, seconds since 1970.
        asker: Who caused it.
        is_recommended: Whether the asker recommended it, and answers for it.
        is_heeded: Somebody clicked, answered, voted for it or asked on.
        is_settled: It was counted as heeded or ignored.
        is_withdrawn: The group took it back.
        against: Who voted against it.
    """

    number: int
    at: float
    sku: str
    asker: str
    is_recommended: bool = False
    is_heeded: bool = False
    is_settled: bool = False
    is_withdrawn: bool = False
    against: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WaitingPitch:
    """A pitch that waits for an admin's yes."""

    number: int
    at: float
    sku: str
    labels: frozenset[str]
    asker: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class GroupState:
    """What happened, as far as the rules care. Members are identity nodes, never raw ids."""

    messages: int = 0
    pitched_at: tuple[float, ...] = ()
    pitched_at_message: tuple[int, ...] = ()
    group: Bucket | None = None
    members: Mapping[str, Bucket] = field(default_factory=dict)
    pitches: tuple[RecentPitch, ...] = ()
    waiting: tuple[WaitingPitch, ...] = ()
    next_number: int = 1
    ignored_in_a_row: int = 0
    silent_until: float = 0.0
    struck: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    vetoed_until: Mapping[str, float] = field(default_factory=dict)
    consented: frozenset[str] = frozenset()
    told: Mapping[str, float] = field(default_factory=dict)


# What may happen ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spoke:
    """A member wrote something, whatever it was."""

    member: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product is about to be pitched.

    Attributes:
        labels: Category, tags and title words of the product, lower case.
    """

    member: str
    sku: str
    labels: frozenset[str]
    cause: Cause = "ask"
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Voted:
    """A member is for or against a pitch; the last vote counts."""

    member: str
    number: int
    is_against: bool


@dataclass(frozen=True, slots=True)
class Heeded:
    """Somebody clicked a pitch's link or answered it."""

    number: int


@dataclass(frozen=True, slots=True)
class Judged:
    """An admin says yes or no to a waiting pitch."""

    number: int
    is_approved: bool
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Consented:
    """A member allows being named and written to, or takes that back."""

    member: str
    is_given: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A member wants to be forgotten."""

    member: str


@dataclass(frozen=True, slots=True)
class Novelty:
    """A piece of news that nobody asked for.

    Attributes:
        key: The same piece has the same key; a group is told it once.
        labels: Category, tags and title words of the product, lower case.
    """

    key: str
    sku: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Novelties:
    """What could be told now, the most urgent first.

    Attributes:
        cause: ``alert``, or ``progress`` where all of it is of group orders.
    """

    items: tuple[Novelty, ...]
    cause: Cause = "alert"


GroupEvent = Spoke | Wanted | Voted | Heeded | Judged | Consented | Forgotten | Novelties

# What follows ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MakePitch:
    """Pitch it now.

    Attributes:
        names_asker: Whether the asker agreed to be named.
    """

    number: int
    sku: str
    asker: str
    cause: Cause
    names_asker: bool


@dataclass(frozen=True, slots=True)
class AskAdmin:
    """Ask an admin first."""

    number: int
    sku: str


@dataclass(frozen=True, slots=True)
class KeepSilent:
    """Do not pitch."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take a pitch back.

    Attributes:
        struck: Who recommended it and got a strike, if anybody.
    """

    number: int
    sku: str
    struck: str | None = None


@dataclass(frozen=True, slots=True)
class TellNews:
    """Tell these pieces of news now, in one message.

    Attributes:
        number: Of the pitch that the message counts as.
        sku: Of the first piece.
    """

    number: int
    sku: str
    keys: tuple[str, ...]


Verdict = MakePitch | AskAdmin | KeepSilent | TakeBack | TellNews | None
