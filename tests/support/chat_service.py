"""A chat service's API on loopback: records what it is told, answers as it is taught."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sdk.live.server import QuietServer


@dataclass
class Told:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body or b"{}")


@dataclass
class ChatService:
    """``answers``: the end of a path to a list of (status, headers, JSON); the last one stays."""

    url: str = ""
    told: list[Told] = field(default_factory=list)
    answers: dict[str, list[tuple[int, dict[str, str], Any]]] = field(default_factory=dict)
    delay_s: float = 0.0

    def calls(self, end: str) -> list[Told]:
        return [one for one in self.told if one.path.endswith(end)]

    async def wait_for(self, end: str, count: int = 1, timeout_s: float = 10.0) -> list[Told]:
        async with asyncio.timeout(timeout_s):
            while len(self.calls(end)) < count:  # noqa: ASYNC110  (a test may look)
                await asyncio.sleep(0.01)
        return self.calls(end)

    async def answer(self, request: Request) -> JSONResponse:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.told.append(Told(request.method, request.url.path, headers, body))
        await asyncio.sleep(self.delay_s)
        for end, taught in self.answers.items():
            if request.url.path.endswith(end):
                status, extra, value = taught.pop(0) if len(taught) > 1 else taught[0]
                return JSONResponse(value, status, headers=extra)
        return JSONResponse({"ok": True, "result": {"message_id": 9000 + len(self.told)}})


@contextlib.asynccontextmanager
async def served(app: Any, *, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """An ASGI application on loopback, on any free port unless one is named; its address."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    listener.setblocking(False)
    config = uvicorn.Config(app, log_level="warning", access_log=False, **options)
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await server.is_ready.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


@contextlib.asynccontextmanager
async def chat_service() -> AsyncIterator[ChatService]:
    """A service to write to."""
    service = ChatService()
    methods = ["GET", "POST", "PATCH", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", service.answer, methods=methods)])
    async with served(app, lifespan="off") as url:
        service.url = url
        yield service
