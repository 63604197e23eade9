"""WeChat's side of its message push, written from its documentation: sealed, signed, sent."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32


def sha1_of(*parts: str) -> str:
    """The signature over these, sorted as texts."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Pusher:
    """
    WeChat, as one page of its console has set it up.

    Args:
        aes_key: 43 characters.
    """

    token: str
    aes_key: str
    appid: str
    timestamp: str = "1714112445"
    nonce: str = "415670741"

    def encrypt(self, plain: bytes) -> str:
        """As they are: whole blocks that nothing fills up."""
        key = b64decode(f"{self.aes_key}=")
        encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
        return b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    def seal(self, message: bytes, random: bytes = b"0123456789abcdef") -> str:
        """The text of ``Encrypt``."""
        plain = random + len(message).to_bytes(4) + message + self.appid.encode()
        fill = BLOCK - len(plain) % BLOCK
        return self.encrypt(plain + bytes([fill]) * fill)

    def query(self, encrypted: str = "") -> dict[str, str]:
        """What the address is followed by; with the text of ``Encrypt``, or as when the console tries it."""
        signed = {
            "signature": sha1_of(self.token, self.timestamp, self.nonce),
            "timestamp": self.timestamp,
            "nonce": self.nonce,
        }
        if not encrypted:
            return signed
        msg_signature = sha1_of(self.token, self.timestamp, self.nonce, encrypted)
        return {**signed, "openid": "oUser", "encrypt_type": "aes", "msg_signature": msg_signature}

    def push(self, event: Mapping[str, Any] | bytes, **also: Any) -> tuple[dict[str, str], bytes]:
        """
        Query and body of one push in secure mode.

        Args:
            also: further fields beside ``Encrypt``, as the compatible mode has them.
        """
        encrypted = self.seal(event if isinstance(event, bytes) else json.dumps(event).encode())
        return self.query(encrypted), json.dumps(
            {"ToUserName": "gh_x", "Encrypt": encrypted, **also}
        ).encode()
