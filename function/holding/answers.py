"""What is answered about held uploads: for one receipt, or for several, each by itself."""

from collections.abc import Callable
from typing import Any

from function.config.types import Rate
from function.context import RequestContext
from function.errors import UploadError
from function.holding.publishing import PUBLISHED
from function.holding.request import HeldRequest
from function.holding.upload import HeldUpload
from function.limits.addresses import claims_of_caller
from function.limits.rate_limit import RateLimitItem
from function.oss.client import OssClient
from function.oss.objects_session import opened, oss_clients
from function.oss.post_form import object_url

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
                context.instance.limiter.hit(_claims(context, entry, limit, is_backend), context.now)
            except UploadError as error:
                return error
        return entry

    return asked._replace(entries=[counted(entry) for entry in asked.entries])


def _claims(context: RequestContext, upload: HeldUpload, limit: str, is_backend: bool) -> list[RateLimitItem]:
    if is_backend:
        return [RateLimitItem(f"{limit} by backends", CALLS_PER_UPLOAD, upload.upload_id)]
    owner, of_owner = str(upload.claims["owner"]), f"{limit} of owners"
    return [
        RateLimitItem(limit, CALLS_PER_UPLOAD, upload.upload_id),
        *claims_of_caller(context.request, context.settings, owner, of_owner, CALLS_PER_OWNER, 1),
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
