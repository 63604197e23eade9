"""What clients send: FC 3.0 events and bearer tokens."""

import json
import os
from collections.abc import Callable
from types import SimpleNamespace

from task import WANTED

CONTEXT = SimpleNamespace(request_id="1-65f0a1b2-c3d4e5f60718293a4b5c6d7e")
LOGIN_CODE = "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P"


def token_of_caller(ask: Callable[[bytes], dict[str, object]]) -> str:
    """
    What callers of this mode bring: a session's token for a code of WeChat, or none.

    Args:
        ask: an event becomes the function's response.
    """
    if os.environ["CALLER_AUTH"] != "wechat":
        return ""
    token: str = json.loads(ask(post("/login", {"code": LOGIN_CODE}))["body"])["token"]
    return token


def event(token: str = "") -> bytes:
    """One POST to ``/upload-params``."""
    return post("/upload-params", WANTED, token)


def post(path: str, body: object, token: str = "") -> bytes:
    headers = {
        "Host": "upload.example.com",
        "Content-Type": "application/json",
        "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50",
        "Accept-Encoding": "gzip, deflate",
        "Referer": "https://servicewechat.com/wx0123456789abcdef/1/page-frame.html",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    http = {
        "method": "POST",
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.7",
        "userAgent": headers["User-Agent"],
    }
    fields = {
        "version": "v1",
        "rawPath": path,
        "headers": headers,
        "queryParameters": {},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "accountId": "1234567890123456",
            "domainName": "upload.example.com",
            "domainPrefix": "upload",
            "requestId": CONTEXT.request_id,
            "time": "2026-11-24T14:00:00Z",
            "timeEpoch": "1795528800000",
            "http": http,
        },
    }
    return json.dumps(fields).encode()
