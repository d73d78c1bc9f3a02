"""Products' pictures as every chat service takes them: JPEG, opaque, of a sensible size."""

import asyncio
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from commerce.shop import Shop

_LONGEST_PX = 1280
_MOST_KEPT = 64
_QUALITY = 86


class Photos:
    """Paints each picture once and keeps the latest ones. One event loop.

    Args:
        shop: Has the pictures.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._kept: dict[tuple[str, float], bytes] = {}
        self._turn = asyncio.Lock()

    async def photo(self, sku: str) -> bytes | None:
        """A product's picture as JPEG; None when it has none that can be painted."""
        found = await self._shop.picture(sku)
        if found is None:
            return None
        key = (sku, await asyncio.to_thread(_changed_at, found))
        # One at a time: whoever asks for all of them gets no more than one thread.
        async with self._turn:
            if key not in self._kept:
                painted = await asyncio.to_thread(_painted, found)
                if painted is None:
                    return None
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = painted
            return self._kept[key]


def _changed_at(picture: Path | bytes) -> float:
    return picture.stat().st_mtime if isinstance(picture, Path) else float(len(picture))


def _painted(picture: Path | bytes) -> bytes | None:
    source = picture if isinstance(picture, Path) else io.BytesIO(picture)
    try:
        with Image.open(source) as image:
            image.thumbnail((_LONGEST_PX, _LONGEST_PX))
            whole = image.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError):
        return None
    opaque = Image.new("RGB", whole.size, "white")
    opaque.paste(whole, mask=whole.getchannel("A"))
    written = io.BytesIO()
    opaque.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
