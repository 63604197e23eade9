"""
The page of ``manage.py review``: its files, and what it asks, for this machine only.

A request must call the server by a name of this machine (a page elsewhere whose name was made to lead here
does not), and what acts must bring the token of the printed address, which another page, or another user of
this machine, does not know. No header lets another origin read anything.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from local.common.http_server import Handler
from local.common.service import Service

PAGE = Path(__file__).with_name("review_page")
SHARED = Path(__file__).parents[2] / "local" / "playground" / "page"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
# The files by path; nothing else is served.
FILES = {
    "/": PAGE / "index.html",
    **{f"/{name}": PAGE / name for name in ("style.css", "review.js", "media.js", "texts.js")},
    **{f"/{name}": SHARED / name for name in ("base.css", "elements.js")},
}
MAX_BODY_BYTES = 16 * 1024
HEADERS = {
    "Cache_Control": "no-store",
    "X_Content_Type_Options": "nosniff",
    "Referrer_Policy": "no-referrer",
    # Pictures come from OSS, at any address of the bucket.
    "Content_Security_Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src https: http: data:; media-src https: http:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
}

Action = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ReviewServer(Service):
    """
    Args:
        token: of the printed address.
        actions: by path, what a POST does, given the object of its body.
    """

    def __init__(self, token: str, actions: Mapping[str, Action], port: int) -> None:
        self.token = token
        self.actions = actions
        super().__init__(partial(_Handler, self), port)

    @property
    def address(self) -> str:
        """What to open: a browser sends nothing that stands behind the ``#``."""
        return f"{self.origin}/#{self.token}"


class _Handler(Handler):
    def __init__(self, page: ReviewServer, *connection: Any) -> None:
        self._page = page
        super().__init__(*connection)

    def do_GET(self) -> None:
        file = FILES.get(self.path.partition("?")[0])
        if file is None:
            self.answer(404, b"There is no such file.\n", "text/plain; charset=utf-8")
            return
        self.answer(200, file.read_bytes(), f"{CONTENT_TYPES[file.suffix]}; charset=utf-8", **HEADERS)

    def do_POST(self) -> None:
        action = self._page.actions.get(self.path)
        token = self.headers.get("X-Page-Token", "").encode()
        is_known = hmac.compare_digest(token, self._page.token.encode())
        if action is None or self.is_of_foreign_page() or not is_known:
            self.turn_away(403, "This is done by the page of this command only.")
            return
        body = self.read_body(MAX_BODY_BYTES)
        if body is None:
            return
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            self.answer_json(400, {"error": "Send a JSON object."})
            return
        self.answer_json(200, action(fields), Cache_Control="no-store")
