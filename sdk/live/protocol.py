"""HTTP as uvicorn speaks it, with patience that ends: heads and bodies must arrive in time.

uvicorn waits for ever for the rest of a request; whoever sends one byte a minute over many
connections (slowloris) would fill the server with waiting.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIME_S = 10.0
BODY_TIME_S = 30.0
LARGEST_HEAD = 32 * 1024


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection whose request does not come to its end, or whose head is huge."""

    head_time_s = HEAD_TIME_S
    body_time_s = BODY_TIME_S

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on a head is awaited."""
        super().connection_made(transport)
        self._await_within(self.head_time_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head before the parser keeps it."""
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > LARGEST_HEAD:
            self._stop_waiting()
            self.send_400_response("The head of the request is too large.")

    def handle_websocket_upgrade(self) -> None:
        """A socket may be silent as long as it likes."""
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """The first byte of a request on a connection that was idle."""
        super().on_message_begin()
        self._is_in_head = True
        if self._deadline is None:
            self._await_within(self.head_time_s)

    def on_headers_complete(self) -> None:
        """The head is whole; its body gets its own time."""
        self._is_in_head = False
        self._head_bytes = 0
        self._await_within(self.body_time_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._stop_waiting()
        # Whatever follows on this connection is another head.
        self._is_in_head = True
        super().on_message_complete()

    def _await_within(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        # Nobody who sends so slowly waits for an answer.
        self.transport.close()
