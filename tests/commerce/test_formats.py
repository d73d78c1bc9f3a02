"""Every kind of catalogue file, with the traps that real ones hold."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from commerce.catalogue.mapping import read_mapping
from commerce.catalogue.rows import read_catalogue
from commerce.errors import CatalogueFileError
from commerce.money import Money
from tests.support.shops import shop_with, written

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def draft_of(folder, content, name="shop.csv", currency="USD", **options):
    if isinstance(content, dict | list):
        content = json.dumps(content)
    return read_catalogue(written(folder, content, name), currency, now=MAY, **options)


def variants(draft):
    return [
        (product.title, variant.sku, variant.price, variant.options)
        for product in draft.products
        for variant in product.variants
    ]


RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>a-s</g:id><g:item_group_id>top</g:item_group_id><title>Varsity Top - Small</title>
<description>&lt;p&gt;Soft &amp;amp; warm&lt;/p&gt;</description><g:price>60.00 USD</g:price>
<g:sale_price>48.00 USD</g:sale_price>
<g:sale_price_effective_date>2026-04-01T00:00Z/2026-06-01T00:00Z</g:sale_price_effective_date>
<g:availability>in_stock</g:availability><g:image_link>https://x.example/a.jpg</g:image_link>
<g:additional_image_link>https://x.example/b.jpg</g:additional_image_link><g:brand>Acme</g:brand>
<g:product_detail><g:attribute_name>Fabric</g:attribute_name>
<g:attribute_value>Cotton</g:attribute_value></g:product_detail></item>
<item><g:id>a-l</g:id><g:item_group_id>top</g:item_group_id><title>Varsity Top - Large</title>
<g:price>15,550.00 RUB</g:price><g:availability>out_of_stock</g:availability></item>
<item><g:id>b</g:id><title>No price</title></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<entry><g:id>1</g:id><title>Mug</title><link href="https://x.example/mug"/>
<g:price>9.90 EUR</g:price><summary>Stoneware.</summary></entry></feed>"""


def test_a_google_feed(tmp_path):
    draft = draft_of(tmp_path, RSS, "feed.xml")
    (top,) = draft.products
    assert (top.title, top.brand, top.description) == ("Varsity Top", "Acme", "Soft & warm")
    assert top.images == ["https://x.example/a.jpg", "https://x.example/b.jpg"]
    assert json.loads(top.attributes) == {"Fabric": "Cotton"}
    small, large = top.variants
    assert (small.price, small.compare_at) == (Money(4800, "USD"), Money(6000, "USD"))
    assert (small.options, large.options) == ({"Version": "Small"}, {"Version": "Large"})
    assert large.price == Money(1555000, "RUB")
    assert (small.stock, large.stock) == (None, 0)
    assert [(issue.row, issue.is_rejected) for issue in draft.issues] == [(3, True)]


def test_a_sale_that_is_over(tmp_path):
    text = RSS.replace("2026-06-01", "2026-04-09")
    variant = draft_of(tmp_path, text, "feed.xml").products[0].variants[0]
    assert (variant.price, variant.compare_at) == (Money(6000, "USD"), None)


def test_an_atom_feed(tmp_path):
    (mug,) = draft_of(tmp_path, ATOM, "feed.xml").products
    assert (mug.title, mug.url, mug.description) == ("Mug", "https://x.example/mug", "Stoneware.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><item>&b;</item></rss>',
         "document type"),
        ('<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>', "document type"),
        ("<rss><item><title>x</title>", "not XML"),
        ("<rss><channel></channel></rss>", "holds no <item>"),
        ("<rss>" + "<a>" * 50 + "</a>" * 50 + "</rss>", "too deeply"),
        ("<rss><item><title>x</title></item></rss>", "no price"),
    ],
)  # fmt: skip
def test_feeds_that_are_refused(text, message, tmp_path):
    with pytest.raises(CatalogueFileError, match=message):
        draft_of(tmp_path, text, "feed.xml")


SHOPIFY = {
    "products": [
        {
            "id": 1, "title": "Tee", "handle": "tee", "body_html": "<b>Soft</b>", "vendor": "Acme",
            "product_type": "Shirts", "tags": ["red", "cotton"],
            "options": [{"name": "Size", "values": ["S", "M"]}],
            "images": [{"src": "https://x.example/1.jpg"}, {"src": "https://x.example/2.jpg"}],
            "variants": [
                {"id": 11, "title": "S", "option1": "S", "sku": "", "price": "42.99",
                 "compare_at_price": "50.00", "available": True},
                {"id": 12, "title": "M", "option1": "M", "sku": "", "price": "42.99",
                 "available": False, "featured_image": {"src": "https://x.example/m.jpg"}},
            ],
        }
    ]
}  # fmt: skip


