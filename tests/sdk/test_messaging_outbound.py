"""What we write, as each service takes it; patience with 429; WeCom's socket against a real one."""

import asyncio
import contextlib
import json

import httpx
import pytest
import websockets

from sdk.errors import DeliveryError, MessagingError, SettingsError
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.channels.discord import Discord
from sdk.messaging.channels.generic import Generic
from sdk.messaging.channels.line import Line
from sdk.messaging.channels.slack import Slack
from sdk.messaging.channels.telegram import Telegram
from sdk.messaging.channels.wecom import Wecom
from sdk.messaging.channels.wecom_bot import WecomBot
from sdk.messaging.channels.wecom_socket import WecomSocket
from sdk.messaging.channels.whatsapp import WhatsApp
from sdk.messaging.messages import Address, Outgoing
from sdk.messaging.opening import open_channels
from sdk.messaging.post import Pace, Post
from sdk.settings import MessagingSettings
from tests.support.chat_service import chat_service
from tests.support.chats import AES_KEY, DISCORD_PUBLIC, SECRET, TELEGRAM_TOKEN, hmac_hex

pytestmark = pytest.mark.asyncio

CARD = Outgoing(
    "🤖 AI presenter\nWe do: the <Dew> & more.", link="https://x.example/r/abc",
    link_label="See it", title="Dew", picture="https://x.example/dew.png",
)  # fmt: skip
PLAIN = Outgoing("🤖 AI presenter\nHello.")


def channel_of(name, service, http):
    url = service.url
    return {
        "telegram": lambda: Telegram(TELEGRAM_TOKEN, http, username="shop", api=url),
        "whatsapp": lambda: WhatsApp(SECRET, "v", "access", "555", http, api=url),
        "wecom": lambda: Wecom("corp", "7", "secret", "token", AES_KEY, http, api=url),
        "wecom-bot": lambda: WecomBot("token", AES_KEY, http, hosts=("127.0.0.1",)),
        "line": lambda: Line(SECRET, "access", http, api=url),
        "slack": lambda: Slack(SECRET, "xoxb", http, bot_user="U", api=url),
        "discord": lambda: Discord(DISCORD_PUBLIC, http, bot_token="bot", api=url),
        "generic": lambda: Generic(SECRET, http, reply_url=f"{url}/reply"),
    }[name]()


def address_of(name, service):
    extra = {
        "wecom-bot": {"response_url": f"{service.url}/respond"},
        "line": {"reply_token": "rt"},
        "discord": {"application": "9", "token": "t"},
    }
    return Address(name, "42", True, "7" if name == "telegram" else "", extra.get(name, {}))


@pytest.mark.parametrize("name", sorted(set(CAPABILITIES)))
async def test_each_channel_gets_the_richest_form_it_knows(name):
    async with chat_service() as service, httpx.AsyncClient() as http:
        service.answers = {
            "/gettoken": [(200, {}, {"errcode": 0, "access_token": "t", "expires_in": 7200})],
            "/message/send": [(200, {}, {"errcode": 0, "msgid": "m"})],
            "/respond": [(200, {}, {"errcode": 0})],
            "/chat.postMessage": [(200, {}, {"ok": True, "ts": "1.5"})],
        }
        channel = channel_of(name, service, http)
        sent = await channel.send(address_of(name, service), CARD)
        assert sent.form == channel.capabilities.richest
        body = service.told[-1].body.decode()
        told = json.loads(body)
        flat = json.dumps(told, ensure_ascii=False)
        assert "AI presenter" in flat
        assert "https://x.example/r/abc" in flat
        assert "https://x.example/dew.png" in flat
        if name == "slack":
            assert "<Dew>" not in flat, "catalogue text must not become a mention"
        plain = await channel.send(address_of(name, service), PLAIN)
        assert plain.form in ("text", "card")
        assert "Hello." in service.told[-1].body.decode()


async def test_a_message_without_the_label_cannot_be_built():
    with pytest.raises(MessagingError, match="AI label"):
        Outgoing("Buy the Dew!")


