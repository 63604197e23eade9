"""
The message push of WeChat in secure mode: whether it is WeChat's, and what it says.

The page of WeChat's console that sets it up has a Token, which signs, and an EncodingAESKey, which encrypts.
Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping

from function.errors import Forbidden
from function.http.json_body import object_in

# The cipher's blocks have 16 bytes; what is padded is filled up to a multiple of 32.
CIPHER_BLOCK, PADDED_TO = 16, 32
RANDOM_BYTES, LENGTH_BYTES = 16, 4
ENCRYPTED = "Encrypt"


def signature_of(token: str, query: Mapping[str, str], *encrypted: str) -> str:
    """
    What WeChat writes for a time and a nonce: 40 lower-case hexadecimal characters.

    Args:
        encrypted: the text that ``msg_signature`` covers beside them, and ``signature`` does not.
    """
    parts = sorted([token, query.get("timestamp", ""), query.get("nonce", ""), *encrypted])
    signed = "".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha1(signed, usedforsecurity=False).hexdigest()  # WeChat's choice


def is_signed(query: Mapping[str, str], token: str, *encrypted: str) -> bool:
    """
    Whether a query has the signature of somebody who knows the Token.

    Args:
        encrypted: of a push, whose ``msg_signature`` counts; without it the ``signature`` does.
    """
    wanted = signature_of(token, query, *encrypted)
    given = query.get("msg_signature" if encrypted else "signature", "")
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))


def open_push(query: Mapping[str, str], body: bytes, *, token: str, aes_key: str, appid: str) -> bytes:
    """
    What WeChat says in a push, without what is around it.

    Of a body that has fields in plain text as well (compatible mode) only the encrypted part counts.

    Args:
        body: as it came, bounded by whoever read it.

        aes_key: the 43 characters of the console.

    Returns:
        the message, JSON in UTF-8 as the console was set up.

    Raises:
        Forbidden: it is not WeChat's, or not for this mini-program; with the reason for the log.
    """
    fields = object_in(body)
    if fields is None:
        is_xml = body.lstrip().startswith(b"<")
        raise _not_wechat_s(
            "it is XML; choose JSON in WeChat's console" if is_xml else "it is no JSON object"
        )
    encrypted = fields.get(ENCRYPTED)
    if not isinstance(encrypted, str):
        raise _not_wechat_s("it is not encrypted; choose the secure mode in WeChat's console")
    if not is_signed(query, token, encrypted):
        raise _not_wechat_s("msg_signature does not fit WECHAT_PUSH_TOKEN, or is missing")
    return _message(_decrypted(encrypted, aes_key), appid)


def refused_check() -> Forbidden:
    """The error for a GET that is not the one with which WeChat's console tries an address."""
    return _not_wechat_s("signature does not fit WECHAT_PUSH_TOKEN, or is missing")


def _decrypted(encrypted: str, aes_key: str) -> bytes:
    """Still with what WeChat puts around a message, without what fills the last block."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    # Lenient: the last of the 43 characters holds two bits more than the key has, and they may be set.
    key = b64decode(f"{aes_key}=")
    try:
        sealed = b64decode(encrypted, validate=True)
    except ValueError:
        sealed = b""
    if not sealed or len(sealed) % CIPHER_BLOCK:
        raise _not_wechat_s("what is encrypted is no whole number of blocks")
    decryptor = Cipher(AES(key), CBC(key[:CIPHER_BLOCK])).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= min(PADDED_TO, len(plain)) or plain[-padding:] != bytes([padding]) * padding:
        raise _not_wechat_s("it cannot be decrypted with WECHAT_PUSH_AES_KEY")
    return plain[:-padding]


def _message(plain: bytes, appid: str) -> bytes:
    """16 random bytes, the length of the message in 4, the message, the AppID."""
    start = RANDOM_BYTES + LENGTH_BYTES
    end = start + int.from_bytes(plain[RANDOM_BYTES:start])
    if end > len(plain):
        raise _not_wechat_s("it cannot be decrypted with WECHAT_PUSH_AES_KEY")
    if not hmac.compare_digest(plain[end:], appid.encode()):
        raise _not_wechat_s("it is for another AppID than WECHAT_APPID")
    return plain[start:end]


def _not_wechat_s(why: str) -> Forbidden:
    return Forbidden("This does not come from WeChat.", reason=f"push refused: {why}")
