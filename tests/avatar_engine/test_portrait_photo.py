"""Every kind of file a seller may bring."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_engine.errors import PhotoError
from avatar_engine.portrait import read_photo

FACE = Path(__file__).parents[2] / "examples" / "face.png"
RED, BLUE = (200, 30, 30), (30, 40, 200)


def picture(mode: str = "RGB") -> Image.Image:
    """Left red, right blue, 40 x 20."""
    left = Image.new("RGB", (40, 20), RED)
    left.paste(BLUE, (20, 0, 40, 20))
    return left.convert(mode)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One piece of a PNG file."""
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def close(pixel: np.ndarray, colour: tuple[int, ...], tolerance: int = 12) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= tolerance)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (picture(), "PNG"),
        (picture(), "JPEG"),
        (picture(), "WEBP"),
        (picture(), "BMP"),
        (picture(), "TIFF"),
        (picture("P"), "PNG"),
        (picture("CMYK"), "JPEG"),
        (picture("CMYK"), "TIFF"),
        (picture("RGBA"), "PNG"),
    ],
)
def test_colours_survive_every_container(image: Image.Image, kind: str) -> None:
    read = read_photo(encoded(image, kind))
    assert read.dtype == np.uint8
    assert read.shape == (20, 40, 3)
    assert close(read[10, 5], RED, 30)
    assert close(read[10, 35], BLUE, 30)


@pytest.mark.parametrize("tag", [1, 2, 3, 4, 5, 6, 7, 8])
def test_rotation_tags_are_applied(tag: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = tag
    read = read_photo(encoded(picture(), "JPEG", exif=exif, quality=95))
    # Where the stored top-left corner (red) must be shown, by the EXIF standard.
    row, column = {
        1: (2, 2), 2: (2, -3), 3: (-3, -3), 4: (-3, 2),
        5: (2, 2), 6: (2, -3), 7: (-3, -3), 8: (-3, 2),
    }[tag]  # fmt: skip
    assert read.shape == ((20, 40, 3) if tag < 5 else (40, 20, 3))
    assert close(read[row, column], RED, 30)


def test_grey_and_sixteen_bit_keep_their_brightness() -> None:
    grey = np.full((20, 30), 128, np.uint8)
    deep = np.full((20, 30), 32896, np.uint16)
    assert close(read_photo(encoded(Image.fromarray(grey)))[5, 5], (128,) * 3, 1)
    assert close(read_photo(encoded(Image.fromarray(deep)))[5, 5], (128,) * 3, 1)
    assert close(read_photo(encoded(Image.fromarray(deep), "TIFF"))[5, 5], (128,) * 3, 1)
    bits = Image.new("1", (30, 20), 1)
    assert close(read_photo(encoded(bits))[5, 5], (255,) * 3, 1)


def test_sixteen_bit_colour() -> None:
    row = b"\0" + struct.pack(">3H", 200 * 257, 30 * 257, 30 * 257) * 4

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(row * 3)) + chunk(b"IEND", b"")
    assert close(read_photo(png)[1, 1], RED, 1)


def test_transparency_stands_before_light_grey() -> None:
    cutout = picture("RGBA")
    cutout.putalpha(Image.new("L", cutout.size, 0))
    assert close(read_photo(encoded(cutout))[5, 5], (216, 216, 216), 1)
    palette = picture("P")
    index = palette.getpixel((0, 0))
    assert close(read_photo(encoded(palette, transparency=index))[5, 5], (216, 216, 216), 1)


def test_an_animation_gives_its_first_frame() -> None:
    other = Image.new("RGB", (40, 20), (0, 255, 0))
    moving = encoded(picture(), "GIF", save_all=True, append_images=[other])
    assert close(read_photo(moving)[10, 5], RED, 30)


def test_a_path_and_its_content_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(picture()))
    assert np.array_equal(read_photo(path), read_photo(str(path)))
    assert np.array_equal(read_photo(path), read_photo(path.read_bytes()))


def reason(content: bytes | Path) -> str:
    with pytest.raises(PhotoError) as refused:
        read_photo(content)
    text = str(refused.value)
    assert "\n" not in text
    assert ";" in text, "a refusal ends with the next step"
    return refused.value.reason


def test_what_is_missing_or_no_picture(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.jpg") == "not_found"
    assert reason(tmp_path) == "not_a_picture"
    assert reason(b"") == "not_a_picture"
    assert reason(b"%PDF-1.4 not a photo") == "not_a_picture"
    assert reason(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "not_a_picture"
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == "not_a_picture"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_half_a_file_is_truncated(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    assert reason(whole[: max(12, int(len(whole) * share))]) == "truncated"


def test_progressive_jpeg_cut_in_half() -> None:
    whole = encoded(Image.open(FACE).convert("RGB"), "JPEG", progressive=True)
    assert reason(whole[: len(whole) // 2]) == "truncated"


@pytest.mark.parametrize("side", [8000, 15000, 60000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    # No pixel follows: had anything been decoded, the verdict would be "truncated".
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
    assert reason(bomb) == "too_large"
