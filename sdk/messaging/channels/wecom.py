"""WeCom (企业微信) apps: encrypted XML callbacks in, news cards out.

Members write to the app one by one; the group robots of WeCom only send. For groups there is the
AI bot (``wecom_bot``).
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import httpx

from sdk.errors import CallRefusedError, DeliveryError
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.messages import (
    Address,
    Answer,
    Call,
    ChatMessage,
    Delivery,
    Incoming,
    Outgoing,
    Pushed,
    Sent,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import part, single_line, text
from sdk.messaging.signatures import require_fresh
from sdk.messaging.wecom_crypto import WecomCrypto

API = "https://qyapi.weixin.qq.com"
WINDOW_S = 300
_EXPIRED = ("40014", "42001")
# The outer XML is not authenticated, so no parser sees it.
_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")


class Wecom:
    """An app of a corporation.

    Args:
        corporation: Its id.
        agent: The app's id.
        secret: The app's, for writing.
        token: As typed into WeCom's console.
        aes_key: EncodingAESKey of the console.
        client: For WeCom's API.
        api: Address of WeCom's API.
        now: Seconds, monotonic.

    Raises:
        SettingsError: The key is not one.
    """

    name = "wecom"
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        corporation: str,
        agent: str,
        secret: str,
        token: str,
        aes_key: str,
        client: httpx.AsyncClient,
        *,
        api: str = API,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._corporation = corporation
        self._agent = agent
        self._secret = secret
        self._crypto = WecomCrypto(token, aes_key, corporation)
        self._url = f"{api.rstrip('/')}/cgi-bin"
        self._post = Post(client, self.capabilities)
        self._now = now
        self._access: tuple[str, float] | None = None
        self._asking = asyncio.Lock()

    def receive(self, call: Call) -> Delivery:
        """One event per call; or WeCom's check, answered with the decrypted word."""
        if call.method == "GET":
            return Delivery(Answer(opened(self._crypto, call, call.query.get("echostr", ""))))
        found = _ENCRYPT.search(call.body)
        if found is None:
            raise CallRefusedError(400, "the body holds no encrypted text")
        message = opened(self._crypto, call, found[1].decode())
        fields = _fields(message)
        event_id = fields.get("MsgId") or f"{fields.get('FromUserName')}:{fields.get('CreateTime')}"
        return Delivery(pushed=(Pushed(event_id, message),))

    def read(self, body: bytes) -> Incoming | None:
        """Texts."""
        fields = _fields(body)
        member, written = fields.get("FromUserName", ""), single_line(fields.get("Content", ""))
        if fields.get("MsgType") != "text" or not member or not written:
            return None
        address = Address(self.name, member, False)
        return ChatMessage(address, member, fields.get("MsgId", ""), written, True, is_admin=True)

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """A news card where there is a link, else a text."""
        body: dict[str, Any] = {"touser": address.chat, "agentid": self._agent}
        if message.link:
            article = {
                "title": message.title or message.link_label,
                "description": _cut(message.text, 512),
                "url": message.link,
                "picurl": message.picture or "",
            }
            body |= {"msgtype": "news", "news": {"articles": [article]}}
        else:
            limited = _cut(message.text, self.capabilities.longest_text)
            body |= {"msgtype": "text", "text": {"content": limited}}
        answer = await self._call("message/send", body, address.chat)
        return Sent(text(answer, "msgid") or None, "card" if message.link else "text")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """Recall it; WeCom allows 24 hours."""
        await self._call("message/recall", {"msgid": reference}, "")
        return True

    async def is_admin(self, message: Address, member: str) -> bool:
        """Chats with an app are private: everybody is their own."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do: the callback is set in WeCom's console."""
        return "set the callback in WeCom's console"

    async def _call(self, method: str, body: dict[str, Any], chat: str) -> dict[str, Any]:
        for attempt in range(2):
            token = await self._token()
            url = f"{self._url}/{method}?access_token={quote(token)}"
            answer = part(await self._post.send("POST", url, chat=chat, json=body))
            code = text(answer, "errcode") or "0"
            if code == "0":
                return answer
            if code not in _EXPIRED or attempt:
                raise DeliveryError(f"WeCom refuses with errcode {code}", is_final=True)
            self._access = None
        raise AssertionError("the loop returns or raises")

    async def _token(self) -> str:
        async with self._asking:
            if self._access is None or self._access[1] <= self._now():
                url = (
                    f"{self._url}/gettoken?corpid={quote(self._corporation)}"
                    f"&corpsecret={quote(self._secret)}"
                )
                answer = part(await self._post.send("GET", url))
                token = text(answer, "access_token")
                if not token:
                    code = text(answer, "errcode")
                    raise DeliveryError(f"WeCom gives no token: errcode {code}", is_final=True)
                life_s = answer.get("expires_in")
                life_s = life_s if isinstance(life_s, int) else 7200
                self._access = (token, self._now() + life_s - 120)
            return self._access[0]


def opened(crypto: WecomCrypto, call: Call, encrypted: str) -> bytes:
    """The decrypted text of a call whose signature and time are right."""
    query = call.query
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    message = crypto.open(query.get("msg_signature", ""), timestamp, nonce, encrypted)
    require_fresh(timestamp, call.now, WINDOW_S)
    return message


def _fields(message: bytes) -> dict[str, str]:
    if b"<!DOCTYPE" in message or b"<!ENTITY" in message:
        raise CallRefusedError(400, "the message defines entities")
    try:
        root = ElementTree.fromstring(message)
    except ElementTree.ParseError:
        raise CallRefusedError(400, "the message is not XML") from None
    return {child.tag: child.text or "" for child in root}


def _cut(written: str, most_bytes: int) -> str:
    """WeCom counts bytes of UTF-8."""
    return written.encode()[:most_bytes].decode(errors="ignore")
