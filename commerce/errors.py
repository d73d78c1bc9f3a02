"""Everything the shop raises on purpose.

CommerceError
├── SettingsError          an option or environment value is wrong
├── MoneyError             a text is not a price, or two currencies met
├── CatalogueFileError     the whole file is unusable; single bad rows are reported, not raised
├── RatingsFileError       a file of ratings cannot be used to evaluate the search
├── PictureError           a picture cannot be fetched, or must not be
├── WriterError            the language model behind pitches cannot be used; templates still can
├── EmbeddingError         the endpoint for vectors cannot be used; words alone still find products
├── DatabaseError          the database cannot be used; ``.reason`` is machine-readable
├── LetterboxError         a kept message cannot be read, or a group command is wrong
├── LedgerError            a node, link, payout or decision makes no sense; or a statement is false
│   └── PayoutError        the money did not go out
├── UnknownProductError    no product on sale has that SKU
├── StockError             the wished stock is impossible
│   └── SoldOutError       fewer units are free than a buyer wants
├── NoticeError            a webhook to a seller's program was not taken; ``.is_passing``
└── CheckoutError          an order cannot be made, found or changed
    ├── PriceRefusedError  a coupon, group, flash price or bargain does not apply
    ├── UnknownOrderError  no order has that id
    ├── GatewayError       the payment provider refused or cannot be reached; ``.is_passing``
    └── WebhookError       a webhook is forged, stale or unreadable; ``.status`` is for HTTP
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


class RatingsFileError(CommerceError):
    """A file of ratings cannot be used to evaluate the search."""


class PictureError(CommerceError):
    """A picture cannot be fetched, or must not be."""


class WriterError(CommerceError):
    """The language model behind pitches cannot be used; templates still can."""


class EmbeddingError(CommerceError):
    """The endpoint for vectors cannot be used; words alone still find products."""


class DatabaseError(CommerceError):
    """The database cannot be used.

    Attributes:
        reason: Why, for programs.
    """

    def __init__(self, reason: DatabaseReason, message: str) -> None:
        super().__init__(message)
        self.reason: DatabaseReason = reason


class LetterboxError(CommerceError):
    """A kept message cannot be read, or a command written in a group is wrong."""


class LedgerError(CommerceError):
    """A node, link, payout or decision makes no sense, or a statement does not verify."""


class PayoutError(LedgerError):
    """The money did not go out, and will not by trying again."""


class UnknownProductError(CommerceError):
    """No product on sale has that SKU."""


class StockError(CommerceError):
    """The wished stock is impossible: negative, or fewer than are reserved."""


class SoldOutError(StockError):
    """Fewer units are free than a buyer wants."""


class NoticeError(CommerceError):
    """A webhook to a seller's own program was not taken.

    Attributes:
        is_passing: Whether trying again later may help.
    """

    def __init__(self, message: str, *, is_passing: bool = True) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class CheckoutError(CommerceError):
    """An order cannot be made, found or changed."""


class PriceRefusedError(CheckoutError):
    """A coupon, group order, flash price or bargain does not apply."""


class UnknownOrderError(CheckoutError):
    """No order has that id."""


class GatewayError(CheckoutError):
    """The payment provider refused, or cannot be reached.

    Attributes:
        is_passing: Whether trying again later may help.
        code: The provider's word for it; empty when it gave none.
    """

    def __init__(self, message: str, *, is_passing: bool, code: str = "") -> None:
        super().__init__(message)
        self.is_passing = is_passing
        self.code = code


class WebhookError(CheckoutError):
    """A webhook is forged, stale or unreadable.

    Attributes:
        status: HTTP status to answer with: 401 for a bad signature, 400 for the rest.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
