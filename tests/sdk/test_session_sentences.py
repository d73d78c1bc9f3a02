import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.session.chat import clean_name, clean_text
from sdk.session.sentences import split_sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Only 4.50! Take two.", ["Only 4.50!", "Take two."]),
        ("Hi Dr. Who. Welcome…", ["Hi Dr. Who.", "Welcome…"]),
        ('He said "wow!" Then he left.', ['He said "wow!"', "Then he left."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("这是耳机。只要四十九元！要吗？", ["这是耳机。", "只要四十九元！", "要吗？"]),
        ("no stop at the end", ["no stop at the end"]),
        ("See v2.1 at shop.com today. OK.", ["See v2.1 at shop.com today.", "OK."]),
        ("E.g. this one. And that.", ["E.g. this one.", "And that."]),
        (" … !! ", []),
        ("", []),
    ],
)
def test_sentences(text: str, wanted: list[str]):
    assert texts(text) == wanted


def test_a_very_long_sentence_is_cut_where_a_speaker_would_breathe():
    text = "This one has a soft lining, " * 30 + "and that is all."
    pieces = texts(text)
    assert all(len(piece) <= 260 for piece in pieces)
    assert all(piece.endswith(",") for piece in pieces[:-1])


@given(st.text(max_size=900))
def test_spans_point_into_the_text_in_order_and_lose_no_word(text: str):
    end = 0
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.start >= end
        lost = text[end : sentence.start]
        assert not any(character.isalnum() for character in lost)
        end = sentence.end
    assert not any(character.isalnum() for character in text[end:])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Ana", "Ana"),
        ("  José-María O’Neil ", "José-María O’Neil"),
        ("小明", "小明"),
        ("अनिता", "अनिता"),
        ("<b>Bob</b>", "bBobb"),
        ("12345", ""),
        ("!!!", ""),
        ("x" * 60, "x" * 24),
        ("evil\u202ename", "evil name"),
    ],
)
def test_names_are_fit_to_be_shown_and_spoken(name: str, wanted: str):
    assert clean_name(name) == wanted


def test_messages_are_one_visible_line():
    assert clean_text("a\nb\tc\u0000d\u200b e" + "x" * 500, 20) == "a b c d exxxxxxxxxxx"
