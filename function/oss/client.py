"""
The function's own calls to OSS: signed in their headers, each one bounded exchange, all of a request in 10 s.

What OSS says is known by its code. Its text goes nowhere: it may hold what was signed.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from function.config.messages import Message
from function.config.profile import BucketLocation
from function.context import RequestContext
from function.errors import (
    AlreadyExists,
    Misconfigured,
    OssRejected,
    OssUnavailable,
    Problem,
    UploadError,
)
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, HttpResponse, Send
from function.oss.errors import Refusal, name_of, refusal_of, xml_of
from function.oss.post_form import Credentials
from function.oss.presign import NONE, OssRequest, authorize, request_url
from function.session_policy import OBJECTS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BUDGET_SECONDS = 10.0
# What may be repeated is given up after this, so that the second try has as long.
FIRST_TRY_SECONDS = 4.0


class OssClient(NamedTuple):
    """
    All that the calls of one request have in common.

    Args:
        endpoint: origin of the bucket, without a trailing slash.

        now: the request's clock reading, timezone-aware UTC; each call is signed as of then.

        seconds_left: of what all of them together may take.
    """

    bucket: str
    region: str
    endpoint: str
    credentials: Credentials
    now: datetime
    send: Send
    seconds_left: Callable[[], float]

    def __repr__(self) -> str:
        return f"OssClient({self.bucket})"


def budget(monotonic: Callable[[], float] = time.monotonic) -> Callable[[], float]:
    """How many seconds are left of ``BUDGET_SECONDS``, counted from here."""
    deadline = monotonic() + BUDGET_SECONDS
    return lambda: deadline - monotonic()


def share_of(oss: OssClient, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> OssClient:
    """The same, whose own calls take so many seconds at most: what is left is for other buckets."""
    spent = 0.0

    def send(*arguments: Any, **options: Any) -> HttpResponse:
        nonlocal spent
        began = monotonic()
        try:
            return oss.send(*arguments, **options)
        finally:
            spent += monotonic() - began

    return oss._replace(send=send, seconds_left=lambda: min(oss.seconds_left(), seconds - spent))


def ask(
    oss: OssClient,
    name: str,
    method: str,
    key: str,
    *,
    query: Mapping[str, str] = NONE,
    headers: Mapping[str, str] = NONE,
    body: bytes | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    is_repeatable: bool,
) -> HttpResponse:
    """
    Send one request, and where that is harmless once more when OSS failed or was not heard.

    Args:
        name: OSS's for the operation, for the log.

        headers: names in lower case.

    Returns:
        whatever OSS decided: a success or a refusal.

    Raises:
        OssUnavailable: it did not decide.
    """
    request = OssRequest(method, oss.bucket, oss.region, key, query, headers)
    sent = {
        "headers": authorize(request, oss.credentials, oss.now),
        "body": body,
        "max_bytes": max_bytes,
    }
    url = request_url(request, oss.endpoint)
    if is_repeatable:
        try:
            return _try(oss, name, method, url, min(FIRST_TRY_SECONDS, oss.seconds_left()), sent)
        except OssUnavailable:
            pass
    return _try(oss, name, method, url, oss.seconds_left(), sent)


def _try(
    oss: OssClient, name: str, method: str, url: str, seconds: float, sent: Mapping[str, object]
) -> HttpResponse:
    if seconds <= 0:
        raise OssUnavailable(reason=f"{name}: the calls of this request took too long together")
    try:
        answer: HttpResponse = oss.send(method, url, budget_seconds=seconds, **sent)
    except ExchangeFailed as error:
        raise OssUnavailable(reason=f"{name}: {error.kind}") from None
    if answer.status >= 500:
        refusal = refusal_of(answer)
        raise OssUnavailable(reason=f"{name}: {refusal}", upstream=refusal.code)
    return answer


def refused(name: str, refusal: Refusal) -> UploadError:
    """The error for what OSS refused, where the caller of the call makes nothing else of it."""
    reason = f"{name}: {refusal}"
    match refusal.code:
        case "FileAlreadyExists":
            return AlreadyExists(reason=reason, upstream=refusal.code)
        case "PublicEndpointForbidden":
            sentence = Message(
                "OSS_ENDPOINT must be another address: OSS takes no data calls on this bucket's public one"
                " ({reason}). Set it to the internal one, https://BUCKET.oss-REGION-internal.aliyuncs.com;"
                " for phones bind a domain of your own to the bucket and set OSS_HOST to it (for the"
                " bucket of a profile its host)",
                reason=reason,
            )
            return Misconfigured([Problem("OSS_ENDPOINT", sentence)], upstream=refusal.code)
    return OssRejected(reason=reason, upstream=refusal.code)


def result_of(name: str, answer: HttpResponse) -> "Element":
    """
    The result that a success carries; its name is the operation's and ``Result``, an error's is not.

    Raises:
        OssUnavailable: there is none.
    """
    root = xml_of(answer.body)
    if root is None or name_of(root) != f"{name}Result":
        raise malformed(name)
    return root


def malformed(name: str) -> OssUnavailable:
    """The error for a success that does not say what it must."""
    return OssUnavailable(reason=f"{name}: the answer cannot be read")


def oss_client(
    context: RequestContext, location: BucketLocation, seconds_left: Callable[[], float] | None = None
) -> OssClient:
    """
    Whoever asks OSS on behalf of one request, in this bucket.

    Args:
        seconds_left: where other buckets are asked as well; else ten seconds for all that is asked.

    Raises:
        UploadError: there are no credentials.
    """
    until = context.now + timedelta(seconds=BUDGET_SECONDS)
    session = location.session(OBJECTS)
    return OssClient(
        bucket=location.bucket,
        region=location.region,
        endpoint=location.oss_endpoint,
        credentials=context.credentials(session, [until]),
        now=context.now,
        send=context.instance.send,
        seconds_left=seconds_left or budget(),
    )


def opened(bucket: OssClient | UploadError) -> OssClient:
    """
    One of ``oss_of_each``.

    Raises:
        UploadError: there are no credentials for it.
    """
    if isinstance(bucket, UploadError):
        raise bucket
    return bucket


def oss_clients(
    context: RequestContext, locations: Iterable[BucketLocation]
) -> dict[BucketLocation, OssClient | UploadError]:
    """
    The same for several buckets, ten seconds for all, of which a slow one takes no other's share.

    Returns:
        of each place; where there are no credentials for it, why not.
    """
    asked, seconds_left = list(dict.fromkeys(locations)), budget()
    found: dict[BucketLocation, OssClient | UploadError] = {}
    for location in asked:
        try:
            found[location] = share_of(
                oss_client(context, location, seconds_left), BUDGET_SECONDS / len(asked)
            )
        except UploadError as error:
            found[location] = error
    return found
