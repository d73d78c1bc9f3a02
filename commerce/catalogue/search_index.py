"""The full-text index: the one place where SQLite's own search language is spoken."""

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.models.query import IndexedProduct, Vocabulary
from commerce.models.tables import Product, Variant
from commerce.models.values import ProductId
from commerce.models.words import index_words

# A description repeats itself; its beginning tells what the product is.
_DESCRIPTION_CHARACTERS = 1500

_DELETE = text("DELETE FROM product_search WHERE rowid = :id")
_INSERT = text(
    "INSERT INTO product_search(rowid, title, labels, description)"
    " VALUES (:id, :title, :labels, :description)"
)
# bm25 is negative, best first; a word in the title says most.
_FIND = text(
    "SELECT rowid, title, labels, description FROM product_search"
    " WHERE product_search MATCH :words"
    " ORDER BY bm25(product_search, 8.0, 4.0, 1.0) LIMIT :limit"
)


async def index_products(
    session: AsyncSession, products: Iterable[tuple[Product, Sequence[Variant]]]
) -> None:
    """Put products into the index, in place of what it held of them."""
    rows = [_row(product, variants) for product, variants in products]
    if rows:
        await session.execute(_DELETE, [{"id": row["id"]} for row in rows])
        await session.execute(_INSERT, rows)


async def forget_products(session: AsyncSession, ids: Iterable[int]) -> None:
    """Take products out of the index."""
    rows = [{"id": product_id} for product_id in ids]
    if rows:
        await session.execute(_DELETE, rows)


async def find_products(
    session: AsyncSession, words: Iterable[str], limit: int
) -> list[IndexedProduct]:
    """Products that hold any of the words, the likeliest first."""
    # Quoted, because a viewer's AND, NEAR or * would be read as operators.
    quoted = [f'"{word}"' for word in dict.fromkeys(words) if word and '"' not in word]
    if not quoted:
        return []
    found = await session.execute(_FIND, {"words": " OR ".join(quoted), "limit": limit})
    return [
        IndexedProduct(
            ProductId(row_id),
            tuple(title.split()),
            frozenset(labels.split()),
            frozenset(description.split()),
        )
        for row_id, title, labels, description in found
    ]


async def read_vocabulary(session: AsyncSession) -> Vocabulary:
    """Every indexed word with the number of products that hold it."""
    words = await session.execute(text("SELECT term, doc FROM product_search_words"))
    products = await session.scalar(text("SELECT count(*) FROM product_search"))
    return Vocabulary({row[0]: row[1] for row in words}, products or 0)


def _row(product: Product, variants: Sequence[Variant]) -> dict[str, object]:
    labels = [product.brand or "", product.category or "", *product.tags]
    for variant in variants:
        labels += [variant.sku, *variant.options.values()]
    return {
        "id": product.id,
        "title": " ".join(index_words(product.title)),
        "labels": " ".join(dict.fromkeys(index_words(" ".join(labels)))),
        "description": " ".join(index_words(product.description[:_DESCRIPTION_CHARACTERS])),
    }
