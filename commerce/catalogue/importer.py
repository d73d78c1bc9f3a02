"""Writes a judged file into the tables: new rows, changed rows, tombstones; the caller commits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository, search_index
from commerce.catalogue.draft import FileDraft, ProductDraft, VariantDraft
from commerce.catalogue.folders import text_of
from commerce.models.tables import Catalogue, Image, Product, Variant
from commerce.models.values import Progress

_BATCH = 250


@dataclass(slots=True)
class Written:
    """What an import changed, counted in variants."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    stock_changed: list[str] = field(default_factory=list)


class Importer:
    """One import into one catalogue."""

    def __init__(self, session: AsyncSession, catalogue: Catalogue, now: datetime) -> None:
        self._session = session
        self._catalogue = catalogue
        self._now = now
        self._written = Written()
        self._products: dict[str, Product] = {}
        self._variants: dict[str, Variant] = {}
        self._images: dict[int, list[Image]] = {}
        self._product_ids: Iterator[int] = iter(())
        self._variant_ids: Iterator[int] = iter(())

    async def write(
        self, draft: FileDraft, folder: Path, *, replace: bool, progress: Progress | None
    ) -> Written:
        """Bring the tables to what the file says.

        Args:
            draft: The judged file.
            folder: Where its local pictures lie, absolute.
            replace: Withdraw what the file no longer names; rejected rows stay as they were.
            progress: Told rows done and rows in all.
        """
        session, catalogue_id = self._session, self._catalogue.id
        self._products = await repository.products_by_handle(session, catalogue_id)
        self._variants = await repository.variants_by_sku(session, catalogue_id)
        self._images = await repository.images_by_product(session, catalogue_id)
        total, done = sum(len(product.variants) for product in draft.products), 0
        for start in range(0, len(draft.products), _BATCH):
            batch = draft.products[start : start + _BATCH]
            await self._write_batch(batch, start)
            done += sum(len(product.variants) for product in batch)
            if progress is not None:
                progress(done, total)
        if replace and draft.products:
            await self._withdraw_missing(draft)
        self._catalogue.folder = text_of(folder)
        self._catalogue.imported_at = self._now
        self._catalogue.revision += 1
        await session.flush()
        return self._written

    async def _write_batch(self, drafts: list[ProductDraft], first_position: int) -> None:
        changed: list[tuple[Product, ProductDraft]] = []
        await self._reserve_ids(drafts)
        for position, draft in enumerate(drafts, first_position):
            product = self._products.get(draft.handle)
            if product is None:
                product = Product(
                    id=next(self._product_ids),
                    catalogue_id=self._catalogue.id,
                    handle=draft.handle,
                    created_at=self._now,
                )
                self._session.add(product)
                self._products[draft.handle] = product
            fingerprint = draft.fingerprint(position)
            if product.fingerprint != fingerprint or product.deleted_at is not None:
                for name, value in _product_values(draft, position).items():
                    setattr(product, name, value)
                product.fingerprint = fingerprint
                product.updated_at = self._now
                changed.append((product, draft))
        await self._session.flush()
        touched = {id(product) for product, _ in changed}
        for draft in drafts:
            product = self._products[draft.handle]
            is_touched = self._write_variants(product, draft, is_changed=id(product) in touched)
            if is_touched and id(product) not in touched:
                changed.append((product, draft))
        await self._session.flush()
        for draft in drafts:
            await self._write_images(self._products[draft.handle], draft)
        await search_index.index_products(
            self._session, [(product.id, draft) for product, draft in changed]
        )

    async def _reserve_ids(self, drafts: list[ProductDraft]) -> None:
        products = sum(draft.handle not in self._products for draft in drafts)
        skus = (variant.sku for draft in drafts for variant in draft.variants)
        variants = sum(sku not in self._variants for sku in skus)
        self._product_ids = await repository.next_ids(self._session, Product, products)
        self._variant_ids = await repository.next_ids(self._session, Variant, variants)

    def _write_variants(self, product: Product, draft: ProductDraft, *, is_changed: bool) -> bool:
        is_touched = False
        for position, version in enumerate(draft.variants):
            variant = self._variants.get(version.sku)
            if variant is None:
                variant = self._new_variant(version)
                self._written.created += 1
                _assign(variant, _variant_values(product, version, position))
                is_touched = True
                continue
            differs = _assign(variant, _variant_values(product, version, position))
            differs = self._take_stock(variant, version) or differs
            if differs:
                variant.updated_at = self._now
                is_touched = True
            if differs or is_changed:
                self._written.updated += 1
            else:
                self._written.unchanged += 1
        return is_touched

    def _new_variant(self, version: VariantDraft) -> Variant:
        variant = Variant(
            id=next(self._variant_ids),
            catalogue_id=self._catalogue.id,
            sku=version.sku,
            on_hand=version.stock or 0,
            reserved=0,
            tracks_stock=version.stock is not None,
            stock_in_file=version.stock,
            stock_version=1,
            created_at=self._now,
            updated_at=self._now,
        )
        self._session.add(variant)
        self._variants[version.sku] = variant
        self._written.stock_changed.append(version.sku)
        return variant

    def _take_stock(self, variant: Variant, version: VariantDraft) -> bool:
        """Follow the file's stock where the file changed it; otherwise what was sold stays sold."""
        if variant.stock_in_file == version.stock:
            return False
        variant.stock_in_file = version.stock
        variant.tracks_stock = version.stock is not None
        variant.on_hand = max(version.stock or 0, variant.reserved)
        variant.stock_version += 1
        self._written.stock_changed.append(version.sku)
        return True

    async def _write_images(self, product: Product, draft: ProductDraft) -> None:
        wanted: list[tuple[str, int | None]] = [(source, None) for source in draft.images]
        wanted += [
            (version.image, self._variants[version.sku].id)
            for version in draft.variants
            if version.image
        ]
        known = self._images.get(product.id, [])
        if [(image.source, image.variant_id) for image in known] == wanted:
            return
        if known:
            await self._session.execute(delete(Image).where(Image.product_id == product.id))
        if wanted:
            await self._session.execute(
                insert(Image),
                [
                    {
                        "product_id": product.id,
                        "variant_id": variant_id,
                        "source": source,
                        "alt": product.title,
                        "position": position,
                    }
                    for position, (source, variant_id) in enumerate(wanted)
                ],
            )

    async def _withdraw_missing(self, draft: FileDraft) -> None:
        named = {version.sku for product in draft.products for version in product.variants}
        kept_products: set[int] = set()
        handles = {product.id: handle for handle, product in self._products.items()}
        for sku, variant in self._variants.items():
            if sku in named or {sku, handles.get(variant.product_id)} & draft.rejected_keys:
                kept_products.add(variant.product_id)
            elif variant.deleted_at is None:
                variant.deleted_at = self._now
                self._written.withdrawn += 1
        gone = [
            product
            for product in self._products.values()
            if product.id not in kept_products and product.deleted_at is None
        ]
        for product in gone:
            product.deleted_at = self._now
        await search_index.forget_products(self._session, [product.id for product in gone])


def _product_values(draft: ProductDraft, position: int) -> dict[str, object]:
    return {
        "title": draft.title,
        "description": draft.description,
        "brand": draft.brand,
        "category": draft.category,
        "tags": draft.tags,
        "attributes": draft.attributes,
        "url": draft.url,
        "position": position,
        "deleted_at": None,
    }


def _variant_values(product: Product, version: VariantDraft, position: int) -> dict[str, object]:
    return {
        "product_id": product.id,
        "options": version.options,
        "price_minor": version.price.minor,
        "currency": version.price.currency,
        "compare_at_minor": None if version.compare_at is None else version.compare_at.minor,
        "position": position,
        "deleted_at": None,
    }


def _assign(row: Variant, values: Mapping[str, object]) -> bool:
    """Set what differs; whether anything did."""
    differs = False
    for name, value in values.items():
        if getattr(row, name, None) != value:
            setattr(row, name, value)
            differs = True
    return differs
