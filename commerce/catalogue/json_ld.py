"""schema.org products, as shops write them into their pages: JSON-LD in HTML or alone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from commerce.catalogue.columns import Columns
from commerce.catalogue.json_file import cell_of
from commerce.catalogue.source import Record
from commerce.errors import CatalogueFileError

_HEADINGS = (
    "handle", "title", "description", "brand", "category", "url", "image", "sku", "price",
    "currency", "availability", "variant image", "gtin", "mpn", "stock",
    "colour", "size", "material", "style",
)  # fmt: skip
_OPTIONS = {"color": "colour", "size": "size", "material": "material", "pattern": "style"}
_MOST_NODES = 1_000_000
_GTINS = ("gtin", "gtin13", "gtin14", "gtin12", "gtin8", "isbn")


@dataclass(frozen=True, slots=True)
class JsonLd:
    """Products and product groups, one row per version."""

    products: list[dict[str, Any]]
    columns: Columns = field(default_factory=lambda: Columns(_HEADINGS))

    def records(self) -> Iterator[Record]:
        """One row per version of each product."""
        for number, product in enumerate(self.products, 1):
            versions = _objects(product.get("hasVariant")) or [product]
            for place, version in enumerate(versions):
                cells = _version_cells(version, product)
                if place == 0:
                    cells |= _product_cells(product)
                cells["handle"] = _group(product)
                facts = _facts(product) if place == 0 else {}
                row = tuple(cells.get(heading, "") for heading in _HEADINGS)
                yield Record(number, row, "", facts)


def read_json_ld(documents: list[Any], name: str) -> JsonLd:
    """Gather the products of parsed JSON-LD.

    Raises:
        CatalogueFileError: There is none.
    """
    products: list[dict[str, Any]] = []
    seen: set[str] = set()
    for node in _nodes(documents):
        if not {"Product", "ProductGroup", "IndividualProduct"} & _types(node):
            continue
        own = json.dumps(node, sort_keys=True, default=str)
        if own not in seen:
            seen.add(own)
            products.append(node)
    if not products:
        raise CatalogueFileError(f"{name} describes no schema.org Product")
    return JsonLd(products)


def scripts_of(html: str) -> list[Any]:
    """The JSON-LD blocks of a page; broken ones are left out."""
    parser = _Scripts()
    parser.feed(html)
    parser.close()
    found: list[Any] = []
    for block in parser.blocks:
        try:
            found.append(json.loads(block))
        except (ValueError, RecursionError):
            continue
    return found


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").split(";")[0].strip().casefold()
        self._is_inside = tag == "script" and kind == "application/ld+json"
        if self._is_inside:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.blocks[-1] += data


def _nodes(documents: list[Any]) -> Iterator[dict[str, Any]]:
    """Every object that may be a product, outermost only."""
    waiting, visited = list(reversed(documents)), 0
    while waiting:
        node = waiting.pop()
        visited += 1
        if visited > _MOST_NODES:
            raise CatalogueFileError("the page holds more than a million objects; split it")
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            yield node
            if not {"Product", "ProductGroup"} & _types(node):
                inner = ("@graph", "itemListElement", "item", "mainEntity", "about")
                waiting.extend(node[key] for key in reversed(inner) if key in node)


def _types(node: dict[str, Any]) -> set[str]:
    kinds = node.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return {str(name).rpartition("/")[2].rpartition(":")[2] for name in names}


def _objects(value: Any) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def _group(product: dict[str, Any]) -> str:
    for key in ("productGroupID", "inProductGroupWithID"):
        if product.get(key):
            return cell_of(product[key])
    return ""


def _product_cells(product: dict[str, Any]) -> dict[str, str]:
    return {
        "title": cell_of(product.get("name")),
        "description": cell_of(product.get("description")),
        "brand": cell_of(product.get("brand")) or cell_of(product.get("manufacturer")),
        "category": cell_of(product.get("category")),
        "url": cell_of(product.get("url")),
        "image": cell_of(product.get("image")),
    }


def _version_cells(version: dict[str, Any], product: dict[str, Any]) -> dict[str, str]:
    offer = _offer(version) or _offer(product)
    cells = {
        "title": cell_of(version.get("name")) or cell_of(product.get("name")),
        "sku": cell_of(version.get("sku"))
        or cell_of(version.get("productID"))
        or cell_of(offer.get("sku")),
        "price": cell_of(offer.get("price")) or cell_of(offer.get("lowPrice")),
        "currency": cell_of(offer.get("priceCurrency")),
        "availability": cell_of(offer.get("availability")).rpartition("/")[2],
        "stock": cell_of(_first(offer.get("inventoryLevel")).get("value")),
        "gtin": next((cell_of(version[key]) for key in _GTINS if version.get(key)), ""),
        "mpn": cell_of(version.get("mpn")),
        "url": cell_of(version.get("url")) or cell_of(offer.get("url")),
    }
    if version is not product:
        cells["variant image"] = cell_of(version.get("image")).partition("|")[0]
    for key, heading in _OPTIONS.items():
        cells[heading] = cell_of(version.get(key))
    return cells


def _offer(node: dict[str, Any]) -> dict[str, Any]:
    """The offer with a price, its price specification folded in."""
    for offer in _objects(node.get("offers")):
        inner = _objects(offer.get("offers"))
        if inner and "price" not in offer and "lowPrice" not in offer:
            offer = inner[0]
        for told in _objects(offer.get("priceSpecification")):
            if "price" in told and "price" not in offer:
                offer = {**told, **offer}
        if "price" in offer or "lowPrice" in offer:
            return offer
    return {}


def _first(value: Any) -> dict[str, Any]:
    return next(iter(_objects(value)), {})


def _facts(product: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in _objects(product.get("additionalProperty")):
        if isinstance(one.get("name"), str) and one.get("value") is not None:
            found[one["name"]] = cell_of(one["value"])
    return found
