"""The tables of the catalogue. Money is minor units, time is UTC, rows leave by tombstone."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# Constraints need names from the first day: SQLite can only change a named one.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# SQLite numbers rows by itself only under an INTEGER key.
Key = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware moment, kept in UTC; SQLite itself would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: nobody knows when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no timezone; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the shop."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012


class Catalogue(Base):
    """What one seller may sell; a file is its usual source."""

    __tablename__ = "catalogue"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # Pictures named in the file are relative to its folder.
    folder: Mapped[str | None] = mapped_column(Text)
    imported_at: Mapped[datetime | None]
    # Rises with every change of what is searched, so that caches know they are old.
    revision: Mapped[int] = mapped_column(default=0)


class Product(Base):
    """What is sold; its variants carry price and stock."""

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("catalogue_id", "handle"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    catalogue_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("catalogue.id"))
    # The file's own name for the product: a re-import finds it by this.
    handle: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text, default="")
    brand: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(300))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    # Facts by name as a JSON object, such as {"Material": "steel", "Bluetooth": "yes"}; loaded only
    # when asked for.
    attributes: Mapped[str] = mapped_column(
        Text, default="{}", deferred=True, deferred_raiseload=True
    )
    # Of everything the file said, so that a re-import touches only what it changed.
    fingerprint: Mapped[str] = mapped_column(String(32), default="")
    url: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    variants: Mapped[list["Variant"]] = relationship(
        order_by="Variant.position", lazy="raise", viewonly=True
    )
    images: Mapped[list["Image"]] = relationship(
        order_by="Image.position", lazy="raise", viewonly=True
    )


class Variant(Base):
    """One version of a product that can be bought: a SKU, a price, a count."""

    __tablename__ = "variant"
    __table_args__ = (
        UniqueConstraint("catalogue_id", "sku"),
        CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        CheckConstraint("reserved >= 0", name="reserved_not_negative"),
        # The last guard against selling what is not there, whatever the code above does.
        CheckConstraint("reserved <= on_hand OR NOT tracks_stock", name="no_oversell"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    catalogue_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("catalogue.id"))
    product_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("product.id"), index=True)
    sku: Mapped[str] = mapped_column(String(200))
    options: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    price_minor: Mapped[int] = mapped_column(BigInteger)
    compare_at_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    tracks_stock: Mapped[bool] = mapped_column(default=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    stock_version: Mapped[int] = mapped_column(BigInteger, default=1)
    # What the file said last: only a change of it is news, so a restart revives no sold unit.
    stock_in_file: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Image(Base):
    """A picture of a product, or of one of its variants."""

    __tablename__ = "image"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("product.id"), index=True)
    variant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("variant.id"))
    # A path relative to the catalogue's folder, or an http(s) URL that nobody fetched.
    source: Mapped[str] = mapped_column(Text)
    alt: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
