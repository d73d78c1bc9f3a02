"""What the console is answered: the show, chats and letters."""

from typing import Literal

from sdk.types.answers import Answered, Caption, Moment, Product


class Welcome(Answered):
    """What the page needs before anything else.

    Attributes:
        session: The session's name in addresses.
        ticket: For pictures and sockets, which cannot carry headers; lets watch, and no more.
        is_guarded: Whether the seller's token was asked for.
        is_test: Whether the till takes no real money.
        till: Who takes the money; None while nobody does.
        acts: What the face can do.
        emotions: What it can feel.
        public_key: What this shop's statements verify with.
    """

    session: str
    presenter: str
    consent: str
    ticket: str
    is_guarded: bool
    is_test: bool
    till: str | None
    acts: tuple[str, ...]
    emotions: tuple[str, ...]
    public_key: str


class QueuedSpeech(Answered):
    """Something that is going to be said."""

    speech_id: int
    text: str
    priority: str
    product: str | None


class Driver(Answered):
    """The camera that moves the face."""

    is_active: bool
    is_following: bool
    frames: int
    dropped: int


class ShowView(Answered):
    """The show as it is now.

    Attributes:
        viewers: Connected now, the console's own preview included.
        queue: Next first.
        script: ``none`` where the session has none.
    """

    state: str
    avatar_state: str
    caption: Caption | None
    viewers: int
    pinned: Product | None
    queue: tuple[QueuedSpeech, ...]
    script: Literal["none", "on", "off"]
    driver: Driver
    frames: int
    stalls: int


class ScriptState(Answered):
    """Whether the script speaks."""

    script: Literal["on", "off"]


class Performed(Answered):
    """What the face was told to do."""

    kind: str
    name: str


class ChannelView(Answered):
    """A chat service; ``last_heard`` is when something last came from it."""

    name: str
    is_on: bool
    reads: str
    richest: str
    last_heard: Moment | None


class QuietView(Answered):
    """Hours of the local day without pitches."""

    start: str
    end: str
    zone: str


class RulesView(Answered):
    """A group's rules; the fields are those that may be changed."""

    is_on: bool
    who: str
    quiet: QuietView | None
    per_day: int
    every_minutes: int
    per_100_messages: int
    veto: int
    strikes: int
    needs_approval: bool
    takes_alerts: bool
    banned: tuple[str, ...]
    audience: str
    tone: str
    only: tuple[str, ...]
    language: str


class GroupView(Answered):
    """A chat group: never its name, which is not kept.

    Attributes:
        node: Its pseudonym.
        pitches: How many it was shown.
        keeps_text: Whether its admin allowed messages to be kept.
    """

    node: str
    channel: str
    pitches: int
    keeps_text: bool
    rules: RulesView


class Groups(Answered):
    """A part of the groups, the latest active first."""

    items: tuple[GroupView, ...]
    next_offset: int | None


class Chats(Answered):
    """The chat services and what waits of them."""

    channels: tuple[ChannelView, ...]
    inbox: dict[str, int]


class Letter(Answered):
    """An event of a chat service, never what was written in it."""

    key: int
    source: str
    state: str
    received_at: Moment
    attempts: int
    problem: str


class Letters(Answered):
    """A part of the inbox, newest first."""

    items: tuple[Letter, ...]
    counts: dict[str, int]
    next_offset: int | None


class Errand(Answered):
    """Work of the till that failed too often."""

    id: int
    kind: str
    aggregate: str
    attempts: int
    error: str
    created_at: Moment


class Errands(Answered):
    """All of them, oldest first."""

    items: tuple[Errand, ...]


class Done(Answered):
    """How many were changed."""

    changed: int


class WishView(Answered):
    """What several members asked for in vain."""

    word: str
    members: int
    groups: int
    lately: int


class Wishes(Answered):
    """What the catalogue lacks, and how much of it was pitched."""

    items: tuple[WishView, ...]
    pitched: int
    on_sale: int
