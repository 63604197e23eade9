"""
HTTP response of a client, as Function Compute makes it of a function's result.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/http-trigger-invoking-function
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from local.fc.event import is_token

# Silently dropped. transfer-encoding is not on FC's list, but the gateway frames the answer itself.
RESERVED = frozenset(
    {
        "connection",
        "content-disposition",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
        "upgrade",
    }
)
HEADERS_LIMIT_BYTES = 8 * 1024
JSON_TYPE = ("Content-Type", "application/json")


class BadResponseError(Exception):
    """The function's answer cannot become an HTTP response; the client gets 502 ``BadResponse``."""


@dataclass(frozen=True)
class OutgoingResponse:
    """A response ready for the wire, except for the headers the gateway itself adds."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_result(result: object) -> OutgoingResponse:
    """
    Turn what ``handler(event, context)`` returned into a response.

    JSON with a ``statusCode`` is taken apart; anything else is the body of a 200.

    Raises:
        BadResponseError: a part has the wrong type, or the headers are too large.

        TypeError: the value cannot be written as JSON.
    """
    raw = serialise(result)
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return OutgoingResponse(200, (JSON_TYPE,), raw)
    headers = answer.get("headers") or {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise BadResponseError("headers must be an object of strings")
    if not any(name.lower() == "content-type" for name in headers):
        headers = {**headers, JSON_TYPE[0]: JSON_TYPE[1]}
    return OutgoingResponse(_status(answer["statusCode"]), pass_headers(headers.items()), _body(answer))


def serialise(result: object) -> bytes:
    """Write a return value the way the Python runtime does: text and bytes as they are, the rest as JSON."""
    if isinstance(result, bytes):
        return result
    if isinstance(result, str):
        return result.encode(errors="replace")
    return json.dumps(result, sort_keys=True, indent=4, default=_runtime_json).encode()


def pass_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """
    Drop reserved headers and hold the rest to the limit.

    Raises:
        BadResponseError: more than 8 KB in all, or a character that would break the response apart.
    """
    passed = tuple(
        (name, value)
        for name, value in headers
        if name.lower() not in RESERVED and not name.lower().startswith("x-fc-")
    )
    size = sum(len(name.encode()) + len(value.encode()) for name, value in passed)
    if size > HEADERS_LIMIT_BYTES:
        raise BadResponseError(f"response headers of {size} bytes, over {HEADERS_LIMIT_BYTES}")
    for name, value in passed:
        if not is_token(name) or any(character in value for character in "\r\n\0"):
            raise BadResponseError(f"response header {name!r} is no header name or holds a line break")
    return passed


def _status(value: Any) -> int:
    # Whether FC reads "200" as 200 is not documented; refusing it shows the doubt.
    if type(value) is not int or not 200 <= value <= 599:
        raise BadResponseError(f"statusCode must be a number from 200 to 599, not {value!r}")
    return value


def _body(answer: dict[str, Any]) -> bytes:
    is_base64 = answer.get("isBase64Encoded", False)
    if type(is_base64) is not bool:
        raise BadResponseError("isBase64Encoded must be true or false")
    body = answer.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    raw = text.encode(errors="replace")
    if not is_base64:
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw


def _runtime_json(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"the function returned a {type(value).__name__}, which JSON cannot hold")
