"""``GET /check-source``: the bytes of a held object, for WeChat, which could not open the presigned URL."""

from datetime import timedelta

from function.auth.signed_tokens import invalid_token
from function.config.types import Rate
from function.context import RequestContext
from function.errors import NotFound, NotUploaded
from function.holding import records
from function.holding.accepted_record import get_progress
from function.holding.current_state import GIVE_UP, SILENT, undecided_state
from function.holding.held_upload import HeldUpload, read_recorded
from function.holding.transitions import SUBMITTED, SUBMITTING, UNREACHABLE
from function.http.gateway import Response
from function.limits.rate_limit import RateLimitItem, items_by_ip
from function.moderation.source_token import SourceToken
from function.moderation.wechat import MAX_BYTES
from function.oss.client import OssClient, oss_client
from function.oss.objects import read_object

FETCHES_PER_ADDRESS, FETCHES_PER_TOKEN = Rate(30, 60), Rate(6, 60)
# After the first response, on all instances.
REPEATABLE_FOR = timedelta(seconds=60)


def handle(context: RequestContext) -> Response:
    """
    Return the object in the form of the first submission, whole, whatever range is requested.

    Raises:
        Unauthorized: the token is invalid, or its object no longer waits for this check.
    """
    settings, limiter, line = context.settings, context.instance.limiter, context.line
    if not settings.own_address:
        raise NotFound("/check-source is not enabled here.")
    limiter.hit(items_by_ip("sources", FETCHES_PER_ADDRESS, context.client_ip), context.now)
    token = SourceToken.read(context.request.query.get("t", ""), settings, context.now)
    limiter.hit([RateLimitItem("source", FETCHES_PER_TOKEN, token.upload_id)], context.now)
    oss = oss_client(context, settings.profiles[token.profile].location)
    upload = _waiting_upload(context, oss, token.upload_id)
    line.profile, line.owner = upload.profile.name, upload.owner
    line.key, line.upload_id = upload.key, upload.upload_id
    fetched_key = records.fetched_key(upload.upload_id, upload.copy_number)
    fetched = records.written_at(oss, fetched_key)
    if fetched is not None and context.now >= fetched + REPEATABLE_FOR:
        raise invalid_token("its object was fetched before")
    body = read_object(oss, upload.shown.key, MAX_BYTES, process=token.process)
    if body is None:
        raise NotUploaded
    records.create(oss, fetched_key, {}, context.now)
    headers = {
        "Content-Type": "image/jpeg" if token.process else upload.shown.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(200, body, headers)


def _waiting_upload(context: RequestContext, oss: OssClient, upload_id: str) -> HeldUpload:
    """Return the upload whose second submission waits for its verdict; it has the bytes of its receipt."""
    progress = get_progress(oss, upload_id)
    if progress is None or not progress.is_unreachable:
        raise invalid_token("its object does not wait for this check")
    upload = read_recorded(progress.receipt, oss.bucket, context.settings, context.now)
    if upload.upload_id != upload_id or records.get_decision(oss, upload_id) is not None:
        raise invalid_token("its object is decided")
    current = undecided_state(oss, upload, context.now)
    if current.state not in (UNREACHABLE, SUBMITTING, SUBMITTED) or current.due in (SILENT, GIVE_UP):
        raise invalid_token("its object does not wait for this check any more")
    return upload._replace(copy=current.copy)