def test_shopify_json_gives_the_products_of_its_csv(tmp_path):
    csv = (
        "Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,"
        "Variant Price,Variant Compare At Price,Image Src\n"
        'tee,Tee,<b>Soft</b>,Acme,Shirts,"red,cotton",Size,S,,42.99,50.00,https://x.example/1.jpg\n'
        "tee,,,,,,,M,,42.99,,https://x.example/2.jpg\n"
        "tee,,,,,,,,,,,https://x.example/3.jpg\n"
    )
    from_json, from_csv = draft_of(tmp_path, SHOPIFY, "p.json"), draft_of(tmp_path, csv)
    assert variants(from_json) == variants(from_csv)
    assert [one.sku for one in from_json.products[0].variants] == ["tee-s", "tee-m"]
    assert from_json.products[0].tags == from_csv.products[0].tags == ["red", "cotton"]
    assert from_json.products[0].variants[1].stock == 0
    assert from_json.products[0].variants[1].image == "https://x.example/m.jpg"
    assert len(from_csv.products[0].images) == 3


GROUP = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "BreadcrumbList"},
        {
            "@type": "ProductGroup", "productGroupID": "chair", "name": "Chair",
            "brand": {"@type": "Brand", "name": "Acme"},
            "additionalProperty": [{"name": "Legs", "value": 4}],
            "hasVariant": [
                {"@type": "Product", "sku": "c-1", "name": "Chair", "color": "Red", "offers": {
                    "@type": "Offer", "price": 49.9, "priceCurrency": "EUR",
                    "availability": "https://schema.org/InStock"}},
                {"@type": "Product", "sku": "c-2", "name": "Chair", "color": "Blue", "offers": [{
                    "@type": "AggregateOffer", "lowPrice": "59.90", "priceCurrency": "EUR",
                    "availability": "SoldOut"}]},
            ],
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize("is_page", [False, True])
def test_schema_org_products(is_page, tmp_path):
    text = json.dumps(GROUP)
    if is_page:
        text = f'<!doctype html><html><script type="application/ld+json">{text}</script></html>'
    draft = draft_of(tmp_path, text, "page.html" if is_page else "data.json")
    (chair,) = draft.products
    assert (chair.title, chair.brand) == ("Chair", "Acme")
    assert json.loads(chair.attributes) == {"Legs": "4"}
    assert [(one.sku, one.price, one.options, one.stock) for one in chair.variants] == [
        ("c-1", Money(4990, "EUR"), {"Colour": "Red"}, None),
        ("c-2", Money(5990, "EUR"), {"Colour": "Blue"}, 0),
    ]


def test_a_page_without_products(tmp_path):
    with pytest.raises(CatalogueFileError, match="without schema"):
        draft_of(tmp_path, "<!doctype html><html><p>Hello</p></html>", "page.html")


def test_json_lines_and_their_facts(tmp_path):
    lines = [
        {"id": "1", "title": "Mouse", "price": 19.5, "attr_b_bluetooth": True, "weight": 90.0},
        {"id": "2", "title": "Keyboard", "price": {"amount": 5, "currency": "EUR"}},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\nnot json\n"
    packed = gzip.compress(text.encode())
    draft = draft_of(tmp_path, packed, "p.jsonl.gz")
    mouse, keyboard = draft.products
    assert json.loads(mouse.attributes) == {"Bluetooth": "yes", "Weight": "90"}
    assert [one.variants[0].price for one in (mouse, keyboard)] == [
        Money(1950, "USD"), Money(500, "EUR"),
    ]  # fmt: skip
    assert [(issue.row, issue.reason) for issue in draft.issues] == [(3, "is not JSON")]


def test_a_list_inside_a_json_file_and_minor_units(tmp_path):
    mapping = written(
        tmp_path,
        '{"columns": {"bez": "title", "cent": "price", "farbe": "option:Farbe", "kg":'
        ' "attribute:Gewicht"}, "price_unit": "minor", "currency": "EUR", "rows": "shop.items"}',
        "map.json",
    )
    data = {"shop": {"items": [{"bez": "Stuhl", "cent": 4990, "farbe": "rot", "kg": 4}]}}
    draft = draft_of(tmp_path, data, "p.json", mapping=read_mapping(mapping))
    assert variants(draft) == [("Stuhl", "stuhl-rot", Money(4990, "EUR"), {"Farbe": "rot"})]
    assert json.loads(draft.products[0].attributes) == {"Gewicht": "4"}


def test_a_mapped_table_with_translated_headings(tmp_path):
    mapping = written(
        tmp_path,
        '{"columns": {"Tipo": "type", "Superior": "parent", "Nombre": "title", "Precio normal":'
        ' "price", "Talla": "option:Talla", "Notas": "ignore"}, "decimal": ",", "delimiter": ";"}',
        "map.json",
    )
    text = (
        "ID;Tipo;SKU;Nombre;Superior;Precio normal;Talla;Notas\n"
        "8;variation;;Camisa;id:7;1.234,56;M;x\n"
        "7;variable;cam;Camisa;;;;\n"
    )
    draft = draft_of(tmp_path, text, currency="EUR", mapping=read_mapping(mapping))
    assert variants(draft) == [("Camisa", "8", Money(123456, "EUR"), {"Talla": "M"})]
    assert draft.ignored_columns == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "not JSON"),
        ('{"columns": {"A": "colour of the sky"}}', "cannot mean"),
        ('{"encoding": "klingon"}', "no encoding"),
        ('{"colums": {}}', "colums"),
        ('{"delimiter": "ab"}', "delimiter"),
    ],
)
def test_mappings_that_are_refused(text, message, tmp_path):
    with pytest.raises(CatalogueFileError, match=message) as caught:
        read_mapping(written(tmp_path, text, "map.json"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("utf-8-sig", "Bücher für Anfänger"),
        ("utf-16", "Bücher für Anfänger"),
        ("cp1252", "Bücher für Anfänger über Äpfel"),
        ("gb18030", "不锈钢保温杯大容量便携水杯"),
        ("cp932", "ステンレス製のマグカップと保温ボトル"),
        ("cp932", "かわいい猫のぬいぐるみ"),
        ("cp949", "스테인리스 보온병과 머그컵"),
    ],
)
def test_encodings_of_the_world(encoding, title, tmp_path):
    text = f"title,price\n{title},9.90\n{title} 2,8.90\n"
    draft = draft_of(tmp_path, text.encode(encoding))
    assert draft.products[0].title == title


