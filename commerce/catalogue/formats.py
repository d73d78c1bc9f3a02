"""Which kind of file it is, told by its content; a name may lie."""

import json
from pathlib import Path
from typing import Any

from commerce.catalogue.file_bytes import bytes_of, decoded
from commerce.catalogue.json_file import is_json_lines, load_json, read_json
from commerce.catalogue.json_ld import read_json_ld, scripts_of
from commerce.catalogue.mapping import Mapping
from commerce.catalogue.shopify_json import ShopifyJson, is_shopify
from commerce.catalogue.source import Format, Source
from commerce.catalogue.table_file import read_table
from commerce.catalogue.xml_feed import read_feed
from commerce.errors import CatalogueFileError


def open_source(path: Path, mapping: Mapping, wanted: Format | None = None) -> Source:
    """Open a catalogue file of any kind.

    Args:
        path: Of the file; it may be gzipped.
        mapping: What its columns mean, where we could not guess.
        wanted: The kind of file, when its content does not tell.

    Raises:
        CatalogueFileError: The file as a whole is unusable.
    """
    data = bytes_of(path)
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if wanted in {"google", "meta"} or wanted is None:
        if _is_page(start):
            return _page(data, path.name, mapping)
        if start.startswith(b"<"):
            return read_feed(data, path.name, mapping)
    if wanted == "jsonld":
        if start.startswith(b"<"):
            return _page(data, path.name, mapping)
        return read_json_ld([load_json(data, path.name, mapping)], path.name)
    if wanted == "json" or (wanted in {None, "shopify"} and start[:1] in {b"{", b"["}):
        return _json(data, path.name, mapping, wanted)
    return read_table(data, path.name, mapping)


def _is_page(start: bytes) -> bool:
    head = start[:1024].lower()
    return head.startswith((b"<!doctype html", b"<html")) or b"<script" in start.lower()


def _page(data: bytes, name: str, mapping: Mapping) -> Source:
    documents = scripts_of(decoded(data, name, mapping.encoding))
    if not documents:
        raise CatalogueFileError(
            f"{name} is a web page without schema.org JSON-LD; give a product export"
        )
    return read_json_ld(documents, name)


def _json(data: bytes, name: str, mapping: Mapping, wanted: Format | None) -> Source:
    if is_json_lines(data):
        return read_json(data, name, mapping)
    parsed = load_json(data, name, mapping)
    if wanted in {None, "shopify"} and is_shopify(parsed):
        return ShopifyJson(parsed["products"])
    if wanted == "shopify":
        raise CatalogueFileError(f"{name} is not Shopify's products.json")
    if wanted is None and _is_linked_data(parsed):
        return read_json_ld([parsed], name)
    return read_json(data, name, mapping)


def _is_linked_data(parsed: Any) -> bool:
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    is_marked = isinstance(first, dict) and bool({"@context", "@type", "@graph"} & set(first))
    return is_marked and "schema.org" in json.dumps(first)[:100_000]
