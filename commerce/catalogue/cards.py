"""From rows of the database to the card a shopper sees."""

import re
from collections.abc import Sequence

from commerce.models.tables import Product, Variant
from commerce.models.values import ProductCard
from commerce.money import Money


def card_of(product: Product, variant: Variant | None = None) -> ProductCard | None:
    """The card of a product, at a given variant or the first available one.

    Returns:
        None when no variant is on sale.
    """
    on_sale = [version for version in product.variants if version.deleted_at is None]
    chosen = variant or _first_available(on_sale)
    if chosen is None:
        return None
    own = [image for image in product.images if image.variant_id == chosen.id]
    shared = [image for image in product.images if image.variant_id is None]
    pictures = own or shared or list(product.images)
    former = chosen.compare_at_minor
    return ProductCard(
        sku=chosen.sku,
        title=product.title,
        description=product.description,
        price=Money(chosen.price_minor, chosen.currency),
        compare_at=None if former is None else Money(former, chosen.currency),
        stock=max(0, chosen.on_hand - chosen.reserved) if chosen.tracks_stock else 0,
        stock_version=chosen.stock_version,
        image=pictures[0].source if pictures else None,
        url=product.url,
        tags=tuple(product.tags),
        brand=product.brand,
        options=_options(on_sale),
        variant=" / ".join(chosen.options.values()) if len(on_sale) > 1 else "",
        category=product.category,
        tracks_stock=chosen.tracks_stock,
    )


def _first_available(variants: Sequence[Variant]) -> Variant | None:
    for variant in variants:
        if not variant.tracks_stock or variant.on_hand > variant.reserved:
            return variant
    return variants[0] if variants else None


def _options(variants: Sequence[Variant]) -> dict[str, tuple[str, ...]]:
    """Every value each option takes, in order; one cell may list several."""
    found: dict[str, dict[str, None]] = {}
    for variant in variants:
        for name, value in variant.options.items():
            for part in re.split(r"\s*[|,;、，]\s*", value):
                if part:
                    found.setdefault(name, {})[part] = None
    return {name: tuple(values) for name, values in found.items()}
