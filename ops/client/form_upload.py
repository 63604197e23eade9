"""
Posting a file with a signed form, in pieces, as ``wx.uploadFile`` does: all fields first, the file last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor

from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable

CONNECT_SECONDS = 10
# The wait for OSS's answer includes the callback, for which OSS itself waits 5 seconds.
ANSWER_SECONDS = 60
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOTHING = Text("", "")
SHORTER = Text(
    "The file became shorter while it was read; nothing was uploaded.", "文件在读取时变短了，什么都没有上传。"
)

Progress = Callable[[int, int], None]


class UploadFailed(Failure):
    """Raised when there was no answer at all; its sentence is without the form."""


@dataclass(frozen=True)
class UploadAnswer:
    """
    Response of OSS to an upload.

    Args:
        text: XML of an error, JSON of a callback, or empty.
        headers: names in lower case.
    """

    status: int
    text: str
    headers: Mapping[str, str]


def no_answer(address: str, error: Exception, what: Text = NOTHING) -> Text:
    """That there was none, with the name of the library's error."""
    kind = type(error).__name__
    return Text(f"{address} did not answer{what.en} ({kind}).", f"{address} 没有响应{what.zh}（{kind}）。")


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
    parts: list[tuple[str, object]] = list(fields.items())
    parts.append(("file", (filename, _Exactly(file, size), content_type)))
    try:
        body = MultipartEncoderMonitor(
            MultipartEncoder(parts), lambda monitor: progress(monitor.bytes_read, monitor.len)
        )
        with (
            open_session(url) as session,
            session.post(
                url,
                data=body,
                headers={"Content-Type": body.content_type},
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            ) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return UploadAnswer(answer.status_code, answer.text, headers)
    # ValueError: the form names no address, or holds what no form can carry.
    except (requests.RequestException, ValueError) as error:
        raise UploadFailed(no_answer(printable(url), error, Text(" the upload", "上传"))) from None


class _Exactly:
    """
    As many bytes of a file as were announced.

    Args:
        len: bytes still to come, under the name that the encoder looks for.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.len = size

    def read(self, size: int) -> bytes:
        piece = self._file.read(min(size, self.len))
        if not piece and self.len:  # its length is announced already: OSS would wait for the rest in vain
            raise UploadFailed(SHORTER)
        self.len -= len(piece)
        return piece
