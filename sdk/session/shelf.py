"""The shelf: the products as the pages know them, the pinned one, and their live stock."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from sdk.errors import SessionError
from sdk.session.events import EventHub
from sdk.session.protocols import Counter

log = logging.getLogger(__name__)

PINNED_WATCH_S = 2.0
"""How often the stock of the pinned product is read."""

_ROUNDS_PER_SHELF = 10  # and in every tenth round that of all others


class Shelf:
    """Keeps what was read last, tells what changed. Event loop only.

    Args:
        counter: The shop.
        hub: Where ``product.*`` events go.
        watch_s: Seconds between two looks at the pinned product.
    """

    def __init__(self, counter: Counter, hub: EventHub, *, watch_s: float = PINNED_WATCH_S) -> None:
        self._counter = counter
        self._hub = hub
        self._watch_s = watch_s
        self._products: dict[str, Mapping[str, Any]] = {}
        self._pinned: str | None = None
        self._look = asyncio.Event()

    @property
    def products(self) -> list[Mapping[str, Any]]:
        """Everything as last read, in the catalogue's order."""
        return list(self._products.values())

    @property
    def pinned(self) -> str | None:
        """The SKU on the pages now."""
        return self._pinned

    @property
    def pinned_product(self) -> Mapping[str, Any] | None:
        """The product on the pages now."""
        return self._products.get(self._pinned) if self._pinned else None

    async def load(self) -> None:
        """Read everything."""
        self._products = {str(p["sku"]): p for p in await self._counter.products()}

    def known(self, sku: str) -> str:
        """The SKU itself.

        Raises:
            SessionError: No product has it.
        """
        if sku not in self._products:
            some = ", ".join(list(self._products)[:3]) or "the catalogue is empty"
            raise SessionError(f"no product has the SKU {sku!r}; known are, for example: {some}")
        return sku

    def name_of(self, sku: str) -> str:
        """A product's title; empty for one that is gone."""
        return str(self._products.get(sku, {}).get("title", ""))

    def pin(self, sku: str | None) -> None:
        """Put a product on the pages; None, or one that is gone, takes it away."""
        pinned = sku if sku in self._products else None
        if pinned != self._pinned:
            self._pinned = pinned
            self._hub.emit("product.pinned", {"product": self.pinned_product})
            self._look.set()

    async def watch(self) -> None:
        """Follow the stock until cancelled: at once after a pin, and then regularly."""
        rounds = 0
        while True:
            self._look.clear()
            try:
                async with asyncio.timeout(self._watch_s):
                    await self._look.wait()
            except TimeoutError:
                rounds += 1
            is_for_all = rounds >= _ROUNDS_PER_SHELF
            rounds = 0 if is_for_all else rounds
            try:
                await self._look_at(is_for_all)
            except SessionError as error:  # the next look may find it
                log.warning("stock not read", extra={"reason": str(error)})

    async def _look_at(self, is_for_all: bool) -> None:
        if is_for_all:
            for product in await self._counter.products():
                self._notice(product)
        elif self._pinned is not None:
            product_now = await self._counter.product(self._pinned)
            if product_now is not None:
                self._notice(product_now)

    def _notice(self, product: Mapping[str, Any]) -> None:
        sku = str(product["sku"])
        if self._products.get(sku) != product:
            self._products[sku] = product
            self._hub.emit("product.changed", {"product": product})
