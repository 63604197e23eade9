"""Stand-ins for STS and WeChat's login on loopback over TLS; they check nothing and answer at once."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import certifi
import trustme

from local.common.accounts import AccessKey
from local.sts.assume_role import Session
from quality.bench.peers import task

LOGIN_PATH = "/sns/jscode2session"
REQUEST_ID = "6894B13B-6D71-4EF5-88FA-F32781734A7F"
LOGIN_ANSWER = {"openid": "oBench0000000000000000000001", "session_key": "QmVuY2hTZXNzaW9uS2V5MA=="}


class StandIns(NamedTuple):
    """
    Args:
        authorities_file: the authority of ``origin`` as one of all that a real deployment trusts, which takes
            time to read.
    """

    origin: str
    authorities_file: Path


@contextmanager
def serving(folder: Path) -> Iterator[StandIns]:
    """Serve both until the block ends; ``folder`` gets the certificates that clients must trust."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, authorities_file = trustme.CA(), folder / "authorities.pem"
    authorities_file.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield StandIns(f"https://localhost:{server.server_address[1]}", authorities_file)
        server.shutdown()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body waits 40 ms for the client to acknowledge the headers, which no real STS makes it do.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith(LOGIN_PATH):
            # WeChat says text/plain of its JSON.
            self._send("text/plain", LOGIN_ANSWER)
            return
        asked = parse_qs(urlsplit(self.path).query) | parse_qs(body.decode("latin-1"))
        expires_at = datetime.now(UTC) + timedelta(seconds=int(asked["DurationSeconds"][0]))
        key = AccessKey(task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, expires_at)
        answer = Session(key, f"{task.ROLE_ARN}/bench", "1:bench").to_json()
        self._send("application/json", {"RequestId": REQUEST_ID, **answer})

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Nothing: a benchmark's terminal is for its figures."""

    def _send(self, content_type: str, answer: dict[str, Any]) -> None:
        text = json.dumps(answer)
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode("ascii"))
