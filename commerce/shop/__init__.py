"""The shop's only door: catalogue, search and words for the presenter."""

from commerce.models.values import (
    Answer,
    Candidate,
    ImportReport,
    Pitch,
    ProductCard,
    Progress,
    RowIssue,
    StockChange,
)
from commerce.money import Money
from commerce.shop.door import DEFAULT_DATABASE_URL, Shop

__all__ = [
    "DEFAULT_DATABASE_URL",
    "Answer",
    "Candidate",
    "ImportReport",
    "Money",
    "Pitch",
    "ProductCard",
    "Progress",
    "RowIssue",
    "Shop",
    "StockChange",
]
