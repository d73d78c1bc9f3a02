"""``sdk.verify_webhook``: for the programs that our webhooks are sent to."""

import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commerce.models.webhooks import ID, SIGNATURE, TIMESTAMP, signature
from sdk.errors import ForgedWebhookError

TOLERANCE_S = 300
_MOST_SIGNATURES = 16
_TIME = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """News of the service, verified.

    Attributes:
        id: Equal for the same news; keep it, and do nothing when it comes again.
        type: Such as ``order.paid``; docs/webhooks.md lists them.
        timestamp: When it happened.
        data: Particulars by type.
    """

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


def verify_webhook(
    raw: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    now: Callable[[], float] = time.time,
) -> Webhook:
    """Read a webhook, if it is the service's own and of this moment.

    Args:
        raw: The body as it arrived, before anything parsed it.
        headers: Of the request; upper and lower case are one.
        secret: The one the service signs with.
        now: The time, seconds since the epoch.

    Raises:
        ForgedWebhookError: Another secret, a changed body, older or newer than five minutes, or
            not such a body; answer 401 and do nothing.
    """
    if len(secret) < 16:
        raise ForgedWebhookError("the secret is shorter than 16 characters; see docs/webhooks.md")
    shown = {name.lower(): value for name, value in headers.items()}
    notice, stamp = shown.get(ID, ""), shown.get(TIMESTAMP, "")
    given = shown.get(SIGNATURE, "")[:4096].split()[:_MOST_SIGNATURES]
    if not notice or not _TIME.fullmatch(stamp) or not given:
        raise ForgedWebhookError("the webhook carries no signature")
    wanted = signature(secret, notice, int(stamp), raw).encode()
    if not any(hmac.compare_digest(wanted, one.encode(errors="replace")) for one in given):
        raise ForgedWebhookError("the webhook's signature is another one's")
    if abs(now() - int(stamp)) > TOLERANCE_S:
        raise ForgedWebhookError(f"the webhook is not from the last {TOLERANCE_S} s")
    try:
        body = json.loads(raw)
        webhook = Webhook(
            body["id"], body["type"], datetime.fromisoformat(body["timestamp"]), body["data"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ForgedWebhookError("the webhook's body is not one of this service") from error
    if webhook.id != notice:
        raise ForgedWebhookError("the webhook's id is not the one that was signed")
    return webhook
