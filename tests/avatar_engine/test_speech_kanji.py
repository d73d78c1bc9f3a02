"""Kanji read by a dictionary where it is installed, and by a list of shop words where it is not."""

import re

import pytest

from avatar_engine.speech import kanji
from avatar_engine.speech.normalize import normalized

_HAN = re.compile(r"[\u4e00-\u9fff]")


def _without_dictionary(monkeypatch) -> None:
    monkeypatch.setattr(kanji, "_tokenizer", lambda: None)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            "客観的実在の判断的知識が成立するのである。",
            "きゃっかんてきじつざいのはんだんてき"
            "ちしきがせいりつするのである",
        ),
        (
            "人気の革靴を今日だけ半額でお届けします。",
            "にんきのかわぐつをきょうだけ"
            "はんがくでおとどけします",
        ),
        ("私は東京へ行きます。", "わたくしわとうきょうえいきます"),
    ],
)  # fmt: skip
def test_the_dictionary_reads_any_text_and_says_particles_as_they_sound(text: str, read: str):
    pytest.importorskip("sudachidict_core")
    spoken = normalized(text, "ja")
    assert spoken.text.replace(" ", "").rstrip("。") == read
    assert not _HAN.search(spoken.text)


def test_words_still_know_where_they_stood():
    pytest.importorskip("sudachidict_core")
    text = "この革靴は安い。"
    spoken = normalized(text, "ja")
    at = spoken.text.index("かわぐつ")
    start, end = spoken.span(at, at + 4)
    assert text[start:end] == "革靴"
    assert text[slice(*spoken.span(0, 2))] == "この"


def test_prices_are_read_as_numbers_with_and_without_the_dictionary(monkeypatch):
    for _ in range(2):
        spoken = normalized("3,980円です", "ja").text.replace(" ", "")
        assert "さんぜん" in spoken
        assert spoken.endswith("えんです")
        _without_dictionary(monkeypatch)


def test_without_it_shop_words_are_read_and_the_rest_is_left_out(monkeypatch):
    _without_dictionary(monkeypatch)
    spoken = normalized("税込価格は客観的です", "ja").text
    assert "ぜいこみ" in spoken
    assert "かかく" in spoken
    assert not _HAN.search(spoken)


def test_chinese_is_left_to_the_chinese_voice():
    assert normalized("革靴", "cmn").text == "革靴"
