"""WhatsApp Cloud API: signed batches in; texts, pictures and links out.

Groups are for Official Business Accounts, have eight members at most and know neither products nor
buttons, so a pitch there is a picture with a caption and a link.
"""

import json
from datetime import datetime
from typing import Any

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
    Outgoing,
    Pushed,
    Reaction,
    Sent,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import object_of, part, parts, sign_of, single_line, text
from sdk.messaging.signatures import hmac_hex, require_same

API = "https://graph.facebook.com/v23.0"


class WhatsApp:
    """A business number.

    Args:
        app_secret: Signs the calls.
        verify_token: Ours, as typed into Meta's console.
        access_token: For writing.
        phone_number_id: Of the number.
        client: For the Graph API.
        api: Address and version of the Graph API.
    """

    name = "whatsapp"
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        app_secret: str,
        verify_token: str,
        access_token: str,
        phone_number_id: str,
        client: httpx.AsyncClient,
        *,
        api: str = API,
    ) -> None:
        self._app_secret = app_secret
        self._verify_token = verify_token
        self._phone_number_id = phone_number_id
        self._url = f"{api.rstrip('/')}/{phone_number_id}/messages"
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """Several messages per call; or Meta's handshake."""
        if call.method == "GET":
            return self._handshake(call)
        signature = call.headers.get("x-hub-signature-256", "")
        expected = "sha256=" + hmac_hex(self._app_secret, call.body)
        require_same(expected, signature, "the signature")
        pushed = []
        for value in _values(object_of(call.body)):
            if text(value, "metadata", "phone_number_id") != self._phone_number_id:
                continue
            names = {
                text(contact, "wa_id"): text(contact, "profile", "name")
                for contact in parts(value, "contacts")
            }
            for message in parts(value, "messages"):
                event_id = text(message, "id")
                if event_id and not _is_stale(message, call.now, self.capabilities.most_age_s):
                    name = names.get(text(message, "from"), "")
                    pushed.append(Pushed(event_id, _packed(message, name)))
        return Delivery(pushed=tuple(pushed))

    def read(self, body: bytes) -> Incoming | None:
        """Texts, carts and reactions."""
        packed = object_of(body)
        message = part(packed, "message")
        member, number = text(message, "from"), text(message, "id")
        group = text(message, "group_id")
        address = Address(self.name, group or member, bool(group), number)
        if text(message, "type") == "reaction":
            reaction = part(message, "reaction")
            sign = sign_of(text(reaction, "emoji"))
            return Reaction(address, member, text(reaction, "message_id"), sign)
        # A cart's prices are the phone's word; only its text is read, we price from our catalogue.
        written = text(message, "text", "body") or text(message, "order", "text")
        if not written or not member:
            return None
        written = single_line(written)
        reply_to = text(message, "context", "id")
        # Groups have no mentions of a business: a command, an answer or "@shop" addresses us.
        is_to_us = not group or written.startswith(("/", "@")) or bool(reply_to)
        if group and written.startswith("@"):
            written = written.partition(" ")[2]
        return ChatMessage(
            address, member, number, written, is_to_us, reply_to, text(packed, "name")
        )

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """A picture with caption, or a text; the link always stands in it."""
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "group" if address.is_group else "individual",
            "to": address.chat,
        }
        if address.reply_to:
            body["context"] = {"message_id": address.reply_to}
        written = message.full_text
        has_picture = bool(message.picture) and len(written) <= self.capabilities.longest_caption
        if has_picture:
            body |= {"type": "image", "image": {"link": message.picture, "caption": written}}
        else:
            limited = written[: self.capabilities.longest_text]
            body |= {"type": "text", "text": {"preview_url": bool(message.link), "body": limited}}
        answer = await self._post.send(
            "POST", self._url, chat=address.chat, json=body, headers=self._headers
        )
        sent = parts(answer, "messages")
        return Sent(
            text(sent[0], "id") or None if sent else None, "picture" if has_picture else "text"
        )

    async def withdraw(self, address: Address, reference: str) -> bool:
        """WhatsApp lets nobody take a message back."""
        return False

    async def is_admin(self, message: Address, member: str) -> bool:
        """In groups the business itself is the admin; in a private chat everybody is."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do: the webhook is set in Meta's console."""
        return "verify the webhook in Meta's console"

    def _handshake(self, call: Call) -> Delivery:
        if call.query.get("hub.mode") != "subscribe":
            raise CallRefusedError(403, "this is no handshake")
        try:
            require_same(self._verify_token, call.query.get("hub.verify_token", ""), "the token")
        except CallRefusedError as error:
            raise CallRefusedError(403, str(error)) from None
        return Delivery(Answer(call.query.get("hub.challenge", "")[:200].encode()))


def _values(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        part(change, "value")
        for entry in parts(body, "entry")
        for change in parts(entry, "changes")
        if text(change, "field") == "messages"
    ]


def _packed(message: dict[str, Any], name: str) -> bytes:
    return json.dumps({"message": message, "name": name}).encode()


def _is_stale(message: dict[str, Any], now: datetime, most_age_s: int) -> bool:
    sent = text(message, "timestamp")
    if not sent.isdigit() or len(sent) > 12:
        return True
    return not -300 <= now.timestamp() - int(sent) <= most_age_s
