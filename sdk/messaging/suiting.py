"""What suits a group: its profile and its bans, as far as products go."""

from commerce.shop import Candidate, ProductCard
from commerce.shop.letterbox import Group

MOST_SHOWN = 3
"""Products in one message."""


def labels_of(card: ProductCard) -> frozenset[str]:
    """What a product may be banned or chosen by: shelf, tags, maker and words of the title."""
    shelf = (card.category or "").replace("/", ">").split(">")
    words = [*shelf, *card.tags, card.brand or "", *card.title.split()]
    return frozenset(word.strip().lower() for word in words if word.strip())


def suiting(
    group: Group, first: ProductCard | None, found: list[Candidate]
) -> tuple[ProductCard | None, list[ProductCard]]:
    """The product to pitch, and up to two others, within what the group is about.

    Args:
        group: Where.
        first: The best one, if there is one.
        found: What else fits, best first.
    """
    cards = [first] if first is not None else []
    cards += [one.card for one in found if all(one.card.sku != card.sku for card in cards)]
    only, banned = group.profile.only, group.policy.banned
    suiting = [
        card
        for card in cards
        if (not only or only & labels_of(card)) and not banned & labels_of(card)
    ]
    others = [card for card in suiting[1:] if card.is_available]
    return (suiting[0] if suiting else None), others[: MOST_SHOWN - 1]
