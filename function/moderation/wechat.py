"""WeChat's content check of one file: which files it can check, and the call that submits one."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from function.annotations import NamedTuple
from function.http.client import Send
from function.wechat import WechatApp
from function.wechat.api import AccessTokens, post, trace_id_of, unavailable

AUDIO, PICTURE = 1, 2
# WeChat's limit of 10 MB; its pages do not define MB, so the smaller reading counts.
MAX_BYTES = 10_000_000
# OSS's limit for image processing.
MAX_PROCESSED_BYTES = 20 * 1024 * 1024
# Small enough for WeChat in any case, and large enough to judge.
AS_JPEG = "image/resize,m_lfit,w_2048,h_2048/format,jpg"
PICTURES = frozenset(f"image/{name}" for name in ("jpeg", "jpg", "pjpeg", "png", "gif", "bmp", "x-ms-bmp"))
SOUNDS = frozenset(
    f"audio/{name}"
    for name in (
        *("mpeg", "mp3", "aac", "aacp", "x-aac", "ac3", "x-ms-wma", "flac", "x-flac"),
        *("ogg", "vorbis", "opus", "wav", "x-wav", "wave", "vnd.wave"),
    )
)

# First bytes of the pictures that WeChat accepts. Phones ignore the declared type and show more formats than
# WeChat knows: for any other format WeChat gets the JPEG that OSS makes of it, or finds none.
IMAGE_MAGIC = ((0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (0, b"GIF8"), (0, b"BM"))
# Bytes, by offset, of files that are not audio: WebP; HEIC, AVIF and MP4; TIFF; WebM; icons; JPEG XL; HTML.
NON_AUDIO_MAGIC = (
    *((8, b"WEBP"), (4, b"ftyp"), (0, b"II*\0"), (0, b"MM\0*"), (0, b"\x1a\x45\xdf\xa3")),
    *((0, b"\0\0\1\0"), (0, b"\xff\x0a"), (4, b"JXL "), (0, b"<"), (0, b"\xef\xbb\xbf<")),
)


class Media(NamedTuple):
    """
    Form in which WeChat gets a file.

    Args:
        media_type: WeChat's number; it does not notice a wrong one.
        process: the image processing of OSS to apply first; empty for none.
    """

    media_type: int
    process: str = ""


def media_of(content_type: str, size_bytes: int, first_bytes: bytes) -> Media | None:
    """
    Return the form in which WeChat can check a file; ``None`` if only a human can.

    Types that WeChat does not list are not submitted: it is known to pass every video.

    Args:
        content_type: as declared by the uploader, without parameters, in lower case.
        first_bytes: of the object, a few.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    if content_type in SOUNDS:
        return Media(AUDIO) if may_be_sound(first_bytes) and size_bytes <= MAX_BYTES else None
    if not content_type.startswith("image/") or size_bytes > MAX_PROCESSED_BYTES:
        return None
    is_accepted = content_type in PICTURES and _begins_with(first_bytes, IMAGE_MAGIC)
    return Media(PICTURE, "" if is_accepted and size_bytes <= MAX_BYTES else AS_JPEG)


def may_be_sound(first_bytes: bytes) -> bool:
    """Return whether a file does not begin as one of another kind."""
    return not _begins_with(first_bytes, (*NON_AUDIO_MAGIC, *IMAGE_MAGIC))


def _begins_with(first_bytes: bytes, marks: Iterable[tuple[int, bytes]]) -> bool:
    return any(first_bytes.startswith(mark, at) for at, mark in marks)


PATH = "/wxa/media_check_async"
BUDGET_SECONDS = 3.0
VERSION = 2
STALE_TOKEN = (40001, 42001, 41001)
BUSY, PER_MINUTE = -1, (44991, 45011)
MINUTE_SECONDS = 60
# WeChat could not open the URL, or not all of the file.
CANNOT_OPEN = -1008


class CheckRequest(NamedTuple):
    """
    A file to be checked.

    Args:
        url: valid for an hour; it contains a security token.
        media_type, scene: WeChat's numbers.
        openid: of the uploader, who must have used the mini-program within two hours.
    """

    url: str
    media_type: int
    scene: int
    openid: str

    def __repr__(self) -> str:
        return f"CheckRequest({self.media_type}, {self.scene})"


def submit(
    app: WechatApp,
    tokens: AccessTokens,
    request: CheckRequest,
    send: Send,
    now: datetime,
    seconds_left: Callable[[], float] | None = None,
) -> str | int:
    """
    Submit a file, and once more with another token if WeChat rejects the cached one.

    Returns:
        the trace id, which its verdict bears; or the errcode if WeChat refuses for good.

    Raises:
        WechatUnavailable: no response, or a rate limit; a later request should try again.
        UploadError: there is no access token.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    fields = {
        "media_url": request.url,
        "media_type": request.media_type,
        "version": VERSION,
        "scene": request.scene,
        "openid": request.openid,
    }
    call = partial(post, app, PATH, fields, send=send, budget_seconds=BUDGET_SECONDS)
    token = tokens.get(now, send, seconds_left)
    errcode, response = call(query={"access_token": token})
    if errcode in STALE_TOKEN:
        tokens.drop(token)
        token = tokens.get(now, send, seconds_left)
        errcode, response = call(query={"access_token": token})
        if errcode in STALE_TOKEN:
            tokens.drop(token)
    if errcode in (BUSY, *STALE_TOKEN, *PER_MINUTE):
        wait = MINUTE_SECONDS if errcode in PER_MINUTE else None
        raise unavailable(PATH, f"errcode {errcode}", errcode=errcode, wait=wait)
    if errcode:
        return errcode
    trace_id = trace_id_of(response)
    if trace_id is None:
        raise unavailable(PATH, "the response has no trace_id")
    return trace_id
