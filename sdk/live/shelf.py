"""The shop as a session sees it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from commerce.errors import DatabaseError, UnknownProductError
from commerce.money import Money
from commerce.shop import ProductCard, Shop
from sdk.errors import SessionError

_LANGUAGES = {"en": "en", "cmn": "zh", "yue": "zh", "zh": "zh", "es": "es", "pt": "pt"}
_PITCH_S = 16.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say to a viewer, the product it is about, and what makes two answers one."""

    text: str
    sku: str | None
    key: str


class ShopCounter:
    """Products as JSON-ready mappings, and the words to sell them.

    Args:
        shop: Open.
        session_id: In the addresses of pictures.
        language: Of everything said, such as ``en``.
    """

    def __init__(self, shop: Shop, *, session_id: str, language: str) -> None:
        self._shop = shop
        self._session_id = session_id
        self._language = language
        self._asked = 0

    async def products(self) -> list[Mapping[str, Any]]:
        """Everything that may be shown, in the catalogue's order."""
        with _asking():
            return [self._wire(card) for card in await self._shop.products()]

    async def product(self, sku: str) -> Mapping[str, Any] | None:
        """One product as it is now, or None."""
        with _asking():
            card = await self._shop.product(sku)
        return self._wire(card) if card is not None else None

    async def answer(
        self, text: str, *, context_sku: str | None, viewer_name: str = ""
    ) -> Reply | None:
        """What to say to a viewer's message; None to stay silent."""
        self._asked += 1
        with _asking():
            answer = await self._shop.answer(
                text,
                context_sku=context_sku,
                viewer_name=viewer_name or None,
                language=self._language,
                # Another wording each time, so that the show does not repeat itself.
                seed=self._asked,
            )
        if answer is None:
            return None
        return Reply(answer.text, answer.card.sku if answer.card else None, answer.key)

    async def pitch(self, sku: str, *, seed: int) -> str:
        """A spoken presentation; empty when the product left the shelves meanwhile."""
        try:
            with _asking():
                pitch = await self._shop.pitch(
                    sku, seconds=_PITCH_S, seed=seed, language=self._language
                )
        except UnknownProductError:
            return ""
        return pitch.text

    async def opening(self, *, seed: int) -> str:
        """What the show begins with."""
        return await self._shop.opening(seed=seed, language=self._language)

    async def closing(self, *, seed: int) -> str:
        """What ends one round through the catalogue."""
        return await self._shop.closing(seed=seed, language=self._language)

    def _wire(self, card: ProductCard) -> dict[str, Any]:
        # Never an address elsewhere: viewers shall not be seen by a stranger's server.
        image = f"/media/{quote(self._session_id)}/{quote(card.sku, safe='')}"
        return {
            "sku": card.sku,
            "title": card.title,
            "description": card.description,
            "brand": card.brand,
            "variant": card.variant,
            "category": card.category,
            "tags": list(card.tags),
            "price": _money(card.price),
            "compare_at": _money(card.compare_at) if card.compare_at is not None else None,
            "stock": card.stock if card.tracks_stock else None,
            "stock_version": card.stock_version,
            "image": image if card.image is not None else None,
            "url": card.url,
        }


def language_of(voice: str) -> str:
    """The shop's language for a voice such as ``espeak:en-us``; English where it has no words."""
    tag = voice.partition(":")[2].lower().replace("_", "-").partition("-")[0]
    return _LANGUAGES.get(tag, "en")


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise SessionError(f"the shop cannot be asked now: {error}") from error


def _money(money: Money) -> dict[str, Any]:
    return {"minor": money.minor, "currency": money.currency, "text": money.display()}
