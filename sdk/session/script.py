"""The script: one round after another through the catalogue, with other words each time."""

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avatar_engine.types import Mark
from sdk.errors import QueueFullError, SessionError
from sdk.session.director import Director
from sdk.session.protocols import Counter
from sdk.session.speech import Speech
from sdk.types.session import Priority, Utterance

log = logging.getLogger(__name__)

_GREETING = (Mark(0, "emotion", "happy"), Mark(0, "act", "wave"))
_FAREWELL = (Mark(0, "emotion", "happy"), Mark(0, "act", "smile"))
_RETRY_S = 0.5  # while viewers' questions fill the queue


@dataclass(frozen=True, slots=True)
class ScriptConfig:
    """How the show runs.

    Attributes:
        breath_s: Silence between two products.
        rest_s: Silence between two rounds.
        empty_s: With nothing to sell, how long until the catalogue is looked at again.
        seed: Of the first round; each round adds one.
        rounds: How many; None for ever.
    """

    breath_s: float = 1.1
    rest_s: float = 4.0
    empty_s: float = 20.0
    seed: int = 0
    rounds: int | None = None


class Script:
    """Walks through the catalogue: opening, a pitch for each product, closing, again.

    Each line is asked of the shop just before it is said, so that prices and stock are those of
    the moment, and a product that sold out meanwhile is skipped. Lines are resumable: whatever
    comes between, the next sentence follows.
    """

    def __init__(
        self, counter: Counter, director: Director, config: ScriptConfig = ScriptConfig()
    ) -> None:
        self._counter = counter
        self._director = director
        self._config = config

    async def run(self) -> None:
        """Speak until cancelled, or until the rounds are over."""
        rounds_done = 0
        while self._config.rounds is None or rounds_done < self._config.rounds:
            try:
                await self._round(self._config.seed + rounds_done, is_first=rounds_done == 0)
            except SessionError as error:
                log.warning("script round ended early", extra={"reason": str(error)})
                await asyncio.sleep(self._config.rest_s)
            rounds_done += 1

    async def _round(self, seed: int, *, is_first: bool) -> None:
        products = [p for p in await self._counter.products() if is_for_sale(p)]
        if is_first:
            await self._speak(await self._counter.opening(seed=seed), marks=_GREETING)
        if not products:
            await asyncio.sleep(self._config.empty_s)
            return
        for product in _in_order(products, seed, is_first=is_first):
            sku = str(product["sku"])
            now = await self._counter.product(sku)
            if now is not None and is_for_sale(now):
                await self._speak(await self._counter.pitch(sku, seed=seed), sku)
                await asyncio.sleep(self._config.breath_s)
        await self._speak(await self._counter.closing(seed=seed), marks=_FAREWELL)
        await asyncio.sleep(self._config.rest_s)

    async def _speak(
        self, text: str, sku: str | None = None, *, marks: tuple[Mark, ...] = ()
    ) -> None:
        if text.strip():
            line = Utterance(
                text, priority=Priority.SCRIPT, product=sku, is_resumable=True, marks=marks
            )
            speech = await self._submitted(line)
            await speech.wait_for_playout()

    async def _submitted(self, line: Utterance) -> Speech:
        while True:
            try:
                return self._director.submit(line)
            except QueueFullError:
                await asyncio.sleep(_RETRY_S)


def is_for_sale(product: Mapping[str, Any]) -> bool:
    """Not sold out; a product whose stock nobody counts is always for sale."""
    stock = product.get("stock")
    return stock is None or int(stock) > 0


def _in_order(
    products: list[Mapping[str, Any]], seed: int, *, is_first: bool
) -> list[Mapping[str, Any]]:
    # The seller's own order opens the show; later rounds are shuffled, so that a viewer who
    # stays hears something else after the closing.
    return products if is_first else random.Random(seed).sample(products, len(products))
