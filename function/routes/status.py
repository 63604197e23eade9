"""``POST /status``: where objects stand; the receipt is enough."""

from typing import Any

from function.auth import bearer_token
from function.auth.backend import check_backend_token
from function.context import Call
from function.errors import Forbidden, Unauthorized
from function.holding.actions import look
from function.holding.answers import answer_about, answer_each
from function.holding.request import read_asked, refuse_without_hold
from function.holding.upload import HeldUpload
from function.oss.client import OssCalls
from function.oss.post_form import iso


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state", "url"}``, with ``"heldUntil"`` as long as it is held; for ``receipts``
        ``{"results": […]}``.
    """
    refuse_without_hold(call.settings)

    def act(oss: OssCalls, upload: HeldUpload) -> dict[str, Any]:
        standing = look(call, oss, upload)
        told = answer_about(upload, standing.state)
        return {**told, "heldUntil": iso(standing.held_until)} if standing.held_until else told

    return answer_each(call, read_asked(call), "states", act, is_backend=_is_backend(call))


def _is_backend(call: Call) -> bool:
    """Whether a backend says that it is one, which nobody has to; it is counted by itself then."""
    try:
        check_backend_token(bearer_token(call.request.headers), call.settings, call.now)
    except (Unauthorized, Forbidden):
        return False
    return True
