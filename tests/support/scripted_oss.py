"""OSS that says what a test tells it to, and remembers what it was asked."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from function.http.client import ExchangeFailed, HttpResponse

OBJECT = {
    "content-length": "1024",
    "content-type": "image/png",
    "etag": '"D41D8CD98F00B204E9800998ECF8427E"',
    "last-modified": "Tue, 24 Nov 2026 14:00:01 GMT",
    "x-oss-object-type": "Normal",
}


class Sent(NamedTuple):
    """A request as it came."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float
    max_bytes: int

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.url).path[1:])

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


class ScriptedOss:
    """
    In place of the function's network; ``https://business.example/`` is the business.

    Args:
        check: raises where a request is not what it must be.

    Attributes:
        answers: of the next requests, one each; a text is the reason of a failed exchange.

        stored: what is said of an object, by its key.

        says: what is said otherwise: a response, an exception, or what makes one of the URL.

        asked: requests in order; ``told``: the receipts that the business got.

        clock: seconds that went by; each request takes ``takes_seconds``.
    """

    def __init__(self, check: Callable[[Sent], None] = lambda _sent: None) -> None:
        self.check = check
        self.answers: list[Any] = []
        self.stored: dict[str, HttpResponse] = {}
        self.asked: list[Sent] = []
        self.told: list[str] = []
        self.clock = self.takes_seconds = 0.0
        self.has()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Any = None,
        body: Any = None,
        budget_seconds: float = 0.0,
        max_bytes: int = 0,
        **_more: Any,
    ) -> HttpResponse:
        if url.startswith("https://business.example/"):
            self.told.append(json.loads(body)["receipt"])
            return HttpResponse(200, b"")
        sent = Sent(method, url, headers or {}, body, budget_seconds, max_bytes)
        self.check(sent)
        self.asked.append(sent)
        self.clock += self.takes_seconds
        said: Any = self.answers.pop(0) if self.answers else self.stored.get(sent.key, self.says)
        said = said(url) if callable(said) else said
        said = ExchangeFailed(said) if isinstance(said, str) else said
        if isinstance(said, ExchangeFailed):
            raise said
        assert isinstance(said, HttpResponse)
        return said

    __call__ = send

    def has(self, key: str = "", **changes: str) -> HttpResponse:
        """An object like this one, of this key or whatever its key; headers with ``_`` for ``-``."""
        changed = {name.replace("_", "-"): value for name, value in changes.items()}
        said = HttpResponse(200, b"", OBJECT | changed)
        if key:
            self.stored[key] = said
        else:
            self.says: Any = said
        return said

    def lacks(self) -> HttpResponse:
        """No object, whatever the key."""
        self.says = HttpResponse(404, b"", {"x-oss-ec": "0026-00000001"})
        return self.says
