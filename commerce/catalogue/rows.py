"""From rows to products: each row judged, variants gathered under their product."""

import json
import re
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn

from commerce.catalogue import cells
from commerce.catalogue.columns import Columns, Field
from commerce.catalogue.draft import FileDraft, ProductDraft, VariantDraft
from commerce.catalogue.formats import open_source
from commerce.catalogue.mapping import Mapping
from commerce.catalogue.source import Format, Record, Source
from commerce.catalogue.versions import settle_versions
from commerce.errors import CatalogueFileError, MoneyError
from commerce.models.values import RowIssue
from commerce.money import Money, Separator, currency_of, exponent_of

_LONGEST_TITLE, _LONGEST_DESCRIPTION = 250, 8000
# Beyond this somebody put a telephone number into the price column.
_DEAREST_MINOR = 10**12
# Several pictures share a cell, separated by commas; an address may itself hold some.
_BETWEEN_PICTURES = re.compile(r"[|;\n]|,(?=\s*(?:https?:|[^,]*\.\w{3,4}\s*(?:,|$)))")
_UNPUBLISHED = frozenset({"0", "-1", "false", "draft", "archived", "private", "pending", "trash"})
_CODES: Final = ("condition", "mpn", "gtin")
_MOST_LOOKED_AT = 20_000
# Shopify names the only version of a product so.
_NO_OPTIONS = {("title", "default title")}


class _Rejected(Exception):  # noqa: N818
    """The row cannot become a product; already noted among the issues."""


def read_catalogue(
    path: Path,
    currency: str,
    *,
    wanted: Format | None = None,
    mapping: Mapping | None = None,
    now: datetime | None = None,
) -> FileDraft:
    """Read and judge a file of products.

    Args:
        path: Of any kind we know; local pictures are looked for in its folder.
        currency: Of prices that name none.
        wanted: The kind of file, when its content does not tell.
        mapping: What its columns mean, where we could not guess.
        now: Decides whether a dated sale price holds; the present unless given.

    Raises:
        CatalogueFileError: The file as a whole is unusable.
    """
    mapping = mapping or Mapping()
    source = open_source(path, mapping, wanted)
    return _Reading(source, path.parent, currency, mapping, now or datetime.now(UTC)).draft()


