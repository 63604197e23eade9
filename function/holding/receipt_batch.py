"""Requests about held uploads: their receipts, whose they are, and one result for each."""

import re
from collections.abc import Callable

from function.annotations import Any, NamedTuple
from function.auth import Caller, check_profile, identify
from function.auth.business_token import check_backend_token, is_for_backends
from function.config.types import Rate
from function.context import RequestContext
from function.errors import BadRequest, Forbidden, UploadError
from function.holding.held_upload import ByHand, HeldUpload, read_receipt
from function.holding.publication import Published
from function.holding.transitions import PUBLISH, PUBLISHED, REJECT
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.oss.client import OssClient, oss_clients, require_any, require_client
from function.oss.post_form import object_url

MAX_RECEIPTS = 20
DECISIONS = (PUBLISH, REJECT)
# Name of a person, for records.
REVIEWER = r"[^\x00-\x1f\x7f\ud800-\udfff]{1,64}"
# The label of AI-made content that a reviewer may give.
SUSPECTED = 3
CALLS_PER_UPLOAD = Rate(60, 60)
# Otherwise an owner of many uploads could call OSS without bound: a page of twenty every other second.
CALLS_PER_OWNER = Rate(600, 60)

Entry = HeldUpload | UploadError


class HeldRequest(NamedTuple):
    """
    Uploads and what to do about them.

    Args:
        entries: for each receipt its upload, or the error of an invalid one.
        is_one: whether the request has one receipt, and not a list.
        by_hand: decision of a backend, if any.
    """

    entries: list[Entry]
    is_one: bool
    by_hand: ByHand | None

    @property
    def uploads(self) -> list[HeldUpload]:
        return [entry for entry in self.entries if isinstance(entry, HeldUpload)]

    def filtered(self, refusal: Callable[[HeldUpload], UploadError | None]) -> "HeldRequest":
        """Return the same request, with an error in place of each upload that is refused."""
        entries = [
            entry if isinstance(entry, UploadError) else refusal(entry) or entry for entry in self.entries
        ]
        return self._replace(entries=entries)


def read_held_request(context: RequestContext) -> HeldRequest:
    """
    Read the receipts and the decision in a request's body.

    Raises:
        BadRequest: they are malformed; an invalid receipt is an entry of its own.
    """
    fields = read_json_object(context.request.body)
    one, several = fields.get("receipt"), fields.get("receipts")
    texts: Any = [one] if several is None else several
    is_list = isinstance(texts, list) and 1 <= len(texts) <= MAX_RECEIPTS
    are_texts = is_list and all(isinstance(text, str) and text for text in texts)
    if (several is not None and one is not None) or not are_texts:
        raise BadRequest(f"Send one receipt, or receipts with a list of 1 to {MAX_RECEIPTS}.")
    decision = fields.get("decision")
    if decision is not None and decision not in DECISIONS:
        raise BadRequest(f"decision must be {' or '.join(DECISIONS)}.")
    reviewer = fields.get("reviewer")
    is_name = isinstance(reviewer, str) and re.fullmatch(REVIEWER, reviewer)
    if reviewer is not None and not (decision and is_name):
        raise BadRequest("reviewer must be text of 1 to 64 characters, beside a decision.")
    label: Any = fields.get("aiLabel")
    if label is not None and not (decision and type(label) is int and label == SUSPECTED):
        raise BadRequest(f"aiLabel must be {SUSPECTED}, beside a decision.")
    entries = [_entry(context, text) for text in texts]
    by_hand = ByHand(decision, reviewer or "", label is not None) if decision else None
    request = HeldRequest(entries, several is None, by_hand)
    _log(context, request)
    return request


def _entry(context: RequestContext, text: str) -> Entry:
    try:
        return read_receipt(text, context.settings, context.now)
    except UploadError as error:
        return error


def _log(context: RequestContext, request: HeldRequest) -> None:
    line, uploads = context.line, request.uploads
    owners = {upload.owner for upload in uploads}
    line.owner = owners.pop() if len(owners) == 1 else None
    callers = {context.settings.caller_field(upload.content.app).get("caller") for upload in uploads}
    line.caller = callers.pop() if len(callers) == 1 else None
    if request.is_one and uploads:
        line.profile, line.key, line.upload_id = uploads[0].profile.name, uploads[0].key, uploads[0].upload_id
    elif uploads:
        line.profile = [upload.profile.name for upload in uploads]
        line.key = [upload.key for upload in uploads]
        line.upload_id = [upload.upload_id for upload in uploads]


