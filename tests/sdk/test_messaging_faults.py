"""What goes wrong on the way, against the real server: nothing is lost and nothing breaks."""

import asyncio
import contextlib
import gzip
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from commerce.errors import DatabaseError
from commerce.shop import Shop
from sdk.live.access import Access
from sdk.live.gate import Gate
from sdk.live.protocol import PatientProtocol
from sdk.live.server import LiveServer, address_of, listen
from sdk.messaging.channels.line import Line
from sdk.messaging.channels.slack import Slack
from sdk.messaging.channels.telegram import Telegram
from sdk.messaging.routes import LARGEST_BODY, messaging_routes
from tests.support.chats import (
    SECRET,
    TELEGRAM_TOKEN,
    dumped,
    hmac_b64,
    hmac_hex,
    telegram_headers,
    telegram_update,
)

pytestmark = pytest.mark.asyncio
PATIENCE_S = 0.6


class House:
    """A served letterbox with a clock that can be set."""

    def __init__(self, shop, http, url):
        self.shop, self.http, self.url = shop, http, url
        self.skew = timedelta()

    def now(self):
        return datetime.now(UTC) + self.skew

    async def telegram(self, update, headers=None, content=None):
        body = dumped(update) if content is None else content
        return await self.http.post(
            f"{self.url}/hooks/telegram", content=body, headers=headers or telegram_headers()
        )

    async def slack(self, event_id="Ev1", at=None):
        timestamp = str(int(at or time.time()))
        event = {"type": "app_mention", "channel": "C", "user": "U", "text": "tea?", "ts": "1.1"}
        body = dumped({"type": "event_callback", "event_id": event_id, "event": event})
        signature = "v0=" + hmac_hex(SECRET, b"v0:" + timestamp.encode() + b":" + body)
        headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
        return await self.http.post(f"{self.url}/hooks/slack", content=body, headers=headers)

    async def kept(self):
        return sum((await self.shop.letterbox.inbox.counts()).values())

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])


@pytest_asyncio.fixture
async def house(tmp_path, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "head_time_s", PATIENCE_S)
    monkeypatch.setattr(PatientProtocol, "body_time_s", 4 * PATIENCE_S)
    async with contextlib.AsyncExitStack() as exits:
        shop = await exits.enter_async_context(Shop.open(str(tmp_path / "shop.db")))
        out = await exits.enter_async_context(httpx.AsyncClient())
        http = await exits.enter_async_context(httpx.AsyncClient(timeout=20))
        listener = listen("127.0.0.1", 0)
        exits.callback(listener.close)
        house = House(shop, http, address_of(listener, "127.0.0.1"))
        channels = [
            Telegram(TELEGRAM_TOKEN, out, username="shop"),
            Line(SECRET, "access", out),
            Slack(SECRET, "xoxb", out, bot_user="UBOT"),
        ]
        app = FastAPI()
        app.include_router(
            messaging_routes(channels, shop.letterbox.inbox, now=house.now, body_time_s=PATIENCE_S)
        )
        server = LiveServer(Gate(app, Access("127.0.0.1")), listener)
        serving = asyncio.create_task(server.serve())
        await server.started()
        try:
            yield house
        finally:
            server.stop()
            await serving


async def test_a_service_may_call_by_any_host_name_and_nobody_else_may(house):
    headers = {**telegram_headers(), "host": "live.example.com"}
    assert (await house.telegram(telegram_update("hi"), headers)).status_code == 200
    page = await house.http.get(f"{house.url}/", headers={"host": "live.example.com"})
    assert page.status_code == 421


async def test_duplicates_at_once_and_later_are_kept_once(house):
    update = telegram_update("@shop tea?")
    answers = await asyncio.gather(*[house.telegram(update) for _ in range(20)])
    assert {answer.status_code for answer in answers} == {200}
    assert (await house.telegram(update)).status_code == 200
    assert await house.kept() == 1


async def test_reordered_and_delayed_updates_are_all_kept(house):
    hour_ago = time.time() - 3600
    for number in (3, 1, 2):
        update = telegram_update("@shop tea?", update=number, date=hour_ago + number)
        assert (await house.telegram(update)).status_code == 200
    assert await house.kept() == 3
    old = telegram_update("@shop tea?", update=9, date=time.time() - 90_000)
    assert (await house.telegram(old)).status_code == 200
    assert await house.kept() == 3, "a day later nobody waits for an answer"


