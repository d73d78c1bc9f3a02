"""Signed calls of every chat service, as the services make them."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TELEGRAM_TOKEN = "4242:AAbbCCddEEffGGhh"
GROUP = -100777
SECRET = "a-secret-of-some-length"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
DISCORD_KEY = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
DISCORD_PUBLIC = DISCORD_KEY.public_key().public_bytes_raw().hex()


def telegram_update(
    text: str,
    *,
    update: int = 1,
    message: int = 10,
    chat: int = GROUP,
    member: int = 77,
    name: str = "Ana",
    bot: str = "shop",
    reply_to: dict[str, Any] | None = None,
    date: float | None = None,
) -> dict[str, Any]:
    """An update with a message; a mention of the bot and commands are marked as Telegram does."""
    entities = []
    mark = f"@{bot}"
    if mark in text:
        entities.append(_entity("mention", text, text.index(mark), len(mark)))
    if text.startswith("/"):
        entities.append(_entity("bot_command", text, 0, len(text.split()[0])))
    kind = "supergroup" if chat < 0 else "private"
    body: dict[str, Any] = {
        "message_id": message,
        "from": {"id": member, "is_bot": False, "first_name": name, "language_code": "en"},
        "chat": {"id": chat, "type": kind, "title": "Neighbours"},
        "date": int(date if date is not None else time.time()),
        "text": text,
        "entities": entities,
    }
    if reply_to is not None:
        body["reply_to_message"] = reply_to
    return {"update_id": update, "message": body}


def _entity(kind: str, text: str, start: int, length: int) -> dict[str, Any]:
    units = len(text[:start].encode("utf-16-le")) // 2
    return {"type": kind, "offset": units, "length": length}


def telegram_secret(token: str = TELEGRAM_TOKEN) -> str:
    return hmac.new(token.encode(), b"livepitch webhook", hashlib.sha256).hexdigest()


def telegram_headers(token: str = TELEGRAM_TOKEN) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-telegram-bot-api-secret-token": telegram_secret(token),
    }


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def hmac_hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def hmac_b64(secret: str, message: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()
