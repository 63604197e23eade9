"""``POST /discard``: nobody wants these objects any more."""

from typing import Any

from function.context import RequestContext
from function.holding.actions import discard
from function.holding.answers import answer_about, answer_each
from function.holding.request import BACKEND
from function.holding.upload import HeldUpload
from function.oss.client import OssClient
from function.routes.held import LIMIT, ask_who


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state": "gone", "url": null}``; for ``receipts`` ``{"results": […]}``.
    """
    asked, who = ask_who(context, lambda upload: upload.is_held_back)

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        state = discard(context, oss, upload, is_backend=who == BACKEND)
        return answer_about(upload, state)

    return answer_each(context, asked, LIMIT, act, is_backend=who == BACKEND)
