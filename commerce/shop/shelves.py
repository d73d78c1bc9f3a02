"""The shelves: catalogue files in; products and pictures out."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository
from commerce.catalogue.cards import card_of
from commerce.catalogue.draft import FileDraft
from commerce.catalogue.folders import path_of
from commerce.catalogue.importer import Importer, Written
from commerce.catalogue.mapping import read_mapping
from commerce.catalogue.pictures import PictureFetcher
from commerce.catalogue.rows import read_catalogue
from commerce.catalogue.source import Format
from commerce.database import Database
from commerce.models.tables import Catalogue
from commerce.models.values import ImportReport, ProductCard, Progress
from commerce.shop.gallery import Gallery
from commerce.shop.stock import CATALOGUE, Stock


class Shelves(Stock):
    """Products on sale and their pictures.

    Args:
        database: Open.
        clock: Says the time; timezone-aware.
        currency: Of prices in files that name none.
        fetcher: Fetches pictures by address; from public places only unless given.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        currency: str,
        fetcher: PictureFetcher | None,
    ) -> None:
        super().__init__(database, clock)
        self._currency = currency
        self._gallery = Gallery(database, clock, fetcher)

    async def import_file(
        self,
        path: Path | str,
        *,
        dry_run: bool = False,
        replace: bool = False,
        format: Format | None = None,  # noqa: A002
        mapping: Path | str | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import a catalogue file in one transaction; bad rows are reported, good ones kept.

        Stock in the file counts when it is new or changed since the last import: importing the
        same file again does not bring sold units back.

        Args:
            path: A table, feed or JSON file, possibly gzipped; pictures are looked for beside it.
            dry_run: Report what would happen and write nothing.
            replace: The file is the whole truth: products it does not name leave the shelves.
            format: The kind of file, when its content does not tell.
            mapping: A mapping file, where the headings do not tell what they mean.
            progress: Told rows done and rows in all, on the caller's event loop.

        Raises:
            CatalogueFileError: The file as a whole is unusable.
            DatabaseError: The database failed; nothing was written.
        """
        file = await asyncio.to_thread(lambda: Path(path).absolute())
        draft = await asyncio.to_thread(self._read, file, format, mapping)
        async with self._database.writing() as session:
            catalogue = await repository.catalogue_named(session, CATALOGUE)
            importer = Importer(session, catalogue, self._clock())
            written = await importer.write(draft, file.parent, replace=replace, progress=progress)
            changed = await self._levels(session, catalogue, written.stock_changed)
            if dry_run:
                await session.rollback()
        if not dry_run:
            self._announce(changed)
        return _report(file, draft, written, is_dry_run=dry_run)

    async def products(self, in_stock: bool | None = None) -> list[ProductCard]:
        """One card per product in the file's order, each at its first available variant.

        Args:
            in_stock: True for what can be bought now, False for what is sold out, None for all.
        """
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None:
                return []
            products = await repository.products_on_sale(session, catalogue.id)
        cards = [card for product in products if (card := card_of(product)) is not None]
        return [card for card in cards if in_stock is None or card.is_available == in_stock]

    async def product(self, sku: str) -> ProductCard | None:
        """The card of one variant; None when it is not on sale."""
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None:
                return None
            return await self._card(session, catalogue, sku)

    async def variants(
        self, words: str = "", *, limit: int = 50, offset: int = 0
    ) -> tuple[list[ProductCard], int]:
        """A part of all variants on sale, in the file's order, and how many there are in all.

        Args:
            words: Only those whose title or SKU contains this; empty for all.
            limit: Most cards.
            offset: Variants to pass over.
        """
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None:
                return [], 0
            rows, count = await repository.variants_on_sale(
                session, catalogue.id, words.strip(), limit, offset
            )
            ids = [repository.product_id_of(row) for row in rows]
            products = await repository.products_with_ids(session, ids)
        cards = [card_of(products[repository.product_id_of(row)], row) for row in rows]
        return [card for card in cards if card is not None], count

    async def image_file(self, sku: str) -> Path | None:
        """Where a product's local picture lies; None when it has none, or it is a URL."""
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None or catalogue.folder is None:
                return None
            card = await self._card(session, catalogue, sku)
        if card is None or card.image is None or "://" in card.image:
            return None
        return await asyncio.to_thread(_inside, path_of(catalogue.folder), card.image)

    async def picture(self, sku: str) -> Path | bytes | None:
        """A product's picture: its local file, or the WebP of an address; None when it has none.

        Addresses are fetched once, from public places only, and kept in the database.
        """
        card = await self.product(sku)
        if card is not None and card.image is not None and "://" in card.image:
            return await self._gallery.picture(card.image)
        return await self.image_file(sku)

    async def fetch_picture(self, sku: str, fetcher: PictureFetcher | None = None) -> bytes | None:
        """A product's picture from the web as WebP, repainted; None when it names no address.

        Args:
            sku: Of the variant.
            fetcher: Fetches it; refuses private networks unless told otherwise.

        Raises:
            PictureError: It must not be fetched, cannot be, or is no picture.
        """
        card = await self.product(sku)
        if card is None or card.image is None or "://" not in card.image:
            return None
        return await (fetcher or PictureFetcher()).fetch(card.image)

    def _read(self, file: Path, wanted: Format | None, mapping: Path | str | None) -> FileDraft:
        told = read_mapping(Path(mapping)) if mapping is not None else None
        return read_catalogue(file, self._currency, wanted=wanted, mapping=told, now=self._clock())

    async def _card(
        self, session: AsyncSession, catalogue: Catalogue, sku: str
    ) -> ProductCard | None:
        variant = await repository.variant_with_sku(session, catalogue.id, sku)
        if variant is None:
            return None
        product_id = repository.product_id_of(variant)
        products = await repository.products_with_ids(session, [product_id])
        product = products.get(product_id)
        return None if product is None else card_of(product, variant)


def _report(path: Path, draft: FileDraft, written: Written, *, is_dry_run: bool) -> ImportReport:
    return ImportReport(
        path=path,
        rows=draft.rows,
        created=written.created,
        updated=written.updated,
        unchanged=written.unchanged,
        withdrawn=written.withdrawn,
        rejected=sum(issue.is_rejected for issue in draft.issues),
        issues=tuple(draft.issues),
        ignored_columns=draft.ignored_columns,
        is_dry_run=is_dry_run,
    )


def _inside(folder: Path, image: str) -> Path | None:
    """The picture's file, unless somebody has since moved it or put a link out in its place."""
    target = (folder / image).resolve()
    return target if target.is_relative_to(folder.resolve()) and target.is_file() else None
