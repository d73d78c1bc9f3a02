"""One cell at a time: what a seller typed or exported becomes a clean value, or a reason why not.

Catalogue text is untrusted. It is later spoken, shown and searched, so it is reduced to plain text
here: no tags, no control or direction characters, no formulas, no path out of the folder.
"""

import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"})
_LONGEST_URL = 2000
_MOST_UNITS = 1_000_000_000
_FORMULA = re.compile(r"^[=@+\-]\s*(?:[A-Za-z.]+\s*\(|[A-Za-z]+\d+\b)|^=")
_BLOCKS = frozenset("p div br li ul ol h1 h2 h3 h4 h5 h6 tr table section article hr".split())  # noqa: SIM905
_SILENT = frozenset({"script", "style", "template", "noscript", "title", "head"})
_YES = frozenset({"1", "yes", "true", "y", "instock", "available", "preorder", "backorder", "si",
                  "sí", "sim", "是", "有货", "有"})  # fmt: skip
_NO = frozenset({"0", "no", "false", "n", "outofstock", "soldout", "unavailable", "discontinued",
                 "não", "nao", "否", "无货", "缺货"})  # fmt: skip


class CellError(ValueError):
    """A cell cannot be used; the text says why and what to write instead."""


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(cell: str, longest: int) -> str:
    """Text without HTML, control characters or superfluous space, at most so many characters.

    Raises:
        CellError: It is a spreadsheet formula.
    """
    cell = cell.strip()
    if _FORMULA.match(cell.removeprefix("'")):
        raise CellError("looks like a spreadsheet formula; write plain text")
    if "<" in cell or "&" in cell:
        cell = _without_html(cell)
    if cell.isascii() and cell.isprintable():
        return _shortened(" ".join(cell.split()), longest)
    visible = "".join(
        character if not _is_hidden(character) else " " if character in "\n\r\t\v\f" else ""
        for character in unicodedata.normalize("NFC", cell)
    )
    return _shortened(" ".join(visible.split()), longest)


def _without_html(cell: str) -> str:
    # Twice, because exports escape HTML that was escaped already.
    for _ in range(2):
        parser = _TextOfHtml()
        parser.feed(cell)
        parser.close()
        text = "".join(parser.parts)
        if text == cell:
            break
        cell = text
    # What still looks like a tag was meant as one by somebody.
    return re.sub(r"</?[a-zA-Z][^<>]*>", " ", cell)


def _is_hidden(character: str) -> bool:
    # Cc control, Cf direction marks and zero-width, Cs/Co/Cn nothing a person can read.
    kind = unicodedata.category(character)
    return kind in {"Cc", "Cf", "Cs", "Co", "Cn"} and character != "\u200d"


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def units(cell: str) -> int:
    """A count of units.

    Raises:
        CellError: Not a whole number, or an absurd one.
    """
    compact = re.sub(r"[\s,'’]", "", cell)
    match = re.fullmatch(r"(-?\d{1,12})(?:\.0+)?(?:pcs|units|件|个)?", compact)
    if match is None or not match[1].lstrip("-").isascii():
        raise CellError("is not a whole number of units; write one such as 12")
    count = int(match[1])
    if count > _MOST_UNITS:
        raise CellError("is more units than anybody has; check the column")
    return count


def yes_or_no(cell: str) -> bool | None:
    """Whether a cell says available; None when it says neither."""
    word = re.sub(r"[\s_\-]+", "", cell.casefold())
    return True if word in _YES else False if word in _NO else None


def words_list(cell: str, longest: int = 60) -> list[str]:
    """Tags of one cell, split at commas, semicolons or bars, without repeats."""
    found: dict[str, str] = {}
    for part in re.split(r"[,;|，、；]", cell):
        text = plain_text(part, longest)
        if text:
            found.setdefault(text.casefold(), text)
    return list(found.values())[:50]


def web_address(cell: str) -> str:
    """An http(s) address, written as given.

    Raises:
        CellError: Another scheme, no host, or a password in it.
    """
    address = cell.strip()
    if len(address) > _LONGEST_URL or re.search(r"[\s<>\"'`\\]|[\x00-\x1f\x7f]", address):
        raise CellError("is not a web address")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise CellError("is not a web address") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise CellError("is not a web address; it starts with https://")
    if parts.username is not None or parts.password is not None:
        raise CellError("carries a user name; leave it out of the address")
    return address


def picture(cell: str, folder: Path) -> str:
    """A picture: an http(s) address, never fetched here, or a path inside the catalogue's folder.

    Raises:
        CellError: It leaves the folder, is absent, or is no picture by its name.
    """
    text = cell.strip()
    if re.match(r"^[A-Za-z][A-Za-z0-9+.\-]+:", text):
        return web_address(text)
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", text) or "\x00" in text:
        raise CellError("leaves the catalogue's folder; put the picture beside the file")
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise CellError("is not a picture; use PNG, JPEG, WebP, GIF or AVIF")
    try:
        home = folder.resolve()
        target = (home / path).resolve()
        is_inside, is_there = target.is_relative_to(home), target.is_file()
    except OSError:
        raise CellError("is not a usable file name") from None
    # A symbolic link may lead out of the folder although the text does not.
    if not is_inside:
        raise CellError("leaves the catalogue's folder; put the picture beside the file")
    if not is_there:
        raise CellError("is not there; put the picture beside the file")
    return path.as_posix()


def slug(text: str) -> str:
    """A stable identifier made from words, for rows that carry none."""
    kept = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", text).casefold()).strip("-_")
    return kept[:120]
