"""From bytes to rows: delimiter and quoting of tables that people and shops export."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from commerce.catalogue.columns import Columns
from commerce.catalogue.file_bytes import decoded
from commerce.catalogue.mapping import Mapping
from commerce.catalogue.source import Record
from commerce.errors import CatalogueFileError

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A decoded table."""

    columns: Columns
    text: str
    delimiter: str

    def records(self) -> Iterator[Record]:
        """Every row after the header that holds anything.

        A quotation mark that is never closed would swallow all rows below it, so after a broken row
        reading starts again at the line that follows its first one.
        """
        lines = _Lines(self.text)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        row = 0
        while True:
            first = lines.next_line
            row += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.next_line = first + 1
                reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                yield Record(row, (), _explained(error))
                continue
            if row > 1 and any(cell.strip() for cell in cells):
                yield Record(row, tuple(cells))


class _Lines:
    """The lines of a text, with a place to go back to."""

    def __init__(self, text: str) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self.next_line = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.next_line >= len(self._lines):
            raise StopIteration
        self.next_line += 1
        return self._lines[self.next_line - 1]


def read_table(data: bytes, name: str, mapping: Mapping) -> TableFile:
    """Read a table of products.

    Args:
        data: The file's bytes.
        name: Of the file, for messages.
        mapping: What its columns mean; its encoding and delimiter win over guesses.

    Raises:
        CatalogueFileError: Not text, no header, or no column for titles or prices.
    """
    text = decoded(data, name, mapping.encoding)
    # Meta's exports begin with comment lines.
    while text.startswith("#"):
        _, _, text = text.partition("\n")
    if not text.strip():
        raise CatalogueFileError(f"{name} is empty; give a table with a header line")
    columns, delimiter = _header(text, mapping)
    for field in ("title", "price"):
        if field not in columns.at and not (field == "price" and "sale_price" in columns.at):
            seen = ", ".join(heading[:30] for heading in columns.headings[:8]) or "nothing"
            raise CatalogueFileError(
                f"{name} has no column for the {field}; name one {field!r} in the first line or in"
                f" a mapping file (it has: {_printable(seen)})"
            )
    return TableFile(columns, text, delimiter)


def _header(text: str, mapping: Mapping) -> tuple[Columns, str]:
    best: tuple[int, int, Columns, str] | None = None
    for delimiter in mapping.delimiter or _DELIMITERS:
        try:
            headings = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        except (csv.Error, StopIteration):
            continue
        columns = Columns(headings, mapping.columns)
        fit = (len(columns.at), len(headings))
        if best is None or fit > best[:2]:
            best = (*fit, columns, delimiter)
    if best is None:
        raise CatalogueFileError("the first line is no header; name the columns there")
    return best[2], best[3]


def _explained(error: csv.Error) -> str:
    cause = str(error)
    if "unexpected end of data" in cause:
        return "a quotation mark is opened and never closed"
    if "field larger than" in cause:
        return "a cell is longer than 131,072 characters; perhaps a quotation mark is not closed"
    if "expected after" in cause:
        return "text follows a closing quotation mark; write quotation marks in text twice"
    return f"cannot be read: {cause}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
