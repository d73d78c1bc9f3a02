"""Writes to chat services: within their limits, patient with their 429s, never for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from sdk.errors import DeliveryError
from sdk.messaging.capabilities import Capabilities

_TIMEOUT = httpx.Timeout(8.0, connect=4.0)
_MOST_TRIES = 4
_LONGEST_WAIT_S = 20.0
_KEPT_CHATS = 2000


class Pace:
    """Spaces messages out: ``burst`` at once, then ``per_s`` each second; who comes waits.

    Args:
        burst: How many may go at once.
        per_s: How many follow each second.
        now: Seconds, monotonic.
    """

    def __init__(
        self, burst: float, per_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_s = per_s
        self._now = now
        # When the next message would be due if they were sent evenly.
        self._free_at = now() - burst / per_s

    def reserve(self) -> float:
        """Take the next place.

        Returns:
            Seconds until it.
        """
        now = self._now()
        self._free_at = max(self._free_at, now - self._burst / self._per_s) + 1 / self._per_s
        return max(0.0, self._free_at - now)

    def pause(self, seconds: float) -> None:
        """Nobody goes for so long: the service said so."""
        self._free_at = max(self._free_at, self._now() + seconds)


class Post:
    """One channel's way out.

    Args:
        client: Open; not closed here.
        limits: Of the channel.
        sleep: Waits; for tests.
        now: Seconds, monotonic.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        limits: Capabilities,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._limits = limits
        self._sleep = sleep
        self._now = now
        self._all = Pace(limits.per_second, limits.per_second, now)
        self._chats: dict[str, Pace] = {}

    async def send(
        self,
        method: str,
        url: str,
        *,
        chat: str = "",
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call the service; the JSON it answers, or nothing.

        Args:
            method: Such as ``POST``.
            url: Whole; never repeated in an error, since it may hold a token.
            chat: Whose limit counts; empty for calls that nobody reads.
            json: Body, as JSON.
            content: Body, as bytes.
            headers: Further ones.

        Raises:
            DeliveryError: Refused for good, or in vain for longer than is sensible.
        """
        problem = "no answer"
        for attempt in range(_MOST_TRIES):
            await self._take_place(chat)
            try:
                response = await self._client.request(
                    method, url, json=json, content=content, headers=headers, timeout=_TIMEOUT
                )
            except httpx.HTTPError as error:
                problem = type(error).__name__
                await self._sleep(0.5 * 2**attempt)
                continue
            if response.is_success:
                return _value(response)
            problem = f"status {response.status_code}"
            if response.status_code == 429:
                wait_s = _retry_after(response)
                if wait_s > _LONGEST_WAIT_S:
                    raise DeliveryError(f"the service wants {wait_s:.0f} s of silence")
                self._pace_of(chat).pause(wait_s)
                continue
            if response.status_code < 500:
                raise DeliveryError(f"refused with {problem}", is_final=True)
            await self._sleep(max(0.5 * 2**attempt, min(_retry_after(response), _LONGEST_WAIT_S)))
        raise DeliveryError(f"not delivered after {_MOST_TRIES} tries: {problem}")

    async def _take_place(self, chat: str) -> None:
        wait_s = max(self._all.reserve(), self._pace_of(chat).reserve() if chat else 0.0)
        if wait_s > _LONGEST_WAIT_S:
            raise DeliveryError("too many messages wait for this chat already")
        if wait_s > 0:
            await self._sleep(wait_s)

    def _pace_of(self, chat: str) -> Pace:
        if not chat:
            return self._all
        if chat not in self._chats:
            if len(self._chats) >= _KEPT_CHATS:
                self._chats.pop(next(iter(self._chats)))
            per_minute = self._limits.per_minute
            self._chats[chat] = Pace(min(per_minute, 5), per_minute / 60, self._now)
        return self._chats[chat]


def _value(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else None
    except ValueError:
        return None


def _retry_after(response: httpx.Response) -> float:
    """Seconds; services tell them in a header or, Telegram and Discord, in the body."""
    shown: object = response.headers.get("retry-after")
    value = _value(response)
    if isinstance(value, dict):
        parameters = value.get("parameters")
        inner = parameters.get("retry_after") if isinstance(parameters, dict) else None
        shown = inner or value.get("retry_after") or shown
    try:
        return max(0.0, float(str(shown))) if shown is not None else 1.0
    except ValueError:
        return 1.0
