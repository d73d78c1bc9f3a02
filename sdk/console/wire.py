"""What the console sends: strict, bounded, validated."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_PLAIN = r"^[^\x00]*$"  # PostgreSQL keeps no zero bytes

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True, pattern=_PLAIN)
]
Person = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=_PLAIN)
]
OrderName = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")]
PayoutKey = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,300}$")]
Node = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,300}$")]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN)]
Words = Annotated[str, StringConstraints(max_length=100, pattern=_PLAIN)]
Time = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Word = Annotated[
    str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=_PLAIN)
]
RowNumber = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""What numbers a row of a table; databases know no larger one."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Switch(_Strict):
    """Something is to be on, or off."""

    is_on: bool


class Perform(_Strict):
    """What the face is to do: an act once, or an emotion until another one."""

    kind: Literal["act", "emotion"]
    name: Annotated[str, StringConstraints(max_length=40)]


class Decision(_Strict):
    """A person decides about a held commission, by name and with a reason."""

    by: Person
    note: Line


class Reference(_Strict):
    """The bank's id of a payout that arrived, or what went wrong with it."""

    text: Line


class Account(_Strict):
    """A recommender's account at the payment provider."""

    account: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,80}$")]


class Refund(_Strict):
    """Money goes back: an amount as people write it, or everything that is left."""

    amount: Annotated[str, StringConstraints(max_length=40)] | None = None
    reason: Line = "refunded by the seller"


class Stock(_Strict):
    """Units that can be bought."""

    stock: Annotated[int, Field(ge=0, le=1_000_000_000)]


class Quiet(_Strict):
    """Hours of the local day without pitches, over midnight when the first is later."""

    start: Time
    end: Time
    zone: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^\S+$")]


class Rules(_Strict):
    """A group's rules as the console edits them; what is not named stays as it is."""

    is_on: bool | None = None
    who: Literal["anyone", "consented", "admins"] | None = None
    quiet: Quiet | Literal["off"] | None = None
    per_day: Annotated[int, Field(ge=0, le=200)] | None = None
    every_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    per_100_messages: Annotated[int, Field(ge=0, le=100)] | None = None
    veto: Annotated[int, Field(ge=1, le=100)] | None = None
    strikes: Annotated[int, Field(ge=1, le=100)] | None = None
    needs_approval: bool | None = None
    takes_alerts: bool | None = None
    banned: Annotated[list[Word], Field(max_length=30)] | None = None
    audience: Annotated[str, StringConstraints(max_length=60, pattern=_PLAIN)] | None = None
    tone: Literal["plain", "warm", "brisk"] | None = None
    only: Annotated[list[Word], Field(max_length=30)] | None = None
    language: Literal["en", "es", "pt", "zh"] | None = None


class Keys(_Strict):
    """Numbers of letters, as the list shows them; null for all."""

    keys: Annotated[list[RowNumber], Field(max_length=1000)] | None = None
