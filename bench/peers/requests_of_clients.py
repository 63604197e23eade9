"""
What clients send: FC 3.0 events and bearer tokens.
"""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

from task import JWT_KEY, TOKEN_SECRET, WANTED

CONTEXT = SimpleNamespace(request_id="1-65f0a1b2-c3d4e5f60718293a4b5c6d7e")
SESSION_AUDIENCE = "oss-direct-upload/session"
TOKEN_LIFE_SECONDS = 7200


def event(
    files: int = 1, *, token: str = "", source_ip: str = "203.0.113.7", profile: str = "default"
) -> bytes:
    """One POST to ``/upload-params``; several files go as ``files``."""
    wanted = {**WANTED, **({} if profile == "default" else {"profile": profile})}
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
        "path": "/upload-params",
        "protocol": "HTTP/1.1",
        "sourceIp": source_ip,
        "userAgent": headers["User-Agent"],
    }
    fields = {
        "version": "v1",
        "rawPath": "/upload-params",
        "headers": headers,
        "queryParameters": {},
        "body": json.dumps(wanted if files == 1 else {"files": [wanted] * files}),
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


def business_token(subject: str) -> str:
    return _token({"sub": subject}, JWT_KEY)


def session_token(subject: str) -> str:
    return _token({"sub": subject, "aud": SESSION_AUDIENCE}, TOKEN_SECRET)


def _token(claims: dict[str, Any], secret: str) -> str:
    issued_at = int(time.time())
    claims = {**claims, "iat": issued_at, "exp": issued_at + TOKEN_LIFE_SECONDS}
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
    return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _segment(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
