"""Requests by both HTTP contracts, their responses, and an instance whose secrets are watched."""

import io
import json
import logging
from dataclasses import dataclass
from typing import Any

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.common.clock import Clock
from tests.support.canaries import Watch

BUCKET, REGION = "torture-bucket", "cn-hangzhou"
ROLE = "acs:ram::1234567890123456:role/upload"
APP_ID = "wxtorture"
KEY_HEADER = "aHR0cHM6Ly9nb3NzcHVibGljLmFsaWNkbi5jb20vY2FsbGJhY2tfcHViX2tleV92MS5wZW0="
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
callback = true
[page]
key = "test/{filename}"
max_size = "1MiB"
"""


@dataclass(frozen=True)
class Reply:
    """An answer of the function as its reader sees it."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json.get("error", {}).get("code", "")) if self.text else ""

    @property
    def outcome(self) -> tuple[int, str]:
        return self.status, self.code


def planted_environment(watch: Watch, profiles_file: str, **changes: str) -> dict[str, str]:
    """Complete settings of a function for WeChat callers with callbacks and a webhook."""
    return {
        "OSS_BUCKET": BUCKET,
        "OSS_REGION": REGION,
        "STS_ROLE_ARN": ROLE,
        "CALLER_AUTH": "wechat",
        "CALLER_RATE": "900000000/min",
        "LOGIN_RATE": "900000000/min",
        "WECHAT_APPID": APP_ID,
        "WECHAT_SECRET": watch.plant("wechat"),
        "TOKEN_SECRET": f"{watch.plant('token-new')},{watch.plant('token-old')}",
        "OWNER_SECRET": watch.plant("owner"),
        "CALLBACK_URL": "https://function.example/callback",
        "PROFILES_FILE": profiles_file,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.FunctionOwnKey",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": watch.plant("own-secret"),
        "ALIBABA_CLOUD_SECURITY_TOKEN": watch.plant("own-token"),
        **changes,
    }


def build(environ: dict[str, str], now: Clock, **around: Any) -> Function:
    """An instance; its own log lines are written (the run searches them), but shown nowhere."""
    logging.getLogger("oss_direct_upload").propagate = True
    return Function(Dependencies(environ, now=now, **around))


def ask(
    function: Function,
    body: Any = None,
    *,
    method: str = "POST",
    path: str = "/upload-params",
    query: str = "",
    **headers: str,
) -> Reply:
    """One request through the WSGI form; header names as keywords."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(raw)),
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.input": io.BytesIO(raw),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    return ask_wsgi(function, environ)


def ask_wsgi(function: Function, environ: dict[str, Any]) -> Reply:
    started: list[tuple[str, dict[str, str]]] = []
    parts = serve(function, environ, lambda status, pairs: started.append((status, dict(pairs))))
    ((status, headers),) = started
    return Reply(int(status.partition(" ")[0]), headers, b"".join(parts).decode())


def ask_event(function: Function, event: bytes, context: Any = None, serve: Any = serve) -> Reply:
    answer = serve(function, event, context)
    if set(answer) != {"statusCode", "headers", "isBase64Encoded", "body"}:
        raise AssertionError(f"an answer with {sorted(answer)}")
    return Reply(answer["statusCode"], answer["headers"], answer["body"])


def make_event(
    body: Any = None,
    *,
    method: str = "POST",
    path: str = "/upload-params",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    source_ip: str = "203.0.113.7",
    base64: str | None = None,
) -> bytes:
    """An FC 3.0 HTTP trigger event; ``body`` that is no text is sent as JSON."""
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    return json.dumps(
        {
            "version": "v1",
            "rawPath": path,
            "headers": headers or {},
            "queryParameters": query or {},
            "body": text if base64 is None else base64,
            "isBase64Encoded": base64 is not None,
            "requestContext": {
                "accountId": "1234567890123456",
                "domainName": "x.cn-hangzhou.fcapp.run",
                "domainPrefix": "x",
                "requestId": "1-65f0-abc",
                "time": "2026-11-24T14:00:00Z",
                "timeEpoch": "1795528800000",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": source_ip,
                    "userAgent": "test",
                },
            },
        }
    ).encode()
