"""Real export files of shop systems, where the development data is at hand."""

import os
from pathlib import Path

import pytest

from commerce.catalogue.rows import read_catalogue
from commerce.shop import Shop

SHARED = os.environ.get("LIVEPITCH_SHARED")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.asyncio,
    pytest.mark.skipif(not SHARED, reason="LIVEPITCH_SHARED names no development data"),
]


def folder() -> Path:
    return Path(SHARED or "") / "data" / "commerce"


@pytest.mark.parametrize(
    ("name", "rows", "products", "variants", "rejected"),
    [
        ("shopify/apparel.csv", 22, 20, 22, 0),
        ("shopify/home-and-garden.csv", 21, 20, 21, 0),
        ("shopify/jewelery.csv", 41, 20, 23, 0),
        ("woocommerce/sample_products.csv", 24, 14, 21, 1),
    ],
)
async def test_exports_import_whole(name, rows, products, variants, rejected):
    draft = read_catalogue(folder() / name, "USD")
    assert draft.rows == rows
    assert len(draft.products) == products
    assert sum(len(product.variants) for product in draft.products) == variants
    assert sum(issue.is_rejected for issue in draft.issues) == rejected
    for product in draft.products:
        assert "<" not in product.description
        assert product.images, product.title


async def test_a_shopify_shop_sells(tmp_path):
    async with Shop.open(str(tmp_path / "shop.db")) as shop:
        first = await shop.import_file(folder() / "shopify" / "home-and-garden.csv")
        again = await shop.import_file(folder() / "shopify" / "home-and-garden.csv")
        assert first.created == again.unchanged == 21
        answer = await shop.answer("do you have a clay plant pot under 20?")
        assert answer is not None
        assert answer.card is not None
        assert answer.card.title == "Clay Plant Pot"
        assert answer.card.options == {"Size": ("Regular", "Large")}
        large = await shop.search("large clay plant pot")
        assert large[0].card.variant == "Large"
        for card in await shop.products():
            pitch = await shop.pitch(card.sku)
            assert 2 <= len(pitch.sentences) <= 12
