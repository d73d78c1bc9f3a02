"""A session's events over its WebSocket, as an async iterator that comes back by itself."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from sdk.errors import NotAllowedError, NotFoundError, RefusedError, UnreachableError
from sdk.types.answers import SessionView
from sdk.types.session import Event, ViewerId

_REFUSED = 4403
_NO_SESSION = 1008
_ENDED = 1001
_PING_S = 20.0
_LARGEST = 4 << 20  # a shelf of two hundred products, with room


class Following:
    """Events of one session; ``async for event in client.events()``.

    The connection is made with the first event that is asked for, or by entering it. When it
    breaks it is made anew; what happened meanwhile is lost, but ``state`` is whole again.

    Args:
        address: Of the socket's HTTP twin, such as ``http://127.0.0.1:8010/ws/main``.
        token: The seller's token or a viewer's ticket.
        tries: Connections in a row that may fail before ``UnreachableError`` is raised.
    """

    def __init__(self, address: str, token: str | None = None, *, tries: int = 6) -> None:
        self._address = address.replace("http", "ws", 1)
        if token is not None:
            self._address += f"?ticket={quote(token, safe='')}"
        self._shown = address
        self._tries = tries
        self._socket: ClientConnection | None = None
        self._events: AsyncGenerator[Event, None] | None = None
        self._is_closed = False
        self.viewer: ViewerId | None = None
        """Who we are in the room, once connected."""
        self.state: SessionView | None = None
        """The session as it was when the connection was made."""

    async def __aenter__(self) -> Self:
        await self._connected()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop following."""
        self._is_closed = True
        if self._events is not None:
            await self._events.aclose()
        if self._socket is not None:
            await self._socket.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        if self._events is None:
            self._events = self._followed()
        return self._events

    async def write(self, text: str, name: str = "") -> None:
        """Write in the room's chat, as a viewer would; the avatar answers what is a question.

        Raises:
            NotAllowedError, NotFoundError, UnreachableError: There is no connection to be had.
        """
        socket = await self._connected()
        await socket.send(json.dumps({"v": 1, "type": "chat", "text": text, "name": name}))

    async def _followed(self) -> AsyncGenerator[Event, None]:
        while not self._is_closed:
            socket = await self._connected()
            try:
                async for raw in socket:
                    if (event := _event_of(raw)) is not None:
                        yield event
            except ConnectionClosed as closed:
                await socket.wait_closed()
                self._judge(closed)
            self._socket = None
            if socket.close_code == _ENDED:
                return  # the session has ended

    async def _connected(self) -> ClientConnection:
        if self._socket is not None:
            return self._socket
        problem = "the connection broke"
        for attempt in range(self._tries):
            try:
                socket = await connect(
                    self._address, max_size=_LARGEST, ping_interval=_PING_S, proxy=None
                )
                await self._welcome(socket)
            except ConnectionClosed as closed:
                self._judge(closed)
            except (OSError, InvalidHandshake, TimeoutError) as error:
                problem = type(error).__name__
            else:
                self._socket = socket
                return socket
            await asyncio.sleep(min(5.0, 0.2 * 2**attempt))
        raise UnreachableError(f"{self._shown} does not answer: {problem}")

    async def _welcome(self, socket: ClientConnection) -> None:
        try:
            welcome = json.loads(await socket.recv())
            self.viewer = ViewerId(welcome["viewer"])
            self.state = SessionView.model_validate(welcome["data"])
        except ConnectionClosed:
            await socket.wait_closed()
            raise
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            await socket.close()
            raise RefusedError(200, f"{self._shown} is no session of this service") from error

    def _judge(self, closed: ConnectionClosed) -> None:
        """Raise where coming back is useless."""
        received = closed.rcvd
        if received is not None and received.code == _REFUSED:
            raise NotAllowedError(401, received.reason or "the ticket is missing or has ended")
        if received is not None and received.code == _NO_SESSION:
            raise NotFoundError(404, received.reason or "no such session")


def _event_of(raw: str | bytes) -> Event | None:
    """The event in a message; None for what answers us alone, such as a pong."""
    message: dict[str, Any] = json.loads(raw)
    if "event_id" not in message:
        return None
    return Event(
        type=message["type"],
        data=message["data"],
        event_id=message["event_id"],
        source_event_id=message["source_event_id"],
        turn_id=message["turn_id"],
        generation=message["generation"],
        ts=datetime.fromisoformat(message["ts"]),
    )
