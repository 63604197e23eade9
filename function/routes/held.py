"""``POST /commit``, ``/discard`` and ``/status``: act on held uploads by their receipts."""

from collections.abc import Callable
from typing import Any

from function.auth import bearer_token, identify
from function.auth.backend import check_backend_token
from function.context import RequestContext
from function.errors import Forbidden, Unauthorized
from function.holding.actions import commit_held, resume
from function.holding.actions import discard as discard_upload
from function.holding.decision import BY_OWNER
from function.holding.held_upload import HeldUpload
from function.holding.request import (
    BACKEND,
    HeldRequest,
    authorize_caller,
    read_held_request,
    reject_other_owners,
    respond_to_each,
    response_about,
)
from function.oss.client import OssClient
from function.oss.post_form import iso

# The limit of requests that decide; status has its own.
LIMIT = "held"


def commit(context: RequestContext) -> dict[str, Any]:
    """Return ``{"key", "state", "url"}``; for ``receipts`` ``{"results": […]}``."""
    request, caller = _read(context, lambda upload: upload.profile.commit_by == BY_OWNER)
    if request.decision and caller != BACKEND:
        raise Forbidden("Only a backend may decide by hand.", reason="a decision without a backend's token")

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        return response_about(upload, commit_held(context, oss, upload, request.decision))

    return respond_to_each(context, request, LIMIT, act, is_backend=caller == BACKEND)


def _read(context: RequestContext, owners_may: Callable[[HeldUpload], bool]) -> tuple[HeldRequest, str]:
    """Return the request and its caller; an upload that the caller may not act on is an error in it."""
    token = bearer_token(context.request.headers)
    request = read_held_request(context)
    caller = authorize_caller(
        context,
        token,
        lambda: identify(context.request.headers, context.settings, context.now).owner,
        owners_may=any(map(owners_may, request.uploads)),
    )
    return reject_other_owners(request, caller, owners_may), caller


def discard(context: RequestContext) -> dict[str, Any]:
    """Return ``{"key", "state": "gone", "url": null}``; for ``receipts`` ``{"results": […]}``."""
    request, caller = _read(context, lambda upload: upload.is_held)

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        return response_about(upload, discard_upload(context, oss, upload, is_backend=caller == BACKEND))

    return respond_to_each(context, request, LIMIT, act, is_backend=caller == BACKEND)


def status(context: RequestContext) -> dict[str, Any]:
    """Return the response of ``/commit``, with ``"heldUntil"`` as long as the upload is held."""

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        state = resume(context, oss, upload)
        response = response_about(upload, state.state)
        return {**response, "heldUntil": iso(state.held_until)} if state.held_until else response

    request = read_held_request(context)
    return respond_to_each(context, request, "states", act, is_backend=_is_backend(context))


def _is_backend(context: RequestContext) -> bool:
    """Return whether a backend identified itself, which is optional here; it has its own rate limit."""
    try:
        check_backend_token(bearer_token(context.request.headers), context.settings, context.now)
    except (Unauthorized, Forbidden):
        return False
    return True
