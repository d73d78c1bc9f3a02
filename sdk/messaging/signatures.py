"""Whether a call comes from whom it says: keyed hashes, compared in constant time, on raw bytes."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sdk.errors import CallRefusedError, SettingsError


def require_same(expected: str, shown: str, what: str) -> None:
    """Refuse a call whose signature or secret is another one.

    Raises:
        CallRefusedError: 401; the two differ, or none was shown.
    """
    # As bytes: texts that are not ASCII cannot be compared in constant time.
    if not shown or not hmac.compare_digest(expected.encode(), shown.encode("utf-8", "replace")):
        raise CallRefusedError(401, f"{what} does not fit")


def hmac_hex(secret: str, message: bytes) -> str:
    """HMAC-SHA-256 in hexadecimal digits."""
    return hmac.digest(secret.encode(), message, hashlib.sha256).hex()


def hmac_base64(secret: str, message: bytes) -> str:
    """HMAC-SHA-256 in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


def require_fresh(shown: str, now: datetime, window_s: int) -> int:
    """The signed time of a call, in seconds since 1970.

    Args:
        shown: As it came.
        now: Our time.
        window_s: How far it may be from ours, in both directions.

    Raises:
        CallRefusedError: 401; no time, or one too far from now.
    """
    # Digits alone: int() would also take signs, blanks and underscores.
    if not (shown.isascii() and shown.isdigit() and len(shown) <= 12):
        raise CallRefusedError(401, "the call carries no readable time")
    seconds = int(shown)
    if abs(now.timestamp() - seconds) > window_s:
        raise CallRefusedError(401, "the call is too old, or of the future; check the clocks")
    return seconds


class Ed25519Verifier:
    """Discord's: a public key, and calls signed with the private one.

    Args:
        public_key: 64 hexadecimal digits.

    Raises:
        SettingsError: It is no such key.
    """

    def __init__(self, public_key: str) -> None:
        try:
            self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except ValueError:
            raise SettingsError(
                "LIVEPITCH_DISCORD_PUBLIC_KEY is not 64 hexadecimal digits; copy it again"
            ) from None

    def require(self, signature: str, message: bytes) -> None:
        """Refuse a call that was not signed with the private key.

        Raises:
            CallRefusedError: 401.
        """
        try:
            self._key.verify(binascii.unhexlify(signature), message)
        except (InvalidSignature, ValueError):
            raise CallRefusedError(401, "the signature does not fit") from None
