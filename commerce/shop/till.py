"""Orders, reservations, prices and payments."""

from commerce.models.buying import CheckoutRequest, CheckoutStarted, OrderView, Quote, Wish
from commerce.money import Money
from commerce.shop.context import Context


class Till:
    """Orders, reservations, prices and payments.

    Part of a shop: ``shop.till``.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def quote(
        self, lines: tuple[Wish, ...], *, buyer: str, coupon: str | None = None
    ) -> Quote:
        """What it would cost now, and why; nothing is held."""
        raise NotImplementedError

    async def checkout(self, request: CheckoutRequest) -> CheckoutStarted:
        """Hold the goods and open a payment page."""
        raise NotImplementedError

    async def order(self, public_id: str) -> OrderView:
        """The order as it stands."""
        raise NotImplementedError

    async def receive(self, raw: bytes, signature: str) -> None:
        """A webhook of the payment provider; durable when this returns."""
        raise NotImplementedError

    async def refund(self, order: str, amount: Money | None = None, *, reason: str = "") -> None:
        """Give money back; None for all that is left."""
        raise NotImplementedError

    async def deliver(self, order: str) -> None:
        """The buyer has the goods."""
        raise NotImplementedError
