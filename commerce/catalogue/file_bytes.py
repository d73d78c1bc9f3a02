"""From a path to text: size, compression and encoding of what sellers send."""

import gzip
import re
import zlib
from pathlib import Path

from commerce.errors import CatalogueFileError

LARGEST_BYTES = 256 * 1024 * 1024
_FOREIGN = (
    (b"PK\x03\x04", "a spreadsheet workbook or an archive; save it as CSV (UTF-8) first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV (UTF-8) first"),
    (b"\x89PNG", "a picture, not a table; give a CSV file"),
    (b"\xff\xd8\xff", "a picture, not a table; give a CSV file"),
    (b"%PDF", "a PDF, not a table; give a CSV file"),
)
_GZIP = b"\x1f\x8b"


def bytes_of(path: Path) -> bytes:
    """A file's content, unpacked when it is gzipped.

    Raises:
        CatalogueFileError: Not there, a folder, too large, or damaged.
    """
    try:
        if path.is_dir():
            raise CatalogueFileError(f"{path} is a folder; give a CSV file")
        if path.stat().st_size > LARGEST_BYTES:
            raise CatalogueFileError(f"{path.name} is larger than 256 MB; split it")
        data = path.read_bytes()
    except FileNotFoundError:
        raise CatalogueFileError(f"{path} is not there; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CatalogueFileError(f"{path} cannot be read: {reason}") from None
    return _unpacked(path) if data.startswith(_GZIP) else data


def _unpacked(path: Path) -> bytes:
    # A few kilobytes may unpack to gigabytes of zeros.
    try:
        with gzip.open(path) as packed:
            data = packed.read(LARGEST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise CatalogueFileError(f"{path.name} is damaged; it cannot be unpacked") from None
    if len(data) > LARGEST_BYTES:
        raise CatalogueFileError(f"{path.name} unpacks to more than 256 MB; split it")
    return data


def decoded(data: bytes, name: str, encoding: str | None = None) -> str:
    """The text of a file, in the encoding it is most likely written in.

    Args:
        data: Its bytes.
        name: For messages.
        encoding: Known for sure.

    Raises:
        CatalogueFileError: No text in any encoding we know.
    """
    for magic, meaning in _FOREIGN:
        if data.startswith(magic):
            raise CatalogueFileError(f"{name} is {meaning}")
    if encoding is not None:
        encodings = [encoding]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data:
        raise CatalogueFileError(f"{name} holds binary data, not a table; give a CSV file")
    else:
        encodings = ["utf-8-sig", *_legacy(data)]
    for candidate in encodings:
        try:
            return data.decode(candidate)
        except (UnicodeDecodeError, LookupError):
            continue
    wanted = f"in {encoding}" if encoding else "in any encoding we know"
    raise CatalogueFileError(f"{name} is not written {wanted}; save it as CSV (UTF-8)")


def _legacy(data: bytes) -> list[str]:
    """Encodings from before Unicode, the likeliest first."""
    if _looks_japanese(data):
        return ["cp932", "cp1252"]
    if not _looks_paired(data):
        return ["cp1252"]
    return ["cp949" if _looks_korean(data) else "gb18030", "cp1252"]


def _looks_paired(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 are rather Chinese or Korean than Windows-1252.

    Nearly all characters of such a text are two high bytes, so high bytes come in even runs; an
    accented letter of a Western one stands between plain letters.
    """
    runs = [len(run) for run in re.findall(rb"[\xa1-\xfe]+", data)]
    paired = sum(length for length in runs if length % 2 == 0)
    return paired > 0.6 * sum(runs)


def _looks_japanese(data: bytes) -> bool:
    """Whether the text reads as Shift-JIS: no Japanese does without kana, and few are half-width.

    Kana are the lead bytes 0x82 and 0x83; in Chinese and Western text those are rare.
    """
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return False
    kana = len(re.findall("[\u3041-\u30ff]", text))
    half_width = len(re.findall("[\uff61-\uff9f]", text))
    high = sum(character > "\x7f" for character in text)
    return kana > 2 * half_width and kana > 0.2 * high


def _looks_korean(data: bytes) -> bool:
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        return False
    hangul = len(re.findall("[\uac00-\ud7a3]", text))
    # Chinese read as Korean gives Hangul and Chinese characters mixed.
    return hangul > 0.9 * sum(character > "\xff" for character in text)
