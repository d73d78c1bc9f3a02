"""Which column of a seller's file means what: headings of shops, feeds and hand-made tables."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, cast

from commerce.models.words import fold

Field = Literal[
    "title", "description", "summary", "sku", "price", "sale_price", "compare_at", "currency",
    "stock", "availability", "image", "variant_image", "tags", "category", "brand", "url",
    "handle", "parent", "type", "tracker", "id", "published", "mpn", "gtin", "sale_dates",
    "condition",
]  # fmt: skip

_ALIASES: dict[Field, str] = {
    "title": "title|name|product name|product title|product|item|item name|nombre|titulo|título"
    "|nome|produto|producto|titel|produktname|标题|名称|商品名称|商品|产品名称|品名|商品名",
    "description": "description|body html|body|body (html)|long description|details|product"
    " description|descripcion|descripción|descricao|descrição|beschreibung|描述|商品描述|详情|说明",
    "summary": "short description|summary|subtitle",
    "sku": "sku|variant sku|item id|article|article number|item number|code|product"
    " code|retailer id|referencia|codigo|código|artikelnummer|编号|货号|编码|商品编码",
    "price": "price|variant price|regular price|unit price|retail price|selling price|cost|precio"
    "|preco|preço|preis|价格|售价|单价|价钱",
    "sale_price": "sale price|special price|offer price|precio rebajado|促销价|优惠价",
    "compare_at": "compare at price|variant compare at price|compare at|was|old price|list price"
    "|original price|msrp|rrp|原价|市场价",
    "currency": "currency|currency code|price currency|moneda|moeda|währung|货币|币种",
    "stock": "stock|quantity|qty|inventory|variant inventory qty|inventory quantity|on hand|units"
    "|stock quantity|quantity to sell on facebook|available|existencias|cantidad|estoque|quantidade"
    "|bestand|lager|库存|数量",
    "availability": "availability|in stock|in stock?|stock status|可售",
    "image": "image|image src|image link|image[0].url|image url|images|picture|photo|img"
    "|imagen|imagem|bild|图片|主图|图片链接",
    "variant_image": "variant image",
    "tags": "tags|tag|keywords|labels|etiquetas|标签|关键词",
    "category": "category|categories|type of product|product type|product category|department"
    "|categoria|categoría|kategorie|分类|类目|类别",
    "brand": "brand|vendor|manufacturer|maker|supplier|marca|marke|hersteller|品牌|厂商",
    "url": "url|link|product url|product link|permalink|external url|链接|网址",
    "handle": "handle|url handle|item group id|group id|parent sku|slug",
    "parent": "parent",
    "type": "type",
    "id": "id|product id",
    "tracker": "variant inventory tracker|inventory tracker",
    "published": "published|status",
    "sale_dates": "sale price effective date",
    "condition": "condition|estado|zustand|estado del producto",
    "mpn": "mpn|model|model number",
    "gtin": "gtin|ean|upc|isbn|barcode|variant barcode|条码",
}
# Plain columns that say in which versions the product comes.
_OPTION_COLUMNS = {
    "color": "Colour", "colour": "Colour", "colors": "Colour", "colours": "Colour",
    "cor": "Colour", "颜色": "Colour", "size": "Size", "sizes": "Size", "talla": "Size",
    "tamanho": "Size", "尺寸": "Size", "尺码": "Size", "material": "Material",
    "scent": "Scent", "flavour": "Flavour", "flavor": "Flavour", "style": "Style",
}  # fmt: skip
_NUMBERED = (
    (re.compile(r"^option(\d)name$"), re.compile(r"^option(\d)value$")),
    (re.compile(r"^attribute(\d)name$"), re.compile(r"^attribute(\d)values?$")),
)


def _key(heading: str) -> str:
    return re.sub(r"[\W_]+", "", fold(heading))


# The field of a heading, and how well the heading names it: 0 is best.
_MEANING: dict[str, tuple[Field, int]] = {
    _key(alias): (field, rank)
    for field, aliases in _ALIASES.items()
    for rank, alias in enumerate(aliases.split("|"))
}


class Columns:
    """The meaning of each column of one file.

    Attributes:
        at: Column index by field; of two headings for one the plainer wins.
        options: Plain option columns: index and the option's name.
        numbered: Pairs of columns (index of the option's name, index of its value).
        attributes: Columns of facts: index and the fact's name.
        ignored: Headings that mean nothing to us.

    Args:
        headings: As the file writes them.
        meanings: What some headings mean in this file, whatever they usually do.
    """

    def __init__(
        self, headings: Sequence[str], meanings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.headings = tuple(" ".join(heading.split()) for heading in headings)
        self.at: dict[Field, int] = {}
        self.options: list[tuple[int, str]] = []
        self.numbered: list[tuple[int, int]] = []
        self.attributes: list[tuple[int, str]] = []
        keys = [_key(heading) for heading in headings]
        used = self._take_mapped(keys, {_key(name): told for name, told in meanings.items()})
        used |= self._take_numbered(keys)
        mapped = set(self.at)
        ranks: dict[Field, int] = {}
        for index, key in enumerate(keys):
            if index in used:
                continue
            if key in _MEANING:
                field, rank = _MEANING[key]
                if field not in mapped and rank < ranks.get(field, len(_MEANING)):
                    ranks[field] = rank
                    self.at[field] = index
            elif key in _OPTION_COLUMNS:
                self.options.append((index, _OPTION_COLUMNS[key]))
                used.add(index)
        self._settle_type()
        used.update(self.at.values())
        self._used = used
        self.ignored = tuple(
            heading for index, heading in enumerate(self.headings) if heading and index not in used
        )

    def uses(self, index: int) -> bool:
        """Whether a column means anything."""
        return index in self._used

    def heading(self, field: Field) -> str:
        """The file's own heading of a field, or our name for it."""
        return self.headings[self.at[field]] if field in self.at else field

    def _take_mapped(self, keys: list[str], meanings: Mapping[str, str]) -> set[int]:
        used: set[int] = set()
        for index, key in enumerate(keys):
            meaning = meanings.get(key)
            if meaning is None:
                continue
            used.add(index)
            kind, _, name = meaning.partition(":")
            if kind == "option":
                self.options.append((index, name.strip()))
            elif kind == "attribute":
                self.attributes.append((index, name.strip()))
            elif meaning != "ignore":
                self.at.setdefault(cast("Field", meaning), index)
        return used

    def _take_numbered(self, keys: list[str]) -> set[int]:
        used: set[int] = set()
        for name_pattern, value_pattern in _NUMBERED:
            names = {m[1]: i for i, key in enumerate(keys) if (m := name_pattern.match(key))}
            values = {m[1]: i for i, key in enumerate(keys) if (m := value_pattern.match(key))}
            for number, index in sorted(names.items()):
                if number in values:
                    self.numbered.append((index, values[number]))
                    used |= {index, values[number]}
        return used

    def _settle_type(self) -> None:
        # "Type" is a kind of row in WooCommerce (with a Parent column) and a category elsewhere.
        if "type" in self.at and "parent" not in self.at:
            index = self.at.pop("type")
            self.at.setdefault("category", index)