def test_a_meta_catalogue(tmp_path):
    text = (
        "# ref_application_id 123\n# ref_asset_id 5\n"
        "id\ttitle\tavailability\tcondition\tprice\tlink\timage[0].url\tbrand"
        "\tquantity_to_sell_on_facebook\n"
        "m1\tMug\tin stock\tnew\t10.00 USD\thttps://x.example/m\thttps://x.example/m.jpg\tAcme\t7\n"
    )
    (mug,) = draft_of(tmp_path, text, "meta.tsv").products
    assert (mug.variants[0].sku, mug.variants[0].stock) == ("m1", 7)
    assert mug.images == ["https://x.example/m.jpg"]
    assert json.loads(mug.attributes) == {"CONDITION": "new"}


def test_what_is_not_published_stays_off_the_shelves(tmp_path):
    draft = draft_of(tmp_path, "handle,title,price,status\na,Mug,5,active\nb,Lamp,6,draft\n")
    assert [product.title for product in draft.products] == ["Mug"]
    assert draft.issues[0].reason == "is not published in the shop"


@pytest.mark.parametrize(
    ("content", "wanted", "message"),
    [
        ({"products": []}, "shopify", "not Shopify"),
        ("title,price\nMug,5\n", "json", "not JSON"),
        ({"@type": "Person"}, "jsonld", "no schema.org Product"),
        ([], None, "is empty"),
        ([1, 2], None, "have no title"),
        ("[" * 100_000, None, "nested too deeply|not JSON"),
    ],
)
def test_a_format_that_was_asked_for_is_insisted_on(content, wanted, message, tmp_path):
    with pytest.raises(CatalogueFileError, match=message):
        draft_of(tmp_path, content, "p.json", wanted=wanted)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("commerce.catalogue.file_bytes.LARGEST_BYTES", 100_000)
    with pytest.raises(CatalogueFileError, match="unpacks to more"):
        draft_of(tmp_path, gzip.compress(b"0" * 1_000_000), "p.csv.gz")
    with pytest.raises(CatalogueFileError, match="cannot be unpacked"):
        draft_of(tmp_path, gzip.compress(b"title,price\n")[:-6], "p.csv.gz")


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_a_feed_imported_again_changes_nothing_and_then_only_what_changed(tmp_path):
    async with shop_with("title,price\nOld,1\n", tmp_path) as shop:
        first = await shop.import_file(written(tmp_path, RSS, "feed.xml"), replace=True)
        again = await shop.import_file(tmp_path / "feed.xml", replace=True)
        text = RSS.replace("Acme", "Better")
        changed = await shop.import_file(written(tmp_path, text, "feed.xml"), replace=True)
        assert (first.created, first.withdrawn) == (2, 1)
        assert (again.unchanged, again.updated, again.created) == (2, 0, 0)
        assert changed.updated == 2
        assert [card.brand for card in await shop.products()] == ["Better"]
        back = await shop.import_file(written(tmp_path, "title,price\nOld,1\n"))
        assert len(await shop.products()) == 2
        assert back.updated == 1
