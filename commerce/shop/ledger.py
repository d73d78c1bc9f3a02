"""Touches, credit, books and statements."""

from commerce.attribution.rule import CommissionRule
from commerce.shop.ledger_answers import LedgerAnswers
from commerce.shop.ledger_people import Contact

__all__ = ["CommissionRule", "Contact", "Ledger"]


class Ledger(LedgerAnswers):
    """Touches, credit, books and statements.

    Part of a shop: ``shop.ledger``. Every call is one transaction.
    """
