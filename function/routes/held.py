"""``POST /commit``: the next step of held objects begins, or a backend decides about them by hand."""

from collections.abc import Callable
from typing import Any

from function.auth import bearer_token, identify
from function.context import RequestContext
from function.errors import Forbidden
from function.holding.actions import commit
from function.holding.answers import answer_about, answer_each
from function.holding.decision import BY_OWNER
from function.holding.request import (
    BACKEND,
    HeldRequest,
    permitted,
    read_asked,
    refuse_without_hold,
    who_asks,
)
from function.holding.upload import HeldUpload
from function.oss.client import OssClient

# Of what decides, a question being counted by itself.
LIMIT = "held"


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state", "url"}``; for ``receipts`` ``{"results": […]}``.
    """
    asked, who = ask_who(context, lambda upload: upload.profile.commit_by == BY_OWNER)
    if asked.decision and who != BACKEND:
        raise Forbidden("Only a backend may decide by hand.", reason="a decision without a backend's token")

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        return answer_about(upload, commit(context, oss, upload, asked.decision))

    return answer_each(context, asked, LIMIT, act, is_backend=who == BACKEND)


def ask_who(context: RequestContext, owners_may: Callable[[HeldUpload], bool]) -> tuple[HeldRequest, str]:
    """
    What is asked and by whom; in place of an upload that is not for this asker why it is not.

    Args:
        owners_may: whether an upload is for its owner, too.
    """
    refuse_without_hold(context.settings)
    token = bearer_token(context.request.headers)
    asked = read_asked(context)
    who = who_asks(
        context,
        token,
        lambda: identify(context.request.headers, context.settings, context.now).owner,
        owners_may=any(map(owners_may, asked.uploads)),
    )
    return permitted(asked, who, owners_may), who
