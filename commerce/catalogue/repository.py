"""Every query on the catalogue's tables; the caller commits."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only, selectinload

from commerce.models.tables import Catalogue, Image, Product, Variant
from commerce.models.values import ProductId, StockChange, VariantId

_AVAILABLE = or_(Variant.tracks_stock.is_(False), Variant.on_hand > Variant.reserved)
# SQLite allows 32,766 parameters in a statement; older builds 999.
_MOST_IDS = 900


@dataclass(frozen=True, slots=True)
class Offer:
    """What a filter needs to know of a variant, without loading the product."""

    product_id: ProductId
    variant_id: VariantId
    price_minor: int
    currency: str
    is_available: bool
    options: dict[str, str]
    brand: str | None


async def catalogue_named(session: AsyncSession, name: str) -> Catalogue:
    """The catalogue of that name, new if need be."""
    found = await session.scalar(select(Catalogue).where(Catalogue.name == name))
    if found is None:
        found = Catalogue(name=name, revision=0)
        session.add(found)
        await session.flush()
    return found


async def find_catalogue(session: AsyncSession, name: str) -> Catalogue | None:
    """The catalogue of that name, if anything was ever imported."""
    found: Catalogue | None = await session.scalar(select(Catalogue).where(Catalogue.name == name))
    return found


async def products_by_handle(session: AsyncSession, catalogue_id: int) -> dict[str, Product]:
    """Every product ever imported, tombstones too."""
    rows = await session.scalars(
        select(Product)
        .where(Product.catalogue_id == catalogue_id)
        .options(load_only(Product.handle, Product.fingerprint, Product.title, Product.deleted_at))
    )
    return {product.handle: product for product in rows}


async def variants_by_sku(session: AsyncSession, catalogue_id: int) -> dict[str, Variant]:
    """Every variant ever imported, tombstones too."""
    rows = await session.scalars(select(Variant).where(Variant.catalogue_id == catalogue_id))
    return {variant.sku: variant for variant in rows}


async def next_ids(
    session: AsyncSession, table: type[Product] | type[Variant], number: int
) -> Iterator[int]:
    """Keys for so many new rows; known beforehand, rows are written in one go instead of singly."""
    name = table.__tablename__
    if session.get_bind().dialect.name == "postgresql":
        taken = await session.scalars(
            text(
                f"SELECT nextval(pg_get_serial_sequence('{name}', 'id'))"
                " FROM generate_series(1, :number)"
            ),
            {"number": number},
        )
        return iter(taken.all())
    # Whoever writes to SQLite is alone.
    last = await session.scalar(select(func.max(table.id))) or 0
    return iter(range(last + 1, last + 1 + number))


async def images_by_product(session: AsyncSession, catalogue_id: int) -> dict[int, list[Image]]:
    """Pictures of every product, in order."""
    rows = await session.scalars(
        select(Image)
        .join(Product, Product.id == Image.product_id)
        .where(Product.catalogue_id == catalogue_id)
        .order_by(Image.position)
    )
    found: dict[int, list[Image]] = {}
    for image in rows:
        found.setdefault(image.product_id, []).append(image)
    return found


async def products_on_sale(session: AsyncSession, catalogue_id: int) -> Sequence[Product]:
    """Every product with its variants and pictures, in the file's order."""
    query = _with_parts(select(Product)).where(
        Product.catalogue_id == catalogue_id, Product.deleted_at.is_(None)
    )
    return (await session.scalars(query.order_by(Product.position, Product.id))).all()


async def products_with_ids(
    session: AsyncSession, ids: Iterable[ProductId]
) -> dict[ProductId, Product]:
    """Products on sale, with variants and pictures, by id."""
    query = _with_parts(select(Product)).where(
        Product.id.in_(list(ids)), Product.deleted_at.is_(None)
    )
    return {ProductId(product.id): product for product in await session.scalars(query)}


async def variant_with_sku(session: AsyncSession, catalogue_id: int, sku: str) -> Variant | None:
    """A variant on sale."""
    found: Variant | None = await session.scalar(
        select(Variant).where(
            Variant.catalogue_id == catalogue_id, Variant.sku == sku, Variant.deleted_at.is_(None)
        )
    )
    return found


