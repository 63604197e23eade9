"""
Calls to OSS with the function's role: signed headers, one bounded exchange each, 10 s for all of a request.

Errors of OSS are known by their code. Their text is never used: it may contain what was signed. An
``UploadError`` that a docstring does not describe means that OSS refuses, or does not respond.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from function.annotations import TYPE_CHECKING, Any, NamedTuple
from function.config.profile import BucketLocation
from function.context import RequestContext
from function.errors import AlreadyExists, Misconfigured, OssRejected, OssUnavailable, Problem, UploadError
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, HttpResponse, Send
from function.messages import Message
from function.oss.post_form import Credentials
from function.oss.presign import NONE, OssRequest, authorize, request_url
from function.oss.responses import Refusal, name_of, refusal_of, xml_of
from function.sts.session_policy import OBJECTS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BUDGET_SECONDS = 10.0
# A call that may be repeated is given up after this, so that the retry has as long.
FIRST_TRY_SECONDS = 4.0
# Refusals that any other object would get as well: no right, too many calls.
OF_THE_BUCKET = (401, 403, 429)


class OssClient(NamedTuple):
    """
    The calls of one request to one bucket.

    Args:
        endpoint: origin of the bucket, without a trailing slash.
        now: the request's clock reading, timezone-aware UTC; every call is signed with it.
        seconds_left: of the budget that all calls share.
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


def budget(
    monotonic: Callable[[], float] = time.monotonic, seconds: float = BUDGET_SECONDS
) -> Callable[[], float]:
    """Return a countdown that begins now."""
    deadline = monotonic() + seconds
    return lambda: deadline - monotonic()


def with_time_limit(
    oss: OssClient, seconds: float, monotonic: Callable[[], float] = time.monotonic
) -> OssClient:
    """Return the same client, limited to so many seconds: the rest of the budget is for other buckets."""
    spent = 0.0

    def send(*arguments: Any, **options: Any) -> HttpResponse:
        nonlocal spent
        began = monotonic()
        try:
            return oss.send(*arguments, **options)
        finally:
            spent += monotonic() - began

    return oss._replace(send=send, seconds_left=lambda: min(oss.seconds_left(), seconds - spent))


def call(
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
    max_seconds: float = BUDGET_SECONDS,
) -> HttpResponse:
    """
    Send one request, and retry it once if that is harmless and OSS failed or did not respond.

    Args:
        name: OSS's name of the operation, for the log.
        headers: names in lower case.
        max_seconds: of a call that is not repeated.

    Returns:
        the response of OSS: a success or a refusal (any status below 500).

    Raises:
        OssUnavailable: no response, a server error, or the budget is used up.
    """
    request = OssRequest(method, oss.bucket, oss.region, key, query, headers)
    sent = {"headers": authorize(request, oss.credentials, oss.now), "body": body, "max_bytes": max_bytes}
    url = request_url(request, oss.endpoint)
    if not is_repeatable:
        return _try(oss, name, method, url, min(max_seconds, oss.seconds_left()), sent)
    try:
        return _try(oss, name, method, url, min(FIRST_TRY_SECONDS, oss.seconds_left()), sent)
    except OssUnavailable:
        return _try(oss, name, method, url, oss.seconds_left(), sent)


def _try(
    oss: OssClient, name: str, method: str, url: str, seconds: float, sent: Mapping[str, object]
) -> HttpResponse:
    if seconds <= 0:
        raise silent(f"{name}: the calls of this request exceeded their budget")
    try:
        response: HttpResponse = oss.send(method, url, budget_seconds=seconds, **sent)
    except ExchangeFailed as error:
        raise silent(f"{name}: {error.kind}") from None
    if response.status >= 500:
        refusal = refusal_of(response)
        raise silent(f"{name}: {refusal}", refusal.code)
    return response


def silent(reason: str, upstream: str = "") -> OssUnavailable:
    """Return the error of a bucket that does not respond, whatever object is asked for."""
    error = OssUnavailable(reason=reason, upstream=upstream)
    error.is_own = False
    return error


def error_for(name: str, refusal: Refusal) -> UploadError:
    """Return the error for a refusal of OSS that the caller does not handle."""
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
    error = OssRejected(reason=reason, upstream=refusal.code)
    error.is_own = refusal.status not in OF_THE_BUCKET
    return error


def result_of(name: str, response: HttpResponse) -> "Element":
    """
    Return the XML result of a success: an element named after the operation and ``Result``.

    Raises:
        OssUnavailable: there is none.
    """
    root = xml_of(response.body)
    if root is None or name_of(root) != f"{name}Result":
        raise malformed(name)
    return root


def malformed(name: str) -> OssUnavailable:
    """Return the error for a success whose content is invalid."""
    return OssUnavailable(reason=f"{name}: unreadable response")


def oss_client(
    context: RequestContext,
    location: BucketLocation,
    seconds_left: Callable[[], float] | None = None,
    purpose: str = OBJECTS,
) -> OssClient:
    """
    Return a client for one request and bucket.

    Args:
        seconds_left: of a budget that other buckets share; ten seconds by default.
        purpose: of the session that signs.

    Raises:
        UploadError: there are no credentials.
    """
    until = context.now + timedelta(seconds=BUDGET_SECONDS)
    session = location.session(purpose)
    return OssClient(
        bucket=location.bucket,
        region=location.region,
        endpoint=location.oss_endpoint,
        credentials=context.credentials(session, [until]),
        now=context.now,
        send=context.send,
        seconds_left=seconds_left or budget(context.monotonic),
    )


def same_bucket(
    context: RequestContext, oss: OssClient, location: BucketLocation, purpose: str = OBJECTS
) -> OssClient:
    """Return a client with another session for the bucket of a client, whose time limit counts its calls."""
    return oss_client(context, location, oss.seconds_left, purpose)._replace(send=oss.send)


def require_client(client: OssClient | UploadError) -> OssClient:
    """
    Return a client of ``oss_clients``.

    Raises:
        UploadError: there are no credentials for its bucket.
    """
    if isinstance(client, UploadError):
        raise client
    return client


def require_any(clients: Collection[OssClient | UploadError]) -> None:
    """Raise the first error if no bucket of several can be reached."""
    errors = [client for client in clients if isinstance(client, UploadError)]
    if clients and len(errors) == len(clients):
        raise errors[0]


def oss_clients(
    context: RequestContext,
    locations: Iterable[BucketLocation],
    purpose: str = OBJECTS,
    seconds: float = BUDGET_SECONDS,
    share: float = 0.0,
) -> dict[BucketLocation, OssClient | UploadError]:
    """
    Return clients for several buckets that share these seconds equally, so that a slow one delays no other.

    Args:
        share: of each bucket, if that should be more.

    Returns:
        by location a client, or the error if there are no credentials for it.
    """
    unique, seconds_left = list(dict.fromkeys(locations)), budget(context.monotonic, seconds)
    clients: dict[BucketLocation, OssClient | UploadError] = {}
    for location in unique:
        try:
            client = oss_client(context, location, seconds_left, purpose)
            most = max(share, seconds / len(unique))
            clients[location] = with_time_limit(client, most, context.instance.monotonic)
        except UploadError as error:
            clients[location] = error
    return clients
