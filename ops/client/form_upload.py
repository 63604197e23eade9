"""
Posting a file with a signed form, in pieces, as ``wx.uploadFile`` does: all fields first, the file last.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import requests

CONNECT_SECONDS = 10
# The wait for OSS's answer includes the callback, for which OSS itself waits 5 seconds.
ANSWER_SECONDS = 60
PIECE_BYTES = 64 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Progress = Callable[[int, int], None]


class UploadFailed(Exception):
    """Raised when there was no answer at all; the message is a sentence without the form."""


@dataclass(frozen=True)
class UploadAnswer:
    """
    What OSS answered.

    Args:
        text: XML of an error, JSON of a callback, or empty.

        headers: names in lower case.
    """

    status: int
    text: str
    headers: Mapping[str, str]


def open_session(url: str) -> requests.Session:
    """A session for this address; proxies of the environment are for addresses beyond this machine."""
    session = requests.Session()
    session.trust_env = urlsplit(url).hostname not in LOOPBACK
    return session


def post_form(
    url: str,
    fields: Mapping[str, str],
    file: BinaryIO,
    size: int,
    *,
    filename: str = "upload",
    content_type: str = "application/octet-stream",
    progress: Progress = lambda sent, total: None,
) -> UploadAnswer:
    """
    Send one file; it is read in pieces and never held whole.

    Args:
        size: bytes of the file.

        progress: called with the bytes of the body sent so far, and their total.

    Raises:
        UploadFailed: refused connection, broken off, timed out, or the file is shorter than said.
    """
    body = _FormBody(fields, file, size, filename, content_type, progress)
    try:
        with (
            open_session(url) as session,
            session.post(
                url,
                data=body,
                headers={"Content-Type": f"multipart/form-data; boundary={body.boundary}"},
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            ) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return UploadAnswer(answer.status_code, answer.text, headers)
    except requests.RequestException as error:
        raise UploadFailed(f"{url} did not answer the upload ({type(error).__name__}).") from None


class _FormBody:
    """A multipart body that ``requests`` reads like a file of known length."""

    def __init__(
        self,
        fields: Mapping[str, str],
        file: BinaryIO,
        size: int,
        filename: str,
        content_type: str,
        progress: Progress,
    ) -> None:
        self.boundary = secrets.token_hex(16)
        head = b"".join(self._part(f'name="{_quoted(name)}"', value) for name, value in fields.items())
        head += self._part(f'name="file"; filename="{_quoted(filename)}"', "", content_type)[: -len(b"\r\n")]
        tail = f"\r\n--{self.boundary}--\r\n".encode()
        self._total = len(head) + size + len(tail)
        self._pieces = self._produce(head, file, size, tail)
        self._rest = b""
        self._sent = 0
        self._progress = progress

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        wanted = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:wanted], self._rest[wanted:]
        self._sent += len(piece)
        self._progress(self._sent, self._total)
        return piece

    def _part(self, disposition: str, value: str, content_type: str = "") -> bytes:
        kind = f"Content-Type: {content_type}\r\n" if content_type else ""
        return (
            f"--{self.boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n{value}\r\n"
        ).encode()

    @staticmethod
    def _produce(head: bytes, file: BinaryIO, size: int, tail: bytes) -> Iterator[bytes]:
        yield head
        while size > 0 and (piece := file.read(min(PIECE_BYTES, size))):
            size -= len(piece)
            yield piece
        if size:  # its length is announced already: OSS would wait for the rest in vain
            raise UploadFailed("The file became shorter while it was read; nothing was uploaded.")
        yield tail


def _quoted(name: str) -> str:
    """A name inside the quotes of a header line, escaped as browsers do."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
