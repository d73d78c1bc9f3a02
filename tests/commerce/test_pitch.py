"""Pitches: short, speakable, and nothing in them that the row does not say."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.errors import UnknownProductError
from commerce.models.values import ProductCard
from commerce.money import Money
from commerce.recommendation.pitch import spoken_seconds, write_pitch
from commerce.recommendation.speakable import sentences_of, speakable
from commerce.recommendation.wording import LANGUAGES, _lines
from tests.support.shops import example_shop


def card(**changes) -> ProductCard:
    values = {
        "sku": "mug",
        "title": "Blue Mug",
        "description": "Holds 350 ml. Safe in the dishwasher.",
        "price": Money(1650, "USD"),
        "compare_at": None,
        "stock": 12,
        "stock_version": 1,
        "image": None,
        "url": None,
        "tags": (),
        "brand": None,
    }
    return ProductCard(**{**values, **changes})


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:[.,\u202f]\d+)*", text))


CARDS = st.builds(
    lambda title, description, minor, currency, cut, stock, tracks, brand, colours: card(
        title=title,
        description=description,
        price=Money(minor, currency),
        compare_at=Money(minor + cut, currency) if cut else None,
        stock=stock if tracks else 0,
        tracks_stock=tracks,
        brand=brand,
        options={"Colour": colours} if colours else {},
    ),
    st.text(min_size=1, max_size=60),
    st.text(max_size=400) | st.just("Lasts 30 hours. Weighs 1.5 kg! Version 2 (2026)."),
    st.integers(1, 10**9),
    st.sampled_from(["USD", "EUR", "JPY", "KWD", "BRL", "CNY"]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.booleans(),
    st.none() | st.text(max_size=20),
    st.lists(st.text(min_size=1, max_size=10), max_size=3).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(CARDS, st.floats(1, 90), st.integers(0, 5), st.sampled_from([*LANGUAGES, "ja"]))
def test_every_number_spoken_is_in_the_row(product, seconds, seed, language):
    pitch = write_pitch(product, seconds=seconds, seed=seed, language=language)
    row = " ".join(
        [
            speakable(product.title),
            " ".join(sentences_of(product.description)),
            product.price.display(pitch_language(language)),
            product.compare_at.display(pitch_language(language)) if product.compare_at else "",
            str(product.stock) if product.tracks_stock else "",
            speakable(product.brand or ""),
            " ".join(speakable(value) for value in product.options.get("Colour", ())),
        ]
    )
    allowed = set(re.findall(r"\d+", row))
    assert set(re.findall(r"\d+", pitch.text)) <= allowed
    assert pitch.sku == product.sku
    assert not re.search(r"[<>{}\[\]\\]", pitch.text)


def pitch_language(language: str) -> str:
    return language if language in LANGUAGES else "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_carry_no_numbers_and_every_language_has_every_moment(language):
    source = "\n".join(
        str(
            template.render(
                title="", price="", was="", stock="", brand="", values="", name="", fact=""
            )
        )
        for templates in _lines(language).values()
        for template in templates
    )
    assert not numbers(source)
    plain = {moment for moment in _lines("en") if "." not in moment}
    assert {moment for moment in _lines(language) if "." not in moment} == plain


def test_honest_scarcity():
    assert "left" not in write_pitch(card(stock=12)).text
    assert "3" in numbers(write_pitch(card(stock=3)).text)
    assert "last one" in write_pitch(card(stock=1)).text
    assert "sold out" in write_pitch(card(stock=0)).text.casefold()
    uncounted = write_pitch(card(stock=0, tracks_stock=False)).text
    assert "sold out" not in uncounted
    assert "left" not in uncounted


def test_length_follows_the_time_and_the_price_is_always_said():
    sides = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    long_text = " ".join(f"Sentence about the mug and its {side} side." for side in sides)
    lengths = []
    for seconds in (3, 10, 20, 40):
        pitch = write_pitch(card(description=long_text), seconds=seconds)
        assert "$16.50" in pitch.text
        assert "Blue Mug" in pitch.text
        lengths.append(spoken_seconds(list(pitch.sentences)))
        assert lengths[-1] <= max(seconds, 8) + 0.5
    assert lengths == sorted(lengths)
    assert lengths[-1] > 2 * lengths[0]


def test_sentences_are_short_and_join_to_the_text():
    pitch = write_pitch(card(description="word " * 300 + ". Next one."), seconds=120)
    assert " ".join(pitch.sentences) == pitch.text
    assert all(len(sentence) <= 200 for sentence in pitch.sentences)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<b>Nice</b> mug", "Nice mug"),
        ("Say [[h@'loU]] now", "Say now"),
        ("{{ 7 * 7 }} {% raw %} mug", "mug"),
        ("Visit https://x.example/a?b=1 today", "Visit today"),
        ("Write to me@x.example now!!!", "Write to now!"),
        ("★★★ BEST ★★★ mug 🔥", "BEST mug"),
        ("<speak><break time='9s'/></speak>Hi\\pause=900\\", "Hi pause 900"),
        ("20 °C – warm", "20 °C – warm"),
    ],
)
def test_markup_of_any_kind_is_never_spoken(text, spoken):
    assert speakable(text) == spoken


def test_sentences_with_addresses_are_left_out_whole():
    text = "Good mug. Buy it at www.other.shop for less. Holds 350 ml, 12 oz. 保温。可以洗。"
    assert sentences_of(text) == ["Good mug.", "Holds 350 ml, 12 oz.", "保温。", "可以洗。"]


def test_catalogue_text_is_never_a_template():
    pitch = write_pitch(card(title="{{ price }} {{ ''.__class__ }} Mug", description="{% x %}"))
    assert "__class__" not in pitch.text
    assert pitch.text.count("$16.50") == 1


def test_tones_differ_and_seeds_repeat():
    warm, brisk = (write_pitch(card(), tone=tone, seed=1).text for tone in ("warm", "brisk"))
    assert warm != brisk
    assert write_pitch(card(), seed=4) == write_pitch(card(), seed=4)
    assert len({write_pitch(card(), seed=seed).text for seed in range(20)}) > 3


@pytest.mark.asyncio
async def test_the_show_opens_as_what_it_is():
    async with example_shop() as shop:
        for seed in range(5):
            assert "AI presenter" in await shop.opening(seed=seed)
            assert await shop.closing(seed=seed)
        assert "人工智能" in await shop.opening(language="zh")
        assert "inteligencia artificial" in await shop.opening(language="es")
        pitch = await shop.pitch("yoga-mat-cloud", seconds=20)
        with pytest.raises(UnknownProductError):
            await shop.pitch("nothing")
    assert "3 left" in pitch.text
    assert pitch.sku == "yoga-mat-cloud"
