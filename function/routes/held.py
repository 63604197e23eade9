"""``POST /commit``, ``/discard``, ``/status`` and ``/reviews``: held uploads, and what waits for a human."""

from collections.abc import Callable

from function.annotations import Any
from function.auth import Caller, bearer_token
from function.auth.business_token import check_backend_token, is_backend
from function.config.types import Rate
from function.context import RequestContext
from function.errors import Forbidden
from function.holding.commands import commit_held
from function.holding.commands import discard as discard_upload
from function.holding.current_state import label_of
from function.holding.held_upload import Case, HeldUpload
from function.holding.receipt_batch import (
    HeldRequest,
    authorize_caller,
    read_held_request,
    reject_other_owners,
    respond_to_each,
    response_about,
)
from function.holding.status import read_state
from function.holding.transitions import BY_OWNER
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.oss.client import OssClient
from function.oss.instants import iso
from function.uploads.ai_labels import told_label

# The limit of requests that decide; status has its own.
LIMIT = "held"
# Of all backends together.
REVIEWS_RATE, REVIEWS_A_PAGE = Rate(60, 60), 20


def commit(context: RequestContext) -> dict[str, Any]:
    """Return what ``response_about`` does, and who decided by hand; for ``receipts`` ``{"results": […]}``."""
    request, caller = _read(context, lambda upload: upload.profile.commit_by == BY_OWNER)
    if request.by_hand and caller:
        raise Forbidden("Only a backend may decide by hand.", reason="a decision without a backend's token")

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        case = Case(context, oss, upload)
        ended = commit_held(case, request.by_hand, is_backend=caller is None)
        response = response_about(upload, ended.shown, ended.published)
        verdict = _verdict(oss, upload, request.by_hand is not None)
        return {**response, **told_label(label_of(case)), **verdict}

    return respond_to_each(context, request, LIMIT, act, is_backend=caller is None)


def _verdict(oss: OssClient, upload: HeldUpload, is_wanted: bool) -> dict[str, Any]:
    """Return who decided and what a check found, where a backend wants to know; owners never do."""
    if not is_wanted or not upload.profile.is_held:
        return {}
    from function.holding.review_list import verdict_about

    return verdict_about(oss, upload)


def _read(
    context: RequestContext, owners_may: Callable[[HeldUpload], bool]
) -> tuple[HeldRequest, Caller | None]:
    """Return the request and its caller; an upload that the caller may not act on is an error in it."""
    token = bearer_token(context.request.headers)
    request = read_held_request(context)
    caller = authorize_caller(context, token, owners_may=any(map(owners_may, request.uploads)))
    return reject_other_owners(request, caller, owners_may), caller


def discard(context: RequestContext) -> dict[str, Any]:
    """Return ``{"key", "state": "gone", "url": null}``; for ``receipts`` ``{"results": […]}``."""
    request, caller = _read(context, lambda upload: upload.is_held)

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        state = discard_upload(Case(context, oss, upload), is_backend=caller is None)
        return response_about(upload, state)

    return respond_to_each(context, request, LIMIT, act, is_backend=caller is None)


def status(context: RequestContext) -> dict[str, Any]:
    """Return the response of ``/commit``, ``"heldUntil"`` while it is held, for backends what was decided."""

    def act(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
        current = read_state(context, oss, upload)
        response = response_about(upload, current.shown, current.published)
        if current.held_until:
            response["heldUntil"] = iso(current.held_until)
        label = told_label(label_of(Case(context, oss, upload)))
        return {**response, **label, **_verdict(oss, upload, by_backend)}

    request = read_held_request(context)
    # A backend has its own rate limit.
    by_backend = is_backend(context.request.headers, context.settings, context.now)
    return respond_to_each(context, request, "states", act, is_backend=by_backend)


def reviews(context: RequestContext) -> dict[str, Any]:
    """Return ``{"items": [{"key", "receipt", "reason", …}], "cursor", "serverTime"}``, for backends only."""
    from function.holding.review_list import list_reviews
    from function.owners.listing import issue_cursor, read_cursor, read_page

    settings, now, own = context.settings, context.now, ["reviews"]
    check_backend_token(bearer_token(context.request.headers), settings, now)
    limit, cursor = read_page(read_json_object(context.request.body), REVIEWS_A_PAGE)
    context.instance.limiter.hit([RateLimitItem("reviews", REVIEWS_RATE, "backends")], now)
    after = read_cursor(cursor, own, settings, now) if cursor else ""
    items, after = list_reviews(context, limit, after)
    return {
        "items": items,
        "cursor": issue_cursor(own, after, settings, now) if after else None,
        "serverTime": iso(now),
    }
