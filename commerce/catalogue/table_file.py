"""From bytes to rows: encoding, delimiter and quoting of tables that people and shops export."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commerce.catalogue.columns import Columns
from commerce.errors import CatalogueFileError

LARGEST_BYTES = 256 * 1024 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_FOREIGN = (
    (b"PK\x03\x04", "a spreadsheet workbook; save it as CSV (UTF-8) first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV (UTF-8) first"),
    (b"\x89PNG", "a picture, not a table; give a CSV file"),
    (b"\xff\xd8\xff", "a picture, not a table; give a CSV file"),
    (b"%PDF", "a PDF, not a table; give a CSV file"),
    (b"\x1f\x8b", "compressed; unpack it first"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number as a spreadsheet counts (header is 1) and its cells.

    Attributes:
        broken: Why its cells cannot be told apart; empty for a readable row.
    """

    row: int
    cells: tuple[str, ...]
    broken: str = ""


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


def read_table(path: Path) -> TableFile:
    """Read a table of products.

    Raises:
        CatalogueFileError: Not there, not text, no header, or no column for titles or prices.
    """
    text = _decoded(_bytes_of(path), path.name)
    # Meta's exports begin with comment lines.
    while text.startswith("#"):
        _, _, text = text.partition("\n")
    if not text.strip():
        raise CatalogueFileError(f"{path.name} is empty; give a table with a header line")
    columns, delimiter = _header(text)
    for field in ("title", "price"):
        if field not in columns.at and not (field == "price" and "sale_price" in columns.at):
            seen = ", ".join(heading[:30] for heading in columns.headings[:8]) or "nothing"
            raise CatalogueFileError(
                f"{path.name} has no column for the {field}; name one {field!r} in the first line"
                f" (it has: {_printable(seen)})"
            )
    return TableFile(columns, text, delimiter)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise CatalogueFileError(f"{path} is a folder; give a CSV file")
        if path.stat().st_size > LARGEST_BYTES:
            raise CatalogueFileError(f"{path.name} is larger than 256 MB; split it")
        return path.read_bytes()
    except FileNotFoundError:
        raise CatalogueFileError(f"{path} is not there; check the path") from None
    except OSError as error:
        raise CatalogueFileError(f"{path} cannot be read: {error.strerror}") from None


def _decoded(data: bytes, name: str) -> str:
    for magic, meaning in _FOREIGN:
        if data.startswith(magic):
            raise CatalogueFileError(f"{name} is {meaning}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data:
        raise CatalogueFileError(f"{name} holds binary data, not a table; give a CSV file")
    else:
        encodings = ["utf-8-sig", "gb18030" if _looks_chinese(data) else "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CatalogueFileError(f"{name} is in no encoding we know; save it as CSV (UTF-8)")


def _looks_chinese(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 are rather GBK than Windows-1252.

    Nearly all characters of a Chinese text are two high bytes, so high bytes come in even runs; an
    accented letter of a Western one stands between plain letters.
    """
    runs = [len(run) for run in re.findall(rb"[\xa1-\xfe]+", data)]
    paired = sum(length for length in runs if length % 2 == 0)
    return paired > 0.6 * sum(runs)


def _header(text: str) -> tuple[Columns, str]:
    best: tuple[int, int, Columns, str] | None = None
    for delimiter in _DELIMITERS:
        try:
            headings = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        except (csv.Error, StopIteration):
            continue
        columns = Columns(headings)
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
