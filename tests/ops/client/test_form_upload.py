"""The body of an upload: fields first, the file in pieces, exactly as long as was announced."""

import io

import pytest

from local.common.http_server import Handler, Server
from ops.client.form_upload import UploadFailed, post_form


class Counting(io.RawIOBase):
    """A file of any size that holds nothing and remembers the largest piece asked for."""

    def __init__(self, size):
        self.left, self.largest = size, 0

    def readable(self):
        return True

    def read(self, size=-1):
        self.largest = max(self.largest, size if size >= 0 else 1 << 60)
        piece = min(self.left, size)
        self.left -= piece
        return b"\0" * piece


@pytest.fixture
def collecting():
    """A server that keeps the last body it got."""
    kept = {}

    class Keeper(Handler):
        def do_POST(self):  # noqa: N802
            length = int(self.headers["Content-Length"])
            kept.update(type=self.headers["Content-Type"], size=length, start=self.rfile.read(900))
            left = length - len(kept["start"])
            while left:
                piece = self.rfile.read(min(left, 1 << 16))
                left -= len(piece) or left
                kept["end"] = piece
            self.answer(200)

    server = Server(Keeper).start()
    yield server.origin, kept
    server.stop()


def test_a_large_file_is_sent_in_pieces_with_its_length_announced(collecting):
    origin, kept = collecting
    size = 30 * 1024 * 1024
    file, seen = Counting(size), []
    answer = post_form(
        origin, {"key": "a"}, file, size, progress=lambda sent, total: seen.append((sent, total))
    )
    assert answer.status == 200
    assert file.largest <= 64 * 1024
    assert size < kept["size"] < size + 1000
    assert seen[-1] == (kept["size"], kept["size"])
    assert [sent for sent, _ in seen] == sorted(sent for sent, _ in seen)


def test_the_fields_come_first_and_the_file_last(collecting):
    origin, kept = collecting
    post_form(
        origin, {"key": "a/é", "policy": "p=="}, io.BytesIO(b"x" * 2000), 2000, filename='we"ird\r\n.png'
    )
    start = kept["start"].decode()
    assert start.index('name="key"\r\n\r\na/é') < start.index('name="policy"') < start.index('name="file"')
    assert 'filename="we%22ird%0D%0A.png"' in start
    boundary = kept["type"].split("boundary=")[1]
    assert kept["end"].endswith(f"x\r\n--{boundary}--\r\n".encode())


def test_a_file_that_shrank_meanwhile_is_given_up_at_once(collecting):
    origin, _ = collecting
    with pytest.raises(UploadFailed):
        post_form(origin, {"key": "a"}, io.BytesIO(b"short"), 1000)


def test_a_file_that_grew_is_sent_only_up_to_its_announced_size(collecting):
    origin, kept = collecting
    post_form(origin, {"key": "a"}, io.BytesIO(b"x" * 1000 + b"later"), 1000)
    assert b"later" not in kept["start"] + kept["end"]
    assert kept["end"].endswith(b"--\r\n")
