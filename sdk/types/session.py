"""What a session says, and what it tells: utterances, products on the counter, events.

Utterances go in (``Director.submit``), events come out (``Session.events``). Both are frozen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Literal, NewType

from avatar_engine.types import Mark

SessionId = NewType("SessionId", str)
ViewerId = NewType("ViewerId", str)


class Priority(IntEnum):
    """Who speaks next; the higher one goes first, and equals go in order of arrival."""

    IDLE = 0
    SCRIPT = 10
    FLASH_DEAL = 20
    PITCH = 30  # asked for in a chat
    SELLER = 35  # the seller's own line: say() in Python, HTTP or the console
    ANSWER = 40  # to a named viewer
    INTERRUPTION = 50  # cuts what is being said, in the middle of a word


@dataclass(frozen=True, slots=True)
class Asker:
    """A viewer who asked.

    Attributes:
        viewer: Their connection.
        name: As they gave it, cleaned; empty when they gave none.
        message_id: The chat message that is being answered.
    """

    viewer: ViewerId
    name: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to be said.

    Attributes:
        text: One or several sentences.
        priority: Against everything else that waits.
        product: SKU that is pinned when the first sentence is heard.
        asker: The viewer it answers.
        merge_key: While an utterance with this key waits or is being said, another one with the
            same key joins it instead of being said again.
        is_resumable: Cut by something more urgent, it goes on from the sentence that was cut
            instead of being dropped.
        marks: What the face does at which place of the text. The text itself is never searched
            for them, so that nothing a viewer or a catalogue writes can direct the avatar.
        turn_id: Ties a question, its answer and their events together.
    """

    text: str
    priority: Priority = Priority.SELLER
    product: str | None = None
    asker: Asker | None = None
    merge_key: str | None = None
    is_resumable: bool = False
    turn_id: str = ""
    marks: tuple[Mark, ...] = ()


EventType = Literal[
    "session.state_changed",
    "session.stream_ready",
    "session.disconnected",
    "avatar.state_changed",
    "avatar.speak_started",
    "avatar.speak_ended",
    "avatar.interrupted",
    "avatar.transcription",
    "avatar.word",
    "avatar.mark",
    "avatar.voice_failed",
    "product.pinned",
    "product.heard",
    "product.changed",
    "chat.message",
    "chat.question",
    "chat.answered",
    "drive.started",
    "drive.ended",
    "drive.face_found",
    "drive.face_lost",
]

SessionState = Literal["inactive", "connecting", "connected", "disconnecting", "disconnected"]
AvatarState = Literal["initializing", "idle", "listening", "thinking", "speaking"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at the moment a viewer could notice it.

    Attributes:
        type: What.
        data: JSON-ready particulars; ``docs/live.md`` lists them by type.
        event_id: Unique within the session and rising.
        source_event_id: The event that caused this one, or 0.
        turn_id: The question-and-answer turn it belongs to, or empty.
        generation: Raised by each interruption; of the speech it speaks about.
        ts: When, UTC.
    """

    type: EventType
    data: Mapping[str, Any]
    event_id: int
    source_event_id: int = 0
    turn_id: str = ""
    generation: int = 0
    ts: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_wire(self) -> dict[str, Any]:
        """The event as the JSON object that viewers receive."""
        return {
            "v": 1,
            "type": self.type,
            "event_id": self.event_id,
            "source_event_id": self.source_event_id,
            "turn_id": self.turn_id,
            "generation": self.generation,
            "ts": self.ts.isoformat(timespec="milliseconds"),
            "data": dict(self.data),
        }
