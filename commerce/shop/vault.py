"""The letterbox's key: what it encrypts, and what it hashes, under a key outside the database.

Whoever has a copy of the database, and not the key, reads no message and no id of a chat service.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from commerce.database import Database
from commerce.errors import LetterboxError
from commerce.settings import read_settings

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    """Encrypts with AES-256-GCM and hashes with HMAC-SHA-256.

    Args:
        secret: The key material, any length; two keys are derived from it.
    """

    def __init__(self, secret: bytes) -> None:
        self._aead = AESGCM(_derived(secret, b"livepitch letterbox bodies"))
        self._hash_key = _derived(secret, b"livepitch letterbox ids")

    def seal(self, plain: bytes, about: str) -> bytes:
        """Encrypt.

        Args:
            plain: Anything.
            about: What it belongs to; it can only be opened for the same.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """Decrypt.

        Raises:
            LetterboxError: Sealed under another key, for something else, or damaged.
        """
        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError):
            raise LetterboxError(
                f"{about} was encrypted under another key; restore the former letterbox key"
            ) from None

    def digest(self, *parts: str) -> str:
        """A keyed hash of some words, 32 hexadecimal digits; each word keeps its borders."""
        text = b"".join(len(part).to_bytes(4, "big") + part for part in map(str.encode, parts))
        return hmac.digest(self._hash_key, text, hashlib.sha256)[:16].hex()


def vault_for(database: Database) -> Vault:
    """The vault of a shop: the key of the settings, else a key file beside the SQLite file.

    Raises:
        LetterboxError: There is no place to keep a key.
    """
    key = read_settings().letterbox_key
    if key is not None:
        return Vault(key.get_secret_value().encode())
    if database.dialect != "sqlite":
        raise LetterboxError(
            "set LIVEPITCH_LETTERBOX_KEY: beside PostgreSQL there is no place to keep a key"
        )
    if database.name == ":memory:":
        return Vault(secrets.token_bytes(_KEY_BYTES))
    return Vault(_kept_key(Path(f"{database.name}.key"), lambda: secrets.token_bytes(_KEY_BYTES)))


def _kept_key(path: Path, make: Callable[[], bytes]) -> bytes:
    try:
        try:
            # Exclusively: of two programs that start at once, one makes the key.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = base64.b64decode(path.read_bytes(), validate=True)
        else:
            key = make()
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(key))
                file.flush()
                os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        raise LetterboxError(
            f"the key file {path.name} cannot be used ({error}); set LIVEPITCH_LETTERBOX_KEY"
        ) from error
    if len(key) != _KEY_BYTES:
        raise LetterboxError(f"the key file {path.name} is damaged; restore it from a backup")
    return key


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(secret).digest(), purpose, hashlib.sha256)
