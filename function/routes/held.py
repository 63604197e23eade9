"""``POST /commit``: the next step of held objects begins, or a backend decides about them by hand."""

from collections.abc import Callable
from typing import Any

from function.auth import bearer_token, identify
from function.context import Call
from function.errors import Forbidden
from function.holding.actions import commit
from function.holding.answers import answer_about, answer_each
from function.holding.decision import BY_OWNER
from function.holding.request import (
    BACKEND,
    Asked,
    permitted,
    read_asked,
    refuse_without_hold,
    who_asks,
)
from function.holding.upload import HeldUpload
from function.oss.client import OssCalls

# Of what decides, a question being counted by itself.
LIMIT = "held"


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        ``{"key", "state", "url"}``; for ``receipts`` ``{"results": […]}``.
    """
    asked, who = ask_who(call, lambda upload: upload.profile.commit_by == BY_OWNER)
    if asked.decision and who != BACKEND:
        raise Forbidden("Only a backend may decide by hand.", reason="a decision without a backend's token")

    def act(oss: OssCalls, upload: HeldUpload) -> dict[str, Any]:
        return answer_about(upload, commit(call, oss, upload, asked.decision))

    return answer_each(call, asked, LIMIT, act, is_backend=who == BACKEND)


def ask_who(call: Call, owners_may: Callable[[HeldUpload], bool]) -> tuple[Asked, str]:
    """
    What is asked and by whom; in place of an upload that is not for this asker why it is not.

    Args:
        owners_may: whether an upload is for its owner, too.
    """
    refuse_without_hold(call.settings)
    token = bearer_token(call.request.headers)
    asked = read_asked(call)
    who = who_asks(
        call,
        token,
        lambda: identify(call.request.headers, call.settings, call.now).owner,
        owners_may=any(map(owners_may, asked.uploads)),
    )
    return permitted(asked, who, owners_may), who
