"""What a packaged function calls, in a server of the test's own, and the settings that lead there."""

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from local.common.http_server import Handler, Server
from tests.conftest import ENVIRONMENT, TOKEN_SECRET

Response = tuple[int, dict[str, str], bytes]


def credentials(token: str = "fake-token", **more: str) -> Response:
    """Return what STS responds."""
    fields = {"AccessKeyId": "STS.fake", "AccessKeySecret": "fake-secret", "SecurityToken": token}
    body = {"RequestId": "R-1", "Credentials": {**fields, "Expiration": "2099-01-01T00:00:00Z"}, **more}
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


@contextmanager
def serving(respond: Callable[[str], Response], certificate: trustme.LeafCert | None = None) -> Iterator[int]:
    """
    Serve until the block ends; over plain HTTP without a certificate.

    Args:
        respond: called with the path of each request.

    Returns:
        the port.
    """

    class Responder(Handler):
        # The end of the connection ends a response that is too short.
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = respond(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_CONNECT = do_GET

    server = Server(Responder)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop()


def settings(sts_origin: str, **more: str) -> dict[str, str]:
    return {**ENVIRONMENT, "STS_ENDPOINT": sts_origin, "TOKEN_SECRET": TOKEN_SECRET, **more}


# Only the package and the standard library are there: -S leaves out site-packages, -I the current folder.
BARE = ("-I", "-S", "-B", "-W", "error")


def run_bare(
    python: str, program: str, folder: Path, environ: dict[str, str], flags: tuple[str, ...] = BARE
) -> str:
    """Run a program that gets the folder of the package as its argument; return its last line."""
    done = subprocess.run(
        [python, *flags, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        env=environ,
        cwd="/",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]
