"""Who hears the news of the till: the ledger, then the letterbox, then the seller's programs."""

from commerce.errors import UnknownOrderError
from commerce.models.happenings import Happening, OrderDelivered
from commerce.shop.announcer import Announcer
from commerce.shop.ledger import Ledger
from commerce.shop.letterbox import Letterbox


class News:
    """Hands on what the outbox brings; each hearer may be told twice.

    Args:
        ledger: Books it.
        letterbox: Knows whom to ask how a purchase was.
        announcer: Tells the seller's own programs.
    """

    def __init__(self, ledger: Ledger, letterbox: Letterbox, announcer: Announcer) -> None:
        self._ledger = ledger
        self._letterbox = letterbox
        self._announcer = announcer

    async def book(self, happening: Happening) -> None:
        """Something happened to an order."""
        await self._ledger.book(happening)
        await self._letterbox.book(happening)
        await self._announcer.book(happening)
        if isinstance(happening, OrderDelivered):
            await self._thank(happening.order)

    async def _thank(self, order: str) -> None:
        try:
            statement = (await self._ledger.statement(order))["statement"]
        except UnknownOrderError:
            return  # news of its payment is still on the way
        for credit in statement["credits"]:
            await self._letterbox.thank(order, statement["lines"][0]["sku"], credit["recommender"])

    async def node(self, kind: str, *parts: str) -> str:
        """The pseudonym of somebody or something."""
        return await self._ledger.node(kind, *parts)

    async def forget(self, node: str) -> object:
        """Somebody wants to be forgotten."""
        await self._letterbox.forget(node)
        return await self._ledger.forget(node)
