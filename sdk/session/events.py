"""The session's news: everybody who listens gets every event, and nobody slow holds the others."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

from sdk.types.session import Event, EventType

_KEPT = 512  # events a listener may lag behind before it loses the oldest


class Subscription:
    """One listener's events, from the moment it subscribed; an async iterator."""

    def __init__(self, hub: "EventHub") -> None:
        self._hub = hub
        self._waiting: deque[Event] = deque(maxlen=_KEPT)
        self._has_news = asyncio.Event()
        self._is_ended = False

    def put(self, event: Event) -> None:
        """Keep an event for the listener; 512 behind, it loses the oldest."""
        self._waiting.append(event)
        self._has_news.set()

    def end(self) -> None:
        """Nothing follows."""
        self._is_ended = True
        self._has_news.set()

    def close(self) -> None:
        """Stop listening."""
        self._hub.forget(self)
        self.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._is_ended:
                self._hub.forget(self)
                raise StopAsyncIteration
            self._has_news.clear()
            await self._has_news.wait()
        return self._waiting.popleft()


class EventHub:
    """Hands each event to every listener, in order. Event loop only."""

    def __init__(self) -> None:
        self._listeners: list[Subscription] = []
        self._last_id = 0
        self._is_closed = False

    def emit(
        self,
        event_type: EventType,
        data: Mapping[str, Any] | None = None,
        *,
        source: Event | None = None,
        turn_id: str = "",
        generation: int = 0,
    ) -> Event:
        """Tell every listener."""
        self._last_id += 1
        event = Event(
            type=event_type,
            data=dict(data or {}),
            event_id=self._last_id,
            source_event_id=source.event_id if source else 0,
            turn_id=turn_id or (source.turn_id if source else ""),
            generation=generation,
        )
        for listener in self._listeners:
            listener.put(event)
        return event

    def subscribe(self) -> Subscription:
        """Listen from now on, until the session closes."""
        subscription = Subscription(self)
        if self._is_closed:
            subscription.end()
        else:
            self._listeners.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Tell this listener nothing more."""
        if subscription in self._listeners:
            self._listeners.remove(subscription)

    def close(self) -> None:
        """End every listener's iteration once it has read what is there."""
        self._is_closed = True
        for listener in self._listeners:
            listener.end()
