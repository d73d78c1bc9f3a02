"""Search by meaning beside words, against an endpoint on loopback."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from commerce.cli import app
from commerce.errors import EmbeddingError, SettingsError
from commerce.recommendation.embedding import OpenAiEmbedder, fused
from commerce.settings import CommerceSettings
from commerce.shop import Shop
from commerce.shop.speech import Speech, speech_of
from tests.support.embedding_server import embedding_server
from tests.support.shops import NOON, shop_url, written

both = pytest.mark.usefixtures("both_databases")
GOODS = (
    "sku,title,description,price,stock\n"
    "scarf,Scarf,Pure wool.,30,5\n"
    "mug,Mug,For tea.,12,5\n"
    "lamp,Desk lamp,Bright.,49,5\n"
    "cold,Cold brew bottle,A bottle.,20,5\n"
)


@pytest.fixture
def server():
    with embedding_server() as running:
        yield running


def embedder(server, **options):
    return OpenAiEmbedder(server.url, "toy", key="secret", **options)


def opened(folder: Path, **options):
    return Shop.open(shop_url(str(folder / "shop.db")), clock=lambda: NOON, **options)


@pytest.mark.asyncio
async def test_texts_become_unit_vectors_in_their_order(server):
    found = await embedder(server).embed([f"a warm coat {n}" for n in range(65)] + ["a lamp"])
    assert found.shape == (66, 5)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert found[0] @ found[64] > 0.99
    assert found[0] @ found[65] < 0.1
    assert [len(texts) for texts in server.asked] == [64, 2]
    assert set(server.keys) == {"Bearer secret"}


@pytest.mark.asyncio
@pytest.mark.parametrize("broken", ["status", "text", "few", "zero", "ragged"])
async def test_what_an_endpoint_may_not_answer(server, broken):
    server.broken = broken
    with pytest.raises(EmbeddingError):
        await embedder(server).embed(["a lamp", "a mug"])


@pytest.mark.asyncio
@both
async def test_vectors_are_fetched_once_and_again_only_for_new_texts(server, tmp_path):
    file = written(tmp_path, GOODS)
    async with opened(tmp_path, speech=Speech(embedder=embedder(server))) as shop:
        await shop.import_file(file)
        assert (await shop.warm_up()).vectors == 4
        assert (await shop.warm_up()).vectors == 0
        written(tmp_path, GOODS.replace("30,5", "31,4").replace("Bright.", "Very bright."))
        await shop.import_file(file)
        assert (await shop.warm_up()).vectors == 1  # a price is no meaning
        assert server.asked[-1] == ["Desk lamp\nVery bright."]


@pytest.mark.asyncio
@both
async def test_meaning_joins_words_and_stays_below_the_threshold_unless_allowed(server, tmp_path):
    question = "something against the cold"
    async with opened(tmp_path, speech=Speech(embedder=embedder(server))) as shop:
        await shop.import_file(written(tmp_path, GOODS))
        await shop.warm_up()
        words = await shop.search(question, least_score=0, by_meaning=False)
        assert [one.card.sku for one in words] == ["cold"]
        both_ways = await shop.search(question, least_score=0)
        assert {one.card.sku for one in both_ways[:2]} == {"cold", "scarf"}
        assert "scarf" not in {one.card.sku for one in await shop.search(question)}


@pytest.mark.asyncio
@both
async def test_near_enough_needs_no_common_word(server, tmp_path):
    speech = Speech(embedder=embedder(server, least_similarity=0.9))
    async with opened(tmp_path, speech=speech) as shop:
        await shop.import_file(written(tmp_path, GOODS))
        await shop.warm_up()
        answer = await shop.answer("do you have anything to drink from, I am thirsty?")
        assert answer is not None
        assert answer.card is not None
        assert answer.card.sku == "mug"
        assert await shop.search("umbrella") == []


@pytest.mark.asyncio
async def test_an_endpoint_that_fails_leaves_the_words_and_is_left_in_peace(server, tmp_path):
    async with opened(tmp_path, speech=Speech(embedder=embedder(server))) as shop:
        await shop.import_file(written(tmp_path, GOODS))
        await shop.warm_up()
        server.broken = "status"
        asked = len(server.asked)
        for _ in range(3):
            assert [one.card.sku for one in await shop.search("a desk lamp?")] == ["lamp"]
        assert len(server.asked) == asked + 1


def test_orders_are_joined_by_reciprocal_rank():
    joined = fused([1, 2, 3], [3, 4])
    assert [thing for thing, _ in joined] == [3, 1, 2, 4]
    assert joined[0][1] == pytest.approx(1 / 63 + 1 / 61)
    assert fused() == []


def test_settings_name_the_embedder():
    assert speech_of(CommerceSettings()).embedder is None
    settings = CommerceSettings(embed_base_url="http://127.0.0.1:9/v1", embed_model="m")
    found = speech_of(settings).embedder
    assert found is not None
    assert (found.name, found.least_similarity) == ("m", 1)
    with pytest.raises(SettingsError, match="EMBED_MODEL"):
        speech_of(CommerceSettings(embed_base_url="http://127.0.0.1:9/v1"))


def test_the_command_judges_the_search_with_and_without(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LIVEPITCH_EMBED_BASE_URL", server.url)
    monkeypatch.setenv("LIVEPITCH_EMBED_MODEL", "toy")
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("query,docid,rating\nsomething against the cold,scarf,3\na mug,mug,3\n")
    goods = written(tmp_path, GOODS)
    done = CliRunner().invoke(app, ["evaluate", str(ratings), "--catalogue", str(goods), "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["mrr_at_10"] == 0.5
    assert figures["mrr_at_10_with_embeddings"] > 0.5
    assert figures["vectors_fetched"] == 4
