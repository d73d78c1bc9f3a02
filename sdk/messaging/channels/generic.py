"""A webhook of one's own: any program that can compute an HMAC can be a channel.

``X-Livepitch-Signature: t=SECONDS,v1=HEX`` with HMAC-SHA-256 over ``t.body``, in both directions.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from sdk.errors import CallRefusedError
from sdk.messaging.capabilities import CAPABILITIES
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
    Reaction,
    Sent,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import object_of, part, sign_of, single_line, text
from sdk.messaging.signatures import hmac_hex, require_fresh, require_same

SIGNATURE = "x-livepitch-signature"
WINDOW_S = 300


class Generic:
    """One's own program.

    Args:
        secret: Shared with it; at least 16 characters.
        client: For writing to it.
        reply_url: Where it takes what we write; empty when it only listens to the avatar.
        now: The time, for signing.
    """

    name = "generic"
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        secret: str,
        client: httpx.AsyncClient,
        *,
        reply_url: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secret = secret
        self._reply_url = reply_url
        self._now = now
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """One event per call."""
        fields = dict(
            pair.split("=", 1) for pair in call.headers.get(SIGNATURE, "").split(",") if "=" in pair
        )
        timestamp = fields.get("t", "")
        require_fresh(timestamp, call.now, WINDOW_S)
        expected = hmac_hex(self._secret, timestamp.encode() + b"." + call.body)
        require_same(expected, fields.get("v1", ""), "the signature")
        event_id = text(object_of(call.body), "id")
        if not event_id:
            raise CallRefusedError(400, "the event has no id")
        return Delivery(Answer(b"{}", "application/json"), (Pushed(event_id, call.body),))

    def read(self, body: bytes) -> Incoming | None:
        """Messages, reactions, and our arrival in a group."""
        event = object_of(body)
        chat, member = part(event, "chat"), part(event, "member")
        is_group = chat.get("is_group") is True
        address = Address(self.name, text(chat, "id"), is_group, text(event, "message"))
        if not address.chat:
            return None
        if text(event, "type") == "joined":
            return Joined(address)
        who = text(member, "id")
        if text(event, "type") == "reaction":
            sign = sign_of(text(event, "sign"))
            return Reaction(address, who, text(event, "message"), sign)
        written = single_line(text(event, "text"))
        if not written or not who:
            return None
        is_to_us = not is_group or event.get("is_to_us") is True or written.startswith("/")
        return ChatMessage(
            address,
            who,
            text(event, "message") or text(event, "id"),
            written,
            is_to_us,
            text(event, "reply_to"),
            text(member, "name"),
            text(member, "language")[:2],
            member.get("is_admin") is True or not is_group,
        )

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """Everything there is; the program shows what it can."""
        body: dict[str, object] = {
            "type": "message",
            "chat": address.chat,
            "reply_to": address.reply_to,
            "text": message.text,
            "title": message.title,
            "link": message.link,
            "link_label": message.link_label,
            "picture": message.picture,
            "language": message.language,
        }
        return Sent(await self._send(body, address.chat), "card")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """Ask the program to take it back."""
        await self._send({"type": "withdraw", "chat": address.chat, "message": reference}, "")
        return True

    async def is_admin(self, message: Address, member: str) -> bool:
        """Told with each message."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do."""
        return "sign with X-Livepitch-Signature" + ("" if self._reply_url else "; no reply URL")

    async def _send(self, body: dict[str, object], chat: str) -> str | None:
        if not self._reply_url:
            return None
        content = json.dumps(body, ensure_ascii=False).encode()
        timestamp = str(int(self._now().timestamp()))
        signature = hmac_hex(self._secret, timestamp.encode() + b"." + content)
        headers = {
            SIGNATURE: f"t={timestamp},v1={signature}",
            "content-type": "application/json",
        }
        answer = await self._post.send(
            "POST", self._reply_url, chat=chat, content=content, headers=headers
        )
        return text(answer, "message") or None
