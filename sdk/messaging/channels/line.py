"""LINE: signed batches in; cards (Flex messages) out, by reply token or by push."""

import json
from datetime import datetime
from typing import Any

import httpx

from sdk.errors import DeliveryError
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.messages import (
    Address,
    Answer,
    Call,
    ChatMessage,
    Delivery,
    Form,
    Incoming,
    Joined,
    Outgoing,
    Pushed,
    Sent,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import object_of, part, parts, text, without
from sdk.messaging.signatures import hmac_base64, require_same

API = "https://api.line.me"


class Line:
    """An official account.

    Args:
        channel_secret: Signs the calls.
        access_token: For writing.
        client: For the Messaging API.
        api: Address of the Messaging API.
    """

    name = "line"
    capabilities = CAPABILITIES[name]

    def __init__(
        self, channel_secret: str, access_token: str, client: httpx.AsyncClient, *, api: str = API
    ) -> None:
        self._secret = channel_secret
        self._url = f"{api.rstrip('/')}/v2/bot/message"
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """Several events per call, or none when LINE's console checks the address."""
        expected = hmac_base64(self._secret, call.body)
        require_same(expected, call.headers.get("x-line-signature", ""), "the signature")
        pushed = []
        for event in parts(object_of(call.body), "events"):
            event_id = text(event, "webhookEventId")
            # On standby another module answers; we must not.
            if text(event, "mode") == "standby" or not event_id:
                continue
            if not _is_stale(event, call.now, self.capabilities.most_age_s):
                pushed.append(Pushed(event_id, json.dumps(event).encode()))
        return Delivery(Answer(b"{}", "application/json"), tuple(pushed))

    def read(self, body: bytes) -> Incoming | None:
        """Texts, and our arrival in a group."""
        event = object_of(body)
        source = part(event, "source")
        group = text(source, "groupId") or text(source, "roomId")
        member = text(source, "userId")
        token = {"reply_token": text(event, "replyToken")}
        message = part(event, "message")
        address = Address(self.name, group or member, bool(group), "", token)
        if text(event, "type") == "join":
            return Joined(address)
        if text(event, "type") != "message" or text(message, "type") != "text" or not member:
            return None
        written = text(message, "text")
        mentions = parts(message, "mention", "mentionees")
        ours = [one for one in mentions if one.get("isSelf") is True]
        spans = [
            (one["index"], one["length"])
            for one in ours
            if isinstance(one.get("index"), int) and isinstance(one.get("length"), int)
        ]
        cleaned = without(written, spans)
        is_to_us = not group or bool(ours) or cleaned.startswith("/")
        return ChatMessage(
            address,
            member,
            text(message, "id"),
            cleaned,
            is_to_us,
            text(message, "quotedMessageId"),
        )

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """By the reply token, which costs nothing; by push when it has expired."""
        card = _card(message, self.capabilities.longest_text)
        token = address.extra.get("reply_token", "")
        answer: Any = None
        if token:
            try:
                answer = await self._write("reply", address, {"replyToken": token}, card)
            except DeliveryError as error:
                if not error.is_final:
                    raise
        if not token or answer is None:
            answer = await self._write("push", address, {"to": address.chat}, card)
        sent = parts(answer, "sentMessages")
        form: Form = "card" if card["type"] == "flex" else "text"
        return Sent(text(sent[0], "id") or None if sent else None, form)

    async def withdraw(self, address: Address, reference: str) -> bool:
        """LINE lets no bot take a message back."""
        return False

    async def is_admin(self, message: Address, member: str) -> bool:
        """LINE's groups have no admins; a private chat is one's own."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do: the webhook is set in LINE's console."""
        return "set the webhook in LINE's console"

    async def _write(
        self, way: str, address: Address, whom: dict[str, str], card: dict[str, Any]
    ) -> Any:
        body = {**whom, "messages": [card]}
        url = f"{self._url}/{way}"
        answer = await self._post.send(
            "POST", url, chat=address.chat, json=body, headers=self._headers
        )
        return answer or {}


def _card(message: Outgoing, longest: int) -> dict[str, Any]:
    """A Flex bubble; a plain text where there is no link, or one that LINE would not open."""
    if not (message.link and message.link.startswith("https://")):
        return {"type": "text", "text": message.full_text[:longest]}
    body = [
        {"type": "text", "text": message.title or message.link_label, "weight": "bold",
         "size": "lg", "wrap": True},
        {"type": "text", "text": message.text[:longest], "size": "sm", "wrap": True},
    ]  # fmt: skip
    button = {
        "type": "button",
        "style": "primary",
        "action": {"type": "uri", "label": message.link_label[:20], "uri": message.link},
    }
    bubble: dict[str, Any] = {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": body},
        "footer": {"type": "box", "layout": "vertical", "contents": [button]},
    }
    if message.picture and message.picture.startswith("https://"):
        bubble["hero"] = {
            "type": "image",
            "url": message.picture,
            "size": "full",
            "aspectRatio": "1:1",
            "aspectMode": "cover",
        }
    return {"type": "flex", "altText": message.full_text[:1500], "contents": bubble}


def _is_stale(event: dict[str, Any], now: datetime, most_age_s: int) -> bool:
    sent = event.get("timestamp")
    if not isinstance(sent, int):
        return True
    return not -300 <= now.timestamp() - sent / 1000 <= most_age_s
