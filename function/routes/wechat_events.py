"""``GET|POST /wechat-events``: WeChat tries the address, and pushes what it has to say to it."""

from http import HTTPStatus

from function.context import RequestContext
from function.errors import OssUnavailable, UploadError, WechatUnavailable
from function.holding.check import apply_verdict
from function.http.client import ExchangeFailed, HttpResponse
from function.http.gateway import REASON_PHRASES, Request, Response
from function.http.json_body import object_in
from function.wechat import WechatApp, WechatPush
from function.wechat.push import is_signed, open_push, refused_check
from function.wechat.verdict import EVENT, Verdict, read_verdict

PLAIN_TEXT = "text/plain; charset=utf-8"
# WeChat waits five seconds, of which a cold start takes its part.
FORWARD_SECONDS = 3.5
# Another deployment of this function may be the forwarder, and pass on in turn; but not in a circle for ever.
HOPS, MAX_HOPS = "x-wechat-push-hops", 3
PASSED_ON = ("application/json", "application/xml", "text/xml")


def handle(context: RequestContext) -> Response:
    """
    Returns:
        the ``echostr`` of a check; ``success`` for a push, or what the forwarder answered to it.
    """
    app, push = _setup(context)
    request = context.request
    if request.method == "GET":
        if not is_signed(request.query, push.token) or not request.query.get("echostr"):
            raise refused_check()
        return _text(200, request.query["echostr"])
    message = open_push(request.query, request.body, token=push.token, aes_key=push.aes_key, appid=app.appid)
    event = object_in(message) or {}
    verdict = read_verdict(event) if event.get("Event") == EVENT else None
    if verdict is not None and _is_ours(context, verdict):
        return _text(200, "success")
    return _pass_on(context, push, is_kept=verdict is not None)


def _setup(context: RequestContext) -> tuple[WechatApp, WechatPush]:
    settings = context.settings
    app: WechatApp = settings.caller_settings
    assert app.push is not None, "as the settings demand"
    return app, app.push


def _is_ours(context: RequestContext, verdict: Verdict) -> bool:
    """
    Whether a verdict is about an upload of ours, and carried out by then.

    Raises:
        UploadError: 503, so that WeChat repeats it; it could be neither carried out nor stored.
    """
    try:
        return apply_verdict(context, verdict)
    except UploadError as error:
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        raise OssUnavailable(reason=error.reason) from None


def _pass_on(context: RequestContext, push: WechatPush, *, is_kept: bool) -> Response:
    """
    Let the forwarder have what is not ours, as it came, and WeChat what the forwarder says.

    Args:
        is_kept: whether it is stored here, so that WeChat need not repeat it.

    Raises:
        WechatUnavailable: the forwarder was not heard, so that WeChat repeats it.
    """
    if push.forward_url is None:
        context.line.reason = "a push about nothing of ours, and no WECHAT_PUSH_FORWARD_URL"
        return _text(200, "success")
    try:
        answered = _forward(context, push.forward_url)
    except ExchangeFailed as error:
        reason = f"WECHAT_PUSH_FORWARD_URL: {error.kind}"
        if not is_kept:
            raise WechatUnavailable("This push cannot be passed on right now.", reason=reason) from None
        context.line.reason = reason
        return _text(200, "success")
    content_type = answered.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = f"{content_type}; charset=utf-8" if content_type in PASSED_ON else PLAIN_TEXT
    return _text(answered.status, answered.body.decode("utf-8", "replace"), kind)


def _forward(context: RequestContext, url: str) -> HttpResponse:
    request: Request = context.request
    hops = len(request.headers.get(HOPS, ""))
    if hops >= MAX_HOPS:
        raise ExchangeFailed("it leads in a circle")
    mark = "&" if "?" in url else "?"
    answered = context.instance.send(
        "POST",
        f"{url}{mark}{request.raw_query}",
        body=request.body,
        headers={
            "Content-Type": request.headers.get("content-type") or "application/json",
            HOPS: "1" * (hops + 1),
        },
        budget_seconds=FORWARD_SECONDS,
    )
    if answered.status not in REASON_PHRASES or answered.status < 200:
        raise ExchangeFailed(f"HTTP {answered.status}")
    return answered


def _text(status: int, body: str, content_type: str = PLAIN_TEXT) -> Response:
    # What is answered was sent by somebody else; no browser should take it for a page.
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(status, body, {"Content-Type": content_type, **headers})
