"""``WS /ws/{session}``: the session's news out, the viewer's chat in."""

import asyncio
import contextlib
import secrets
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from sdk.live.limits import TokenBucket
from sdk.live.wire import ChatMessage, ViewerMessage
from sdk.session import Session, Subscription
from sdk.types.session import ViewerId

_MOST_VIEWERS = 1000
_MOST_BYTES = 4096
_MOST_ERRORS = 5  # unreadable messages before a socket is closed
_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013


def viewer_socket(sessions: dict[str, Session], boot: str) -> APIRouter:
    """The route of the viewers' sockets.

    Args:
        sessions: By name.
        boot: Another one after every start of the server, so that a page knows to call anew.
    """
    router = APIRouter()
    present: set[WebSocket] = set()

    @router.websocket("/ws/{session_id}")
    async def follow(socket: WebSocket, session_id: str) -> None:
        await socket.accept()
        session = sessions.get(session_id)
        if session is None:
            await socket.close(_POLICY_VIOLATION, "no such session")
            return
        if len(present) >= _MOST_VIEWERS:
            await socket.close(_TRY_AGAIN_LATER, "the room is full")
            return
        present.add(socket)
        viewer = ViewerId(f"v{secrets.token_hex(6)}")
        news = session.events()
        try:
            snapshot = session.snapshot() | {"boot": boot}
            await socket.send_json({"v": 1, "type": "welcome", "viewer": viewer, "data": snapshot})
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_tell(socket, news))
                tasks.create_task(_listen(socket, session, viewer, news))
        except* (WebSocketDisconnect, RuntimeError):
            pass  # the viewer left, perhaps in the middle of a sentence
        finally:
            news.close()
            present.discard(socket)

    return router


async def _tell(socket: WebSocket, news: Subscription) -> None:
    async for event in news:
        await socket.send_json(event.to_wire())
    with contextlib.suppress(RuntimeError):
        await socket.close(1001, "the session has ended")


async def _listen(
    socket: WebSocket, session: Session, viewer: ViewerId, news: Subscription
) -> None:
    pace = TokenBucket(burst=4, every_s=2.0)
    errors = 0
    try:
        while True:
            try:
                raw = await socket.receive_text()
            except KeyError:
                raw = ""  # bytes, which no page of ours sends
            try:
                if len(raw) > _MOST_BYTES:
                    raise ValueError(f"more than {_MOST_BYTES} characters")
                message = ViewerMessage.validate_json(raw)
            except (ValidationError, ValueError) as error:
                errors += 1
                await socket.send_json(_refused("unreadable", _first_line(error)))
                if errors >= _MOST_ERRORS:
                    await socket.close(_POLICY_VIOLATION, "too many unreadable messages")
                    return
                continue
            if not isinstance(message, ChatMessage):
                await socket.send_json({"v": 1, "type": "pong", "data": {}})
            elif pace.take():
                await session.chat.receive(message.text, viewer=viewer, name=message.name)
            else:
                await socket.send_json(_refused("too_fast", "wait a moment"))
    finally:
        news.close()


def _refused(reason: str, detail: str) -> dict[str, Any]:
    return {"v": 1, "type": "chat.refused", "data": {"reason": reason, "detail": detail}}


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error)
