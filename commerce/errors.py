"""Everything the shop raises on purpose.

CommerceError
├── SettingsError          an option or environment value is wrong
├── MoneyError             a text is not a price, or two currencies met
├── CatalogueFileError     the whole file is unusable; single bad rows are reported, not raised
├── DatabaseError          the database cannot be used; ``.reason`` is machine-readable
├── UnknownProductError    no product on sale has that SKU
└── StockError             the wished stock is impossible
"""

from typing import Literal

DatabaseReason = Literal[
    "locked", "corrupt", "full", "newer_schema", "read_only", "unreachable", "unsupported", "failed"
]


class CommerceError(Exception):
    """Root of the shop's errors; its text is one line that names the thing and the next step."""


class SettingsError(CommerceError):
    """An option or environment value is wrong."""


class MoneyError(CommerceError):
    """A text is not a price, or amounts of two currencies met."""


class CatalogueFileError(CommerceError):
    """The whole catalogue file is unusable, so nothing was imported."""


class DatabaseError(CommerceError):
    """The database cannot be used.

    Attributes:
        reason: Why, for programs.
    """

    def __init__(self, reason: DatabaseReason, message: str) -> None:
        super().__init__(message)
        self.reason: DatabaseReason = reason


class UnknownProductError(CommerceError):
    """No product on sale has that SKU."""


class StockError(CommerceError):
    """The wished stock is impossible: negative, or fewer than are reserved."""
