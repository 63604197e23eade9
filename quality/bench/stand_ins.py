"""Stand-ins for STS and WeChat's login on loopback over TLS; they check nothing and answer at once."""

import json
import ssl
import threading
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
LOGIN_PATH = "/sns/jscode2session"
REQUEST_ID = "6894B13B-6D71-4EF5-88FA-F32781734A7F"
LOGIN_ANSWER = {"openid": "oBench0000000000000000000001", "session_key": "QmVuY2hTZXNzaW9uS2V5MA=="}


@dataclass
class StandIns:
    """
    Args:
        folder: where the certificates are written that clients must trust: ``ca.pem`` alone, and in
            ``authorities.pem`` as one of all that a real deployment trusts, which takes time to read.

        authority: issues the certificate of ``localhost``.
    """

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA, repr=False)

    def __enter__(self) -> "StandIns":
        context = self._certified()
        self._server = _Server(("127.0.0.1", 0), _Handler)
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

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Nothing: a benchmark's terminal is for its figures."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith(LOGIN_PATH):
            # WeChat says text/plain of its JSON.
            self._send("text/plain", json.dumps(LOGIN_ANSWER))
            return
        asked = parse_qs(urlsplit(self.path).query) | parse_qs(body.decode("latin-1"))
        seconds = int(asked.get("DurationSeconds", [str(DEFAULT_SESSION_SECONDS)])[0])
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        key = AccessKey(task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, expires_at)
        answer = Session(key, f"{task.ROLE_ARN}/bench", "1:bench").to_json()
        self._send("application/json", json.dumps({"RequestId": REQUEST_ID, **answer}))

    def _send(self, content_type: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode("ascii"))
