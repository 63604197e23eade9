"""
Stand-ins on loopback, over TLS, that check nothing and answer at once: STS, WeChat's login, OSS's HeadObject.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import certifi
import trustme

from local.common.accounts import AccessKey
from local.sts.assume_role import Session
from quality.bench.peers import task

DEFAULT_SESSION_SECONDS = 3600
AWS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
LOGIN_PATH = "/sns/jscode2session"
HEAD_ANSWER = {
    "Content-Length": str(task.SIZE_BYTES),
    "Content-Type": task.CONTENT_TYPE,
    "ETag": '"D41D8CD98F00B204E9800998ECF8427E"',
    "Last-Modified": "Tue, 24 Nov 2026 14:00:01 GMT",
    "x-oss-object-type": "Normal",
}
LOGIN_ANSWER = {"openid": "oBench0000000000000000000001", "session_key": "QmVuY2hTZXNzaW9uS2V5MA=="}


@dataclass
class StandIns:
    """
    Args:
        folder: where the certificates are written that clients must trust: ``ca.pem`` alone, and in
            ``authorities.pem`` as one of all that a real deployment trusts, which takes time to read.

        latency_seconds, login_seconds: how long an answer of STS takes, and one of WeChat.

        now: the clock that expiries are counted from.

        calls: start and end of each AssumeRole, by ``time.monotonic``.

        authority: issues the certificate of ``localhost``.
    """

    folder: Path
    latency_seconds: float = 0.0
    login_seconds: float = 0.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    calls: list[tuple[float, float]] = field(default_factory=list)
    authority: trustme.CA = field(default_factory=trustme.CA, repr=False)

    def __enter__(self) -> "StandIns":
        context = self._certified()
        stand_ins = self

        class Answering(_Handler):
            stands_for = stand_ins

        self._server = _Server(("127.0.0.1", 0), Answering)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def origin(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def authorities_file(self) -> Path:
        return self.folder / "authorities.pem"

    def _certified(self) -> ssl.SSLContext:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        self.authorities_file.write_bytes(Path(certifi.where()).read_bytes() + self.ca_file.read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(context)
        return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With the library's five a burst of connections would be tried again after a second.
    request_queue_size = 1024


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body waits 40 ms for the client to acknowledge the headers, which no real STS makes it do.
    disable_nagle_algorithm = True
    stands_for: StandIns

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        """Whatever is asked about is there, as the task's form admits it."""
        self.send_response(200)
        for name, value in HEAD_ANSWER.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: a benchmark's terminal is for its figures."""

    def _answer(self) -> None:
        started = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith(LOGIN_PATH):
            time.sleep(self.stands_for.login_seconds)
            # WeChat says text/plain of its JSON.
            self._send("text/plain", json.dumps(LOGIN_ANSWER))
            return
        asked = parse_qs(urlsplit(self.path).query) | parse_qs(body.decode("latin-1"))
        if self.stands_for.latency_seconds:
            time.sleep(self.stands_for.latency_seconds)
        self._send(*_sts_answer(asked, self.stands_for.now()))
        self.stands_for.calls.append((started, time.monotonic()))

    def _send(self, content_type: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode("ascii"))


def _sts_answer(asked: Mapping[str, list[str]], now: datetime) -> tuple[str, str]:
    """Type and text of what the cloud asked for would answer to AssumeRole."""
    seconds = int(asked.get("DurationSeconds", [str(DEFAULT_SESSION_SECONDS)])[0])
    expires_at = now + timedelta(seconds=seconds)
    token = task.role_token(token_characters(asked.get("RoleArn", [""])[0]))
    if asked.get("Version") == ["2011-06-15"]:
        return "text/xml", _aws_answer(expires_at, token)
    return "application/json", _alibaba_answer(expires_at, token)


def token_characters(role_arn: str) -> int:
    """How long a token its session gets: ``…:role/upload-2048`` asks for 2048 characters."""
    _, _, number = role_arn.rpartition("-")
    return int(number) if number.isdecimal() else task.TOKEN_CHARACTERS


def _alibaba_answer(expires_at: datetime, token: str) -> str:
    key = AccessKey(task.ROLE_KEY_ID, task.ROLE_SECRET, token, expires_at)
    answer = Session(key, f"{task.ROLE_ARN}/bench", "1:bench").to_json()
    return json.dumps({"RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F", **answer})


def _aws_answer(expires_at: datetime, token: str) -> str:
    return (
        f'<AssumeRoleResponse xmlns="{AWS_NAMESPACE}"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>{task.ROLE_KEY_ID}</AccessKeyId><SecretAccessKey>{task.ROLE_SECRET}</SecretAccessKey>"
        f"<SessionToken>{token}</SessionToken><Expiration>{expires_at:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
