"""``POST /discard``: nobody wants these objects any more."""

from typing import Any

from function.holding.admission import BACKEND
from function.holding.answers import answer_about, answer_each
from function.holding.steps import discard
from function.holding.upload import HeldUpload
from function.instance import Call
from function.oss.calls import OssCalls
from function.routes.commit import LIMIT, ask_who


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
