"""WeCom's encrypted callbacks: SHA-1 signature over four words, AES-256-CBC with a framed text.

The signature is checked before anything is decrypted, so that nobody learns from our answers
whether a padding was right.
"""

import base64
import binascii
import hashlib
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sdk.errors import CallRefusedError, SettingsError
from sdk.messaging.signatures import require_same

_BLOCK = 32  # WeCom pads to 32 bytes, although AES knows 16
_RANDOM = 16


class WecomCrypto:
    """Signs, encrypts and decrypts for one receiver.

    Args:
        token: As typed into WeCom's console.
        aes_key: EncodingAESKey, 43 characters.
        receiver: The corporation's id for an app; empty for an AI bot.

    Raises:
        SettingsError: The key is not one.
    """

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        try:
            self._key = base64.b64decode(aes_key + "=", validate=True)
        except binascii.Error:
            self._key = b""
        if len(self._key) != 32:
            raise SettingsError("the WeCom EncodingAESKey is not 43 characters; copy it again")
        self._token = token
        self._receiver = receiver

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """What WeCom calls msg_signature."""
        words = sorted((self._token, timestamp, nonce, encrypted))
        return hashlib.sha1("".join(words).encode()).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """Verify, then decrypt.

        Raises:
            CallRefusedError: 401 when it was signed by somebody else; 400 when it is damaged or
                meant for another receiver.
        """
        require_same(self.signature(timestamp, nonce, encrypted), signature, "the signature")
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            sealed = b""
        if not sealed or len(sealed) % 16:
            raise CallRefusedError(400, "the encrypted text is damaged")
        decryptor = self._cipher().decryptor()
        plain = _unpadded(decryptor.update(sealed) + decryptor.finalize())
        if len(plain) < _RANDOM + 4:
            raise CallRefusedError(400, "the encrypted text is damaged")
        length = int.from_bytes(plain[_RANDOM : _RANDOM + 4], "big")
        message = plain[_RANDOM + 4 : _RANDOM + 4 + length]
        receiver = plain[_RANDOM + 4 + length :]
        if len(message) != length or receiver != self._receiver.encode():
            raise CallRefusedError(400, "the encrypted text is damaged or meant for another")
        return message

    def seal(self, message: bytes) -> str:
        """Encrypt an answer."""
        framed = os.urandom(_RANDOM) + len(message).to_bytes(4, "big") + message
        framed += self._receiver.encode()
        padding = _BLOCK - len(framed) % _BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(framed + bytes([padding]) * padding) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


def _unpadded(plain: bytes) -> bytes:
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise CallRefusedError(400, "the encrypted text is damaged")
    return plain[:-padding]
