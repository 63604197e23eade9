"""Who may ask about held uploads, and for what: a receipt says which, a token whose word it is."""

from collections.abc import Callable
from typing import Any, NamedTuple

from function.auth.backend import check_backend_token, is_for_backends
from function.config.types import Rate
from function.context import RequestContext
from function.errors import BadRequest, Forbidden, UploadError
from function.holding.decision import PUBLISH, REJECT
from function.holding.publishing import PUBLISHED
from function.holding.upload import HeldUpload, read_receipt
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.oss.client import OssClient, opened, oss_clients
from function.oss.post_form import object_url

MAX_RECEIPTS = 20
DECISIONS = (PUBLISH, REJECT)
# Whose token it is: a backend's, or that of the owner of this name.
BACKEND = ""


class HeldRequest(NamedTuple):
    """
    What a request is about.

    Args:
        entries: an upload for each receipt, or why it is none.

        is_one: whether it was asked for one, and not for a list.

        decision: what a backend decides by hand; ``None`` where it leaves that to the steps.
    """

    entries: list[HeldUpload | UploadError]
    is_one: bool
    decision: str | None

    @property
    def uploads(self) -> list[HeldUpload]:
        return [entry for entry in self.entries if isinstance(entry, HeldUpload)]


def read_asked(context: RequestContext) -> HeldRequest:
    """
    The receipts in a request's body, and what else it says.

    Raises:
        BadRequest: they are malformed; a receipt that is text but no good is an entry of its own.
    """
    fields = read_json_object(context.request.body)
    one, several = fields.get("receipt"), fields.get("receipts")
    texts: Any = [one] if several is None else several
    if (several is not None and one is not None) or not _are_texts(texts):
        raise BadRequest(f"receipt must be the text of one, or receipts a list of 1 to {MAX_RECEIPTS}.")
    decision = fields.get("decision")
    if decision is not None and decision not in DECISIONS:
        raise BadRequest(f"decision must be {' or '.join(DECISIONS)}.")
    asked = HeldRequest([_entry(context, text) for text in texts], several is None, decision)
    _note(context, asked)
    return asked


def _are_texts(texts: Any) -> bool:
    return (
        isinstance(texts, list)
        and 1 <= len(texts) <= MAX_RECEIPTS
        and all(isinstance(text, str) and text for text in texts)
    )


def _entry(context: RequestContext, text: str) -> HeldUpload | UploadError:
    try:
        return read_receipt(text, context.settings, context.now)
    except UploadError as error:
        return error


def _note(context: RequestContext, asked: HeldRequest) -> None:
    line, uploads = context.line, asked.uploads
    owners = {upload.owner for upload in uploads}
    line.owner = owners.pop() if len(owners) == 1 else None
    if asked.is_one and uploads:
        line.profile, line.key, line.upload_id = uploads[0].profile.name, uploads[0].key, uploads[0].upload_id
    elif uploads:
        line.profile = [upload.profile.name for upload in uploads]
        line.key = [upload.key for upload in uploads]
        line.upload_id = [upload.upload_id for upload in uploads]


def who_asks(context: RequestContext, token: str, identify: Callable[[], str], *, owners_may: bool) -> str:
    """
    Whose token it is: ``BACKEND``, or the owner.

    Args:
        token: of the request.

        identify: the owner whose session it is.

        owners_may: whether it matters; where callers are not told apart, it never does.

    Raises:
        Forbidden: a bad token of a backend, or none where only a backend may.

        Unauthorized: a bad session.
    """
    if is_for_backends(token):
        check_backend_token(token, context.settings, context.now)
        return BACKEND
    if owners_may and context.settings.caller_kind.tells_apart:
        return identify()
    raise _for_backends()


def permitted(asked: HeldRequest, who: str, owners_may: Callable[[HeldUpload], bool]) -> HeldRequest:
    """The same, in place of each upload that is not for this asker why it is not."""
    return asked._replace(
        entries=[
            entry
            if isinstance(entry, UploadError)
            else _refusal(entry, who, owners_may=owners_may(entry)) or entry
            for entry in asked.entries
        ]
    )


