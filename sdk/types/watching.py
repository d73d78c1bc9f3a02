"""A seat at a show, as WHEP and WHIP hand it out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watching:
    """A connection that was agreed on.

    Attributes:
        answer: SDP for the connection's remote description.
        location: Path of the seat; DELETE there leaves it.
        etag: Of the ICE session, for PATCH.
    """

    answer: str
    location: str
    etag: str
