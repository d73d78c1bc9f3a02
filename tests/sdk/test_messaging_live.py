"""From a signed Telegram update to a spoken, pinned and linked product: the real server."""

import asyncio
import json
import re
import time

import httpx
import pytest
import websockets

from tests.support.chat_service import chat_service
from tests.support.chats import TELEGRAM_TOKEN, dumped, telegram_headers, telegram_update
from tests.support.live_process import ROOT, live_process

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_a_question_in_telegram_is_pitched_live_and_answered_with_a_tracked_link(
    tmp_path, monkeypatch
):
    async with chat_service() as telegram:
        monkeypatch.setenv("LIVEPITCH_TELEGRAM_TOKEN", TELEGRAM_TOKEN)
        monkeypatch.setenv("LIVEPITCH_TELEGRAM_API", telegram.url)
        monkeypatch.setenv("LIVEPITCH_TELEGRAM_NAME", "shop")
        options = ["--persona", str(ROOT / "examples/face.png"), "--port", "0"]
        options += ["--catalogue", str(ROOT / "examples/catalogue.csv")]
        server = live_process(tmp_path, *options)
        live = await asyncio.to_thread(server.__enter__)
        try:
            assert live.announced["hooks"] == ["telegram"]
            await _asked(live.url.rstrip("/"), telegram)
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)


async def _asked(url, telegram):
    socket_url = url.replace("http", "ws") + "/ws/main"
    async with websockets.connect(socket_url) as socket, httpx.AsyncClient() as http:
        body = dumped(telegram_update("@shop any moisturizer for dry skin?"))
        heard = asyncio.create_task(_heard(socket))
        began = time.monotonic()
        answer = await http.post(f"{url}/hooks/telegram", content=body, headers=telegram_headers())
        assert answer.status_code == 200
        events = await asyncio.wait_for(heard, 20)
        assert time.monotonic() - began < 15
        sent, norms = await telegram.wait_for("/sendMessage", 2)
        assert "/privacy" in norms.json["text"]
        again = await http.post(f"{url}/hooks/telegram", content=body, headers=telegram_headers())
        assert again.status_code == 200
        await asyncio.sleep(0.3)
        assert len(telegram.calls("/sendMessage")) == 2, "the pitch and the norms, and no more"
        forged = await http.post(
            f"{url}/hooks/telegram",
            content=body,
            headers={"x-telegram-bot-api-secret-token": "wrong"},
        )
        assert forged.status_code == 401
    spoken = [e["data"]["text"] for e in events if e["type"] == "avatar.speak_started"]
    # The script may have been speaking; it breaks off for the question.
    assert spoken[-2] == "A question from our chat group."
    assert "Dew Face Moisturiser" in spoken[-1]
    pinned = [e["data"]["product"]["sku"] for e in events if e["type"] == "product.pinned"]
    assert pinned[-1] == "moisturiser-dew"
    assert sent.json["chat_id"] == "-100777"
    assert "Dew Face Moisturiser" in sent.json["text"]
    assert "AI" in sent.json["text"]
    assert re.search(rf"{re.escape(url)}/r/[\w-]{{22}}", sent.json["text"])


async def _heard(socket):
    """Every event until the product's name is being said."""
    events = []
    async for raw in socket:
        event = json.loads(raw)
        events.append(event)
        said = event.get("data", {}).get("text", "")
        if event["type"] == "avatar.speak_started" and "We do" in said:
            return events
    return events
