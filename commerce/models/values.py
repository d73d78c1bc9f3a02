"""What the rooms of the shop hand to each other and to the outside: plain frozen values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NewType

from commerce.money import Money

ProductId = NewType("ProductId", int)
VariantId = NewType("VariantId", int)
CatalogueId = NewType("CatalogueId", int)

Progress = Callable[[int, int], None]
"""Told (rows done, rows in all) while a file is imported."""


@dataclass(frozen=True, slots=True)
class ProductCard:
    """One product as a shopper sees it, at one of its variants.

    Attributes:
        sku: The variant's identifier, stable over re-imports.
        title: Plain text, never HTML.
        description: Plain text, never HTML; may be empty.
        price: What one unit costs now.
        compare_at: The former price, present only when it is higher than ``price``.
        stock: Units that can be bought now; 0 when the seller does not count them.
        stock_version: Rises with every change of the stock; a lower version is older news.
        image: Path relative to the catalogue's folder, or an http(s) URL.
        url: The product's own page.
        tags: Words of the seller, in the file's order.
        brand: Maker or vendor.
        options: What the product comes in, such as ``{"Colour": ("Sand", "Slate")}``.
        variant: Which of the options this SKU is, such as "Sand"; empty for a single variant.
        category: The seller's shelf, such as "Home".
        tracks_stock: Whether the seller counts units; if not, ``stock`` says nothing.
    """

    sku: str
    title: str
    description: str
    price: Money
    compare_at: Money | None
    stock: int
    stock_version: int
    image: str | None
    url: str | None
    tags: tuple[str, ...]
    brand: str | None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    variant: str = ""
    category: str | None = None
    tracks_stock: bool = True

    @property
    def is_available(self) -> bool:
        """Whether one unit can be bought now."""
        return self.stock > 0 or not self.tracks_stock


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that could be shown.

    Attributes:
        card: The product, at the variant that fits the question best.
        score: How well it fits, in [0, 1]; only comparable within one search.
        reason: Why, in a few plain words.
    """

    card: ProductCard
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say to a viewer.

    Attributes:
        text: Short sentences for the voice, facts from the catalogue only.
        card: The product to pin, if the answer is about one.
        reason: Why this answer, in a few plain words.
        key: Equal for answers that say the same, whatever the wording and whoever asked.
    """

    text: str
    card: ProductCard | None
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Pitch:
    """A short presentation of one product; ``text`` is the sentences joined."""

    text: str
    sentences: tuple[str, ...]
    sku: str


@dataclass(frozen=True, slots=True)
class StockChange:
    """The stock of one variant as it became."""

    sku: str
    stock: int
    stock_version: int


@dataclass(frozen=True, slots=True)
class RowIssue:
    """Something wrong in one row of a catalogue file.

    Attributes:
        row: As a spreadsheet numbers it: the header is row 1.
        column: Its heading in the file; empty when the whole row is meant.
        value: The cell, shortened.
        reason: What is wrong and what to write instead.
        is_rejected: Whether the row was left out; otherwise only the cell was.
    """

    row: int
    column: str
    value: str
    reason: str
    is_rejected: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or in a dry run would have done.

    Attributes:
        path: The file.
        rows: Rows read, without the header and blank lines.
        created: Variants that are new.
        updated: Variants of which something changed.
        unchanged: Variants that were already so.
        withdrawn: Variants taken off sale because the file no longer names them.
        rejected: Rows left out.
        issues: Every rejected row and skipped cell, in the file's order.
        ignored_columns: Headings that mean nothing to the importer.
        is_dry_run: Whether nothing was written.
    """

    path: Path
    rows: int
    created: int
    updated: int
    unchanged: int
    withdrawn: int
    rejected: int
    issues: tuple[RowIssue, ...]
    ignored_columns: tuple[str, ...]
    is_dry_run: bool

    @property
    def imported(self) -> int:
        """Variants of the file that are on sale after the import."""
        return self.created + self.updated + self.unchanged


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What was made ready before the first question.

    Attributes:
        words_s: How long the index of words took; next to nothing when it was there.
        vectors: Fetched now; 0 without an embedder.
    """

    words_s: float
    vectors: int
