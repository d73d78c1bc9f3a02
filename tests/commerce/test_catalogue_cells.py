"""Single cells of a stranger's file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.catalogue import cells


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("  A  mug\n", "A mug"),
        ("<p>One.</p><p>Two &amp; three.</p>", "One. Two & three."),
        ("<script>alert(1)</script>Mug<style>p{}</style>", "Mug"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("Mug\u202egnp.exe\u200b\x07", "Muggnp.exe"),
        ("cafe\u0301", "café"),
        ("保温杯\u3000500ml", "保温杯 500ml"),
        ("-20% hoodie", "-20% hoodie"),
        ("+Size tee", "+Size tee"),
        ("@home mug", "@home mug"),
        ("<img src=x onerror=alert(1)>Lamp", "Lamp"),
        ("<<b>b>x", "<b>x"),
    ],
)
def test_plain_text(cell, text):
    shown = cells.plain_text(cell, 100)
    if text == "<b>x":
        # Nested brackets must not assemble into a tag.
        assert "<b>" not in shown
    else:
        assert shown == text


@pytest.mark.parametrize(
    "cell", ["=1+2", '=HYPERLINK("http://x")', "@SUM(A1)", "+cmd(1)", "-A1+B2", "'=1+2", " =x"]
)
def test_formulas_are_refused(cell):
    with pytest.raises(cells.CellError, match="formula"):
        cells.plain_text(cell, 100)


def test_long_text_is_cut_between_words():
    shown = cells.plain_text("word " * 100, 42)
    assert len(shown) <= 42
    assert shown.endswith("word…")


@given(st.text(max_size=300))
def test_text_never_keeps_controls_or_tags(cell):
    try:
        shown = cells.plain_text(cell, 200)
    except cells.CellError:
        return
    assert len(shown) <= 200
    assert all(character.isprintable() or character == "\u200d" for character in shown)
    assert "<script" not in shown


@pytest.mark.parametrize(
    ("cell", "count"),
    [("12", 12), ("1,200", 1200), ("3.0", 3), ("-2", -2), ("7 pcs", 7), ("5件", 5)],
)
def test_units(cell, count):
    assert cells.units(cell) == count


@pytest.mark.parametrize("cell", ["many", "1.5", "", "99999999999", "1e3", "٣"])
def test_units_that_are_none(cell):
    with pytest.raises(cells.CellError):
        cells.units(cell)


@pytest.mark.parametrize(
    "cell",
    ["../secret.png", "/etc/passwd.png", "C:\\x.png", "a/../../b.png", "..\\..\\x.png", "x.svg",
     "x.exe", "missing.png", "file:///etc/passwd", "ftp://h/x.png", "javascript:alert(1)",
     "data:image/png;base64,AA", "http://user:pw@host/x.png", "https:///x.png", "http://h/a b.png",
     "x\x00.png", "link.png"],
)  # fmt: skip
def test_pictures_cannot_leave_the_folder(cell, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(cells.CellError):
        cells.picture(cell, folder)


def test_pictures_beside_the_file_and_on_the_web(tmp_path):
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "a.PNG").write_bytes(b"x")
    assert cells.picture("pics\\a.PNG", tmp_path) == "pics/a.PNG"
    assert cells.picture(" https://h/x?y=1,2 ", tmp_path) == "https://h/x?y=1,2"


def test_tags_split_and_keep_their_first_spelling():
    assert cells.words_list("Tea, tea; Gift|绿茶，茶") == ["Tea", "Gift", "绿茶", "茶"]