async def offers_of(
    session: AsyncSession, catalogue_id: int, ids: Sequence[ProductId] | None, most: int = 400
) -> list[Offer]:
    """Prices and availability of variants on sale, of some products or of the first ones."""
    query = (
        select(
            Variant.product_id,
            Variant.id,
            Variant.price_minor,
            Variant.currency,
            _AVAILABLE,
            Variant.options,
            Product.brand,
        )
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.deleted_at.is_(None), Product.deleted_at.is_(None))
        .order_by(Product.position, Product.id, Variant.position)
    )
    if ids is None:
        query = query.where(Variant.catalogue_id == catalogue_id).limit(most)
    else:
        # Not by the catalogue too: SQLite would choose that index, which tells nothing apart.
        query = query.where(Variant.product_id.in_(ids[:_MOST_IDS]))
    return [
        Offer(ProductId(row[0]), VariantId(row[1]), row[2], row[3], bool(row[4]), row[5], row[6])
        for row in await session.execute(query)
    ]


async def attributes_of(
    session: AsyncSession, catalogue_id: int, skus: Iterable[str]
) -> dict[str, dict[str, str]]:
    """The facts of the rows of variants on sale, by SKU."""
    rows = await session.execute(
        select(Variant.sku, Product.attributes)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.catalogue_id == catalogue_id, Variant.sku.in_(list(skus)))
    )
    return {sku: json.loads(attributes) for sku, attributes in rows if attributes != "{}"}


async def usual_currency(session: AsyncSession, catalogue_id: int) -> str | None:
    """The currency of most prices."""
    found: str | None = await session.scalar(
        select(Variant.currency)
        .where(Variant.catalogue_id == catalogue_id, Variant.deleted_at.is_(None))
        .group_by(Variant.currency)
        .order_by(func.count().desc(), Variant.currency)
        .limit(1)
    )
    return found


async def change_stock(
    session: AsyncSession, catalogue_id: int, sku: str, stock: int, now: datetime
) -> bool:
    """Set the free units of a variant on sale; False when there is no such variant."""
    changed = await session.execute(
        update(Variant)
        .where(
            Variant.catalogue_id == catalogue_id, Variant.sku == sku, Variant.deleted_at.is_(None)
        )
        # In one statement, so that a reservation made meanwhile is neither lost nor oversold.
        .values(
            on_hand=Variant.reserved + stock,
            tracks_stock=True,
            stock_version=Variant.stock_version + 1,
            updated_at=now,
        )
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


async def variants_on_sale(
    session: AsyncSession, catalogue_id: int, words: str, limit: int, offset: int
) -> tuple[list[Variant], int]:
    """A part of the variants whose title or SKU contains the words, and how many there are."""
    wanted = (
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(
            Variant.catalogue_id == catalogue_id,
            Variant.deleted_at.is_(None),
            Product.deleted_at.is_(None),
        )
    )
    if words:
        wanted = wanted.where(
            or_(
                Product.title.icontains(words, autoescape=True),
                Variant.sku.icontains(words, autoescape=True),
            )
        )
    count = await session.scalar(select(func.count()).select_from(wanted.subquery()))
    rows = await session.scalars(
        wanted.order_by(Product.position, Product.id, Variant.id).limit(limit).offset(offset)
    )
    return list(rows), count or 0


async def stock_levels(session: AsyncSession, catalogue_id: int) -> list[StockChange]:
    """Free units and version of every variant on sale."""
    rows = await session.execute(
        select(Variant.sku, Variant.on_hand - Variant.reserved, Variant.stock_version).where(
            Variant.catalogue_id == catalogue_id, Variant.deleted_at.is_(None)
        )
    )
    return [StockChange(sku, stock, version) for sku, stock, version in rows]


def _with_parts(query: Select[Product]) -> Select[Product]:
    return query.options(selectinload(Product.variants), selectinload(Product.images))


def product_id_of(variant: Variant) -> ProductId:
    """The product a variant belongs to."""
    return ProductId(variant.product_id)