class _Reading:
    """One pass over a file."""

    def __init__(
        self, source: Source, folder: Path, currency: str, mapping: Mapping, now: datetime
    ) -> None:
        self._source = source
        self._columns: Columns = source.columns
        self._folder = folder
        self._currency = mapping.currency or currency
        self._mapping = mapping
        self._now = now
        self._result = FileDraft(ignored_columns=self._columns.ignored)
        self._by_handle: dict[str, ProductDraft] = {}
        self._row_of_sku: dict[str, int] = {}
        self._decimal: Separator | None = mapping.decimal
        self._record = Record(0, ())

    def draft(self) -> FileDraft:
        self._check_currency()
        self._decimal = self._decimal or self._decimal_style()
        early: list[Record] = []
        for record in self._source.records():
            self._result.rows += 1
            if not self._read(record, is_early=True):
                early.append(record)
        # A variation may stand above its parent.
        for record in early:
            self._read(record)
        for product in {id(product): product for product in self._by_handle.values()}.values():
            if product.variants:
                settle_versions(product)
                self._result.products.append(product)
            elif not any(issue.row == product.row for issue in self._result.issues):
                self._record = Record(product.row, (product.title,))
                self._issue("", product.title, "has no variant with a price", is_rejected=True)
        self._result.issues.sort(key=lambda issue: issue.row)
        return self._result

    def _check_currency(self) -> None:
        try:
            exponent_of(self._currency)
        except MoneyError as error:
            raise CatalogueFileError(f"the mapping's currency: {error}") from None

    def _read(self, record: Record, *, is_early: bool = False) -> bool:
        """Judge one row; False when it should be tried again after all others."""
        self._record = record
        try:
            if is_early and not record.broken and self._waits_for_parent():
                return False
            self._read_row()
        except _Rejected:
            self._remember_rejected()
        return True

    def _waits_for_parent(self) -> bool:
        handle, is_variation = self._group()
        return is_variation and handle not in self._by_handle

    # One row ---------------------------------------------------------------------------------

    def _read_row(self) -> None:
        if self._record.broken:
            self._reject("", "", self._record.broken)
        extra = [cell for cell in self._record.cells[len(self._columns.headings) :] if cell.strip()]
        if extra:
            self._reject("", extra[0], "more cells than the header; quote text that holds commas")
        if self._cell("published").casefold() in _UNPUBLISHED:
            self._reject_field("published", "is not published in the shop")
        handle, is_variation = self._group()
        known = self._by_handle.get(handle) if handle else None
        if known is not None:
            self._read_further_row(known, is_variation)
            return
        if is_variation:
            self._reject_field("parent", "names a product that no row above it describes")
        self._read_first_row(handle)

    def _read_first_row(self, handle: str) -> None:
        title = self._text("title", _LONGEST_TITLE, is_needed=True)
        if not title:
            self._reject_field("title", "is missing; write the product's name")
        has_variations = self._is_umbrella()
        sku = self._sku()
        product = ProductDraft(self._record.row, handle or sku or cells.slug(title), title)
        variant = None if has_variations else self._variant(product, sku, title)
        product.description = self._text("description", _LONGEST_DESCRIPTION)
        product.description = product.description or self._text("summary", _LONGEST_DESCRIPTION)
        product.brand = self._text("brand", 100) or None
        product.category = self._text("category", 120) or None
        product.tags = self._tags()
        product.url = self._address("url")
        product.images = self._pictures("image")
        product.attributes = self._facts()
        if variant is not None:
            self._keep(product, variant)
        # WooCommerce variations name their parent by SKU or by "id:" and its number.
        for key in (product.handle, sku, self._cell("id")) if has_variations else (product.handle,):
            if key:
                self._by_handle.setdefault(key, product)

    def _read_further_row(self, product: ProductDraft, is_variation: bool) -> None:
        is_picture_only = not self._cell("price") and not is_variation
        if not is_picture_only or not self._cell("image"):
            sku = self._sku()
            title = self._text("title", _LONGEST_TITLE) or product.title
            self._keep(product, self._variant(product, sku, title))
        if not is_variation:
            product.images += [
                image for image in self._pictures("image") if image not in product.images
            ]

    def _variant(self, product: ProductDraft, sku: str, title: str) -> VariantDraft:
        price, compare_at = self._prices()
        options = self._options(product)
        if not sku:
            parts = [product.handle, *options.values()]
            sku = "-".join(filter(None, map(cells.slug, parts))) or cells.slug(title)
        if not sku:
            self._reject_field("sku", "is missing, and the title has no letters to make one from")
        images = self._pictures("variant_image")
        if product.variants and not images and self._cell("parent"):
            images = self._pictures("image")
        return VariantDraft(
            self._record.row,
            sku,
            price,
            compare_at,
            self._stock(),
            options,
            images[0] if images else None,
            title,
        )

    def _keep(self, product: ProductDraft, variant: VariantDraft) -> None:
        earlier = self._row_of_sku.get(variant.sku.casefold())
        if earlier is not None:
            self._reject_field("sku", f"is used by row {earlier} already", shown=variant.sku)
        self._row_of_sku[variant.sku.casefold()] = self._record.row
        product.variants.append(variant)

    # Groups of fields ------------------------------------------------------------------------

    def _group(self) -> tuple[str, bool]:
        """The product's key when rows share one, and whether this row can only be a variant."""
        parent = self._cell("parent").removeprefix("id:")
        if parent:
            return parent[:255], True
        handle = self._cell("handle")[:255]
        return handle, False

    def _is_umbrella(self) -> bool:
        """Whether the row has no price of its own and its variations follow."""
        return self._cell("type").casefold().startswith(("variable", "grouped"))

    def _sku(self) -> str:
        try:
            cell = self._cell("sku") or ("" if self._is_umbrella() else self._cell("id"))
            return cells.plain_text(cell, 200).replace(" ", "-")
        except cells.CellError as error:
            self._reject_field("sku", str(error))

    def _prices(self) -> tuple[Money, Money | None]:
        price = self._money("price")
        sale = self._money("sale_price") if self._is_on_sale() else None
        former = self._money("compare_at")
        if sale is not None and (price is None or sale < price):
            price, former = sale, price or former
        if price is None:
            self._reject_field("price", "is missing; write one such as 49.90")
        if price.minor == 0:
            self._reject_field("price", "is zero; write what it costs")
        if price.minor > _DEAREST_MINOR:
            self._reject_field("price", "is more than anybody pays; check the column")
        if former is not None and (former.currency != price.currency or former <= price):
            former = None
        return price, former

    def _money(self, field: Field) -> Money | None:
        cell = self._cell(field)
        if not cell:
            return None
        try:
            if self._mapping.price_unit == "minor":
                return Money(cells.units(cell), self._row_currency())
            return Money.parse(cell, self._row_currency(), decimal=self._decimal)
        except cells.CellError:
            self._reject_field(field, "is not a whole number of minor units")
        except MoneyError as error:
            if field != "price":
                self._skip_cell(field, _reason(error))
                return None
            self._reject_field("price", _reason(error))

    def _is_on_sale(self) -> bool:
        """Whether a sale price holds now; it does when no dates are given."""
        start, slash, end = self._cell("sale_dates").partition("/")
        if not slash:
            return True
        try:
            first, last = datetime.fromisoformat(start.strip()), datetime.fromisoformat(end.strip())
        except ValueError:
            self._skip_cell("sale_dates", "is not two dates such as 2026-05-01/2026-05-08")
            return False
        first, last = (one if one.tzinfo else one.replace(tzinfo=UTC) for one in (first, last))
        return first <= self._now <= last

    def _facts(self) -> str:
        """What else the file says of the product, by name."""
        told = [(name, self._at(index)) for index, name in self._columns.attributes]
        told += [(name.upper(), self._cell(name)) for name in _CODES]
        told += list(self._record.attributes.items())
        found: dict[str, str] = {}
        for name, value in told:
            try:
                name, value = cells.plain_text(name, 80), cells.plain_text(value, 300)
            except cells.CellError:
                continue
            if name and value:
                found.setdefault(name[:1].upper() + name[1:], value)
        return json.dumps(found, ensure_ascii=False)

    def _row_currency(self) -> str:
        cell = self._cell("currency")
        if not cell:
            return self._currency
        try:
            return currency_of(cell, self._currency)
        except MoneyError as error:
            self._reject_field("currency", _reason(error))

    def _stock(self) -> int | None:
        cell, word = self._cell("stock"), cells.yes_or_no(self._cell("availability"))
        if word is False:
            return 0
        if not cell or ("tracker" in self._columns.at and not self._cell("tracker")):
            return None
        try:
            count = cells.units(cell)
        except cells.CellError as error:
            said = cells.yes_or_no(cell)
            if said is not None:
                return None if said else 0
            self._reject_field("stock", str(error))
        if count < 0:
            self._skip_cell("stock", "is negative; counted as sold out")
        return max(0, count)

    def _options(self, product: ProductDraft) -> dict[str, str]:
        # Shopify writes an option's name on the product's first row only.
        for name_at, value_at in self._columns.numbered:
            if self._at(name_at):
                product.option_names[value_at] = self._at(name_at)
        pairs = [
            (product.option_names.get(value, ""), self._at(value))
            for _, value in self._columns.numbered
        ]
        pairs += [(name, self._at(index)) for index, name in self._columns.options]
        options: dict[str, str] = {}
        for name, value in pairs:
            if name and value and (name.casefold(), value.casefold()) not in _NO_OPTIONS:
                try:
                    options[cells.plain_text(name, 60)] = cells.plain_text(value, 200)
                except cells.CellError as error:
                    self._issue(name, value, str(error), is_rejected=False)
        return options

    def _tags(self) -> list[str]:
        try:
            return cells.words_list(self._cell("tags"))
        except cells.CellError as error:
            self._skip_cell("tags", str(error))
            return []

    def _text(self, field: Field, longest: int, *, is_needed: bool = False) -> str:
        try:
            return cells.plain_text(self._cell(field), longest)
        except cells.CellError as error:
            if is_needed:
                self._reject_field(field, str(error))
            self._skip_cell(field, str(error))
            return ""

    def _address(self, field: Field) -> str | None:
        cell = self._cell(field)
        if not cell:
            return None
        try:
            return cells.web_address(cell)
        except cells.CellError as error:
            self._skip_cell(field, str(error))
            return None

    def _pictures(self, field: Field) -> list[str]:
        found: list[str] = []
        for part in _BETWEEN_PICTURES.split(self._cell(field)):
            if part.strip():
                try:
                    found.append(cells.picture(part, self._folder))
                except cells.CellError as error:
                    self._issue(self._columns.heading(field), part, str(error), is_rejected=False)
        return list(dict.fromkeys(found))

    # Cells and issues ------------------------------------------------------------------------

    def _at(self, index: int) -> str:
        return self._record.cells[index].strip() if index < len(self._record.cells) else ""

    def _cell(self, field: Field) -> str:
        index = self._columns.at.get(field)
        return "" if index is None else self._at(index)

    def _decimal_style(self) -> Separator | None:
        """What the price column writes before its decimals, when it always writes the same."""
        index = self._columns.at.get("price", self._columns.at.get("sale_price", 0))
        ends = {
            match[1]
            for record in islice(self._source.records(), _MOST_LOOKED_AT)
            if index < len(record.cells)
            if (match := re.search(r"([.,])\d{1,2}\D*$", record.cells[index]))
        }
        return "." if ends == {"."} else "," if ends == {","} else None

    def _reject_field(self, field: Field, reason: str, shown: str | None = None) -> NoReturn:
        self._reject(self._columns.heading(field), shown or self._cell(field), reason)

    def _reject(self, column: str, value: str, reason: str) -> NoReturn:
        self._issue(column, value, reason, is_rejected=True)
        raise _Rejected

    def _skip_cell(self, field: Field, reason: str) -> None:
        self._issue(self._columns.heading(field), self._cell(field), reason, is_rejected=False)

    def _issue(self, column: str, value: str, reason: str, *, is_rejected: bool) -> None:
        shown = "".join(character if character.isprintable() else "␣" for character in value[:60])
        self._result.issues.append(
            RowIssue(self._record.row, column, shown, reason, is_rejected=is_rejected)
        )

    def _remember_rejected(self) -> None:
        keys = [self._cell("sku").replace(" ", "-"), self._cell("id"), self._cell("handle")]
        keys.append(cells.slug(self._cell("title")))
        self._result.rejected_keys.update(key for key in keys if key)


def _reason(error: MoneyError) -> str:
    """The error without the value it quotes, which the report shows in a column of its own."""
    return re.sub(r"^(['\"]).*?\1 ", "", str(error))
