"""A group order's fate: who counts, who leads, what it costs in the end, what goes back. Pure.

Only a buyer who paid before the deadline counts. Nobody is ever invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from commerce.errors import PriceRefusedError


@dataclass(frozen=True, slots=True)
class Seat:
    """One buyer's place.

    Attributes:
        order: Public id of the buyer's order.
        buyer: Identity node.
        quantity: Units.
        paid_unit: What one unit cost the buyer, in minor units.
        paid_at: When the money arrived; None while it has not.
        has_left: Whether the buyer took the money back or never paid in time.
    """

    order: str
    buyer: str
    quantity: int
    paid_unit: int
    paid_at: datetime | None
    has_left: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a group order ended.

    Attributes:
        state: ``formed`` when enough buyers had paid in time.
        unit: What a unit costs in the end, in minor units; None when it failed.
        refunds: What goes back to which order, in minor units; only positive amounts.
    """

    state: Literal["formed", "failed"]
    unit: int | None
    refunds: tuple[tuple[str, int], ...]


def checked_ladder(
    target: int, ladder: Sequence[tuple[int, int]], list_unit: int
) -> tuple[tuple[int, int], ...]:
    """The ladder in order, dearest step first.

    Raises:
        PriceRefusedError: It does not begin at the target, or does not get cheaper with people.
    """
    steps = tuple(sorted(ladder))
    if target < 2 or not steps or steps[0][0] != target:
        raise PriceRefusedError(
            f"a group order needs 2 or more people and a price for exactly {target}"
        )
    for (few, dear), (many, cheap) in pairwise(steps):
        if many <= few or cheap >= dear:
            raise PriceRefusedError(f"{many} people must pay less than {few} do")
    if steps[-1][1] <= 0 or steps[0][1] > list_unit:
        raise PriceRefusedError("group prices must be above 0 and not above the list price")
    return steps


def counted(seats: Sequence[Seat], deadline: datetime) -> list[Seat]:
    """Seats that count: paid by the deadline and not given back, earliest first."""
    found = [
        seat
        for seat in seats
        if seat.paid_at is not None and seat.paid_at <= deadline and not seat.has_left
    ]
    return sorted(found, key=lambda seat: (seat.paid_at, seat.order))


def people(seats: Sequence[Seat], deadline: datetime) -> int:
    """How many different buyers count."""
    return len({seat.buyer for seat in counted(seats, deadline)})


def leader_of(seats: Sequence[Seat], deadline: datetime, leader: str) -> str | None:
    """Who leads: the first leader while in it, then the earliest buyer; None when all have left."""
    present = [seat.buyer for seat in counted(seats, deadline)]
    if leader in present:
        return leader
    return present[0] if present else None


def settle(
    seats: Sequence[Seat], *, ladder: Sequence[tuple[int, int]], target: int, deadline: datetime
) -> Settlement:
    """What a group order comes to at its deadline.

    Everybody paid the dearest step first; on success the difference to the reached step goes back,
    on failure everything. Who paid after the deadline gets everything back in both cases.
    """
    inside = counted(seats, deadline)
    number = people(seats, deadline)
    paid = [seat for seat in seats if seat.paid_at is not None and not seat.has_left]
    if number < target:
        back = [(seat.order, seat.paid_unit * seat.quantity) for seat in paid]
        return Settlement("failed", None, tuple(entry for entry in back if entry[1] > 0))
    unit = min(price for needed, price in ladder if needed <= number)
    refunds = []
    for seat in paid:
        keeps = unit if seat in inside else 0
        amount = max(0, seat.paid_unit - keeps) * seat.quantity
        if amount:
            refunds.append((seat.order, amount))
    return Settlement("formed", unit, tuple(refunds))
