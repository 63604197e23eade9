"""
WeChat's message push in secure mode: verification and decryption.

WeChat's console defines its Token, which signs, and its EncodingAESKey, which encrypts.
Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping

from function.errors import Forbidden
from function.wechat.push_fields import fields_of

# AES has blocks of 16 bytes; WeChat pads to a multiple of 32.
CIPHER_BLOCK, PADDED_TO = 16, 32
RANDOM_BYTES, LENGTH_BYTES = 16, 4
ENCRYPTED = "Encrypt"


def signature_of(token: str, query: Mapping[str, str], *encrypted: str) -> str:
    """
    Return WeChat's signature of a timestamp and a nonce: 40 lower-case hexadecimal characters.

    Args:
        encrypted: the text that ``msg_signature`` covers as well.
    """
    parts = sorted([token, query.get("timestamp", ""), query.get("nonce", ""), *encrypted])
    signed = "".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha1(signed, usedforsecurity=False).hexdigest()  # WeChat's choice


def is_signed(query: Mapping[str, str], token: str, *encrypted: str) -> bool:
    """
    Return whether a query is signed with the Token.

    Args:
        encrypted: the text of a push, checked by ``msg_signature``; without it ``signature`` is checked.
    """
    expected = signature_of(token, query, *encrypted)
    given = query.get("msg_signature" if encrypted else "signature", "")
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def open_push(query: Mapping[str, str], body: bytes, *, token: str, aes_key: str, appid: str) -> bytes:
    """
    Verify and decrypt a push.

    In compatible mode the body has plain fields as well; only the encrypted part counts.

    Args:
        body: as received, size-limited.
        aes_key: the 43 characters of the console.

    Returns:
        the message, in JSON or XML.

    Raises:
        Forbidden: it is not from WeChat, or not for this mini-program.
    """
    fields = fields_of(body)
    if fields is None:
        raise _not_from_wechat("neither JSON nor XML")
    encrypted = fields.get(ENCRYPTED)
    if not isinstance(encrypted, str):
        raise _not_from_wechat("it is not encrypted; choose the secure mode in WeChat's console")
    if not is_signed(query, token, encrypted):
        raise _not_from_wechat("msg_signature does not fit WECHAT_PUSH_TOKEN, or is missing")
    return _message(_decrypted(encrypted, aes_key), appid)


def refused_check() -> Forbidden:
    """Return the error for a GET that is not the URL check of WeChat's console."""
    return _not_from_wechat("signature does not fit WECHAT_PUSH_TOKEN, or is missing")


def _decrypted(encrypted: str, aes_key: str) -> bytes:
    """Return the decrypted envelope, without padding."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    # Lenient: the last of the 43 characters has two bits more than the key, and they may be set.
    key = b64decode(f"{aes_key}=")
    try:
        sealed = b64decode(encrypted, validate=True)
    except ValueError:
        sealed = b""
    if not sealed or len(sealed) % CIPHER_BLOCK:
        raise _not_from_wechat("the encrypted text has no whole number of blocks")
    decryptor = Cipher(AES(key), CBC(key[:CIPHER_BLOCK])).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= min(PADDED_TO, len(plain)) or plain[-padding:] != bytes([padding]) * padding:
        raise _not_from_wechat("it cannot be decrypted with WECHAT_PUSH_AES_KEY")
    return plain[:-padding]


def _message(plain: bytes, appid: str) -> bytes:
    """Return the message of an envelope: 16 random bytes, its length in 4, the message, the AppID."""
    start = RANDOM_BYTES + LENGTH_BYTES
    end = start + int.from_bytes(plain[RANDOM_BYTES:start])
    if end > len(plain):
        raise _not_from_wechat("it cannot be decrypted with WECHAT_PUSH_AES_KEY")
    if not hmac.compare_digest(plain[end:], appid.encode()):
        raise refused_appid()
    return plain[start:end]


def refused_appid() -> Forbidden:
    """Return the error for a push of another mini-program."""
    return _not_from_wechat("it is for another AppID than WECHAT_APPID")


def _not_from_wechat(problem: str) -> Forbidden:
    return Forbidden("This does not come from WeChat.", reason=f"push refused: {problem}")
