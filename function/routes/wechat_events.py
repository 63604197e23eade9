"""``GET|POST /wechat-events`` and ``/wechat-events/<AppID>``: WeChat verifies this URL, and pushes to it."""

from collections.abc import Mapping
from http import HTTPStatus

from function.annotations import Any
from function.config.setting_table import REVOCATIONS, CallerEntry
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import NotFound, OssUnavailable, UploadError, WechatUnavailable
from function.holding.wechat_check import apply_verdict
from function.http.client import ExchangeFailed, HttpResponse
from function.http.gateway import REASON_PHRASES, Request, Response
from function.moderation.wechat_verdict import EVENT, Verdict, read_verdict
from function.routes import EVENTS, PUSH
from function.wechat import WechatApp, WechatPush
from function.wechat.push import is_signed, open_push, refused_appid, refused_check
from function.wechat.push_fields import fields_of

PLAIN_TEXT = "text/plain; charset=utf-8"
# WeChat waits five seconds, which include a cold start.
FORWARD_SECONDS = 3.5
# The forwarder may be another deployment of this function that forwards in turn; the hops end a loop.
HOPS, MAX_HOPS = "x-wechat-push-hops", 3
# The last one brings a new name or avatar of a user: nothing is withdrawn.
AUTHORISATION_EVENTS = (*REVOCATIONS, "user_info_modified")
# Where messages name the mini-program, if they do.
APPID_FIELDS = ("AppID", "appid")
FORWARDED_TYPES = ("application/json", "application/xml", "text/xml")


def handle(context: RequestContext) -> Response:
    """Return the ``echostr`` of a verification; ``success`` for a push, or the forwarder's response."""
    entry, request = _entry_of(context.request.path, context.settings), context.request
    app: WechatApp = entry.settings
    push = app.push
    assert push is not None, "as _entry_of demands"
    context.line.caller = context.settings.caller_field(entry.app).get("caller")
    if request.method == "GET":
        if not is_signed(request.query, push.token) or not request.query.get("echostr"):
            raise refused_check()
        return _text(200, request.query["echostr"])
    message = open_push(request.query, request.body, token=push.token, aes_key=push.aes_key, appid=app.appid)
    event = fields_of(message) or {}
    if not context.settings.only and any(event.get(name, app.appid) != app.appid for name in APPID_FIELDS):
        raise refused_appid()
    if event.get("Event") in AUTHORISATION_EVENTS:
        return _withdrawn(context, entry, event)
    is_checked = any(profile.is_checked_by_wechat for profile in context.settings.profiles.values())
    verdict = read_verdict(event) if is_checked and event.get("Event") == EVENT else None
    if verdict is not None and _is_ours(context, verdict, entry):
        return _text(200, "success")
    return _relay(context, push, is_stored=verdict is not None)


def _entry_of(path: str, settings: Settings) -> CallerEntry:
    """Return the caller whose AppID ends the path; without one, that of a function with one caller."""
    appid = path.rstrip("/").rpartition("/")[2]
    entry = settings.unnamed
    if appid != EVENTS:
        entry = next((each for each in settings.callers if each.id == f"wechat:{appid}"), None)
    if entry is None or not getattr(entry.settings, PUSH, None):
        if appid == EVENTS:
            raise NotFound("/wechat-events is not enabled without an AppID.")
        # In the words about a forged push, so that no stranger learns which apps there are.
        raise refused_appid()
    return entry


def _withdrawn(context: RequestContext, entry: CallerEntry, event: Mapping[str, Any]) -> Response:
    """Accept an event about a user's authorisation, then forward it in any case."""
    context.line.event = event["Event"]
    failed = None
    if event["Event"] in REVOCATIONS:
        from function.owners.withdrawal import accept_revocation

        failed = accept_revocation(context, event, entry)
    response = _relay(context, entry.settings.push, is_stored=False)
    if failed is not None:
        raise _repeated(failed)
    return response


def _is_ours(context: RequestContext, verdict: Verdict, entry: CallerEntry) -> bool:
    """Apply a verdict, and return whether it is about an upload of ours."""
    try:
        return apply_verdict(context, verdict, entry)
    except UploadError as error:
        raise _repeated(error) from None


def _repeated(error: UploadError) -> UploadError:
    """Return a 503 for a failure, so that WeChat repeats the push."""
    is_repeated = error.status == HTTPStatus.SERVICE_UNAVAILABLE
    return error if is_repeated else OssUnavailable(reason=error.reason)


def _relay(context: RequestContext, push: WechatPush, *, is_stored: bool) -> Response:
    """
    Forward an event that is not ours unchanged, and relay the response.

    Raises:
        WechatUnavailable: the forwarder did not respond; WeChat repeats an event that is not stored here.
    """
    if push.forward_url is None:
        if context.line.event is None:
            context.line.reason = "not our event, and WECHAT_PUSH_FORWARD_URL is not set"
        return _text(200, "success")
    try:
        response = _forward(context, push.forward_url)
    except ExchangeFailed as error:
        reason = f"WECHAT_PUSH_FORWARD_URL: {error.kind}"
        if not is_stored:
            raise WechatUnavailable("This event cannot be forwarded right now.", reason=reason) from None
        context.line.reason = reason
        return _text(200, "success")
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = f"{content_type}; charset=utf-8" if content_type in FORWARDED_TYPES else PLAIN_TEXT
    return _text(response.status, response.body.decode("utf-8", "replace"), kind)


def _forward(context: RequestContext, url: str) -> HttpResponse:
    request: Request = context.request
    hops = len(request.headers.get(HOPS, ""))
    if hops >= MAX_HOPS:
        raise ExchangeFailed("loop")
    separator = "&" if "?" in url else "?"
    response = context.send(
        "POST",
        f"{url}{separator}{request.raw_query}",
        body=request.body,
        headers={
            "Content-Type": request.headers.get("content-type") or "application/json",
            HOPS: "1" * (hops + 1),
        },
        budget_seconds=FORWARD_SECONDS,
    )
    if response.status not in REASON_PHRASES or response.status < 200:
        raise ExchangeFailed(f"HTTP {response.status}")
    return response


def _text(status: int, body: str, content_type: str = PLAIN_TEXT) -> Response:
    # Others wrote this text; browsers must not render it as a page.
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(status, body, {"Content-Type": content_type, **headers})
