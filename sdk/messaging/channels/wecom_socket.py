"""WeCom's AI bot over a socket that we open: no public address, no AES, the same messages.

The bot signs in with its id and secret, is told messages as frames, and answers each with the
frame's ``req_id``. One connection per bot: WeCom closes the older of two.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import websockets

from sdk.errors import CallRefusedError, DeliveryError
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.channels.wecom_bot import NAME, body_of, dumped, read_bot_message
from sdk.messaging.messages import Address, Call, Delivery, Incoming, Outgoing, Pushed, Sent
from sdk.messaging.reading import object_of, part, text

log = logging.getLogger(__name__)

URL = "wss://openws.work.weixin.qq.com"
_PING_S = 30.0
_ACK_S = 8.0
_LONGEST_PAUSE_S = 30.0
_LARGEST_FRAME = 1 << 20

Accept = Callable[[str, tuple[Pushed, ...]], Awaitable[None]]
"""Keeps pushed items of a channel; returns when they are durable."""


class WecomSocket:
    """An AI bot in long-connection mode.

    Args:
        bot: Its id.
        secret: Its secret.
        url: Of the gateway.
        ping_s: How often to show that we are there.
    """

    name = NAME
    capabilities = CAPABILITIES[name]

    def __init__(self, bot: str, secret: str, *, url: str = URL, ping_s: float = _PING_S) -> None:
        self._bot = bot
        self._secret = secret
        self._url = url
        self._ping_s = ping_s
        self._socket: websockets.ClientConnection | None = None
        self._acks: dict[str, asyncio.Future[dict[str, Any]]] = {}
        # Of this connection: an answer by req_id is only good on the one that asked.
        self._epoch = ""

    async def run(self, accept: Accept) -> None:
        """Stay connected until cancelled; a lost connection is opened again, ever more slowly.

        Args:
            accept: Keeps what arrives.
        """
        pause_s = 1.0
        while True:
            try:
                async with websockets.connect(
                    self._url, max_size=_LARGEST_FRAME, open_timeout=10, ping_interval=None
                ) as socket:
                    await self._subscribe(socket)
                    pause_s = 1.0
                    await self._listen(socket, accept)
            except (OSError, TimeoutError, websockets.WebSocketException, DeliveryError) as error:
                reason = type(error).__name__
                log.warning("connection lost", extra={"channel": NAME, "reason": reason})
            finally:
                self._lose()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def receive(self, call: Call) -> Delivery:
        """Nobody calls us: the messages come by the socket."""
        raise CallRefusedError(404, "this bot is connected by a socket; it has no webhook")

    def read(self, body: bytes) -> Incoming | None:
        """A kept frame: texts, quoted and mixed ones too."""
        frame = object_of(body)
        extra = {"req_id": text(frame, "req_id"), "epoch": text(frame, "epoch")}
        return read_bot_message(part(frame, "body"), extra)

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """An answer to the frame, or, when that connection is gone, a message to the chat."""
        body = body_of(message)
        extra = address.extra
        if extra.get("req_id") and extra.get("epoch") == self._epoch:
            if not message.link:
                stream = {"id": secrets.token_hex(8), "finish": True, "content": message.text}
                body = {"msgtype": "stream", "stream": stream}
            await self._ask("aibot_respond_msg", extra["req_id"], body)
        else:
            request = f"aibot_send_msg_{secrets.token_hex(8)}"
            await self._ask("aibot_send_msg", request, {"chatid": address.chat, **body})
        return Sent(None, "card" if message.link else "text")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """WeCom lets no bot take a message back."""
        return False

    async def is_admin(self, message: Address, member: str) -> bool:
        """WeCom does not tell; a private chat is one's own."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do: the connection is opened by ``run``."""
        return "connects by itself; needs no public address"

    async def _subscribe(self, socket: websockets.ClientConnection) -> None:
        request = f"aibot_subscribe_{secrets.token_hex(8)}"
        body = {"bot_id": self._bot, "secret": self._secret}
        await socket.send(_frame("aibot_subscribe", request, body))
        async with asyncio.timeout(_ACK_S):
            answer = _parsed(await socket.recv())
        if text(answer, "errcode") != "0":
            raise DeliveryError("WeCom refuses the bot's id and secret; check both")
        self._socket, self._epoch = socket, secrets.token_hex(8)

    async def _listen(self, socket: websockets.ClientConnection, accept: Accept) -> None:
        pinging = asyncio.create_task(self._ping(socket), name="wecom ping")
        try:
            async for raw in socket:
                await self._hear(_parsed(raw), accept)
        finally:
            pinging.cancel()
            with contextlib.suppress(asyncio.CancelledError, websockets.WebSocketException):
                await pinging

    async def _hear(self, frame: dict[str, Any], accept: Accept) -> None:
        request = text(frame, "headers", "req_id")
        if text(frame, "cmd") in ("aibot_msg_callback", "aibot_event_callback"):
            body = part(frame, "body")
            if event_id := text(body, "msgid"):
                kept = dumped({"req_id": request, "epoch": self._epoch, "body": body})
                await accept(NAME, (Pushed(event_id, kept),))
        elif (waiting := self._acks.get(request)) is not None and not waiting.done():
            waiting.set_result(frame)

    async def _ping(self, socket: websockets.ClientConnection) -> None:
        while True:
            await asyncio.sleep(self._ping_s)
            await socket.send(_frame("ping", f"ping_{secrets.token_hex(8)}", None))

    async def _ask(self, command: str, request: str, body: dict[str, Any]) -> None:
        if self._socket is None:
            raise DeliveryError("the bot is not connected to WeCom now")
        acknowledged = asyncio.get_running_loop().create_future()
        self._acks[request] = acknowledged
        try:
            await self._socket.send(_frame(command, request, body))
            async with asyncio.timeout(_ACK_S):
                answer = await acknowledged
        except (TimeoutError, websockets.WebSocketException):
            raise DeliveryError("WeCom did not acknowledge the message") from None
        finally:
            self._acks.pop(request, None)
        if text(answer, "errcode") != "0":
            code = text(answer, "errcode")
            raise DeliveryError(f"WeCom refuses with errcode {code}", is_final=True)

    def _lose(self) -> None:
        self._socket, self._epoch = None, ""
        for waiting in self._acks.values():
            if not waiting.done():
                waiting.set_exception(DeliveryError("the connection to WeCom was lost"))


def _frame(command: str, request: str, body: dict[str, Any] | None) -> str:
    frame: dict[str, Any] = {"cmd": command, "headers": {"req_id": request}}
    if body is not None:
        frame["body"] = body
    return json.dumps(frame, ensure_ascii=False)


def _parsed(raw: str | bytes) -> dict[str, Any]:
    try:
        return object_of(raw.encode() if isinstance(raw, str) else raw)
    except CallRefusedError:
        return {}
