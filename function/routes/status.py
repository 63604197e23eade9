"""``POST /status``: where objects stand; the receipt is enough."""

from typing import Any

from function.auth import bearer_token
from function.auth.backend import check_backend_token
from function.context import RequestContext
from function.errors import Forbidden, Unauthorized
from function.holding.actions import look
from function.holding.answers import answer_about, answer_each
from function.holding.request import read_asked, refuse_without_hold
from function.holding.upload import HeldUpload
from function.oss.client import OssClient
from function.oss.post_form import iso


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state", "url"}``, with ``"heldUntil"`` as long as it is held; for ``receipts``
        ``{"results": […]}``.
    """
    refuse_without_hold(context.settings)

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        standing = look(context, oss, upload)
        told = answer_about(upload, standing.state)
        return {**told, "heldUntil": iso(standing.held_until)} if standing.held_until else told

    return answer_each(context, read_asked(context), "states", act, is_backend=_is_backend(context))


def _is_backend(context: RequestContext) -> bool:
    """Whether a backend says that it is one, which nobody has to; it is counted by itself then."""
    try:
        check_backend_token(bearer_token(context.request.headers), context.settings, context.now)
    except (Unauthorized, Forbidden):
        return False
    return True
