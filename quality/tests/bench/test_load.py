"""load_generator: whole responses are counted, errors are not."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from quality.bench.load_generator import LoadFailed, drive_here


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers each POST with its own body; the path says with which status."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo_port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_load_generator_counts_whole_answers_on_every_connection(echo_port):
    request = b"POST /200 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    samples = drive_here(echo_port, request, connections=3, seconds=0.1)
    assert len(samples) >= 3
    assert all(0 < latency < 10 for _, latency in samples)


def test_the_load_generator_does_not_count_an_error(echo_port):
    request = b"POST /503 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    with pytest.raises(LoadFailed, match="503"):
        drive_here(echo_port, request, connections=1, seconds=0.1)
