"""Telegram's Bot API on loopback: updates by long polling, every other method remembered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.chat_service import served


@dataclass
class BotApi:
    """As a person in the chats sees it: ``write`` something, ``read`` what the bot sends."""

    token: str
    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    webhook: str = "https://old.example/hook"
    _updates: list[dict[str, Any]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, update: dict[str, Any]) -> None:
        self._updates.append(update)
        self._news.set()

    def sent(self, chat: int) -> list[str]:
        """Texts and captions that the bot wrote in a chat."""
        found = [facts for method, facts in self.calls if method in ("sendMessage", "sendPhoto")]
        mine = [facts for facts in found if str(facts["chat_id"]) == str(chat)]
        return [facts.get("text") or facts.get("caption") for facts in mine]

    async def read(self, chat: int, count: int, timeout_s: float = 15.0) -> list[str]:
        """What the bot wrote in a chat, once there are so many."""
        async with asyncio.timeout(timeout_s):
            while len(self.sent(chat)) < count:  # noqa: ASYNC110  (a test may look)
                await asyncio.sleep(0.02)
        return self.sent(chat)

    async def answer(self, request: Request) -> JSONResponse:
        if request.path_params["token"] != self.token:
            return JSONResponse({"ok": False, "error_code": 401}, 401)
        method = request.path_params["method"]
        facts = await request.json() if await request.body() else {}
        if method == "getUpdates":
            return await self._polled(facts)
        self.calls.append((method, facts))
        result: Any = {"message_id": 9000 + len(self.calls)}
        if method == "deleteWebhook":
            self.webhook, result = "", True
        if method == "setWebhook":
            self.webhook, result = facts["url"], True
        if method == "getMe":
            result = {"id": 1, "is_bot": True, "username": "shop"}
        return JSONResponse({"ok": True, "result": result})

    async def _polled(self, facts: dict[str, Any]) -> JSONResponse:
        if self.webhook:
            return JSONResponse({"ok": False, "error_code": 409}, 409)
        # An offset confirms everything before it, as Telegram has it.
        self._updates = [u for u in self._updates if u["update_id"] >= facts.get("offset", 0)]
        if not self._updates:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, facts.get("timeout", 0))):
                    await self._news.wait()
        return JSONResponse({"ok": True, "result": self._updates})


@contextlib.asynccontextmanager
async def bot_api(token: str) -> AsyncIterator[BotApi]:
    """A Bot API for one token."""
    api = BotApi(token)
    route = Route("/bot{token}/{method}", api.answer, methods=["GET", "POST"])
    async with served(Starlette(routes=[route]), lifespan="off") as url:
        api.url = url
        yield api
