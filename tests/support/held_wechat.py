"""A WeChat in memory, as far as submissions go."""

import json
from urllib.parse import unquote, urlsplit

from function.http.client import ExchangeFailed, HttpResponse


class HeldWechat:
    """
    Takes what is submitted, and says nothing by itself.

    Attributes:
        answers: error codes of the next submissions, one each, 0 for none; ``None``: it is not heard.

        submitted: by trace id, the key that its address is of.

        asked: how often it was, each a key and what came of it: an error code, or ``None``.
    """

    def __init__(self) -> None:
        self.answers: list[int | None] = []
        self.submitted: dict[str, str] = {}
        self.asked: list[tuple[str, int | None]] = []

    def send(self, url: str, body: bytes) -> HttpResponse:
        if urlsplit(url).path == "/cgi-bin/stable_token":
            return _json({"access_token": "A" * 136, "expires_in": 7200})
        planned = self.answers.pop(0) if self.answers else 0
        key = unquote(urlsplit(json.loads(body)["media_url"]).path[1:])
        self.asked.append((key, planned))
        if planned is None:
            raise ExchangeFailed("ConnectionResetError")
        if planned:
            return _json({"errcode": planned, "errmsg": "no"})
        trace_id = f"60f96f1d-{len(self.submitted) + 1}"
        self.submitted[trace_id] = key
        return _json({"errcode": 0, "errmsg": "ok", "trace_id": trace_id})


def _json(value: object) -> HttpResponse:
    return HttpResponse(200, json.dumps(value).encode())
