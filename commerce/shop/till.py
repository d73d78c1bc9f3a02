"""Orders, reservations, prices and payments."""

from commerce.shop.context import Context


class Till:
    """Orders, reservations, prices and payments.

    Part of a shop: ``shop.till``.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
