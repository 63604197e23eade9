"""Submission of a held object to WeChat: form and URL."""

from function.config.green import WECHAT
from function.config.profile import CHECK_URL_LIFE
from function.context import RequestContext
from function.errors import Misconfigured
from function.holding.held_upload import HeldUpload, held_url, obstacle_in
from function.moderation.finding import ERRCODE, REMOVED, UNREACHABLE, UNSUPPORTED, Finding
from function.moderation.source_token import SourceToken
from function.moderation.wechat import CANNOT_OPEN, CheckRequest, media_of, submit
from function.oss.client import OssClient
from function.wechat import WechatApp
from function.wechat.api import AccessTokens

# Refusals of a plain request where the console has API security switched on.
ENCRYPTED, ENCRYPTION = (40234, 40235), " (API 安全 is switched on in WeChat's console)"


def submit_to_wechat(
    context: RequestContext, oss: OssClient, upload: HeldUpload, *, is_unreachable: bool = False
) -> str | Finding:
    """
    Have WeChat fetch and check a held object.

    Args:
        is_unreachable: True if WeChat cannot open a presigned URL; then it fetches from this function.

    Returns:
        the trace id; or the finding if WeChat will not: then a human must decide.

    Raises:
        WechatUnavailable: no response, or a rate limit; a later request should try again.
        UploadError: no access token or no credentials, or OSS does not respond.
    """
    obstacle, beginning = obstacle_in(oss, upload)
    media = None if obstacle else media_of(upload.shown.content_type, upload.shown.size_bytes, beginning)
    if media is None:
        obstacle = obstacle or UNSUPPORTED
        context.line.reason = f"media_check_async: {obstacle}; a human must decide"
        return Finding(obstacle)
    settings = context.settings
    entry = settings.caller_of(upload.content.app)
    if entry is None or entry.kind_name != WECHAT:
        context.line.reason = "media_check_async: its caller was removed; a human must decide"
        return Finding(REMOVED)
    app: WechatApp = entry.settings
    if is_unreachable:
        token = SourceToken(upload.upload_id, upload.profile.name, media.process, entry.app)
        url = f"{settings.own_address}/check-source?t={token.issue(settings, context.now)}"
    else:
        url = held_url(context, oss, upload, CHECK_URL_LIFE, process=media.process)
    request = CheckRequest(url, media.media_type, upload.profile.check_scene, upload.content.subject)
    tokens = context.instance.keep(AccessTokens, lambda: AccessTokens(app, context.instance.send), app.appid)
    try:
        result = submit(app, tokens, request, context.send, context.now, context.seconds_left)
    except Misconfigured as error:
        error.reason = entry.placed(error.reason)
        raise
    if isinstance(result, str):
        return result
    cause = ENCRYPTION if result in ENCRYPTED else ""
    context.line.reason = f"media_check_async errcode {result}{cause}; a human must decide"
    return refusal(result)


def refusal(errcode: int) -> Finding:
    """Return the finding about an error of WeChat's, in a response or a verdict."""
    return Finding(UNREACHABLE if errcode == CANNOT_OPEN else ERRCODE, WECHAT, errcode=errcode)
