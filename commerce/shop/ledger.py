"""Touches, credit, books and statements."""

from commerce.shop.context import Context


class Ledger:
    """Touches, credit, books and statements.

    Part of a shop: ``shop.ledger``.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
