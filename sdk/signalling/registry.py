"""Who is connected; and the broom that sweeps out those who left without a word."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from sdk.errors import SessionError, SignallingError
from sdk.media import Broadcaster
from sdk.signalling.config import WhepConfig
from sdk.signalling.offer import Offer
from sdk.signalling.peer import Peer

_SWEEP_S = 1.0


class PeerRegistry:
    """All peers of one router. Holds no task while nobody is connected."""

    def __init__(self, config: WhepConfig) -> None:
        self._config = config
        self._peers: dict[tuple[str, str], Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._peers)

    def find(self, session: str, viewer_id: str) -> Peer:
        """A connected viewer.

        Raises:
            SignallingError: 404 there is none of that name.
        """
        peer = self._peers.get((session, viewer_id))
        if peer is None:
            raise SignallingError(404, "no such viewer; it may have left")
        return peer

    async def open(self, session: str, offer: Offer, broadcaster: Broadcaster) -> Peer:
        """Answer an offer.

        Raises:
            SignallingError: 503 the house is full; 404 the broadcast has ended; or what
                ``Peer.negotiate`` raises.
        """
        if len(self._peers) >= self._config.max_viewers:
            raise SignallingError(503, f"all {self._config.max_viewers} seats are taken")
        try:
            peer = Peer(offer, broadcaster, self._config, lambda p: self._lose(session, p))
            self._peers[session, peer.viewer_id] = peer
            try:
                await peer.negotiate()
            except BaseException:
                await self.close(session, peer.viewer_id)
                raise
        except SessionError as error:
            raise SignallingError(404, str(error)) from error
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep(), name="whep sweeper")
        return peer

    async def close(self, session: str, viewer_id: str) -> None:
        """End one viewer's connection; nothing happens when it is already gone."""
        peer = self._peers.pop((session, viewer_id), None)
        if peer is not None:
            await peer.aclose()
        if not self._peers:
            await self._stop_sweeper()

    async def aclose(self) -> None:
        """End every connection."""
        await asyncio.gather(*(self.close(*name) for name in tuple(self._peers)))
        await self._stop_sweeper()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _lose(self, session: str, peer: Peer) -> None:
        self._spawn(self.close(session, peer.viewer_id))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        while self._peers:
            await asyncio.sleep(_SWEEP_S)
            for (session, _), peer in tuple(self._peers.items()):
                if await peer.is_lost():
                    self._lose(session, peer)

    async def _stop_sweeper(self) -> None:
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None and sweeper is not asyncio.current_task():
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper
