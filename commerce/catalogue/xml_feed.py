"""Google Merchant feeds as XML: RSS 2.0 or Atom, read without entities, doctypes or the network."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from commerce.catalogue.columns import Columns
from commerce.catalogue.mapping import Mapping
from commerce.catalogue.source import Record
from commerce.errors import CatalogueFileError

_ITEMS = frozenset({"item", "entry", "product"})
_DEEPEST = 16
_MOST_ITEMS = 1_000_000
_LONGEST_TEXT = 200_000
_PICTURES = ("image_link", "additional_image_link")


@dataclass(frozen=True, slots=True)
class XmlFeed:
    """The items of a feed; elements are headings."""

    columns: Columns
    items: list[dict[str, list[str]]]
    details: list[dict[str, str]] = field(default_factory=list)

    def records(self) -> Iterator[Record]:
        """One row per item."""
        for number, (item, facts) in enumerate(zip(self.items, self.details, strict=True), 1):
            cells = tuple(_cell(item, heading) for heading in self.columns.headings)
            yield Record(number, cells, "", facts)


def read_feed(data: bytes, name: str, mapping: Mapping) -> XmlFeed:
    """Read a feed.

    Raises:
        CatalogueFileError: Not XML, with a document type, or without items.
    """
    reading = _Reading(name)
    parser = expat.ParserCreate(mapping.encoding)
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    # Entities are declared in a document type: without one nothing can expand or be fetched.
    parser.StartDoctypeDeclHandler = reading.refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}"
        raise CatalogueFileError(
            f"{name} is not XML: {expat.errors.messages[error.code]} ({place})"
        ) from None
    except ValueError:
        raise CatalogueFileError(f"{name} is written in an encoding we do not know") from None
    if not reading.items:
        raise CatalogueFileError(f"{name} holds no <item> or <entry>; give a product feed")
    headings = dict.fromkeys(key for item in reading.items for key in item)
    columns = Columns(tuple(headings), mapping.columns)
    for wanted in ("title", "price"):
        if wanted not in columns.at and not (wanted == "price" and "sale_price" in columns.at):
            raise CatalogueFileError(f"{name}: its items have no {wanted}; name it in a mapping")
    return XmlFeed(columns, reading.items, reading.details)


class _Reading:
    """Gathers the elements of each item."""

    def __init__(self, name: str) -> None:
        self.items: list[dict[str, list[str]]] = []
        self.details: list[dict[str, str]] = []
        self._name = name
        self._path: list[str] = []
        self._attributes: dict[str, str] = {}
        self._inside: int | None = None
        self._parts: list[str] = []
        self._length = 0
        self._detail: dict[str, str] = {}

    def refuse(self, *declared: object) -> None:
        raise CatalogueFileError(
            f"{self._name} declares a document type, which product feeds do not need;"
            " remove <!DOCTYPE …>"
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag.rpartition(":")[2].casefold())
        if len(self._path) > _DEEPEST:
            raise CatalogueFileError(f"{self._name} is nested too deeply to be a product feed")
        self._attributes = attributes
        self._parts, self._length = [], 0
        if self._inside is None and self._path[-1] in _ITEMS:
            if len(self.items) >= _MOST_ITEMS:
                raise CatalogueFileError(f"{self._name} holds more than a million items; split it")
            self._inside = len(self._path)
            self.items.append({})
            self.details.append({})

    def text(self, part: str) -> None:
        if self._inside is not None and self._length < _LONGEST_TEXT:
            self._parts.append(part)
            self._length += len(part)

    def end(self, tag: str) -> None:
        depth, element = len(self._path), self._path.pop()
        if self._inside is None:
            return
        if depth == self._inside:
            self._inside = None
            return
        text = "".join(self._parts).strip() or self._attributes.get("href", "")
        self._parts, self._attributes = [], {}
        if depth == self._inside + 1:
            if element == "product_detail":
                self._keep_detail()
            elif text:
                self.items[-1].setdefault(element, []).append(text)
        elif text:
            self._detail[element] = text

    def _keep_detail(self) -> None:
        name, value = self._detail.get("attribute_name"), self._detail.get("attribute_value")
        if name and value:
            self.details[-1][name] = value
        self._detail = {}


def _cell(item: dict[str, list[str]], heading: str) -> str:
    values = item.get(heading) or [""]
    if heading == _PICTURES[0]:
        return "|".join(value for name in _PICTURES for value in item.get(name, []))
    if heading in {"product_type", "google_product_category", "category"}:
        # "Home > Kitchen > Mugs" names the shelf last; the numbers of Google's list name none.
        return "" if re.fullmatch(r"\d+", values[0]) else values[0]
    return values[0]
