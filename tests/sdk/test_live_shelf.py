"""The shop behind the counter: real database, real answers, JSON-ready products."""

import json
from pathlib import Path

import pytest

from commerce.shop import Shop
from sdk.errors import SettingsError
from sdk.live.shelf import ShopCounter, language_of
from sdk.live.size import parse_size
from sdk.live.wiring import LiveSession, default_database

ROWS = """sku,title,price,compare at,stock,description,image,url
mug,Stone Mug,18.00,24.00,4,Keeps coffee warm.,mug.png,https://shop.example/mug
lamp/1,Desk Lamp,49,,0,Bends where you need it.,https://cdn.example/lamp.png,
bag,Canvas Bag,30,,,Holds a laptop.,,javascript:alert(1)
"""


@pytest.fixture
def catalogue(tmp_path) -> Path:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "mug.png")
    path = tmp_path / "products.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.asyncio
async def test_products_are_ready_for_the_page(catalogue, tmp_path):
    async with Shop.open(str(tmp_path / "shop.db")) as shop:
        await shop.import_file(catalogue, replace=True)
        counter = ShopCounter(shop, session_id="main", language="en")
        products = {p["sku"]: p for p in await counter.products()}
        json.dumps(products)
        mug = products["mug"]
        assert mug["price"] == {"minor": 1800, "currency": "USD", "text": "$18"}
        assert mug["compare_at"]["minor"] == 2400
        assert mug["stock"] == 4
        assert mug["image"] == "/media/main/mug"
        assert mug["url"] == "https://shop.example/mug"
        assert products["lamp/1"]["image"] == "/media/main/lamp%2F1"  # never a stranger's server
        assert products["bag"]["image"] is None
        assert products["lamp/1"]["stock"] == 0
        assert products["bag"]["stock"] is None
        assert (await counter.product("spoon")) is None
        assert await counter.pitch("spoon", seed=0) == ""
        await shop.set_stock("mug", 1)
        assert (await counter.product("mug"))["stock"] == 1


@pytest.mark.asyncio
async def test_one_answer_in_two_wordings_has_one_key(catalogue, tmp_path):
    async with Shop.open(str(tmp_path / "shop.db")) as shop:
        await shop.import_file(catalogue, replace=True)
        counter = ShopCounter(shop, session_id="main", language="en")
        replies = [
            await counter.answer(question, context_sku=None)
            for question in ("do you have a mug?", "any mugs?", "do you have mugs?")
        ]
        other = await counter.answer("do you have a bag?", context_sku=None)
        assert len({reply.key for reply in replies}) == 1
        assert len({reply.text for reply in replies}) > 1
        assert other.key != replies[0].key
        assert {reply.sku for reply in replies} == {"mug"}
        assert await counter.answer("lol", context_sku=None) is None
        named = await counter.answer("any mugs?", context_sku=None, viewer_name="Ana")
        assert "Ana" in named.text
        assert named.key == replies[0].key


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("espeak:en-us", "en"),
        ("espeak:cmn", "zh"),
        ("espeak:es-419", "es"),
        ("espeak:pt-br", "pt"),
        ("espeak:fi", "en"),
        ("nonsense", "en"),
    ],
)
def test_the_shop_speaks_the_voices_language(voice: str, language: str):
    assert language_of(voice) == language


@pytest.mark.parametrize(
    ("text", "size"), [("512", (512, 512)), ("720x1280", (720, 1280)), ("256X512", (256, 512))]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "512x", "64", "4096", "501", "512x511", "1x2x3", "-512"])
def test_impossible_sizes(text):
    with pytest.raises(SettingsError, match="--size"):
        parse_size(text)


def test_each_catalogue_has_a_database_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVEPITCH_DATA_DIR", str(tmp_path / "data"))
    one, two = default_database(tmp_path / "a.csv"), default_database(tmp_path / "b.csv")
    assert one != two
    assert one == default_database(tmp_path / "a.csv")
    assert Path(one).parent == tmp_path / "data"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIVEPITCH_DATA_DIR", str(tmp_path / "file" / "below"))
    assert default_database(None) is None  # a temporary one serves


def test_the_public_names_are_there():
    import sdk

    assert sdk.LiveSession is LiveSession
    for name in sdk.__all__:
        assert getattr(sdk, name) is not None
    with pytest.raises(AttributeError, match="Avatar"):
        _ = sdk.Avatar
