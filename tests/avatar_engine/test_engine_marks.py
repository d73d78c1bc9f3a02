from hypothesis import given
from hypothesis import strategies as st

from avatar_engine.engine.marks import Mark, take_marks


def test_marks_are_blanked_and_listed_with_their_values():
    plain, marks = take_marks('Look <act name="nod"/> here <pin sku="LP-1"/>.')
    assert plain == "Look                   here                  ."
    assert marks == (Mark(5, "act:nod"), Mark(28, "pin:LP-1"))


def test_text_without_marks_is_untouched():
    assert take_marks("5 < 6 and <b>bold</b>") == ("5 < 6 and <b>bold</b>", ())


@given(st.text(max_size=200))
def test_the_length_never_changes(text: str):
    plain, _ = take_marks(text)
    assert len(plain) == len(text)
