"""What the console is given to work with, and how its refusals look over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import HTTPException

from commerce.errors import (
    CheckoutError,
    CommerceError,
    DatabaseError,
    GatewayError,
    LedgerError,
    LetterboxError,
    MoneyError,
    StockError,
    UnknownOrderError,
    UnknownProductError,
)
from commerce.shop import Shop
from sdk.errors import SessionError
from sdk.session import Session

# The first kind that fits counts, so the narrow ones come first.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (UnknownOrderError, 404),
    (UnknownProductError, 404),
    (GatewayError, 503),
    (DatabaseError, 503),
    (CheckoutError, 409),
    (StockError, 422),
    (MoneyError, 422),
    (LedgerError, 422),
    (LetterboxError, 422),
    (SessionError, 409),
)


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A chat service that the shop can be in.

    Attributes:
        name: Of the channel.
        is_on: Whether its settings are complete.
        reads: In groups: ``everything``, what is ``addressed`` to us, or ``commands``.
        richest: The richest pitch it shows: ``card``, ``picture`` or ``text``.
    """

    name: str
    is_on: bool
    reads: str
    richest: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything the console may ask and change.

    Attributes:
        session: Open; the one session of this server.
        shop: Open, with a till that is connected.
        channels: The chat services, switched on or not.
        viewers: How many watch now.
        admits: Whether a credential is the seller's.
        ticket: A viewer's ticket for pictures and sockets; empty where none is needed.
        is_guarded: Whether a token is asked for.
    """

    session: Session
    shop: Shop
    channels: Sequence[ChannelFacts] = ()
    viewers: Callable[[], int] = lambda: 0
    admits: Callable[[str], bool] = lambda credential: True
    ticket: Callable[[], str] = lambda: ""
    is_guarded: bool = False


@contextmanager
def refusing() -> Iterator[None]:
    """Say over HTTP what shop or session raise, in their own one line."""
    try:
        yield
    except (CommerceError, SessionError) as error:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        raise HTTPException(status, str(error)) from error
