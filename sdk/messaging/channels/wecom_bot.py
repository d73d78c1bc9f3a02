"""WeCom's AI bot (智能机器人) by callback: encrypted JSON in, answers to the address it names.

In groups it hears only what mentions it. Where the address of the server is not public, the same
bot works over a socket: ``wecom_socket``.
"""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx

from sdk.errors import CallRefusedError, DeliveryError
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.channels.wecom import opened
from sdk.messaging.messages import (
    Address,
    Answer,
    Call,
    ChatMessage,
    Delivery,
    Incoming,
    Joined,
    Outgoing,
    Pushed,
    Sent,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import object_of, part, parts, single_line, text
from sdk.messaging.wecom_crypto import WecomCrypto

NAME = "wecom-bot"
_MENTION = re.compile(r"^\s*@\S+\s*")
_HOSTS = ("qyapi.weixin.qq.com",)


class WecomBot:
    """An AI bot that is called back.

    Args:
        token: As typed into WeCom's console.
        aes_key: EncodingAESKey of the console.
        client: For answers.
        hosts: Where answers may be sent; the address comes with the message.

    Raises:
        SettingsError: The key is not one.
    """

    name = NAME
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        token: str,
        aes_key: str,
        client: httpx.AsyncClient,
        *,
        hosts: tuple[str, ...] = _HOSTS,
    ) -> None:
        self._crypto = WecomCrypto(token, aes_key, "")
        self._hosts = hosts
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """One message per call; or WeCom's check, answered with the decrypted word."""
        if call.method == "GET":
            return Delivery(Answer(opened(self._crypto, call, call.query.get("echostr", ""))))
        message = opened(self._crypto, call, text(object_of(call.body), "encrypt"))
        event_id = text(object_of(message), "msgid")
        if not event_id:
            raise CallRefusedError(400, "the message has no msgid")
        return Delivery(pushed=(Pushed(event_id, message),))

    def read(self, body: bytes) -> Incoming | None:
        """Texts, quoted and mixed ones too."""
        return read_bot_message(object_of(body))

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """Markdown or a card, to the address that came with the message."""
        url = address.extra.get("response_url", "")
        if urlsplit(url).hostname not in self._hosts:
            raise DeliveryError("the message named no address of WeCom's", is_final=True)
        answer = part(await self._post.send("POST", url, chat=address.chat, json=body_of(message)))
        if (text(answer, "errcode") or "0") != "0":
            code = text(answer, "errcode")
            raise DeliveryError(f"WeCom refuses with errcode {code}", is_final=True)
        return Sent(None, "card" if message.link else "text")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """WeCom lets no bot take a message back."""
        return False

    async def is_admin(self, message: Address, member: str) -> bool:
        """WeCom does not tell; a private chat is one's own."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do: the callback is set in WeCom's console."""
        return "set the callback in WeCom's console"


def read_bot_message(
    message: dict[str, Any], extra: dict[str, str] | None = None
) -> Incoming | None:
    """What an AI bot was told, by callback or socket.

    Args:
        message: Decrypted.
        extra: What an answer needs besides.
    """
    member = text(message, "from", "userid")
    is_group = text(message, "chattype") == "group"
    extra = dict(extra or {})
    if url := text(message, "response_url"):
        extra["response_url"] = url
    number = text(message, "msgid")
    address = Address(NAME, text(message, "chatid") or member, is_group, number, extra)
    kind = text(message, "msgtype")
    if kind == "event":
        return Joined(address) if text(message, "event", "eventtype") == "enter_chat" else None
    written = text(message, "text", "content")
    if kind == "mixed":
        items = parts(message, "mixed", "msg_item")
        written = " ".join(text(item, "text", "content") for item in items)
    # The mention stands first: "@Shop any moisturiser?".
    written = single_line(_MENTION.sub("", written) if is_group else written)
    if not written or not member:
        return None
    return ChatMessage(address, member, number, written, True, is_admin=None if is_group else True)


def body_of(message: Outgoing) -> dict[str, Any]:
    """A card where there is a link, else Markdown."""
    if not message.link:
        return {"msgtype": "markdown", "markdown": {"content": message.text[:20_000]}}
    card: dict[str, Any] = {
        "card_type": "news_notice" if message.picture else "text_notice",
        "main_title": {"title": message.title[:26] or message.link_label[:26]},
        "card_action": {"type": 1, "url": message.link},
        "jump_list": [{"type": 1, "title": message.link_label[:13], "url": message.link}],
    }
    if message.picture:
        card["card_image"] = {"url": message.picture, "aspect_ratio": 1.3}
        card["vertical_content_list"] = [{"title": "", "desc": message.text[:112]}]
    else:
        card["sub_title_text"] = message.text[:112]
    # A card shows little text; the AI label stands first in it, and so is seen.
    return {"msgtype": "template_card", "template_card": card}


def dumped(message: dict[str, Any]) -> bytes:
    """A message as the inbox keeps it."""
    return json.dumps(message, ensure_ascii=False).encode()
