"""Shopify's ``products.json``, as the shop's own address serves it and the Admin API exports it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from commerce.catalogue.columns import Columns
from commerce.catalogue.json_file import cell_of
from commerce.catalogue.source import Record

# The names that a CSV export of the same shop uses, so that both give the same products.
_HEADINGS = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Tags", "Status",
    "Variant SKU", "Variant Price", "Variant Compare At Price", "Variant Inventory Qty",
    "Availability", "Variant Barcode", "Image Src", "Variant Image", "Option1 Name",
    "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value",
)  # fmt: skip


def is_shopify(data: Any) -> bool:
    """Whether parsed JSON is Shopify's."""
    products = data.get("products") if isinstance(data, dict) else None
    if not isinstance(products, list) or not products or not isinstance(products[0], dict):
        return False
    return isinstance(products[0].get("variants"), list) and "title" in products[0]


@dataclass(frozen=True, slots=True)
class ShopifyJson:
    """Products with their variants, one row per variant."""

    products: list[Any]
    columns: Columns = field(default_factory=lambda: Columns(_HEADINGS))

    def records(self) -> Iterator[Record]:
        """One row per variant; the product's own fields stand on its first."""
        for number, product in enumerate(self.products, 1):
            if not isinstance(product, dict):
                yield Record(number, (), "is no object with named values")
                continue
            variants = [one for one in product.get("variants") or [] if isinstance(one, dict)]
            if not variants:
                yield Record(number, (), "has no variants, and so no price")
            for place, variant in enumerate(variants):
                cells = _product_cells(product) if place == 0 else {"Handle": _handle(product)}
                cells |= _variant_cells(variant, product)
                yield Record(number, tuple(cells.get(heading, "") for heading in _HEADINGS))


def _handle(product: dict[str, Any]) -> str:
    return cell_of(product.get("handle")) or cell_of(product.get("id"))


def _product_cells(product: dict[str, Any]) -> dict[str, str]:
    tags = product.get("tags")
    return {
        "Handle": _handle(product),
        "Title": cell_of(product.get("title")),
        "Body (HTML)": cell_of(product.get("body_html")),
        "Vendor": cell_of(product.get("vendor")),
        "Product Category": cell_of(product.get("product_type")),
        "Tags": tags if isinstance(tags, str) else cell_of(tags),
        "Status": cell_of(product.get("status")),
        "Image Src": cell_of(product.get("images")) or cell_of(product.get("image")),
    }


def _variant_cells(variant: dict[str, Any], product: dict[str, Any]) -> dict[str, str]:
    is_counted = bool(variant.get("inventory_management"))
    cells = {
        "Variant SKU": cell_of(variant.get("sku")),
        "Variant Price": cell_of(variant.get("price")),
        "Variant Compare At Price": cell_of(variant.get("compare_at_price")),
        "Variant Inventory Qty": cell_of(variant.get("inventory_quantity")) if is_counted else "",
        "Availability": cell_of(variant.get("available")),
        "Variant Barcode": cell_of(variant.get("barcode")),
        "Variant Image": cell_of(variant.get("featured_image")),
    }
    options = [one for one in product.get("options") or [] if isinstance(one, dict)]
    for number in (1, 2, 3):
        name = cell_of(options[number - 1].get("name")) if number <= len(options) else ""
        cells[f"Option{number} Name"] = name
        cells[f"Option{number} Value"] = cell_of(variant.get(f"option{number}"))
    return cells