@pytest.mark.parametrize(("minutes", "status"), [(-10, 401), (-4, 200), (4, 200), (10, 401)])
async def test_a_clock_that_is_ten_minutes_off_is_told_and_four_are_forgiven(
    house, minutes, status
):
    house.skew = timedelta(minutes=minutes)
    answer = await house.slack()
    assert answer.status_code == status
    if status == 401:
        assert "clock" in answer.json()["detail"]


async def test_a_truncated_body_is_not_kept(house):
    body = dumped(telegram_update("@shop tea?"))
    head = (
        "POST /hooks/telegram HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {telegram_headers()['x-telegram-bot-api-secret-token']}"
        "\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(head.encode() + body[: len(body) // 2])
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.2)
    cut = await house.telegram(None, content=body[: len(body) // 2])
    assert cut.status_code == 400
    assert await house.kept() == 0
    assert (await house.telegram(None, content=body)).status_code == 200
    assert await house.kept() == 1
    del reader


async def test_a_packed_body_is_refused_unopened(house):
    body = gzip.compress(b"0" * (50 << 20))
    headers = {**telegram_headers(), "content-encoding": "gzip"}
    answer = await house.telegram(None, headers, body)
    assert answer.status_code == 415
    assert await house.kept() == 0


@pytest.mark.parametrize("charset", ["gb18030", "utf-16", "shift_jis"])
async def test_another_charset_is_refused_although_signed(house, charset):
    body = '{"destination": "U0", "events": [], "名前": "お茶"}'.encode(charset)
    headers = {"x-line-signature": hmac_b64(SECRET, body)}
    answer = await house.http.post(f"{house.url}/hooks/line", content=body, headers=headers)
    assert answer.status_code == 400
    assert "UTF-8" in answer.json()["detail"]


async def test_two_megabytes_are_refused_before_they_arrived_whether_announced_or_not(house):
    body = b"x" * (2 << 20)
    announced = await house.telegram(None, content=body)
    assert announced.status_code == 413

    async def pieces():
        for _ in range(32):
            yield b"x" * (64 << 10)

    unannounced = await house.http.post(
        f"{house.url}/hooks/telegram", content=pieces(), headers=telegram_headers()
    )
    assert unannounced.status_code == 413
    nearly = telegram_update("@shop " + "a" * (LARGEST_BODY - 1000))
    assert (await house.telegram(nearly)).status_code == 200
    assert await house.kept() == 1


async def _trickle(port, first, drops):
    """Seconds until the server has had enough of somebody who sends a byte now and then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(first)
    answer = b""
    with contextlib.suppress(ConnectionError):
        for _ in range(drops):
            writer.write(b"a")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    answer = await reader.read(1000)
                    break
    took = time.monotonic() - began
    writer.close()
    return took, answer


async def test_slow_heads_are_cut_off_and_others_served_meanwhile(house):
    head = b"POST /hooks/telegram HTTP/1.1\r\nHost: x\r\nX-Slow: "
    slow = [asyncio.create_task(_trickle(house.port, head, 100)) for _ in range(100)]
    silent = [asyncio.create_task(_trickle(house.port, b"", 100)) for _ in range(5)]
    await asyncio.sleep(0.2)
    assert (await house.telegram(telegram_update("@shop tea?"))).status_code == 200
    for took, _ in await asyncio.gather(*slow, *silent):
        assert took < 5, "a byte now and then must not hold a connection"
    assert await house.kept() == 1


async def test_a_slow_body_is_told_and_cut_off(house):
    head = b"POST /hooks/telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"
    took, answer = await _trickle(house.port, head, 100)
    assert b" 408 " in answer
    assert took < 5


async def test_an_endless_head_is_refused(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
    with contextlib.suppress(ConnectionError):
        for number in range(200):
            writer.write(b"X-%d: " % number + b"a" * 1000 + b"\r\n")
            await writer.drain()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await reader.read(1000)
    assert b" 200 " not in answer
    writer.close()


async def test_what_could_not_be_kept_gets_no_200_and_is_kept_the_second_time(house):
    inbox = house.shop.letterbox.inbox
    write = inbox._write

    async def broken(rows):
        raise DatabaseError("full", "the disk is full")

    inbox._write = broken
    answer = await house.telegram(telegram_update("@shop tea?"))
    assert answer.status_code == 503
    inbox._write = write
    assert (await house.telegram(telegram_update("@shop tea?"))).status_code == 200
    assert await house.kept() == 1


@pytest.mark.parametrize("path", ["/hooks/whatsapp", "/hooks/", "/hooks/telegram/x", "/hooks/../x"])
async def test_hooks_that_are_not_switched_on_are_not_found(house, path):
    answer = await house.http.post(f"{house.url}{path}", content=b"{}")
    assert answer.status_code in (404, 421)
