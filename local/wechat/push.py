"""
One message of the push as it is sent: address, headers and body, in each of its modes.

Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from local.common.outgoing import exchange
from local.wechat.events import RECEIVER, SENDER, as_json, as_xml
from local.wechat.sealing import RANDOM_BYTES, seal, signature_of

SECONDS = 5.0
ANSWER_BYTES = 64 * 1024
# What the platform's own page calls an answer that needs no other.
GOOD_ANSWERS = (b"success", b"")
CONTENT_TYPES = {"json": "application/json", "xml": "text/xml"}
WRITERS = {"json": as_json, "xml": as_xml}
SOMEBODY_ELSE = "wx0000000000other0"


@dataclass(frozen=True)
class PushSettings:
    """
    Push settings that the developer enters in the console.

    Args:
        url: of the function's ``/wechat-events``.

        token: 3 to 32 letters and digits.

        aes_key: EncodingAESKey, 43 letters and digits.
    """

    url: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)


class Message(NamedTuple):
    """A request that may be sent more than once, byte for byte the same."""

    url: str
    body: bytes
    content_type: str


def message_of(
    settings: PushSettings,
    app_id: str,
    event: Mapping[str, Any],
    timestamp: int,
    kind: str = "secure",
    form: str = "json",
) -> Message:
    """
    Args:
        timestamp: Unix seconds.

        kind: ``secure``, ``compatible`` or ``plain``; or, secure but for one thing, ``wrong_appid`` or
            ``bad_signature``.

        form: ``json`` or ``xml``.
    """
    stamp, nonce = str(timestamp), str(secrets.randbelow(2**31))
    query = {
        "signature": signature_of(settings.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "openid": SENDER,
    }
    write = WRITERS[form]
    body: Mapping[str, Any] = event
    if kind != "plain":
        named = SOMEBODY_ELSE if kind == "wrong_appid" else app_id
        # As printable as those of WeChat's own samples.
        random = secrets.token_hex(RANDOM_BYTES // 2).encode()
        sealed = seal(write(event), named, settings.aes_key, random)
        signature = signature_of(settings.token, stamp, nonce, sealed)
        if kind == "bad_signature":
            signature = signature[::-1]
        query |= {"encrypt_type": "aes", "msg_signature": signature}
        plain_fields = event if kind == "compatible" else {}
        body = {**plain_fields, "ToUserName": RECEIVER, "Encrypt": sealed}
    return Message(_with_query(settings.url, query), write(body), CONTENT_TYPES[form])


def send(message: Message, seconds: float = SECONDS) -> bool:
    """Deliver a message once, and say whether it was taken: 200 and ``success``, or nothing, in time."""
    answer = exchange(
        message.url, seconds, ANSWER_BYTES, message.body, {"Content-Type": message.content_type}
    )
    return answer is not None and answer.status == 200 and answer.body in GOOD_ANSWERS


def verify(settings: PushSettings, timestamp: int) -> bool:
    """Verify the push URL as the console does: an ``echostr`` must come back unchanged."""
    stamp, nonce, echo = str(timestamp), str(secrets.randbelow(2**31)), secrets.token_hex(8)
    query = {
        "signature": signature_of(settings.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "echostr": echo,
    }
    answer = exchange(_with_query(settings.url, query), SECONDS, ANSWER_BYTES)
    return answer is not None and answer.status == 200 and answer.body == echo.encode()


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
