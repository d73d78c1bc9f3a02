"""What channels hand to the shop and take from it, the same for all of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal, Self

from sdk.errors import MessagingError

AI_LABEL = {"en": "🤖 AI presenter", "zh": "🤖 AI 主播", "es": "🤖 Presentador de IA",
            "pt": "🤖 Apresentador de IA"}  # fmt: skip
"""Stands in every message of ours, in the language of the message."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to write to.

    Attributes:
        channel: Name of the channel.
        chat: The service's own id of the chat.
        is_group: Whether several people read there.
        reply_to: The service's id of the message to answer.
        extra: What else this channel needs for an answer, such as a reply token.
    """

    channel: str
    chat: str
    is_group: bool = False
    reply_to: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """For keeping, encrypted."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """An address that was kept."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A member wrote something.

    Attributes:
        address: Where to answer.
        member: The service's id of who wrote.
        message: The service's id of the message.
        text: What they wrote, without the mention of us.
        is_to_us: It mentions us, answers us, is a command, or the chat is private.
        reply_to: The message it answers, if any.
        name: As the service shows it; spoken or written only with consent.
        language: The writer's, as the service tells it.
        is_admin: Whether the service itself says so; None when it has to be asked.
    """

    address: Address
    member: str
    message: str
    text: str
    is_to_us: bool
    reply_to: str = ""
    name: str = ""
    language: str = ""
    is_admin: bool | None = None


Sign = Literal["for", "against", "none"]
"""What a reaction says of a pitch."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """A member put a sign on a message."""

    address: Address
    member: str
    message: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Joined:
    """We were added to a group."""

    address: Address


@dataclass(frozen=True, slots=True)
class Moved:
    """A group got another id, as Telegram's do when they grow."""

    address: Address
    former: str


Incoming = ChatMessage | Reaction | Joined | Moved


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something we write. Every one says that an AI writes it.

    Attributes:
        text: Complete, as it stands where a channel knows nothing but text; without the link.
        link: The tracked link.
        link_label: What a button with it says.
        title: Of a card.
        picture: Public address of a picture.
        language: Of the text.

    Raises:
        MessagingError: The text does not say that an AI presents.
    """

    text: str
    link: str | None = None
    link_label: str = ""
    title: str = ""
    picture: str | None = None
    language: str = "en"

    def __post_init__(self) -> None:
        if not any(label in self.text for label in AI_LABEL.values()):
            raise MessagingError("a message without the AI label must not go out; add AI_LABEL")

    @property
    def full_text(self) -> str:
        """Text and link, for channels without buttons."""
        return f"{self.text}\n{self.link}" if self.link else self.text


Form = Literal["card", "picture", "text"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message.

    Attributes:
        reference: The service's id of it; None when it tells none.
        form: ``card``, ``picture`` or ``text``: the richest that the channel took.
    """

    reference: str | None
    form: Form


@dataclass(frozen=True, slots=True)
class Call:
    """A webhook call as it came, nothing parsed.

    Attributes:
        method: ``GET`` or ``POST``.
        headers: Names in lower case.
        query: As sent, decoded.
        body: Raw bytes.
        now: When it came.
    """

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service gets back at once."""

    content: bytes = b""
    media_type: str = "text/plain"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Pushed:
    """One item of a call.

    Attributes:
        event_id: The service's own id for it.
        body: The item alone, to be read later by the same channel.
    """

    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified call, taken apart."""

    answer: Answer = Answer()
    pushed: tuple[Pushed, ...] = ()
