"""``POST /commit``: the next step of held objects begins, or a backend decides about them by hand."""

from collections.abc import Callable
from typing import Any

from function.auth import bearer_token, identify
from function.auth.backend import check_backend_token
from function.context import RequestContext
from function.errors import Forbidden, Unauthorized
from function.holding.actions import commit as commit_upload
from function.holding.actions import discard as discard_upload
from function.holding.actions import look
from function.holding.decision import BY_OWNER
from function.holding.request import (
    BACKEND,
    HeldRequest,
    answer_about,
    answer_each,
    permitted,
    read_asked,
    who_asks,
)
from function.holding.upload import HeldUpload
from function.oss.client import OssClient
from function.oss.post_form import iso

# Of what decides, a question being counted by itself.
LIMIT = "held"


def commit(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state", "url"}``; for ``receipts`` ``{"results": […]}``.
    """
    asked, who = ask_who(context, lambda upload: upload.profile.commit_by == BY_OWNER)
    if asked.decision and who != BACKEND:
        raise Forbidden("Only a backend may decide by hand.", reason="a decision without a backend's token")

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        return answer_about(upload, commit_upload(context, oss, upload, asked.decision))

    return answer_each(context, asked, LIMIT, act, is_backend=who == BACKEND)


def ask_who(context: RequestContext, owners_may: Callable[[HeldUpload], bool]) -> tuple[HeldRequest, str]:
    """
    What is asked and by whom; in place of an upload that is not for this asker why it is not.

    Args:
        owners_may: whether an upload is for its owner, too.
    """
    token = bearer_token(context.request.headers)
    asked = read_asked(context)
    who = who_asks(
        context,
        token,
        lambda: identify(context.request.headers, context.settings, context.now).owner,
        owners_may=any(map(owners_may, asked.uploads)),
    )
    return permitted(asked, who, owners_may), who


def discard(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state": "gone", "url": null}``; for ``receipts`` ``{"results": […]}``.
    """
    asked, who = ask_who(context, lambda upload: upload.is_held_back)

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        state = discard_upload(context, oss, upload, is_backend=who == BACKEND)
        return answer_about(upload, state)

    return answer_each(context, asked, LIMIT, act, is_backend=who == BACKEND)


def status(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state", "url"}``, with ``"heldUntil"`` as long as it is held; for ``receipts``
        ``{"results": […]}``.
    """

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
