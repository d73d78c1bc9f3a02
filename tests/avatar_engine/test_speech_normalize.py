import re
import time

import pytest

from avatar_engine.speech.alignment import AlignedText
from avatar_engine.speech.normalize import normalized
from avatar_engine.speech.numbers import (
    Quantity,
    chinese_cardinal,
    english_cardinal,
    japanese_cardinal,
    parse_number,
)
from avatar_engine.speech.sentences import LONGEST, split_sentences


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en-us", "$49.90", "forty-nine dollars and ninety cents"),
        ("en-us", "$1", "one dollar"),
        ("en-us", "$0.99", "ninety-nine cents"),
        ("en-us", "€1,299", "one thousand two hundred and ninety-nine euros"),
        ("en-us", "¥199", "one hundred and ninety-nine yuan"),
        (
            "en-us",
            "$1.004,56",
            "one thousand and four dollars and fifty-six cents",
        ),
        ("en-us", "$1.5k", "one point five thousand dollars"),
        ("en-us", "$10-$20", "ten dollars to twenty dollars"),
        ("en-us", "50% off", "fifty percent off"),
        ("en-us", "2x faster", "two times faster"),
        ("en-us", "42mm", "forty-two millimetres"),
        ("en-us", "10 x 15 cm", "ten by fifteen centimetres"),
        ("en-us", "-5°C", "minus five degrees Celsius"),
        ("en-us", "€5/kg", "five euros per kilogram"),
        ("en-us", "WH-1000XM5", "W H one thousand X M five"),
        ("en-us", "open 24/7 from 10:30", "open twenty-four seven from ten thirty"),
        ("en-us", 'he said "buy 5"', 'he said "buy five"'),
        ("en-us", '6.1" screen', "six point one inches screen"),
        ("en-us", "Smith & Co. e.g. 1st", "Smith and Co. for example 1st"),
        ("es", "$49.90", "49 dólares con 90"),
        ("es", "1.299 €", "1299 euros"),
        ("es", "20% de descuento", "20 por ciento de descuento"),
        ("pt-br", "10x de R$ 4,99", "10 vezes de 4 reais e 99 centavos"),
        ("de", "49,- € inkl. MwSt.", "49 Euro inklusive Mehrwertsteuer"),
        ("de", "3,5 kg", "3 Komma 5 Kilo"),
        ("fr-fr", "1 299 €", "1299 euros"),
        ("fr-fr", "49,90 €", "49 euros 90"),
        ("it", "€ 49,90", "49 euro e 90"),
        ("id", "Rp 150.000", "150000 rupiah"),
        ("id", "Rp1,5 juta", "1 koma 5 juta rupiah"),
        ("cmn", "原价¥299", "原价两百九十九元"),
        ("cmn", "￥１２３", "一百二十三元"),
        ("cmn", "$49.90", "四十九点九美元"),
        ("cmn", "打20%，买2件", "打百分之二十，买两件"),
        ("ja", "税込1,299円", "ぜいこみせんにひゃくきゅうじゅうきゅう えん"),
        ("ko", "1,299원", "1299 원"),
        ("ru", "1 299 ₽", "1299 рублей"),
        ("sw", "20 % na 3,5", "20 % na 3,5"),
    ],
)
def test_quantities_are_read_as_a_shopkeeper_would(language, written, spoken):
    assert normalized(written, language).text == spoken


@pytest.mark.parametrize(
    "nothing",
    [
        "",
        "   ",
        "\n",
        "😀🎉",
        "https://shop.example/a?b=1",
        "<p></p>",
        "...",
        "®™",
        "\u200b",
        "<br/>",
    ],
)
def test_what_has_no_sound_becomes_nothing(nothing):
    assert len(normalized(nothing, "en-us")) == 0


def test_markup_addresses_and_pictures_are_not_read():
    text = "<p>Hi <b>you</b> &amp; me 😀!!!</p><script>x()</script>See https://a.example/x?y=1 now"
    assert normalized(text, "en-us").text == "Hi you and me !\nSee now"


def test_foreign_han_is_skipped_where_no_voice_reads_it():
    assert normalized("Xiaomi 小米 phone", "en-us").text == "Xiaomi phone"
    assert normalized("小米手机", "cmn").text == "小米手机"


def test_spans_point_into_the_original():
    text = "Only <b>today</b>: $49.90, not €1,299 😀 — 20% off"
    spoken = normalized(text, "en-us")
    spans = [text[slice(*spoken.span(*m.span()))] for m in re.finditer(r"[\w-]+", spoken.text)]
    assert list(dict.fromkeys(spans)) == ["Only", "today", "$49.90", "not", "€1,299", "20%", "off"]


@pytest.mark.parametrize("language", ["en-us", "cmn", "ja", "de", "sw", "ar"])
def test_odd_input_is_survived_with_spans_inside_the_text(language):
    texts = [
        "$" * 50,
        "1" * 400,
        "1.2.3,4,5.6",
        "<" * 99,
        "&#99999999;&#x110000;",
        "-" * 80,
        "\ud800a",
    ]
    for text in texts:
        spoken = normalized(text, language)
        assert len(spoken.text) == len(spoken.starts) == len(spoken.ends)
        assert all(0 <= a < b <= len(text) for a, b in zip(spoken.starts, spoken.ends, strict=True))


def test_long_and_hostile_text_is_read_quickly():
    for piece in ("It costs $49.90 & 20% off <b>now</b> 2x. ", "A", "1.000", "A-", "w.w", "1 234 "):
        begin = time.process_time()
        normalized(piece * (8000 // len(piece)), "en-us")
        assert time.process_time() - begin < 1.0, piece


@pytest.mark.parametrize(
    ("written", "decimal", "is_price", "quantity"),
    [
        ("1,299", ".", False, Quantity("1299")),
        ("1.299", ".", False, Quantity("1", "299")),
        ("1.299", ".", True, Quantity("1299")),
        ("1.299", ",", False, Quantity("1299")),
        ("1.234.567,89", ".", False, Quantity("1234567", "89")),
        ("1'234.50", ".", False, Quantity("1234", "50")),
        ("0.125", ",", False, Quantity("0", "125")),
        ("3,5", ".", False, Quantity("3", "5")),
    ],
)
def test_separators_of_any_country(written, decimal, is_price, quantity):
    assert parse_number(written, decimal, is_price=is_price) == quantity


def test_cardinals():
    assert english_cardinal(1_000_105) == "one million one hundred and five"
    assert english_cardinal(2_000_001) == "two million and one"
    assert [chinese_cardinal(n) for n in (0, 10, 105, 10_000, 10_002, 100_010_000, 20_300)] == [
        "零",
        "十",
        "一百零五",
        "一万",
        "一万零二",
        "一亿零一万",
        "二万零三百",
    ]
    assert japanese_cardinal(13_680) == "いちまん さんぜんろっぴゃくはちじゅう"


def test_sentences_end_where_they_should():
    text = AlignedText.of("It costs 3.50. J. Smith agrees! 好的。再见 \n Last")
    pieces = [sentence.text for sentence in split_sentences(text)]
    assert pieces == ["It costs 3.50.", "J. Smith agrees!", "好的。", "再见", "Last"]


def test_endless_sentences_are_cut_without_losing_a_letter():
    text = AlignedText.of("word, " * 300 + "x" * 900)
    pieces = split_sentences(text)
    assert max(len(piece) for piece in pieces) <= LONGEST
    joined = "".join(piece.text for piece in pieces)
    assert joined.replace(" ", "") == text.text.replace(" ", "")
