"""Telegram: updates by webhook with a secret header, messages by the Bot API.

A call's body is not signed: whoever knows the secret may call, so it travels over HTTPS only.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any

import httpx

from sdk.errors import CallRefusedError, DeliveryError, SettingsError
from sdk.messaging.capabilities import CAPABILITIES
from sdk.messaging.messages import (
    Address,
    Call,
    ChatMessage,
    Delivery,
    Incoming,
    Joined,
    Moved,
    Outgoing,
    Pushed,
    Reaction,
    Sent,
    Sign,
)
from sdk.messaging.post import Post
from sdk.messaging.reading import object_of, part, parts, sign_of, span, text, without
from sdk.messaging.signatures import require_same

API = "https://api.telegram.org"
_UPDATES = ("message", "message_reaction", "my_chat_member")
_FUTURE_S = 300


class Telegram:
    """A bot.

    Args:
        token: From BotFather.
        client: For the Bot API.
        secret: Of the webhook; derived from the token where none is given.
        username: Without @; asked for at the start where none is given.
        api: Address of the Bot API, which may be a server of one's own.

    Raises:
        SettingsError: The token is not one.
    """

    name = "telegram"
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        token: str,
        client: httpx.AsyncClient,
        *,
        secret: str | None = None,
        username: str = "",
        api: str = API,
    ) -> None:
        bot_id, colon, _ = token.partition(":")
        if not (colon and bot_id.isdigit()):
            raise SettingsError("LIVEPITCH_TELEGRAM_TOKEN is not a bot token; ask BotFather")
        self._bot_id = bot_id
        self.secret = secret or _derived_secret(token)
        self._username = username.lower().lstrip("@")
        self._url = f"{api.rstrip('/')}/bot{token}"
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """One update per call."""
        shown = call.headers.get("x-telegram-bot-api-secret-token", "")
        require_same(self.secret, shown, "the secret token")
        update = object_of(call.body)
        event_id = text(update, "update_id")
        if not event_id:
            raise CallRefusedError(400, "the update has no update_id")
        if _is_stale(update, call.now, self.capabilities.most_age_s):
            return Delivery()
        return Delivery(pushed=(Pushed(event_id, call.body),))

    def read(self, body: bytes) -> Incoming | None:
        """Messages, reactions, and our arrival in a group."""
        update = object_of(body)
        if message := part(update, "message"):
            return self._message(message)
        if reaction := part(update, "message_reaction"):
            return _reaction(reaction)
        member = part(update, "my_chat_member")
        joined = text(member, "new_chat_member", "status") in ("member", "administrator")
        was_in = text(member, "old_chat_member", "status") in ("member", "administrator")
        if member and joined and not was_in and _is_group(part(member, "chat")):
            return Joined(_address(part(member, "chat")))
        return None

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """A picture with a caption and a button, or a text with a button."""
        body: dict[str, Any] = {"chat_id": address.chat}
        if thread := address.extra.get("thread"):
            body["message_thread_id"] = int(thread)
        if address.reply_to:
            body["reply_parameters"] = {
                "message_id": int(address.reply_to),
                "allow_sending_without_reply": True,
            }
        if message.link:
            button = {"text": message.link_label or message.link, "url": message.link}
            body["reply_markup"] = {"inline_keyboard": [[button]]}
        # Telegram's servers open only public links in buttons; a laptop's stays in the text.
        if message.link and not message.link.startswith("https://"):
            del body["reply_markup"]
            message_text = message.full_text
        else:
            message_text = message.text
        if message.picture and len(message_text) <= self.capabilities.longest_caption:
            body |= {"photo": message.picture, "caption": message_text}
            method, form = "sendPhoto", "picture"
        else:
            body["text"] = message_text[: self.capabilities.longest_text]
            method, form = "sendMessage", "text"
        try:
            answer = await self._call(method, body, chat=address.chat)
        except DeliveryError as error:
            # A picture that Telegram cannot fetch must not take the words with it.
            if form == "text" or not error.is_final:
                raise
            del body["photo"]
            body["text"], form = body.pop("caption"), "text"
            answer = await self._call("sendMessage", body, chat=address.chat)
        reference = text(answer, "result", "message_id")
        return Sent(reference or None, "picture" if form == "picture" else "text")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """Delete it."""
        body = {"chat_id": address.chat, "message_id": int(reference)}
        answer = await self._call("deleteMessage", body)
        return bool(answer and answer.get("ok"))

    async def is_admin(self, message: Address, member: str) -> bool:
        """Telegram tells; in a private chat everybody is their own."""
        if not message.is_group:
            return True
        body = {"chat_id": message.chat, "user_id": int(member)}
        answer = await self._call("getChatMember", body)
        return text(answer, "result", "status") in ("creator", "administrator")

    async def start(self, hook_url: str | None) -> str:
        """Ask for our name; name our webhook where we can be reached."""
        if not self._username:
            me = await self._call("getMe", {})
            self._username = text(me, "result", "username").lower()
        if hook_url is None:
            return f"@{self._username}: no public https address, so set the webhook yourself"
        body = {
            "url": hook_url,
            "secret_token": self.secret,
            "allowed_updates": list(_UPDATES),
            "max_connections": 40,
        }
        await self._call("setWebhook", body)
        return f"@{self._username}: webhook set"

    async def _call(self, method: str, body: dict[str, Any], chat: str = "") -> dict[str, Any]:
        return part(await self._post.send("POST", f"{self._url}/{method}", chat=chat, json=body))

    def _message(self, message: dict[str, Any]) -> Incoming | None:
        chat, sender = part(message, "chat"), part(message, "from")
        if former := text(message, "migrate_from_chat_id"):
            return Moved(_address(chat), former)
        written = text(message, "text") or text(message, "caption")
        if not written or sender.get("is_bot") is True or not sender:
            return None
        is_to_us, spans = not _is_group(chat), []
        entities = parts(message, "entities") or parts(message, "caption_entities")
        for entity in entities:
            start, length = entity.get("offset"), entity.get("length")
            if not isinstance(start, int) or not isinstance(length, int):
                continue
            named = span(written, start, length).lower()
            if entity.get("type") == "mention" and named == f"@{self._username}":
                is_to_us = True
                spans.append((start, length))
            elif entity.get("type") == "bot_command":
                command, _, whom = named.partition("@")
                if whom in ("", self._username):
                    is_to_us = True
                    if whom:  # "/privacy@shop" is "/privacy"
                        spans.append((start + len(command), length - len(command)))
        answered = part(message, "reply_to_message")
        is_to_us = is_to_us or text(answered, "from", "id") == self._bot_id
        number = text(message, "message_id")
        is_anonymous_admin = text(message, "sender_chat", "id") == text(chat, "id") != ""
        return ChatMessage(
            _address(chat, number, _topic(message)),
            text(sender, "id"),
            number,
            without(written, spans),
            is_to_us,
            text(answered, "message_id"),
            text(sender, "first_name"),
            text(sender, "language_code")[:2],
            True if is_anonymous_admin or not _is_group(chat) else None,
        )


def _reaction(reaction: dict[str, Any]) -> Reaction | None:
    member = text(reaction, "user", "id")
    if not member:
        return None
    signs = [sign_of(text(one, "emoji")) for one in parts(reaction, "new_reaction")]
    sign: Sign = "against" if "against" in signs else "for" if signs else "none"
    return Reaction(
        _address(part(reaction, "chat")),
        member,
        text(reaction, "message_id"),
        sign,
    )


def _is_stale(update: dict[str, Any], now: datetime, most_age_s: int) -> bool:
    dates = [part(update, kind).get("date") for kind in _UPDATES]
    date = next((one for one in dates if isinstance(one, int)), None)
    if date is None:
        return False
    return not -_FUTURE_S <= now.timestamp() - date <= most_age_s


def _is_group(chat: dict[str, Any]) -> bool:
    return text(chat, "type") in ("group", "supergroup")


def _topic(message: dict[str, Any]) -> str:
    """The forum topic a message stands in; a thread of mere answers is none."""
    return text(message, "message_thread_id") if message.get("is_topic_message") is True else ""


def _address(chat: dict[str, Any], reply_to: str = "", topic: str = "") -> Address:
    extra = {"thread": topic} if topic else {}
    return Address("telegram", text(chat, "id"), _is_group(chat), reply_to, extra)


def _derived_secret(token: str) -> str:
    """Known to whoever knows the token, and to nobody else; fits Telegram's alphabet."""
    return hmac.digest(token.encode(), b"livepitch webhook", hashlib.sha256).hex()
