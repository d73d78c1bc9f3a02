"""Queries on vectors: what a product's text is, and which vectors are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.models.extras import ProductVector
from commerce.models.tables import Product
from commerce.models.values import ProductId

_DESCRIPTION_CHARACTERS = 800
_MOST_IDS = 500


@dataclass(frozen=True, slots=True)
class Described:
    """What a product's vector is made from."""

    product_id: ProductId
    text: str


async def described_products(session: AsyncSession, catalogue_id: int) -> list[Described]:
    """Every product on sale with its text: title, maker, shelf and the description's beginning."""
    rows = await session.execute(
        select(Product.id, Product.title, Product.brand, Product.category, Product.description)
        .where(Product.catalogue_id == catalogue_id, Product.deleted_at.is_(None))
        .order_by(Product.position, Product.id)
    )
    found = []
    for product_id, title, brand, category, description in rows:
        parts = [title, brand, category, description[:_DESCRIPTION_CHARACTERS]]
        found.append(Described(ProductId(product_id), "\n".join(filter(None, parts))))
    return found


async def kept_vectors(
    session: AsyncSession, model: str, digests: Iterable[str]
) -> dict[str, bytes]:
    """The vectors that are kept of those texts."""
    wanted = list(dict.fromkeys(digests))
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), _MOST_IDS):
        part = wanted[start : start + _MOST_IDS]
        rows = await session.execute(
            select(ProductVector.digest, ProductVector.vector).where(
                ProductVector.model == model, ProductVector.digest.in_(part)
            )
        )
        found.update((digest, vector) for digest, vector in rows)
    return found


async def keep_vectors(session: AsyncSession, model: str, vectors: Mapping[str, bytes]) -> None:
    """Keep vectors; another program may have kept the same ones meanwhile."""
    rows = [
        {"model": model, "digest": digest, "vector": vector} for digest, vector in vectors.items()
    ]
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if is_postgresql else sqlite_insert
    for start in range(0, len(rows), _MOST_IDS):
        await session.execute(
            insert(ProductVector).on_conflict_do_nothing(), rows[start : start + _MOST_IDS]
        )
