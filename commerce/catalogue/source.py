"""What every kind of catalogue file becomes: rows under headings that mean something."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from commerce.catalogue.columns import Columns

Format = Literal["csv", "shopify", "woocommerce", "google", "meta", "json", "jsonld"]
"""Kinds of files; each but the first two may come in several spellings (CSV, TSV, XML, JSON)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    Attributes:
        row: As the file counts: in a table the header is 1; in JSON and XML the first product is 1.
        cells: One text per heading; may be shorter.
        broken: Why its cells cannot be told apart; empty for a readable row.
        attributes: Facts that have no column of their own, by name.
    """

    row: int
    cells: tuple[str, ...]
    broken: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A file that can be read more than once."""

    @property
    def columns(self) -> Columns:
        """What its headings mean."""
        ...

    def records(self) -> Iterator[Record]:
        """Every row that holds anything, in the file's order."""
        ...
