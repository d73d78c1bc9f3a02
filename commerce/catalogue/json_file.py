"""Products as JSON: a list, an object that holds one, one object per line, or Shopify's own."""

import io
import json
import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commerce.catalogue.columns import Columns
from commerce.catalogue.file_bytes import decoded
from commerce.catalogue.mapping import Mapping
from commerce.catalogue.source import Record
from commerce.errors import CatalogueFileError

_LISTS = ("products", "items", "data", "results", "catalogue", "catalog")
_MOST_ATTRIBUTES = 120
_LONGEST_ATTRIBUTE = 300
_LONGEST_LINE = 4 * 1024 * 1024
_NOT_FACTS = re.compile(r"(?:^|_)(?:id|uuid|url|img|image|created|updated|date)(?:_|$)|\d+x\d+$")


@dataclass(frozen=True, slots=True)
class JsonFile:
    """Products as objects; what has no column of its own becomes a fact of the product."""

    columns: Columns
    _data: "_Objects"
    _keys: tuple[str, ...]

    def records(self) -> Iterator[Record]:
        """One row per object."""
        known = {key: place for place, key in enumerate(self._keys)}
        for number, item, broken in self._data:
            if broken or not isinstance(item, dict):
                yield Record(number, (), broken or "is no object with named values")
                continue
            cells = [""] * len(known)
            attributes: dict[str, str] = {}
            for key, value in item.items():
                place = known.get(key)
                if place is not None:
                    cells[place] = cell_of(value)
                elif len(attributes) < _MOST_ATTRIBUTES:
                    attributes.update(_facts(key, value))
            yield Record(number, tuple(cells), "", attributes)


class _Objects:
    """The objects of a file, read anew each time: (number, object, what is wrong with it)."""

    def __init__(self, data: bytes, name: str, mapping: Mapping, *, is_lines: bool) -> None:
        self._lines = data if is_lines else None
        self._list = [] if is_lines else _listed(load_json(data, name, mapping), name, mapping)

    def __iter__(self) -> Iterator[tuple[int, Any, str]]:
        if self._lines is None:
            for number, item in enumerate(self._list, 1):
                yield number, item, ""
            return
        for number, line in enumerate(io.BytesIO(self._lines), 1):
            if not line.strip():
                continue
            if len(line) > _LONGEST_LINE:
                yield number, None, "is longer than 4 MB"
                continue
            try:
                yield number, json.loads(line.removeprefix(b"\xef\xbb\xbf")), ""
            except (ValueError, RecursionError):
                yield number, None, "is not JSON"


def read_json(data: bytes, name: str, mapping: Mapping) -> JsonFile:
    """Read a JSON or JSON-lines file of products.

    Raises:
        CatalogueFileError: Not JSON, or no list of products with titles and prices.
    """
    objects = _Objects(data, name, mapping, is_lines=is_json_lines(data))
    keys: dict[str, None] = {}
    for _, item, _ in objects:
        if isinstance(item, dict):
            keys.update(dict.fromkeys(str(key) for key in item))
    columns = Columns(tuple(keys), mapping.columns)
    used = [heading for place, heading in enumerate(keys) if columns.uses(place)]
    columns = Columns(used, mapping.columns)
    for field in ("title", "price"):
        if field not in columns.at and not (field == "price" and "sale_price" in columns.at):
            seen = ", ".join(list(keys)[:8]) or "nothing"
            raise CatalogueFileError(
                f"{name}: its products have no {field}; name it so or in a mapping file"
                f" (they have: {seen[:200]})"
            )
    return JsonFile(columns, objects, tuple(used))


def is_json_lines(data: bytes) -> bool:
    """Whether each line is an object of its own."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    line, _, rest = start.partition(b"\n")
    if not start.startswith(b"{") or not rest.strip():
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def load_json(data: bytes, name: str, mapping: Mapping) -> Any:
    """Parse a whole file.

    Raises:
        CatalogueFileError: Not JSON.
    """
    text = decoded(data, name, mapping.encoding)
    try:
        return json.loads(text)
    except RecursionError:
        raise CatalogueFileError(f"{name} is nested too deeply to be a catalogue") from None
    except ValueError as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise CatalogueFileError(f"{name} is not JSON{place}; save it again") from None


def _listed(data: Any, name: str, mapping: Mapping) -> list[Any]:
    if mapping.rows:
        for part in mapping.rows.split("."):
            data = data.get(part) if isinstance(data, dict) else None
    elif isinstance(data, dict):
        lists = [data[key] for key in _LISTS if isinstance(data.get(key), list)]
        data = lists[0] if lists else [data]
    if not isinstance(data, list):
        raise CatalogueFileError(f"{name} holds no list of products; name its place in a mapping")
    if not data:
        raise CatalogueFileError(f"{name} is empty; give at least one product")
    return data


def cell_of(value: Any) -> str:
    """A JSON value as the text a table would hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f") if abs(value) < 1e15 else ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else ""
    if isinstance(value, dict):
        return _of_object(value)
    if isinstance(value, list):
        return "|".join(filter(None, (cell_of(part) for part in value[:50])))
    return ""


def _of_object(value: Dictionary[str, Any]) -> str:
    for number, currency in (("amount", "currency"), ("value", "currency"),
                             ("amount", "currencyCode"), ("price", "priceCurrency")):  # fmt: skip
        if number in value:
            return f"{cell_of(value[number])} {cell_of(value.get(currency))}".strip()
    for key in ("src", "url", "contentUrl", "href", "name", "title", "value", "text"):
        if isinstance(value.get(key), str):
            return str(value[key])
    return ""


def _facts(key: str, value: Any) -> dict[str, str]:
    """A fact of the product: its readable name and its value."""
    if isinstance(value, dict) and key in {"attributes", "specs", "specifications", "properties"}:
        return {str(name): cell_of(one)[:_LONGEST_ATTRIBUTE] for name, one in value.items() if one}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _named_values(value)
    bare = re.sub(r"^attr_[a-z]_", "", key)
    text = cell_of(value).strip().removesuffix(".0")
    if not text or len(text) > _LONGEST_ATTRIBUTE or _NOT_FACTS.search(bare):
        return {}
    return {re.sub(r"[\W_]+", " ", bare).strip(): text}


def _named_values(values: Sequence[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in values[:_MOST_ATTRIBUTES]:
        if isinstance(one, dict) and isinstance(one.get("name"), str) and "value" in one:
            found[one["name"]] = cell_of(one["value"])[:_LONGEST_ATTRIBUTE]
    return found
