import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_engine.errors import MarkError
from avatar_engine.types import ACTS, EMOTIONS, Mark, take_marks


def test_marks_are_blanked_and_listed():
    plain, marks = take_marks("Look <act name=\"nod\"/> here <emotion name='happy' />.")
    assert plain == "Look" + " " * 19 + "here" + " " * 25 + "."
    assert marks == (Mark(5, "act", "nod"), Mark(28, "emotion", "happy"))
    assert [mark.cue_name for mark in marks] == ["act:nod", "emotion:happy"]


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_read(act: str):
    assert take_marks(f'a <act name="{act}"/>')[1] == (Mark(2, "act", act),)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_emotion_is_read(emotion: str):
    assert take_marks(f'<emotion name="{emotion}"/>b')[1] == (Mark(0, "emotion", emotion),)


def test_text_without_marks_is_untouched():
    for text in ("5 < 6 and <b>bold</b>", "one<br/>two", "a <3 b", "actor <3 emotion"):
        assert take_marks(text) == (text, ())


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ('<act name="dance"/>', "unknown act 'dance'"),
        ('<emotion name="furious"/>', "unknown emotion 'furious'"),
        ('<pin sku="LP-1"/>', "unknown mark"),
        ("<act/>", "write <act name"),
        ('<act name="nod" speed="2"/>', "nothing else"),
        ("<act name=nod/>", "no whole mark"),
        ('<act name="nod">', "no whole mark"),
        ('hi <EMOTION name="happy">', "no whole mark"),
        ("</act>", "no whole mark"),
    ],
)
def test_what_is_no_known_mark_is_an_error_in_one_line(text: str, about: str):
    with pytest.raises(MarkError, match=about) as caught:
        take_marks(text)
    assert "\n" not in str(caught.value)


def test_a_cue_of_ones_own_only_tells():
    plain, marks = take_marks('Now <cue name="confetti"/>!')
    assert plain.strip().startswith("Now")
    assert marks[0].cue_name == "cue:confetti"


@given(st.text(max_size=200))
def test_the_length_never_changes(text: str):
    try:
        plain, _ = take_marks(text)
    except MarkError:
        return
    assert len(plain) == len(text)
