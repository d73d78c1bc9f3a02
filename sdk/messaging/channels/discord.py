"""Discord: slash commands and buttons by signed interactions, embeds out.

Discord sends wrong signatures on purpose and drops whoever accepts one. Plain messages of a server
reach a bot only through its gateway, so here members write ``/shop something``.
"""

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
from sdk.messaging.reading import object_of, part, parts, single_line, text
from sdk.messaging.signatures import Ed25519Verifier, require_fresh

API = "https://discord.com/api/v10"
WINDOW_S = 300
_PING, _COMMAND, _BUTTON = "1", "2", "3"
_MANAGE_SERVER = 1 << 5
_AGAINST = "livepitch:against"
_JSON = "application/json"


class Discord:
    """An application.

    Args:
        public_key: Of the application, hexadecimal.
        client: For the HTTP API.
        bot_token: Lets us take messages back; optional.
        api: Address and version of the API.

    Raises:
        SettingsError: The key is not one.
    """

    name = "discord"
    capabilities = CAPABILITIES[name]

    def __init__(
        self,
        public_key: str,
        client: httpx.AsyncClient,
        *,
        bot_token: str = "",
        api: str = API,
    ) -> None:
        self._verifier = Ed25519Verifier(public_key)
        self._bot_token = bot_token
        self._url = api.rstrip("/")
        self._post = Post(client, self.capabilities)

    def receive(self, call: Call) -> Delivery:
        """One interaction per call; answered at once with "thinking…"."""
        timestamp = call.headers.get("x-signature-timestamp", "")
        signature = call.headers.get("x-signature-ed25519", "")
        self._verifier.require(signature, timestamp.encode() + call.body)
        require_fresh(timestamp, call.now, WINDOW_S)
        body = object_of(call.body)
        kind, event_id = text(body, "type"), text(body, "id")
        if kind == _PING:
            return Delivery(Answer(b'{"type":1}', _JSON))
        if not event_id:
            raise CallRefusedError(400, "the interaction has no id")
        pushed = (Pushed(event_id, call.body),)
        if kind == _BUTTON:
            return Delivery(Answer(b'{"type":6}', _JSON), pushed)
        if kind == _COMMAND:
            return Delivery(Answer(b'{"type":5}', _JSON), pushed)
        return Delivery(Answer(b'{"type":4,"data":{"content":"?","flags":64}}', _JSON))

    def read(self, body: bytes) -> Incoming | None:
        """Commands as messages, our 👎 button as a reaction."""
        event = object_of(body)
        member = part(event, "member")
        user = part(member, "user") or part(event, "user")
        is_group = bool(text(event, "guild_id"))
        extra = {"application": text(event, "application_id"), "token": text(event, "token")}
        address = Address(self.name, text(event, "channel_id"), is_group, "", extra)
        who = text(user, "id")
        if text(event, "type") == _BUTTON:
            is_ours = text(event, "data", "custom_id") == _AGAINST
            message = text(event, "message", "id")
            return Reaction(address, who, message, "against") if is_ours and who else None
        if text(event, "type") != _COMMAND or not who:
            return None
        written = _written(part(event, "data"))
        permissions = text(member, "permissions")
        is_admin = permissions.isdigit() and bool(int(permissions) & _MANAGE_SERVER)
        return ChatMessage(
            address,
            who,
            text(event, "id"),
            written,
            True,
            name=text(user, "global_name") or text(user, "username"),
            language=text(event, "locale")[:2],
            is_admin=is_admin or not is_group,
        )

    async def send(self, address: Address, message: Outgoing) -> Sent:
        """An embed with buttons, in the place of "thinking…"."""
        body = _body(message, self.capabilities.longest_text)
        url = f"{self._hook(address)}/messages/@original"
        answer = await self._post.send("PATCH", url, chat=address.chat, json=body)
        return Sent(text(answer, "id") or None, "card" if message.link else "text")

    async def withdraw(self, address: Address, reference: str) -> bool:
        """Delete it, which needs the bot's token."""
        if not self._bot_token:
            return False
        url = f"{self._url}/channels/{address.chat}/messages/{reference}"
        await self._post.send("DELETE", url, headers={"Authorization": f"Bot {self._bot_token}"})
        return True

    async def is_admin(self, message: Address, member: str) -> bool:
        """Told with each interaction; nothing more to ask."""
        return not message.is_group

    async def start(self, hook_url: str | None) -> str:
        """Nothing to do: the endpoint is set in the developer portal."""
        return "set the interactions endpoint in Discord's developer portal"

    def _hook(self, address: Address) -> str:
        application, token = address.extra["application"], address.extra["token"]
        return f"{self._url}/webhooks/{application}/{token}"


def _written(command: dict[str, Any]) -> str:
    """``/shop QUERY`` is a message; ``/shop privacy`` and ``/privacy`` are commands."""
    options = parts(command, "options")
    words = single_line(" ".join(text(option, "value") for option in options))
    named = text(command, "name").lower()
    return words if named in ("shop", "ask") else single_line(f"/{named} {words}")


def _body(message: Outgoing, longest: int) -> dict[str, Any]:
    if not message.link:
        return {"content": message.full_text[:longest], "allowed_mentions": {"parse": []}}
    embed: dict[str, Any] = {
        "title": message.title[:256] or message.link_label,
        "description": message.text[:longest],
        "url": message.link,
    }
    if message.picture:
        embed["image"] = {"url": message.picture}
    buttons = [
        {"type": 2, "style": 5, "label": message.link_label[:80] or "Open", "url": message.link},
        {"type": 2, "style": 2, "label": "👎", "custom_id": _AGAINST},
    ]
    return {
        "embeds": [embed],
        "components": [{"type": 1, "components": buttons}],
        "allowed_mentions": {"parse": []},
    }
