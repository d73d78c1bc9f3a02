"""What decides between products that suit about equally well: lasting relations, and range.

Of equals, the one goes first that somebody recommends whose advice the asker has followed before,
the longer and the more often the more; what a group was shown lately steps behind what it was not,
and beside one shelf's product stands another's. What suits clearly better is never overtaken.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from commerce.models.earnings import Relation
from commerce.models.values import ProductCard
from commerce.recommendation.reply import Found

_DAY_S = 86_400.0
# A relation of this age weighs half as much as one that never began to count.
_HALF_AGE_DAYS = 90.0
# Within a tenth of the best no shopper would say which fits better.
_EQUAL_SHARE = 0.9
_LIKED, _SHOWN, _SAME_SHELF = 1.0, 0.5, 0.25
# Where nothing else decides, the order stays.
_PLACE = 1e-6

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Leaning:
    """What is known of who asks and where; nothing of it is ever said.

    Attributes:
        liked: How much the asker's lasting relations speak for a product, by SKU, in [0, 1].
        shown: How often the group was shown a product lately, by SKU.
    """

    liked: Mapping[str, float] = field(default_factory=dict)
    shown: Mapping[str, int] = field(default_factory=dict)


NO_LEANING = Leaning()


def weight_of(relation: Relation, now: datetime) -> float:
    """How much a relation weighs, in [0, 1): by its age and its repeat rate; nothing once cut."""
    if relation.is_cut or relation.since is None or not relation.orders:
        return 0.0
    age_days = max(0.0, (now - relation.since).total_seconds() / _DAY_S)
    lasting = age_days / (age_days + _HALF_AGE_DAYS)
    repeated = (relation.orders - 1) / relation.orders
    return (lasting + repeated) / 2


def arranged(cards: Sequence[ProductCard], leaning: Leaning, limit: int) -> list[ProductCard]:
    """Cards that suit equally well, in the order to show them in.

    Args:
        cards: In the order of the shelves.
        leaning: Who asks, and what they were shown.
        limit: Most cards wanted.
    """
    return _arranged(list(cards), cards, leaning, limit)


def leant(found: Sequence[Found], leaning: Leaning) -> list[Found]:
    """What was found, with the equals at its head in the order to show them in."""
    if not found or not (leaning.liked or leaning.shown):
        return list(found)
    best = found[0]
    least = _EQUAL_SHARE * best.match.strength
    head = [
        one
        for one in found
        if one.fits == best.fits
        and one.card.is_available == best.card.is_available
        and len(one.match.missing) == len(best.match.missing)
        and one.match.strength >= least
    ]
    rest = [one for one in found if one not in head]
    return _arranged(head, [one.card for one in head], leaning, len(head)) + rest


def _arranged(
    items: list[_Item], cards: Sequence[ProductCard], leaning: Leaning, limit: int
) -> list[_Item]:
    """Greedily: the best of what is left, given the shelves already taken from."""
    left = list(range(len(items)))
    shelves: Counter[str] = Counter()
    order: list[int] = []

    def worth(place: int) -> float:
        card = cards[place]
        shown = leaning.shown.get(card.sku, 0)
        return (
            _LIKED * leaning.liked.get(card.sku, 0.0)
            - _SHOWN * shown / (shown + 1)
            - _SAME_SHELF * shelves[_shelf(card)]
            - _PLACE * place
        )

    while left and len(order) < limit:
        best = max(left, key=worth)
        left.remove(best)
        order.append(best)
        shelves[_shelf(cards[best])] += 1
    return [items[place] for place in order]


def _shelf(card: ProductCard) -> str:
    # A product without a shelf stands on one of its own.
    return (card.category or card.sku).casefold()
