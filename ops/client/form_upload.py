"""Posting a file with a signed form, as ``wx.uploadFile`` does: all fields first, the file last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable

# The wait for OSS's answer includes the callback, for which OSS itself waits 5 seconds.
TIMEOUTS = (10, 60)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOTHING = Text("", "")


@dataclass(frozen=True)
class Answer:
    """Response of OSS or of the function; names of headers in lower case."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object of the body; empty when it is none."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def no_answer(address: str, error: Exception, what: Text = NOTHING) -> Text:
    """That there was none, with the name of the library's error."""
    kind = type(error).__name__
    return Text(f"{address} did not answer{what.en} ({kind}).", f"{address} 没有响应{what.zh}（{kind}）。")


def open_session(url: str) -> requests.Session:
    """A session for this address; proxies of the environment are for addresses beyond this machine."""
    session = requests.Session()
    session.trust_env = urlsplit(url).hostname not in LOOPBACK
    return session


def send(method: str, url: str, **options: Any) -> Answer:
    """Send one request, whose redirects are not followed."""
    with open_session(url) as session:
        answer = session.request(method, url, allow_redirects=False, **options)
    return Answer(
        answer.status_code, answer.text, {name.lower(): value for name, value in answer.headers.items()}
    )


def post_form(url: str, fields: Mapping[str, str], file: tuple[str, bytes]) -> Answer:
    """Send one file, a name and its content; raise ``Failure`` if refused, broken off or timed out."""
    files = {"file": (*file, "application/octet-stream")}
    try:
        # The library writes data before files, in order: the file comes last, as OSS demands.
        return send("POST", url, data=dict(fields), files=files, timeout=TIMEOUTS)
    # ValueError: the form names no address.
    except (requests.RequestException, ValueError) as error:
        raise Failure(no_answer(printable(url), error, Text(" the upload", "上传"))) from None
