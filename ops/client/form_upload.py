"""Posting a file with a signed form, as ``wx.uploadFile`` does: all fields first, the file last."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable

CONNECT_SECONDS = 10
# The wait for OSS's answer includes the callback, for which OSS itself waits 5 seconds.
ANSWER_SECONDS = 60
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOTHING = Text("", "")


class UploadFailed(Failure):
    """Raised when there was no answer at all; its sentence is without the form."""


@dataclass(frozen=True)
class UploadAnswer:
    """Response of OSS: XML of an error, JSON of a callback, or empty; names of headers in lower case."""

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


def post_form(url: str, fields: Mapping[str, str], file: tuple[str, bytes]) -> UploadAnswer:
    """Send one file, a name and its content; raise ``UploadFailed`` if refused, broken off or timed out."""
    try:
        with open_session(url) as session:
            answer = session.post(
                url,
                # The library writes data before files, in order: the file comes last, as OSS demands.
                data=dict(fields),
                files={"file": (*file, "application/octet-stream")},
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            )
    # ValueError: the form names no address.
    except (requests.RequestException, ValueError) as error:
        raise UploadFailed(no_answer(printable(url), error, Text(" the upload", "上传"))) from None
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return UploadAnswer(answer.status_code, answer.text, headers)