async def test_a_laptops_link_stays_in_the_text():
    laptop = Outgoing(CARD.text, link="http://127.0.0.1:8010/r/abc", link_label="See it")
    async with chat_service() as service, httpx.AsyncClient() as http:
        for name in ("telegram", "line"):
            await channel_of(name, service, http).send(address_of(name, service), laptop)
            told = service.told[-1].json
            assert "http://127.0.0.1:8010/r/abc" in json.dumps(told)
            assert "inline_keyboard" not in json.dumps(told)


async def test_lines_expired_reply_token_becomes_a_push():
    async with chat_service() as service, httpx.AsyncClient() as http:
        service.answers["/message/reply"] = [(400, {}, {"message": "Invalid reply token"})]
        await channel_of("line", service, http).send(address_of("line", service), PLAIN)
        assert [one.path.rpartition("/")[2] for one in service.told] == ["reply", "push"]
        assert service.told[-1].json["to"] == "42"


async def test_wecoms_expired_token_is_asked_for_again_once():
    async with chat_service() as service, httpx.AsyncClient() as http:
        service.answers = {
            "/gettoken": [(200, {}, {"access_token": "old"}), (200, {}, {"access_token": "new"})],
            "/message/send": [(200, {}, {"errcode": 42001}), (200, {}, {"errcode": 0})],
        }
        channel = channel_of("wecom", service, http)
        await channel.send(address_of("wecom", service), PLAIN)
        await channel.send(address_of("wecom", service), PLAIN)
        assert len(service.calls("/gettoken")) == 2
        assert len(service.calls("/message/send")) == 3


async def test_an_answer_goes_only_to_addresses_of_wecoms():
    async with chat_service() as service, httpx.AsyncClient() as http:
        bot = WecomBot("token", AES_KEY, http)
        with pytest.raises(DeliveryError, match="no address of WeCom"):
            await bot.send(address_of("wecom-bot", service), PLAIN)
        assert service.told == []


async def test_what_goes_to_ones_own_program_is_signed():
    async with chat_service() as service, httpx.AsyncClient() as http:
        await channel_of("generic", service, http).send(address_of("generic", service), CARD)
        (told,) = service.told
        fields = dict(one.split("=") for one in told.headers["x-livepitch-signature"].split(","))
        expected = hmac_hex(SECRET, fields["t"].encode() + b"." + told.body)
        assert fields["v1"] == expected


@pytest.mark.parametrize(
    ("answer", "waited_s"),
    [
        ((429, {"retry-after": "7"}, {}), 7),
        ((429, {}, {"ok": False, "parameters": {"retry_after": 5}}), 5),
        ((429, {}, {"retry_after": 2.5}), 2.5),
        ((503, {"retry-after": "3"}, {}), 3),
    ],
)
async def test_too_many_requests_are_waited_out(answer, waited_s):
    slept, now = [], [0.0]

    async def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    async with chat_service() as service, httpx.AsyncClient() as http:
        service.answers["/x"] = [answer, (200, {}, {"ok": True})]
        post = Post(http, CAPABILITIES["telegram"], sleep=sleep, now=lambda: now[0])
        assert await post.send("POST", f"{service.url}/x", chat="1", json={}) == {"ok": True}
        assert len(service.told) == 2
        assert sum(slept) == pytest.approx(waited_s, abs=3.1)
        assert sum(slept) >= waited_s - 0.01


async def test_long_silences_and_refusals_are_not_waited_for():
    async with chat_service() as service, httpx.AsyncClient() as http:
        post = Post(http, CAPABILITIES["telegram"])
        service.answers["/long"] = [(429, {"retry-after": "600"}, {})]
        with pytest.raises(DeliveryError, match="600 s") as caught:
            await post.send("POST", f"{service.url}/long")
        assert not caught.value.is_final
        service.answers["/never"] = [(403, {}, {})]
        with pytest.raises(DeliveryError, match="403") as caught:
            await post.send("POST", f"{service.url}/never")
        assert caught.value.is_final
        assert "/never" not in str(caught.value), "an address may hold a token"
        assert len(service.told) == 2


async def test_the_pace_of_a_group_is_kept():
    now = [0.0]
    pace = Pace(5, 20 / 60, lambda: now[0])
    waits = [pace.reserve() for _ in range(8)]
    assert waits[:5] == [0] * 5
    assert waits[5:] == pytest.approx([3, 6, 9])
    now[0] = 1000
    assert [pace.reserve() for _ in range(6)][:5] == [0] * 5


