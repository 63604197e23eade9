"""The content check: WeChat is asked to look at a held object, and says later what it saw."""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from function.config.profile import CHECK_URL_LIFE
from function.config.settings import WechatApp
from function.context import RequestContext
from function.errors import WechatUnavailable
from function.holding.upload import HeldUpload
from function.http.client import Send
from function.oss.client import OssClient
from function.oss.objects import first_bytes
from function.oss.presign import NONE, OssRequest, presign
from function.request_log import LogLine
from function.session_policy import OBJECTS
from function.wechat.access_token import AccessTokens
from function.wechat.api import post, trace_id_of, unavailable
from function.wechat.media import FIRST_BYTES, Media, media_of

PATH = "/wxa/media_check_async"
BUDGET_SECONDS = 3.0
VERSION = 2
STALE_TOKEN = (40001, 42001, 41001)
BUSY, PER_MINUTE = -1, (44991, 45011)
MINUTE_SECONDS = 60
PROCESS = "x-oss-process"


class Submitted(NamedTuple):
    """WeChat will look at it; its verdict bears this name."""

    trace_id: str


class Refused(NamedTuple):
    """
    WeChat will not look at it, and asking again changes nothing: a human has to.

    Args:
        errcode: WeChat's; ``None`` where it was not asked, because it cannot judge such a file.
    """

    errcode: int | None


class Wanted(NamedTuple):
    """
    What WeChat is to look at.

    Args:
        url: good for an hour; it contains the security token.

        media_type, scene: WeChat's numbers.

        openid: of the uploader; WeChat must have seen them within two hours.
    """

    url: str
    media_type: int
    scene: int
    openid: str

    def __repr__(self) -> str:
        return f"Wanted({self.media_type}, {self.scene})"


class Unheard:
    """The last request that did not hear WeChat: it does not wait for it anew with each of its uploads."""

    def __init__(self) -> None:
        self.line: LogLine | None = None


def was_unheard(context: RequestContext) -> bool:
    """Whether this request has waited for WeChat in vain already."""
    return context.instance.keep(Unheard, Unheard).line is context.line


def submit(context: RequestContext, oss: OssClient, upload: HeldUpload) -> Submitted | Refused:
    """
    Have WeChat look at a held object, by a URL that is good for an hour.

    Args:
        oss: whose bucket; the URL has credentials of its own, which last as long as it does.

    Raises:
        WechatUnavailable: it was not heard, or not now; whoever asks next should try again.

        UploadError: the function cannot ask, or has no credentials, or OSS does not answer.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    begins_with, encoding = first_bytes(oss, upload.held_key, FIRST_BYTES)
    media = media_of(str(upload.claims["mimeType"]), int(upload.claims["size"]), begins_with, encoding)
    if media is None:
        context.line.reason = "media_check_async: WeChat can judge no such file, so a human has to"
        return Refused(None)
    app, send = context.settings.wechat, context.instance.send
    assert app is not None, "the settings hold check to CALLER_AUTH=wechat"
    wanted = Wanted(
        _url(context, oss, upload, media),
        media.media_type,
        upload.profile.check_scene,
        str(upload.claims["sub"]),
    )
    tokens = context.instance.keep(AccessTokens, lambda: AccessTokens(app, send))
    try:
        answered = ask_wechat(app, tokens, wanted, send, context.now)
    except WechatUnavailable:
        context.instance.keep(Unheard, Unheard).line = context.line
        raise
    if isinstance(answered, Refused):
        context.line.reason = f"media_check_async errcode {answered.errcode}, so a human has to look"
    return answered


def _url(context: RequestContext, oss: OssClient, upload: HeldUpload, media: Media) -> str:
    """For WeChat only: it contains the security token."""
    ends = context.now + CHECK_URL_LIFE
    location = upload.profile.location
    session = location.session(OBJECTS)
    obtained = context.instance.credentials_for(session, context.request.context, context.now, [ends])
    context.line.sts_refreshed = obtained.are_new or context.line.sts_refreshed
    query = {PROCESS: media.process} if media.process else NONE
    return presign(
        OssRequest("GET", oss.bucket, oss.region, upload.held_key, query),
        obtained.credentials,
        context.now,
        origin=location.read_origin,
        expires_in=CHECK_URL_LIFE,
    )


def ask_wechat(
    app: WechatApp, tokens: AccessTokens, wanted: Wanted, send: Send, now: datetime
) -> Submitted | Refused:
    """
    Ask for one check; once more with another token, where WeChat does not take the one that is held.

    Raises:
        UploadError: as ``submit`` does.
    """
    fields = {
        "media_url": wanted.url,
        "media_type": wanted.media_type,
        "version": VERSION,
        "scene": wanted.scene,
        "openid": wanted.openid,
    }
    ask = partial(post, app, PATH, fields, send=send, budget_seconds=BUDGET_SECONDS)
    token = tokens.get(now)
    errcode, told = ask(query={"access_token": token})
    if errcode in STALE_TOKEN:
        tokens.drop(token)
        token = tokens.get(now)
        errcode, told = ask(query={"access_token": token})
        if errcode in STALE_TOKEN:
            tokens.drop(token)
    if errcode:
        return _refusal(errcode)
    trace_id = trace_id_of(told)
    if trace_id is None:
        raise unavailable(PATH, "the answer holds no trace_id")
    return Submitted(trace_id)


def _refusal(errcode: int) -> Refused:
    if errcode == BUSY or errcode in STALE_TOKEN:
        raise _later(errcode)
    if errcode in PER_MINUTE:
        raise _later(errcode, wait=MINUTE_SECONDS)
    return Refused(errcode)


def _later(errcode: int, wait: int | None = None) -> WechatUnavailable:
    return unavailable(PATH, f"errcode {errcode}", errcode=errcode, wait=wait)
