"""``POST /discard``: nobody wants these objects any more."""

from typing import Any

from function.context import Call
from function.holding.actions import discard
from function.holding.answers import answer_about, answer_each
from function.holding.request import BACKEND
from function.holding.upload import HeldUpload
from function.oss.client import OssCalls
from function.routes.held import LIMIT, ask_who


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state": "gone", "url": null}``; for ``receipts`` ``{"results": […]}``.
    """
    asked, who = ask_who(call, lambda upload: upload.is_held_back)

    def act(oss: OssCalls, upload: HeldUpload) -> dict[str, Any]:
        state = discard(call, oss, upload, is_backend=who == BACKEND)
        return answer_about(upload, state)

    return answer_each(call, asked, LIMIT, act, is_backend=who == BACKEND)