def authorize_caller(context: RequestContext, token: str, *, owners_may: bool) -> Caller | None:
    """
    Return the caller; ``None`` for a backend.

    Args:
        token: of the request.
        owners_may: whether an owner may call at all; never where callers are not identified.

    Raises:
        Forbidden: an invalid token of a backend, or none where only a backend may call.
        Unauthorized: an invalid session.
    """
    if is_for_backends(token):
        check_backend_token(token, context.settings, context.now)
        return None
    if owners_may and any(each.kind.identifies_callers for each in context.settings.callers):
        return identify(context.request.headers, context.settings, context.now)
    raise _backends_only()


def reject_other_owners(
    request: HeldRequest, caller: Caller | None, owners_may: Callable[[HeldUpload], bool]
) -> HeldRequest:
    """Return the same request, with an error in place of each upload that is not this caller's."""

    def refusal(upload: HeldUpload) -> Forbidden | None:
        if caller is None:
            return None
        if not owners_may(upload):
            return _backends_only()
        if upload.owner != caller.owner:
            return Forbidden("This upload belongs to another caller.", reason="another owner's receipt")
        return None

    return request.filtered(refusal)


def _backends_only() -> Forbidden:
    return Forbidden("Only a backend may do this.", reason="no token of a backend")


def respond_to_each(
    context: RequestContext,
    request: HeldRequest,
    limit: str,
    act: Callable[[OssClient, HeldUpload], dict[str, Any]],
    *,
    is_backend: bool,
) -> dict[str, Any]:
    """
    Act on each upload; an error of one does not affect the others.

    Args:
        limit: name of the rate limit.
        is_backend: whether a backend calls: its calls do not count for the client, and it may call about any
            number of uploads.

    Returns:
        the result of ``act``; for several receipts ``{"results": [...]}`` in order, with
        ``{"error": {"code", "message"}}`` for each that failed.

    Raises:
        UploadError: the only receipt failed, or no bucket can be reached.
    """
    # Before credentials are obtained, which every call may need while STS refuses.
    request = request.filtered(lambda upload: _over_limit(context, upload, limit, is_backend))
    clients = oss_clients(context, [upload.profile.location for upload in request.uploads])
    require_any(clients.values())

    def result(entry: Entry) -> dict[str, Any]:
        if isinstance(entry, UploadError):
            raise entry
        return act(require_client(clients[entry.profile.location]), entry)

    if request.is_one:
        only = result(request.entries[0])
        context.line.state = only["state"]
        return only
    results = [_result_or_error(result, entry) for entry in request.entries]
    context.line.state = [each.get("state") or each["error"]["code"] for each in results]
    return {"results": results}


def _over_limit(
    context: RequestContext, upload: HeldUpload, limit: str, is_backend: bool
) -> UploadError | None:
    if not is_backend:
        try:
            check_profile(context, upload.content.app, upload.profile)
        except Forbidden as error:
            return error
    name = f"{limit} by backends" if is_backend else limit
    items = [RateLimitItem(name, CALLS_PER_UPLOAD, upload.upload_id)]
    if not is_backend:
        items += context.rate_limit_items(f"{limit} of owners", CALLS_PER_OWNER, upload.owner)
    try:
        context.instance.limiter.hit(items, context.now)
    except UploadError as error:
        return error
    return None


def _result_or_error(result: Callable[[Entry], dict[str, Any]], entry: Entry) -> dict[str, Any]:
    try:
        return result(entry)
    except UploadError as error:
        return {"error": error.item}


def response_about(upload: HeldUpload, state: str, there: Published | None = None) -> dict[str, Any]:
    """Return ``{"key", "state", "url"}``; of what is published also ``etag``, ``size`` and ``mimeType``."""
    url = object_url(upload.profile.location.host, upload.key) if state == PUBLISHED else None
    return {"key": upload.key, "state": state, "url": url, **(there.fields if there else {})}
