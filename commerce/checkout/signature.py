"""The signature of a payment webhook, checked on the bytes that arrived.

Written out because the provider's library accepts any moment in the future; ours refuses both an
old webhook and one whose clock runs ahead.
"""

import hashlib
import hmac
import re

from commerce.errors import WebhookError

PAST_S, FUTURE_S = 300, 60
_MOST_SIGNATURES = 16
_TIME = re.compile(r"[0-9]{1,12}")


def verify(raw: bytes, header: str, secret: str, *, now: float) -> None:
    """Require that the bytes were signed with the secret a moment ago.

    Args:
        raw: The body as it arrived.
        header: ``t=…,v1=…``; several ``v1`` while a secret is being changed.
        secret: The endpoint's secret.
        now: Seconds since the epoch.

    Raises:
        WebhookError: It was not; status 401.
    """
    if not secret.strip():
        raise WebhookError("no webhook secret is set; see LIVEPITCH_STRIPE_WEBHOOK_SECRET", 401)
    pairs = [part.strip().partition("=")[::2] for part in header[:4096].split(",")]
    times = [value for name, value in pairs if name == "t" and _TIME.fullmatch(value)]
    given = [value for name, value in pairs if name == "v1"][:_MOST_SIGNATURES]
    if not times or not given:
        raise WebhookError("the webhook carries no signature", 401)
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + raw, hashlib.sha256)
    wanted = expected.hexdigest().encode()
    if not any(hmac.compare_digest(wanted, one.encode(errors="replace")) for one in given):
        raise WebhookError("the webhook's signature is not ours", 401)
    age = now - int(times[0])
    if age > PAST_S:
        raise WebhookError(f"the webhook is {age:.0f} s old; {PAST_S} s are allowed", 401)
    if age < -FUTURE_S:
        raise WebhookError(f"the webhook is {-age:.0f} s ahead; check this machine's clock", 401)


def sign(raw: bytes, secret: str, *, at: int) -> str:
    """The header for a body, as the sandbox till sends it."""
    digest = hmac.new(secret.encode(), str(at).encode() + b"." + raw, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
