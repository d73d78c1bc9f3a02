"""What is said to the ledger about people: contacts, links, and who is the same person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

TouchKind = Literal[
    "impression",  # a pitch or link was shown in a chat; the actor is whoever it was shown to
    "message",  # somebody asked in a chat
    "click",  # a person opened a tracked link
    "preview",  # a machine opened it, to show a preview
    "view",  # the product's page or card was seen
    "live",  # the live session was watched
    "code",  # the checkout itself carried a link or code
]
TOUCH_KINDS: tuple[str, ...] = get_args(TouchKind)

Evidence = Literal[
    "token",  # a link made for one person was opened
    "login",  # signed in as
    "checkout",  # proved by paying
    "same_card",  # a strong hint: families share cards
    "same_device",  # a hint
    "same_address",  # a hint
]
DETERMINISTIC: frozenset[str] = frozenset({"token", "login", "checkout"})
"""Evidence good enough for money; the rest only feeds the checks for fraud."""

NODE_KINDS: frozenset[str] = frozenset(
    {"chat", "group", "viewer", "visitor", "email_hash", "phone_hash", "stripe_customer"}
    | {"card", "address", "order"}
)
"""What a node ``kind:value`` may be of."""


@dataclass(frozen=True, slots=True)
class Referral:
    """A link about to be put into one chat message.

    Attributes:
        recommender: Node of who earns if it leads to a sale; None for the shop's own message.
        group: Node of the group it is posted in.
        channel: Channel name, such as ``telegram``.
        message_ref: The channel's id of the message it answers; kept only as a digest.
        sku: The product it leads to.
        session: The live session it leads to.
        expires_at: From then on it leads to the product, but no longer counts.
    """

    recommender: str | None = None
    group: str | None = None
    channel: str | None = None
    message_ref: str | None = None
    sku: str | None = None
    session: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a link leads.

    Attributes:
        sku: The product, if one.
        session: The live session, if one.
        recommender: Who earns; None for nobody.
        disclosure: What the page must say about it, in the language asked for.
        is_expired: Whether the link no longer counts.
    """

    sku: str | None
    session: str | None
    recommender: str | None
    disclosure: str
    is_expired: bool = False
