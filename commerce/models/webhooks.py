"""Webhooks that we send: where to, what, and how they are signed (the Standard Webhooks form)."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

PREFIX = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where news is sent.

    Attributes:
        url: ``https://…``; ``http://`` on loopback only.
        secret: Signs it: ``whsec_`` with base64 behind it, or any words.
        events: Patterns of what is wanted, such as ``order.*``.
        allows_loopback: Whether it may lie on this machine; other private addresses never do.
    """

    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...] = ("*",)
    allows_loopback: bool = False

    @property
    def key(self) -> str:
        """Tells endpoints apart where their address shall not be written."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:12]

    def wants(self, event: str) -> bool:
        """Whether it asked for events of a type."""
        return any(fnmatchcase(event, pattern) for pattern in self.events)


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news.

    Attributes:
        id: The same news has the same id, however often it is sent.
        type: Such as ``order.paid``.
        subject: The order or session it is about; news of one subject arrives in order.
        data: JSON-ready particulars; names nobody.
        occurred_at: When it happened.
    """

    id: str
    type: str
    subject: str
    data: Mapping[str, Any]
    occurred_at: datetime

    def body(self) -> str:
        """The body as it is sent, every time in the same bytes."""
        facts = {
            "id": self.id,
            "type": self.type,
            "timestamp": self.occurred_at.isoformat(),
            "data": dict(self.data),
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def signature(secret: str, notice: str, timestamp: int, raw: bytes) -> str:
    """The value of ``webhook-signature``.

    Args:
        secret: Of the endpoint.
        notice: Its id.
        timestamp: When it is sent, seconds since the epoch.
        raw: The body.
    """
    message = f"{notice}.{timestamp}.".encode() + raw
    digest = hmac.digest(_key(secret), message, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