class Gateway:
    """WeCom's gateway as it speaks: signs in, pushes, acknowledges."""

    def __init__(self):
        self.frames, self.sockets = [], []
        self.refuses = False

    async def __call__(self, socket):
        self.sockets.append(socket)
        with contextlib.suppress(websockets.ConnectionClosed):
            async for raw in socket:
                frame = json.loads(raw)
                self.frames.append(frame)
                code = 40001 if self.refuses else 0
                await socket.send(json.dumps({"headers": frame["headers"], "errcode": code}))

    async def push(self, text, number):
        body = {"msgid": f"m{number}", "chatid": "g", "chattype": "group", "aibotid": "b",
                "from": {"userid": "ana"}, "msgtype": "text",
                "text": {"content": text}}  # fmt: skip
        frame = {"cmd": "aibot_msg_callback", "headers": {"req_id": f"r{number}"}, "body": body}
        await self.sockets[-1].send(json.dumps(frame))

    async def until(self, count, command):
        async with asyncio.timeout(5):
            while len(found := [f for f in self.frames if f["cmd"] == command]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found


async def test_wecoms_socket_signs_in_hears_answers_and_comes_back():
    gateway, heard = Gateway(), asyncio.Queue()

    async def keep(channel, pushed):
        await heard.put(pushed[0])

    async with websockets.serve(gateway, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bot = WecomSocket("bot", "secret", url=f"ws://127.0.0.1:{port}", ping_s=0.05)
        running = asyncio.create_task(bot.run(keep))
        (signed_in,) = await gateway.until(1, "aibot_subscribe")
        assert signed_in["body"] == {"bot_id": "bot", "secret": "secret"}
        await gateway.until(2, "ping")
        await gateway.push("@Shop any tea?", 1)
        pushed = await asyncio.wait_for(heard.get(), 5)
        message = bot.read(pushed.body)
        assert (pushed.event_id, message.text, message.is_to_us) == ("m1", "any tea?", True)
        await bot.send(message.address, CARD)
        (answer,) = await gateway.until(1, "aibot_respond_msg")
        assert answer["headers"]["req_id"] == "r1"
        assert answer["body"]["msgtype"] == "template_card"
        await gateway.sockets[-1].close()
        await gateway.until(2, "aibot_subscribe")
        await bot_connected(bot)
        await bot.send(message.address, PLAIN)
        (started,) = await gateway.until(1, "aibot_send_msg")
        assert started["body"]["chatid"] == "g", "that frame's connection is gone"
        gateway.refuses = True
        with pytest.raises(DeliveryError, match="40001"):
            await bot.send(message.address, PLAIN)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        with pytest.raises(DeliveryError, match="not connected"):
            await bot.send(message.address, PLAIN)


async def bot_connected(bot):
    async with asyncio.timeout(5):
        while bot._socket is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_is_half_switched_on_is_told_by_name(monkeypatch):
    monkeypatch.setenv("LIVEPITCH_LINE_CHANNEL_SECRET", SECRET)
    with pytest.raises(SettingsError, match="LIVEPITCH_LINE_ACCESS_TOKEN"):
        MessagingSettings().switched_on()
    monkeypatch.setenv("LIVEPITCH_LINE_ACCESS_TOKEN", "a")
    monkeypatch.setenv("LIVEPITCH_TELEGRAM_TOKEN", TELEGRAM_TOKEN)
    monkeypatch.setenv("LIVEPITCH_HOOK_SECRET", SECRET)
    monkeypatch.setenv("LIVEPITCH_WECOM_BOT_ID", "b")
    monkeypatch.setenv("LIVEPITCH_WECOM_BOT_SECRET", "s")
    settings = MessagingSettings()
    assert settings.switched_on() == ["telegram", "wecom-bot (socket)", "line", "generic"]
    assert SECRET not in repr(settings)
    async with httpx.AsyncClient() as http:
        names = [channel.name for channel in open_channels(settings, http)]
    assert names == ["telegram", "wecom-bot", "line", "generic"]
    monkeypatch.setenv("LIVEPITCH_PUBLIC_URL", "live.example.com")
    with pytest.raises(SettingsError, match="https"):
        MessagingSettings().switched_on()
