"""What groups may be told without having asked: flash prices, and group orders of theirs."""

from dataclasses import dataclass

from commerce.models.buying import FlashState, GroupState
from commerce.models.values import ProductCard
from commerce.shop.ledger import Ledger
from commerce.shop.shelves import Shelves
from commerce.shop.till import Till


@dataclass(frozen=True, slots=True)
class Newsworthy:
    """A piece of news; either of the two is there.

    Attributes:
        key: The same piece has the same key; with every buyer who joins, it is another one.
        flash: A flash price that runs.
        together: A group order that moved.
        groups: Nodes of the chat groups it concerns; None for all.
    """

    key: str
    card: ProductCard
    flash: FlashState | None = None
    together: GroupState | None = None
    groups: frozenset[str] | None = None


async def newsworthy(shelves: Shelves, till: Till, ledger: Ledger) -> list[Newsworthy]:
    """Everything that could be told now, what ends first before the rest.

    A group order concerns the groups whose links its buyers came by, and nobody else.
    """
    found: list[Newsworthy] = []
    for flash in await till.flash_prices():
        card = await shelves.product(flash.sku) if flash.is_running else None
        if card is not None and card.is_available:
            key = f"flash:{flash.sku}:{round(flash.ends_at.timestamp())}"
            found.append(Newsworthy(key, card, flash))
    for together, tokens in await till.groups_lately():
        card = await shelves.product(together.sku) if tokens else None
        if card is not None:
            key = f"together:{together.group}:{together.state}:{together.joined}"
            groups = await ledger.groups_of(tokens)
            found.append(Newsworthy(key, card, None, together, groups))
    return found
