"""Files as sellers really send them, imported into a real database."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commerce.catalogue.rows import read_catalogue
from commerce.errors import CatalogueFileError
from commerce.money import Money
from commerce.shop import Shop
from tests.support.shops import shop_url, shop_with, written

SIMPLE = "sku,title,price,stock\nmug,Blue Mug,16.50,4\nlamp,Lamp,54,0\n"


def rows_of(folder, text, currency="USD"):
    return read_catalogue(written(folder, text), currency)


def rejected(draft):
    return [(issue.row, issue.column, issue.reason) for issue in draft.issues if issue.is_rejected]


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_products_arrive_whole(tmp_path):
    (tmp_path / "mug.png").write_bytes(b"x")
    text = (
        "SKU;Product Name;Preis;Compare at price;Currency;Quantity;Description;Image;Tags;Vendor;"
        "Colour;Category;URL;Shelf\n"
        'm1;Blue Mug;16,50;19,00;EUR;4;"<p>Holds 350 ml.</p>\n<p>Safe; really.</p>";mug.png;'
        "tea, gift;Lumen;Blue|Cream;Kitchen;https://x.example/m;A3\n"
    )
    async with shop_with(text, tmp_path) as shop:
        card = await shop.product("m1")
        image = await shop.image_file("m1")
    assert card is not None
    assert (card.title, card.brand, card.category) == ("Blue Mug", "Lumen", "Kitchen")
    assert (card.price, card.compare_at) == (Money(1650, "EUR"), Money(1900, "EUR"))
    assert (card.stock, card.stock_version, card.is_available) == (4, 1, True)
    assert card.description == "Holds 350 ml. Safe; really."
    assert card.tags == ("tea", "gift")
    assert card.options == {"Colour": ("Blue", "Cream")}
    assert card.url == "https://x.example/m"
    assert image == (tmp_path / "mug.png").resolve()


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
async def test_chinese_files_in_every_usual_encoding(encoding, tmp_path):
    text = "编号,商品名称,价格,库存,描述\nb1,不锈钢保温杯,￥199,8,保温十二小时，适合户外。\n"
    async with shop_with(text.encode(encoding), tmp_path, currency="CNY") as shop:
        card = await shop.product("b1")
        found = await shop.search("保温杯")
    assert card is not None
    assert (card.title, card.price) == ("不锈钢保温杯", Money(19900, "CNY"))
    assert [one.card.sku for one in found] == ["b1"]


def test_western_files_in_windows_encoding(tmp_path):
    text = "título;precio\nCafé niño – señor;1.299,00 €\n".encode("cp1252")
    (product,) = rows_of(tmp_path, text).products
    assert product.title == "Café niño – señor"
    assert product.variants[0].price == Money(129900, "EUR")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter, tmp_path):
    text = "\n".join(delimiter.join(row) for row in (["name", "price"], ["A mug", "5.00"]))
    assert rows_of(tmp_path, text).products[0].title == "A mug"


def test_the_price_column_decides_what_a_dot_means(tmp_path):
    draft = rows_of(tmp_path, "title;price\nSofa;1.299\nMug;9,90\n", "EUR")
    assert [p.variants[0].price.minor for p in draft.products] == [129900, 990]
    draft = rows_of(tmp_path, "title,price\nSofa,1.299\nMug,9.90\n", "USD")
    assert [p.title for p in draft.products] == ["Mug"]
    assert rejected(draft) == [(2, "price", "has more than 2 decimals")]


def test_every_bad_row_is_named_and_the_good_ones_stay(tmp_path):
    text = (
        "sku,title,price,stock,image\n"
        "a,Good,5.00,1,\n"
        "b,,5.00,1,\n"
        "c,No price,,1,\n"
        "d,Negative,-5,1,\n"
        "e,Free,0,1,\n"
        "f,Words,cheap,1,\n"
        "g,Absurd,99999999999.99,1,\n"
        "a,Again,5.00,1,\n"
        "h,Many,5.00,lots,\n"
        "i,Shifted,5.00,1,,extra cell\n"
        "j,=HYPERLINK(1),5.00,1,\n"
        "k,Ambiguous,¥5,1,\n"
        "l,Short row,7.00\n"
        "m,Last good,5.00,-3,../../etc/passwd.png\n"
    )
    draft = rows_of(tmp_path, text)
    assert [product.title for product in draft.products] == ["Good", "Short row", "Last good"]
    assert rejected(draft) == [
        (3, "title", "is missing; write the product's name"),
        (4, "price", "is missing; write one such as 49.90"),
        (5, "price", "is negative; a price starts at 0"),
        (6, "price", "is zero; write what it costs"),
        (7, "price", "is not a price; write one such as 49.90"),
        (8, "price", "is more than anybody pays; check the column"),
        (9, "sku", "is used by row 2 already"),
        (10, "stock", "is not a whole number of units; write one such as 12"),
        (11, "", "more cells than the header; quote text that holds commas"),
        (12, "title", "looks like a spreadsheet formula; write plain text"),
        (13, "price", "may be yen or yuan; name the currency, JPY or CNY"),
    ]
    kept = [(issue.row, issue.column) for issue in draft.issues if not issue.is_rejected]
    assert kept == [(15, "stock"), (15, "image")]
    assert draft.products[-1].variants[0].stock == 0


def test_an_unclosed_quote_costs_one_row_not_the_file(tmp_path):
    text = 'title,price\nOne,1.00\n"Two,2.00\nThree,3.00\nFo"ur,4.00\n"Fi"ve,5.00\nSix,6.00\n'
    draft = rows_of(tmp_path, text)
    titles = [product.title for product in draft.products]
    assert {"One", "Three", "Six"} <= set(titles)
    assert 3 in {row for row, _, _ in rejected(draft)}


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    text = 'title,price,description\nA,1.00,"two\nlines"\nB,bad,\n'
    assert rejected(rows_of(tmp_path, text))[0][0] == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\x89PNG\r\n", "a picture"),
        (b"title,price\n\x00\x01", "binary"),
        (b"just words", "no column for the title"),
        (b"title,stock\na,1", "no column for the price"),
        (b"title,price\n\x81\x8d\x8f", "any encoding we know"),
    ],
)
def test_hopeless_files_are_refused_in_one_line(content, message, tmp_path):
    with pytest.raises(CatalogueFileError, match=message) as caught:
        rows_of(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(CatalogueFileError, match="is not there"):
        read_catalogue(tmp_path / "nothing.csv", "USD")
    with pytest.raises(CatalogueFileError, match="is a folder"):
        read_catalogue(tmp_path, "USD")


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_importing_twice_changes_nothing(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        before = await shop.products()
        report = await shop.import_file(tmp_path / "shop.csv")
        assert await shop.products() == before
    assert (report.created, report.updated, report.unchanged, report.rejected) == (0, 0, 2, 0)


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_a_changed_file_updates_the_same_products(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        path = written(tmp_path, SIMPLE.replace("16.50", "14.00").replace("Lamp", "Arc Lamp"))
        report = await shop.import_file(path)
        mug, lamp = await shop.product("mug"), await shop.product("lamp")
        found = await shop.search("arc lamp")
    assert (report.created, report.updated) == (0, 2)
    assert mug is not None
    assert lamp is not None
    assert (mug.price.minor, lamp.title) == (1400, "Arc Lamp")
    assert [one.card.sku for one in found] == ["lamp"]


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_sold_units_do_not_come_back_with_the_same_file(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        await shop.set_stock("mug", 1)
        await shop.import_file(tmp_path / "shop.csv")
        unchanged = await shop.product("mug")
        await shop.import_file(written(tmp_path, SIMPLE.replace("16.50,4", "16.50,9")))
        restocked = await shop.product("mug")
    assert unchanged is not None
    assert restocked is not None
    assert (unchanged.stock, restocked.stock) == (1, 9)
    assert restocked.stock_version > unchanged.stock_version


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_replacing_withdraws_what_the_file_no_longer_names(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        path = written(tmp_path, "sku,title,price\nlamp,Lamp,54\nnew,New,5\n")
        report = await shop.import_file(path, replace=True)
        assert report.withdrawn == 1
        assert [card.sku for card in await shop.products()] == ["lamp", "new"]
        assert await shop.product("mug") is None
        assert await shop.search("mug") == []
        await shop.import_file(written(tmp_path, SIMPLE))
        back = await shop.product("mug")
        assert [one.card.sku for one in await shop.search("mug")] == ["mug"]
    assert back is not None


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_a_rejected_row_does_not_take_its_product_off_sale(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        path = written(tmp_path, SIMPLE.replace("16.50", "oops"))
        report = await shop.import_file(path, replace=True)
        assert (report.rejected, report.withdrawn) == (1, 0)
        assert len(await shop.products()) == 2


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_a_dry_run_reports_and_writes_nothing(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        before = await shop.products()
        path = written(tmp_path, "sku,title,price\nmug,Red Mug,1\nnew,New,5\n")
        report = await shop.import_file(path, dry_run=True, replace=True)
        assert (report.created, report.updated, report.withdrawn) == (1, 1, 1)
        assert report.is_dry_run
        assert await shop.products() == before
        assert await shop.search("red mug") == []


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_variants_share_a_product(tmp_path):
    text = (
        "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Inventory Qty,Image Src\n"
        "tee,Tee,Size,S,20,0,https://x.example/1.jpg\n"
        "tee,,,M,20,3,\n"
        "tee,,,,,,https://x.example/2.jpg\n"
        "tee,,,XL,22,5,\n"
    )
    async with shop_with(text, tmp_path) as shop:
        (card,) = await shop.products()
        large = await shop.product("tee-xl")
        levels = await shop.versions()
    assert (card.sku, card.variant, card.stock) == ("tee-m", "M", 3)
    assert card.options == {"Size": ("S", "M", "XL")}
    assert large is not None
    assert large.price == Money(2200, "USD")
    assert set(levels) == {"tee-s", "tee-m", "tee-xl"}


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_products_without_a_count_are_available(tmp_path):
    text = "title,price,availability\nA,1,in stock\nB,1,out of stock\nC,1,\n"
    async with shop_with(text, tmp_path) as shop:
        cards = await shop.products()
        assert [card.is_available for card in cards] == [True, False, True]
        assert [card.tracks_stock for card in cards] == [False, True, False]
        assert len(await shop.products(in_stock=True)) == 2


@pytest.fixture
def old_folder(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path.resolve()) + b"/f\xe4d"))
    folder.mkdir()
    written(folder, b"a picture", "mug.png")
    return folder


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_a_folder_whose_name_is_no_proper_unicode(old_folder):
    async with shop_with("sku,title,price,image\nmug,Mug,5,mug.png\n", old_folder) as shop:
        assert await shop.image_file("mug") == old_folder / "mug.png"


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_progress_runs_to_the_end(tmp_path):
    text = "title,price\n" + "".join(f"Product {n},5\n" for n in range(600))
    seen = []
    async with Shop.open(shop_url("")) as shop:
        path = written(tmp_path, text)
        await shop.import_file(path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (600, 600)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 1


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30
) | st.sampled_from(["=1+1", "5.00", "-1", '"', '"",', "<b>x</b>", "a\nb", "https://h/x.png"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=6), quote=st.booleans())
def test_any_table_is_read_or_refused_with_its_rows_accounted_for(rows, quote, tmp_path):
    lines = [
        ",".join('"' + cell.replace('"', '""') + '"' if quote else cell for cell in row)
        for row in rows
    ]
    text = "sku,title,price,stock,image\n" + "\n".join(lines) + "\n"
    draft = rows_of(tmp_path, text)
    assert len(draft.products) + len({row for row, _, _ in rejected(draft)}) == draft.rows
    for product in draft.products:
        assert product.title
        assert all(variant.price.minor > 0 for variant in product.variants)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content, tmp_path):
    message = ""
    try:
        rows_of(tmp_path, b"title,price\n" + content)
    except CatalogueFileError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.asyncio
@pytest.mark.usefixtures("both_databases")
async def test_readers_see_the_old_shelves_until_an_import_is_done(tmp_path):
    async with shop_with(SIMPLE, tmp_path) as shop:
        text = "sku,title,price\n" + "".join(f"n{n},Thing {n},5\n" for n in range(800))
        task = asyncio.create_task(shop.import_file(written(tmp_path, text, "big.csv")))
        seen = set()
        while not task.done():
            seen.add(len(await shop.products()))
            await asyncio.sleep(0)
        await task
        assert seen <= {2, 802}
        assert len(await shop.products()) == 802
