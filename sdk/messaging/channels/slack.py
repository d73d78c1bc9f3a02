"""Slack: the Events API in, Block Kit cards out."""

from typing import Any

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
    Joined,
    Outgoing,
    Pushed,
    Reaction,
    Sent,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import object_of, part, sign_of, single_line, text
from sdk.messaging.signatures import hmac_hex, require_fresh, require_same

API = "https://slack.com/api"
WINDOW_S = 300


class Slack:
    """An app in one workspace.

    Args:
        signing_secret: Signs the calls.
        bot_token: For writing (``xoxb-…``).
        client: For the Web API.
        bot_user: The bot's own user id; asked for at the start where none is given.
        api: Address of the Web API.
    """

    name = "slack"
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        signing_secret: str,
        bot_token: str,
        client: httpx.AsyncClient,
        *,
        bot_user: str = "",
        api: str = API,
    ) -> None:
        self._secret = signing_secret
        self._bot_user = bot_user
        self._url = api.rstrip("/")
        self._headers = {"Authorization": f"Bearer {bot_token}"}
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """One event per call, or Slack's question whether we are there."""
        timestamp = call.headers.get("x-slack-request-timestamp", "")
        require_fresh(timestamp, call.now, WINDOW_S)
        base = b"v0:" + timestamp.encode() + b":" + call.body
        expected = "v0=" + hmac_hex(self._secret, base)
        require_same(expected, call.headers.get("x-slack-signature", ""), "the signature")
        body = object_of(call.body)
        if text(body, "type") == "url_verification":
            return Delivery(Answer(text(body, "challenge")[:500].encode()))
        if text(body, "type") != "event_callback":
            return Delivery()
        event_id = text(body, "event_id")
        if not event_id:
            raise CallRefusedError(400, "the event has no event_id")
        return Delivery(pushed=(Pushed(event_id, call.body),))

    def read(self, body: bytes) -> Incoming | None:
        """Messages, reactions, and our arrival in a channel."""
        event = part(object_of(body), "event")
        kind, member = text(event, "type"), text(event, "user")
        if kind == "reaction_added":
            chat, message = text(event, "item", "channel"), text(event, "item", "ts")
            sign = sign_of(text(event, "reaction"))
            return Reaction(Address(self.name, chat, True), member, message, sign)
        address = _address(event)
        if kind == "member_joined_channel" and member == self._bot_user != "":
            return Joined(address)
        if kind not in ("message", "app_mention") or not member:
            return None
        # Our own words, edits, joins and other bots come back as messages too.
        if text(event, "bot_id") or text(event, "subtype") or member == self._bot_user:
            return None
        written, mark = text(event, "text"), f"<@{self._bot_user}>"
        is_mentioned = bool(self._bot_user) and mark in written
        if kind == "message" and is_mentioned and address.is_group:
            return None  # it comes once more, as app_mention
        cleaned = single_line(_unescaped(written.replace(mark, " ")))
        is_to_us = kind == "app_mention" or not address.is_group or cleaned.startswith("/")
        return ChatMessage(
            address, member, text(event, "ts"), cleaned, is_to_us, text(event, "thread_ts"),
            is_admin=None if address.is_group else True,
        )  # fmt: skip

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """A section with picture and button; the plain text for notifications."""
        body: dict[str, Any] = {
            "channel": address.chat,
            "text": _escaped(message.full_text),
            "unfurl_links": False,
        }
        if address.extra.get("thread"):
            body["thread_ts"] = address.extra["thread"]
        if message.link:
            body["blocks"] = _blocks(message)
        answer = await self._call("chat.postMessage", body, address.chat)
        return Sent(text(answer, "ts") or None, "card" if message.link else "text")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """Delete it."""
        answer = await self._call("chat.delete", {"channel": address.chat, "ts": reference})
        return answer.get("ok") is True

    async def is_admin(self, message: Address, member: str) -> bool:
        """Whether they administer the workspace."""
        if not message.is_group:
            return True
        url = f"{self._url}/users.info?user={member}"
        answer = part(await self._post.send("GET", url, headers=self._headers))
        user = part(answer, "user")
        return user.get("is_admin") is True or user.get("is_owner") is True

    async def start(self, hook_url: str | None) -> str:
        """Ask who we are."""
        if not self._bot_user:
            self._bot_user = text(await self._call("auth.test", {}), "user_id")
        return "set the request URL in Slack's app settings"

    async def _call(self, method: str, body: dict[str, Any], chat: str = "") -> dict[str, Any]:
        url = f"{self._url}/{method}"
        answer = part(
            await self._post.send("POST", url, chat=chat, json=body, headers=self._headers)
        )
        if answer.get("ok") is False:  # Slack refuses with status 200
            raise DeliveryError(f"refused: {text(answer, 'error')[:60]}", is_final=True)
        return answer


def _address(event: dict[str, Any]) -> Address:
    is_group = text(event, "channel_type") not in ("im", "app_home")
    extra = {"thread": text(event, "thread_ts")} if text(event, "thread_ts") else {}
    return Address("slack", text(event, "channel"), is_group, text(event, "ts"), extra)


def _blocks(message: Outgoing) -> list[dict[str, Any]]:
    title = f"*{_escaped(message.title)}*\n" if message.title else ""
    section: dict[str, Any] = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": (title + _escaped(message.text))[:3000]},
    }
    if message.picture and message.picture.startswith("https://"):
        section["accessory"] = {
            "type": "image",
            "image_url": message.picture,
            "alt_text": message.title or message.link_label or "product",
        }
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": message.link_label[:75] or "Open"},
        "url": message.link,
        "style": "primary",
    }
    return [section, {"type": "actions", "elements": [button]}]


def _escaped(written: str) -> str:
    """Catalogue text must not become mentions or links."""
    return written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescaped(written: str) -> str:
    return written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
