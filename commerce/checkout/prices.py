"""Which price a buyer pays: the lowest that a named mechanism allows, never under the floor.

Mechanisms are never added up, unless a reduction was declared to stack on another's kind. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from commerce.money import Money

Kind = Literal["flash", "group", "bargain", "coupon"]


@dataclass(frozen=True, slots=True)
class Offer:
    """One mechanism that this buyer may use for this line now.

    Attributes:
        key: Its name in receipts, such as ``coupon:SUMMER``.
        kind: What it is.
        told: How the receipt says it, such as ``coupon SUMMER``.
        price: A fixed unit price in minor units, or None for a reduction.
        percent: Reduction in hundredths of a percent.
        amount: Reduction in minor units.
        stacks_with: Kinds whose price it may reduce further.
    """

    key: str
    kind: Kind
    told: str
    price: int | None = None
    percent: int = 0
    amount: int = 0
    stacks_with: tuple[str, ...] = ()

    def of(self, base: int) -> int:
        """The unit price it makes out of another; never more than that."""
        if self.price is not None:
            return min(base, self.price)
        # Half a cent is rounded in the buyer's favour.
        return max(0, base - self.amount - (base * self.percent + 5000) // 10000)


@dataclass(frozen=True, slots=True)
class Priced:
    """The price of one unit and what it rests on.

    Attributes:
        unit: In minor units.
        mechanism: ``list``, or the keys of what applied joined by ``+``.
        reason: A sentence for the receipt.
        used: Keys of what applied.
    """

    unit: int
    mechanism: str
    reason: str
    used: tuple[str, ...]


def price(list_price: Money, offers: Sequence[Offer], *, floor: int = 0, step: int = 1) -> Priced:
    """The lowest allowed price of one unit.

    Args:
        list_price: Before any mechanism.
        offers: What this buyer may use; order does not matter.
        floor: In minor units; a list price under it stays as it is.
        step: Prices made by reductions are multiples of it (rounded down, floor permitting).
    """
    base = list_price.minor
    floor = min(floor, base)
    best, best_of = base, ()  # type: tuple[int, tuple[Offer, ...]]
    for combination in _allowed(sorted(offers, key=lambda offer: offer.key)):
        unit = base
        for offer in combination:
            unit = offer.of(unit)
        unit = min(base, max(floor, unit - unit % step))
        if unit < best:
            best, best_of = unit, combination
    used = tuple(offer.key for offer in best_of)
    reason = _reason(Money(best, list_price.currency), list_price, best_of, offers, floor)
    return Priced(best, "+".join(used) or "list", reason, used)


def _allowed(offers: Sequence[Offer]) -> list[tuple[Offer, ...]]:
    """Every offer alone, and every reduction on a price whose kind it declares; fewest first."""
    alone = [(offer,) for offer in offers]
    pairs = [
        (first, second)
        for first, second in permutations(offers, 2)
        if second.price is None and first.kind in second.stacks_with
    ]
    return [*alone, *pairs]


def _reason(
    unit: Money,
    list_price: Money,
    applied: tuple[Offer, ...],
    offers: Sequence[Offer],
    floor: int,
) -> str:
    if not applied:
        unused = [offer.told for offer in offers]
        beside = f"; {_joined(unused)} would not make it cheaper" if unused else ""
        return f"list price{beside}"
    text = " with ".join(offer.told for offer in applied)
    text += f": {unit.display()} instead of {list_price.display()}"
    if 0 < floor == unit.minor:
        text += ", the lowest the seller allows"
    others = [offer.told for offer in offers if offer not in applied]
    if others:
        text += f"; {_joined(others)} not added: the best one counts"
    return text


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names)
