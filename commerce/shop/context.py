"""What the parts of the shop share: one database, one clock, one currency."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from commerce.database import Database
from commerce.models.values import StockChange


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every part of the shop when it opens.

    Attributes:
        database: Open, with an up-to-date schema.
        clock: Says the time; timezone-aware.
        currency: Of prices that name none.
        announce: Tells subscribers about stock, after the change was committed.
    """

    database: Database
    clock: Callable[[], datetime]
    currency: str
    announce: Callable[[Iterable[StockChange]], None]
