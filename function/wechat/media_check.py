"""The content check: WeChat is asked to look at a held object, and says later what it saw."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from function.config.profile import CHECK_URL_LIFE
from function.context import RequestContext
from function.errors import WechatUnavailable
from function.holding.upload import HeldUpload
from function.http.client import Send
from function.oss.client import OssClient
from function.oss.objects import first_bytes
from function.oss.presign import NONE, PROCESS, OssRequest, presign
from function.request_log import LogLine
from function.session_policy import OBJECTS
from function.wechat import WechatApp
from function.wechat.api import AccessTokens, post, trace_id_of, unavailable

AUDIO, PICTURE = 1, 2
# WeChat's bound; whether its MB has 1,000,000 bytes no page says, so the smaller one holds.
MAX_BYTES = 10_000_000
# OSS's bound for what it makes another picture of.
MAX_PROCESSED_BYTES = 20 * 1024 * 1024
# Small enough for WeChat whatever is in it, and large enough to see what it shows.
AS_JPEG = "image/resize,m_lfit,w_2048,h_2048/format,jpg"
# Of an animated GIF WeChat looks at the first frame only.
PICTURES = frozenset(f"image/{name}" for name in ("jpeg", "jpg", "pjpeg", "png", "gif", "bmp", "x-ms-bmp"))
SOUNDS = frozenset(
    f"audio/{name}"
    for name in (
        *("mpeg", "mp3", "aac", "aacp", "x-aac", "ac3", "x-ms-wma", "flac", "x-flac"),
        *("ogg", "vorbis", "opus", "wav", "x-wav", "wave", "vnd.wave"),
    )
)

# How pictures begin that WeChat takes. Phones show one for what it is, whatever type it was sent with, and
# they know more kinds than WeChat: of all else it gets the picture that OSS sees in it, or finds none there.
FIRST_BYTES = 16
OF_PICTURES = ((0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (0, b"GIF8"), (0, b"BM"))
# What says that bytes are no sound, by where it stands: WebP; the family of HEIC, AVIF and MP4; TIFF; WebM;
# icons; JPEG XL; what browsers run.
FOREIGN = (
    *((8, b"WEBP"), (4, b"ftyp"), (0, b"II*\0"), (0, b"MM\0*"), (0, b"\x1a\x45\xdf\xa3")),
    *((0, b"\0\0\1\0"), (0, b"\xff\x0a"), (4, b"JXL "), (0, b"<"), (0, b"\xef\xbb\xbf<")),
)
NOT_PACKED = ("", "identity")


class Media(NamedTuple):
    """
    What WeChat is asked to look at.

    Args:
        media_type: WeChat's number; it does not notice a wrong one.

        process: what OSS makes of the object first, a value of ``x-oss-process``; empty for nothing.
    """

    media_type: int
    process: str = ""


def media_of(content_type: str, size_bytes: int, first_bytes: bytes, encoding: str = "") -> Media | None:
    """
    How this upload can be shown to WeChat; ``None`` where only a human can judge it.

    What WeChat does not list is not sent to it: of videos it is known that it passes each of them.

    Args:
        content_type: without parameters, in lower case; it is what the uploader said.

        first_bytes: ``FIRST_BYTES`` of the object.

        encoding: its ``Content-Encoding``, which no form pins.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    # A phone unpacks it, and shows what comes of that; whether WeChat does, or OSS for its JPEG, nobody says.
    if encoding.strip().lower() not in NOT_PACKED:
        return None
    if content_type in SOUNDS:
        is_sound = not _begins_with(first_bytes, (*FOREIGN, *OF_PICTURES))
        return Media(AUDIO) if is_sound and size_bytes <= MAX_BYTES else None
    if not content_type.startswith("image/") or size_bytes > MAX_PROCESSED_BYTES:
        return None
    is_taken = content_type in PICTURES and _begins_with(first_bytes, OF_PICTURES)
    return Media(PICTURE, "" if is_taken and size_bytes <= MAX_BYTES else AS_JPEG)


def _begins_with(first_bytes: bytes, marks: Iterable[tuple[int, bytes]]) -> bool:
    return any(first_bytes.startswith(mark, at) for at, mark in marks)


PATH = "/wxa/media_check_async"
BUDGET_SECONDS = 3.0
VERSION = 2
STALE_TOKEN = (40001, 42001, 41001)
BUSY, PER_MINUTE = -1, (44991, 45011)
MINUTE_SECONDS = 60


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
    media = media_of(upload.content.mime_type, upload.content.size_bytes, begins_with, encoding)
    if media is None:
        context.line.reason = "media_check_async: WeChat can judge no such file, so a human has to"
        return Refused(None)
    app, send = context.settings.caller_settings, context.instance.send
    wanted = Wanted(
        _url(context, oss, upload, media),
        media.media_type,
        upload.profile.check_scene,
        upload.content.subject,
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
    query = {PROCESS: media.process} if media.process else NONE
    return presign(
        OssRequest("GET", oss.bucket, oss.region, upload.held_key, query),
        context.credentials(location.session(OBJECTS), [ends]),
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
