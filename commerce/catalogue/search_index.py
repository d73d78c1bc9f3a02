"""The full-text index: the one place where the databases' own search languages are spoken."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
_INSERT_WITH_VECTOR = text(
    "INSERT INTO product_search(rowid, title, labels, description, words)"
    " VALUES (:id, :title, :labels, :description, CAST(:words AS tsvector))"
)
# bm25 is negative, best first; a word in the title says most.
_FIND = text(
    "SELECT rowid, title, labels, description FROM product_search"
    " WHERE product_search MATCH :words"
    " ORDER BY bm25(product_search, 8.0, 4.0, 1.0) LIMIT :limit"
)
_FIND_BY_VECTOR = text(
    "SELECT rowid, title, labels, description FROM product_search,"
    " CAST(:words AS tsquery) AS asked WHERE words @@ asked"
    " ORDER BY ts_rank('{0.05, 0.1, 0.4, 1.0}', words, asked, 1) DESC, rowid LIMIT :limit"
)
_VOCABULARY = text("SELECT term, doc FROM product_search_words")
_VOCABULARY_OF_VECTORS = text("SELECT word, ndoc FROM ts_stat('SELECT words FROM product_search')")
# PostgreSQL keeps no lexeme beyond 2 kB and no position beyond 16,383.
_LONGEST_LEXEME, _LAST_POSITION = 200, 16_383


async def index_products(
    session: AsyncSession, products: Iterable[tuple[Product, Sequence[Variant]]]
) -> None:
    """Put products into the index, in place of what it held of them."""
    rows = [_row(product, variants) for product, variants in products]
    if not rows:
        return
    await session.execute(_DELETE, [{"id": row["id"]} for row in rows])
    if _has_vectors(session):
        await session.execute(
            _INSERT_WITH_VECTOR,
            [{**row, "words": _vector(row)} for row in rows],
        )
    else:
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
    asked = [word for word in dict.fromkeys(words) if word and '"' not in word]
    if not asked:
        return []
    if _has_vectors(session):
        statement, query = _FIND_BY_VECTOR, " | ".join(map(_lexeme, asked))
    else:
        statement, query = _FIND, " OR ".join(f'"{word}"' for word in asked)
    found = await session.execute(statement, {"words": query, "limit": limit})
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
    words = await session.execute(_VOCABULARY_OF_VECTORS if _has_vectors(session) else _VOCABULARY)
    products = await session.scalar(text("SELECT count(*) FROM product_search"))
    return Vocabulary({row[0]: row[1] for row in words}, products or 0)


def _has_vectors(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _vector(row: Mapping[str, Any]) -> str:
    """A tsvector of our own words as they are: PostgreSQL's parser cannot cut Chinese either."""
    places: dict[str, list[str]] = {}
    position = 0
    for field, weight in (("title", "A"), ("labels", "B"), ("description", "D")):
        for word in row[field].split():
            position = min(position + 1, _LAST_POSITION)
            places.setdefault(word[:_LONGEST_LEXEME], []).append(f"{position}{weight}")
    return " ".join(f"{_lexeme(word)}:{','.join(at[:200])}" for word, at in places.items())


def _lexeme(word: str) -> str:
    return "'" + word[:_LONGEST_LEXEME].replace("\\", "\\\\").replace("'", "''") + "'"


def _row(product: Product, variants: Sequence[Variant]) -> dict[str, Any]:
    labels = [product.brand or "", product.category or "", *product.tags]
    for variant in variants:
        labels += [variant.sku, *variant.options.values()]
    return {
        "id": product.id,
        "title": " ".join(index_words(product.title)),
        "labels": " ".join(dict.fromkeys(index_words(" ".join(labels)))),
        "description": " ".join(index_words(product.description[:_DESCRIPTION_CHARACTERS])),
    }
