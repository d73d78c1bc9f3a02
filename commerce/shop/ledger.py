"""Touches, credit, books and statements."""

from commerce.attribution.rule import CommissionRule
from commerce.shop.ledger_books import LedgerBooks
from commerce.shop.ledger_people import Contact

__all__ = ["CommissionRule", "Contact", "Ledger"]


class Ledger(LedgerBooks):
    """Touches, credit, books and statements.

    Part of a shop: ``shop.ledger``. Every call is one transaction.
    """
