"""The full-text index: the one place where the databases' own search languages are spoken."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue.draft import ProductDraft
from commerce.models.query import IndexedProduct
from commerce.models.values import ProductId
from commerce.models.words import index_words

# A description repeats itself; its beginning tells what the product is.
_DESCRIPTION_CHARACTERS = 1500
_DETAILS_CHARACTERS = 4000

_DELETE = text("DELETE FROM product_search WHERE rowid = :id")
_INSERT = text(
    "INSERT INTO product_search(rowid, title, labels, description, details)"
    " VALUES (:id, :title, :labels, :description, :details)"
)
_INSERT_WITH_VECTOR = text(
    "INSERT INTO product_search(rowid, title, labels, description, details, words)"
    " VALUES (:id, :title, :labels, :description, :details, CAST(:words AS tsvector))"
)
# bm25 is negative, best first; a word in the title says most.
_FIND = text(
    "SELECT rowid, title, labels, description, details FROM product_search"
    " WHERE product_search MATCH :words"
    " ORDER BY bm25(product_search, 4.0, 2.0, 1.0, 0.5) LIMIT :limit"
)
_FIND_BY_VECTOR = text(
    "SELECT rowid, title, labels, description, details FROM product_search,"
    " CAST(:words AS tsquery) AS asked WHERE words @@ asked"
    " ORDER BY ts_rank('{0.05, 0.1, 0.4, 1.0}', words, asked, 1) DESC, rowid LIMIT :limit"
)
_ALL = text("SELECT rowid, title, labels, description, details FROM product_search ORDER BY rowid")
# PostgreSQL keeps no lexeme beyond 2 kB and no position beyond 16,383.
_BATCH = 1000
_LONGEST_LEXEME, _LAST_POSITION = 200, 16_383


async def index_products(
    session: AsyncSession, products: Iterable[tuple[int, ProductDraft]]
) -> None:
    """Put products, by their ids, into the index, in place of what it held of them."""
    rows = [_row(product_id, draft) for product_id, draft in products]
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
    return [_product(row) for row in found]


async def every_product(session: AsyncSession) -> AsyncIterator[list[IndexedProduct]]:
    """The whole index in parts, in the order the products came."""
    rows = await session.stream(_ALL)
    try:
        async for part in rows.partitions(_BATCH):
            yield [_product(row) for row in part]
    finally:
        await rows.close()


async def count_products(session: AsyncSession) -> int:
    """How many products are indexed."""
    return await session.scalar(text("SELECT count(*) FROM product_search")) or 0


def _product(row: Any) -> IndexedProduct:
    product_id, title, labels, description, details = row
    return IndexedProduct(
        ProductId(product_id), title.split(), labels.split(), description.split(), details.split()
    )


def _has_vectors(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _vector(row: Mapping[str, Any]) -> str:
    """A tsvector of our own words as they are: PostgreSQL's parser cannot cut Chinese either."""
    places: dict[str, list[str]] = {}
    position = 0
    for field, weight in (("title", "A"), ("labels", "B"), ("description", "C"), ("details", "D")):
        for word in row[field].split():
            position = min(position + 1, _LAST_POSITION)
            places.setdefault(word[:_LONGEST_LEXEME], []).append(f"{position}{weight}")
    return " ".join(f"{_lexeme(word)}:{','.join(at[:200])}" for word, at in places.items())


def _lexeme(word: str) -> str:
    return "'" + word[:_LONGEST_LEXEME].replace("\\", "\\\\").replace("'", "''") + "'"


def _row(product_id: int, draft: ProductDraft) -> dict[str, Any]:
    labels = [draft.brand or "", draft.category or "", *draft.tags]
    for variant in draft.variants:
        labels += [variant.sku, *variant.options.values()]
    details = " ".join(map(_detail, json.loads(draft.attributes).items()))
    return {
        "id": product_id,
        "title": " ".join(index_words(draft.title)),
        "labels": " ".join(dict.fromkeys(index_words(" ".join(labels)))),
        "description": " ".join(index_words(draft.description[:_DESCRIPTION_CHARACTERS])),
        "details": " ".join(index_words(details[:_DETAILS_CHARACTERS])),
    }


def _detail(pair: tuple[str, str]) -> str:
    """What is searched of an attribute: its value, or its name when it only says yes."""
    name, value = pair
    return name if value == "yes" else "" if value == "no" or _is_number(value) else value


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdigit()
