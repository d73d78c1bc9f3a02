"""The tables of the letterbox: inbox, groups, pitches, wishes and questions after a purchase.

No raw id of a chat service and no message text is in them in the clear: ids are keyed hashes, and
what must be read again (an event's body, where to write to) is encrypted under a key that is not
in the database.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from commerce.models.tables import Base, Key

_NODE = 160  # "group:<channel>:<hmac>" with room


class InboxEvent(Base):
    """One pushed item of a chat service, kept from before its 200 until it was worked on."""

    __tablename__ = "inbox_event"
    __table_args__ = (
        UniqueConstraint("source", "event_key"),
        CheckConstraint("state IN ('new', 'done', 'dead')", name="state_known"),
        Index("ix_inbox_event_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source: Mapped[str] = mapped_column(String(40))
    # Hash of the service's own id: WhatsApp's, for one, contains a telephone number.
    event_key: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    # Encrypted; gone as soon as the event was worked on.
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(8), default="new")
    attempts: Mapped[int] = mapped_column(default=0)
    # When it may be worked on next; while somebody works on it, when they count as having died.
    due_at: Mapped[datetime]
    problem: Mapped[str] = mapped_column(Text, default="")


class ChatGroup(Base):
    """A group (or private) chat that the shop is in: its rules, its profile, what happened."""

    __tablename__ = "chat_group"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    node: Mapped[str] = mapped_column(String(_NODE), unique=True)
    channel: Mapped[str] = mapped_column(String(40))
    policy: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Only where the group's admin allowed it.
    keeps_text: Mapped[bool] = mapped_column(default=False)
    # Who brought the shop here, and earns when nobody recommended the product.
    host: Mapped[str | None] = mapped_column(String(_NODE))
    # Where news and offers go, encrypted; only once an admin wants news, or offers apart.
    place: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Offers stand in a thread of their own, which is the place.
    is_apart: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ChatPitch(Base):
    """A product shown in a group because somebody asked for it or recommended it."""

    __tablename__ = "chat_pitch"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("state IN ('waiting', 'sent', 'withdrawn', 'refused')", name="state_known"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chat_group.id"))
    number: Mapped[int]
    sku: Mapped[str] = mapped_column(String(200))
    asker: Mapped[str | None] = mapped_column(String(_NODE))
    recommender: Mapped[str | None] = mapped_column(String(_NODE))
    # The message that caused it, hashed: worked on twice, it causes one pitch.
    cause_key: Mapped[str | None] = mapped_column(String(64), index=True)
    # Of the tracked link, hashed; None as long as there is none.
    token_key: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(12))
    # Of our message in the chat: hashed, to know it again; encrypted, to take it back.
    reference_key: Mapped[str | None] = mapped_column(String(64), index=True)
    reference: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class Wish(Base):
    """A word of an ask that the catalogue had nothing for, once per member."""

    __tablename__ = "wish"
    __table_args__ = (UniqueConstraint("group_id", "word_key", "member"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chat_group.id"))
    word_key: Mapped[str] = mapped_column(String(64), index=True)
    # Encrypted, and shown only once several members have asked for it.
    word: Mapped[bytes] = mapped_column(LargeBinary)
    member: Mapped[str] = mapped_column(String(_NODE))
    at: Mapped[datetime]


class Question(Base):
    """What a buyer is asked once, some days after the delivery, and what they said."""

    __tablename__ = "purchase_question"
    __table_args__ = (
        UniqueConstraint("order_id", "sku"),
        CheckConstraint("verdict IN ('', 'kept', 'returned')", name="verdict_known"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order_id: Mapped[str] = mapped_column(String(100))
    sku: Mapped[str] = mapped_column(String(200), index=True)
    member: Mapped[str] = mapped_column(String(_NODE), index=True)
    # Where to ask, encrypted.
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    due_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    verdict: Mapped[str] = mapped_column(String(8), default="")
    # Given to be shown: the question says so.
    words: Mapped[str] = mapped_column(Text, default="")


class ChatContact(Base):
    """Where a member who agreed to be written to can be reached."""

    __tablename__ = "chat_contact"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    member: Mapped[str] = mapped_column(String(_NODE), unique=True)
    address: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime]


class ChatText(Base):
    """A message of a group whose admin allowed texts to be kept."""

    __tablename__ = "chat_text"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chat_group.id"), index=True)
    member: Mapped[str] = mapped_column(String(_NODE), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
