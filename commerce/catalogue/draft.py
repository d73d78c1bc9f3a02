"""A product as a file describes it, before it meets the database."""

import hashlib
from dataclasses import dataclass, field

from commerce.models.values import RowIssue
from commerce.money import Money


@dataclass(slots=True)
class VariantDraft:
    """One version with its price.

    Attributes:
        stock: Units; None when the seller does not count them.
        image: Picture of this very version.
        title: What the row calls it; feeds name the version there ("Varsity Top - Small").
    """

    row: int
    sku: str
    price: Money
    compare_at: Money | None
    stock: int | None
    options: dict[str, str] = field(default_factory=dict)
    image: str | None = None
    title: str = ""


@dataclass(slots=True)
class ProductDraft:
    """A product with the variants and pictures found for it so far.

    Attributes:
        option_names: Name of the option whose value stands in a column, by the column's index.
        attributes: Facts by name, as a JSON object: thousands of dictionaries cost too much memory.
    """

    row: int
    handle: str
    title: str
    description: str = ""
    brand: str | None = None
    category: str | None = None
    tags: list[str] = field(default_factory=list)
    url: str | None = None
    images: list[str] = field(default_factory=list)
    variants: list[VariantDraft] = field(default_factory=list)
    option_names: dict[int, str] = field(default_factory=dict)
    attributes: str = "{}"

    def fingerprint(self, position: int) -> str:
        """Tells whether anything of the product itself has changed; its versions not included.

        Args:
            position: Among the products of the file.
        """
        told = (
            self.title, self.description, self.brand, self.category, self.tags, self.url,
            self.attributes, position,
        )  # fmt: skip
        return hashlib.blake2b(repr(told).encode(errors="replace"), digest_size=16).hexdigest()


@dataclass(slots=True)
class FileDraft:
    """A whole file, read and judged.

    Attributes:
        rejected_keys: SKUs and handles of rejected rows, which a replacing import keeps on sale.
    """

    rows: int = 0
    products: list[ProductDraft] = field(default_factory=list)
    issues: list[RowIssue] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()
    rejected_keys: set[str] = field(default_factory=set)
