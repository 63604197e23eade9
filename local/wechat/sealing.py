"""
Signing and encryption of the message push. Pure, checked against WeChat's own vectors.

Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import base64
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

PADDED_TO = 32
RANDOM_BYTES = 16


def signature_of(*parts: str) -> str:
    """Lower-case hex of the SHA-1 of the parts, sorted and joined: the push's Token is one of them."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def seal(message: bytes, app_id: str, aes_key: str, random: bytes) -> str:
    """
    The text of ``Encrypt``: base64 of AES-256-CBC.

    Args:
        aes_key: EncodingAESKey, 43 characters.

        random: 16 bytes that come first.
    """
    key = base64.b64decode(aes_key + "=")
    plain = random + len(message).to_bytes(4, "big") + message + app_id.encode()
    lacking = PADDED_TO - len(plain) % PADDED_TO
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    sealed = encryptor.update(plain + bytes([lacking]) * lacking) + encryptor.finalize()
    return base64.b64encode(sealed).decode()
