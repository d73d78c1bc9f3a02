"""Whatever a seller calls a photo becomes an upright RGB picture, or a typed refusal."""

import io
import struct
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from avatar_engine.errors import PhotoError

MAX_PIXELS = 50_000_000

# No EPS, PDF or video: those formats start other programs or hold no photo.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)
_BEHIND_CUTOUTS = (216, 216, 216)  # light neutral grey: hair of any colour keeps an edge


def read_photo(photo: str | Path | bytes) -> NDArray[np.uint8]:
    """Read a photo the right way up.

    Rotation tags are applied, transparent parts stand before light grey, grey, palette, CMYK and
    16-bit pictures become 8-bit sRGB, an animation gives its first frame.

    Args:
        photo: A file's path, or its content.

    Returns:
        [H, W, 3] uint8 sRGB.

    Raises:
        PhotoError: ``not_found``, ``not_a_picture``, ``truncated``, or ``too_large`` (judged by
            the header, before a pixel is decoded).
    """
    name, content = _content(photo)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of decompression bombs and odd tags: judged here
        with _opened(name, content) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise _too_large(name, f"{width} x {height} is {width * height / 1e6:.0f}")
            try:
                picture.load()
            except _DAMAGED as broken:
                raise _truncated(name) from broken
            return np.array(_upright_rgb(picture), np.uint8)


def _content(photo: str | Path | bytes) -> tuple[str, bytes]:
    if isinstance(photo, bytes):
        return "the photo", photo
    path = Path(photo)
    if path.is_dir():
        raise PhotoError("not_a_picture", f"{path} is a folder; name one photo in it")
    try:
        return path.name, path.read_bytes()
    except FileNotFoundError:
        raise PhotoError("not_found", f"{path}: no such photo; check the path") from None
    except OSError as denied:
        raise PhotoError(
            "not_found", f"{path} cannot be opened ({denied.strerror}); check its permissions"
        ) from denied


def _opened(name: str, content: bytes) -> Image.Image:
    Image.init()
    known = [name for name in _FORMATS if name in Image.OPEN]  # a build may lack AVIF
    try:
        return Image.open(io.BytesIO(content), formats=known)
    except Image.DecompressionBombError:
        raise _too_large(name, "it holds more than 170") from None
    except UnidentifiedImageError as unknown:
        if content.startswith(_SIGNATURES):
            raise _truncated(name) from unknown
        size = f"{len(content)} bytes" if content else "an empty file"
        raise PhotoError(
            "not_a_picture",
            f"{name} ({size}) is not a picture this program reads; save it as JPEG or PNG",
        ) from unknown
    except _DAMAGED as broken:
        raise _truncated(name) from broken


def _truncated(name: str) -> PhotoError:
    return PhotoError("truncated", f"{name} ends too early or is damaged; copy the file again")


def _too_large(name: str, how_large: str) -> PhotoError:
    return PhotoError(
        "too_large",
        f"{name}: {how_large} megapixels, more than {MAX_PIXELS // 1_000_000}; scale it down",
    )


def _upright_rgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    with suppress(*_DAMAGED):  # a broken tag says nothing; the pixels are fine
        picture = ImageOps.exif_transpose(picture)
    picture = _eight_bit(picture)
    if profile:
        picture = _to_srgb(picture, profile)
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        cutout = picture.convert("RGBA")
        behind = Image.new("RGBA", cutout.size, (*_BEHIND_CUTOUTS, 255))
        picture = Image.alpha_composite(behind, cutout)
    return picture.convert("RGB")


def _eight_bit(picture: Image.Image) -> Image.Image:
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture, np.float64)
    top = values.max(initial=0.0)
    # 16-bit scanners and cameras fill 0..65535; floats are 0..1; small integers are 8-bit already.
    scale = 1.0 if 1.0 < top <= 255.0 else 255.0 if top <= 1.0 else 1 / 257.0
    return Image.fromarray(np.clip(values * scale + 0.5, 0, 255).astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    if picture.mode not in ("RGB", "CMYK", "L"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return picture
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a profile that does not fit its picture is worth less than none
    return picture if converted is None else converted