def _refusal(upload: HeldUpload, who: str, *, owners_may: bool) -> Forbidden | None:
    if who == BACKEND:
        return None
    if not owners_may:
        return _for_backends()
    if upload.owner != who:
        return Forbidden("This upload is another caller's.", reason="another owner's receipt")
    return None


def _for_backends() -> Forbidden:
    return Forbidden("Only a backend may do this.", reason="no token of a backend")


CALLS_PER_UPLOAD = Rate(60, 60)
# Else whoever has stored much could have OSS asked without bound: a page of twenty, every other second.
CALLS_PER_OWNER = Rate(600, 60)


def answer_each(
    context: RequestContext,
    asked: HeldRequest,
    limit: str,
    act: Callable[[OssClient, HeldUpload], dict[str, Any]],
    *,
    is_backend: bool,
) -> dict[str, Any]:
    """
    The answer to one receipt, or to each of several; one that cannot be given costs the others nothing.

    Args:
        limit: under which name it is counted.

        is_backend: whether a backend asks: no client uses up what its backend may ask, and a backend may ask
            about any number of uploads.

    Returns:
        what ``act`` does; for several ``{"results": [...]}``, in order, in place of what could not be done
        ``{"error": {"code", "message"}}``.

    Raises:
        UploadError: why the one cannot be answered, or why none can.
    """
    asked = _counted(context, asked, limit, is_backend)
    # Once for all in a bucket, and not for receipts that are no good.
    found = oss_clients(context, [upload.profile.location for upload in asked.uploads])
    refusals = [oss for oss in found.values() if isinstance(oss, UploadError)]
    if found and len(refusals) == len(found):
        raise refusals[0]

    def answer(entry: HeldUpload | UploadError) -> dict[str, Any]:
        if isinstance(entry, UploadError):
            raise entry
        return act(opened(found[entry.profile.location]), entry)

    if asked.is_one:
        told = answer(asked.entries[0])
        context.line.state = told["state"]
        return told
    results = [_or_error(answer, entry) for entry in asked.entries]
    context.line.state = [result.get("state") or result["error"]["code"] for result in results]
    return {"results": results}


def _counted(context: RequestContext, asked: HeldRequest, limit: str, is_backend: bool) -> HeldRequest:
    """The same, without what is asked about too often: before STS is asked, which a refusal does not end."""

    def counted(entry: HeldUpload | UploadError) -> HeldUpload | UploadError:
        if isinstance(entry, HeldUpload):
            try:
                context.instance.limiter.hit(_items(context, entry, limit, is_backend), context.now)
            except UploadError as error:
                return error
        return entry

    return asked._replace(entries=[counted(entry) for entry in asked.entries])


def _items(context: RequestContext, upload: HeldUpload, limit: str, is_backend: bool) -> list[RateLimitItem]:
    if is_backend:
        return [RateLimitItem(f"{limit} by backends", CALLS_PER_UPLOAD, upload.upload_id)]
    owner, of_owner = upload.owner, f"{limit} of owners"
    return [
        RateLimitItem(limit, CALLS_PER_UPLOAD, upload.upload_id),
        *context.rate_limit_items(of_owner, CALLS_PER_OWNER, owner),
    ]


def _or_error(
    answer: Callable[[HeldUpload | UploadError], dict[str, Any]], entry: HeldUpload | UploadError
) -> dict[str, Any]:
    try:
        return answer(entry)
    except UploadError as error:
        after = {} if error.retry_after is None else {"retryAfter": error.retry_after}
        return {"error": {"code": error.code, "message": error.message, **after}}


def answer_about(upload: HeldUpload, state: str) -> dict[str, Any]:
    """``{"key", "state", "url"}``; the address only of what is published."""
    url = object_url(upload.profile.location.host, upload.key) if state == PUBLISHED else None
    return {"key": upload.key, "state": state, "url": url}
