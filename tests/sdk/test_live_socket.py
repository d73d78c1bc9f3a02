"""The viewers' socket, over a real server."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from sdk.live.access import Access
from tests.support.fake_live import fake_live

pytestmark = pytest.mark.loopback


async def next_of(socket, *types: str):
    async with asyncio.timeout(40):
        async for raw in socket:
            event = json.loads(raw)
            if event["type"] in types:
                return event
    raise AssertionError(f"closed before {types}")


def chat(text: str, name: str = "") -> str:
    return json.dumps({"v": 1, "type": "chat", "text": text, "name": name})


def socket_of(address: str, query: str = "") -> str:
    return address.replace("http", "ws") + "/ws/main" + query


@pytest.mark.asyncio
async def test_a_viewer_is_welcomed_asks_and_is_answered():
    async with fake_live(script=False) as (address, _), connect(socket_of(address)) as socket:
        welcome = await next_of(socket, "welcome")
        assert welcome["data"]["presenter"] == "Mara"
        assert [p["sku"] for p in welcome["data"]["products"]] == ["mug", "lamp", "scarf"]
        await socket.send(chat("Is the lamp there?", "<b>Ana</b>"))
        shown = await next_of(socket, "chat.message")
        assert shown["data"]["viewer"] == welcome["viewer"]
        assert shown["data"]["name"] == "bAnab"
        question = await next_of(socket, "chat.question")
        assert question["data"]["state"] == "queued"
        started = await next_of(socket, "avatar.speak_started")
        assert started["data"]["message_ids"] == [shown["data"]["message_id"]]
        pinned = await next_of(socket, "product.pinned")
        assert pinned["data"]["product"]["sku"] == "lamp"
        word = await next_of(socket, "avatar.word")
        assert word["data"]["end"] > word["data"]["start"]
        answered = await next_of(socket, "chat.answered")
        assert answered["data"]["interrupted"] is False


@pytest.mark.asyncio
async def test_who_joins_late_sees_what_was_said_and_pinned():
    async with fake_live(script=False) as (address, session), connect(socket_of(address)) as first:
        await first.send(chat("hello all"))
        await next_of(first, "chat.message")
        session.pin("mug")
        session.say("A sentence that is long enough to be joined in the middle of it.")
        await next_of(first, "avatar.transcription")
        async with connect(socket_of(address)) as late:
            data = (await next_of(late, "welcome"))["data"]
    assert data["messages"][-1]["text"] == "hello all"
    assert data["pinned"]["sku"] == "mug"
    assert data["caption"]["text"].startswith("A sentence that is long")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "raw",
    [
        "not json",
        "[]",
        '{"v":2,"type":"chat","text":"hi"}',
        '{"v":1,"type":"chat"}',
        '{"v":1,"type":"say","text":"hi"}',
        '{"v":1,"type":"chat","text":"hi","admin":true}',
        json.dumps({"v": 1, "type": "chat", "text": "x" * 301}),
        json.dumps({"v": 1, "type": "chat", "text": "hi", "name": "x" * 5000}),
        '{"v":1,"type":"chat","text":"\\ud800"}',
        "[" * 4000,
        b"\xff\x00",
        chat("hi").encode(),
    ],
)
async def test_what_cannot_be_read_is_refused_and_shown_to_nobody(raw: str | bytes):
    async with fake_live(script=False) as (address, session), connect(socket_of(address)) as socket:
        await socket.send(raw)
        refused = await next_of(socket, "chat.refused", "chat.message")
        assert refused["type"] == "chat.refused"
        assert refused["data"]["reason"] == "unreadable"
        await socket.send('{"v":1,"type":"ping"}')
        await next_of(socket, "pong")  # and the socket lives on
        assert session.snapshot()["messages"] == []


@pytest.mark.asyncio
async def test_a_flood_is_slowed_and_nonsense_ends_the_socket():
    async with fake_live(script=False) as (address, session), connect(socket_of(address)) as socket:
        for number in range(12):
            await socket.send(chat(f"flood {number}"))
        refused = await next_of(socket, "chat.refused")
        assert refused["data"]["reason"] == "too_fast"
        assert len(session.snapshot()["messages"]) < 12
        for _ in range(5):
            await socket.send("nonsense")
        async with asyncio.timeout(40):
            await socket.wait_closed()
        assert socket.close_code == 1008


@pytest.mark.asyncio
async def test_an_oversized_message_ends_only_its_own_socket():
    async with (
        fake_live(script=False) as (address, _),
        connect(socket_of(address)) as big,
        connect(socket_of(address)) as other,
    ):
        await big.send("x" * 200_000)
        async with asyncio.timeout(40):
            await big.wait_closed()
        await other.send('{"v":1,"type":"ping"}')
        await next_of(other, "pong")


@pytest.mark.asyncio
async def test_foreign_pages_and_missing_tickets_learn_why():
    async with (
        fake_live(script=False) as (address, _),
        connect(socket_of(address), origin="https://evil.example") as socket,
    ):
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4403
    access = Access("0.0.0.0", "a-long-secret")
    async with fake_live(script=False, access=access) as (address, _):
        async with connect(socket_of(address)) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 4403
        async with connect(socket_of(address, f"?ticket={access.ticket()}")) as socket:
            await next_of(socket, "welcome")


@pytest.mark.asyncio
async def test_sockets_end_with_the_session():
    async with fake_live(script=False) as (address, session), connect(socket_of(address)) as socket:
        await next_of(socket, "welcome")
        await session.aclose()
        async with asyncio.timeout(40):
            await next_of(socket, "session.state_changed")
            await socket.wait_closed()
        assert socket.close_code == 1001
