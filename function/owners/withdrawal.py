"""
Withdrawn consent, and closed accounts, as WeChat's events tell of them: delivered to the business, and the
beginning of an erasure where ``ERASE_ON`` names them.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from function.annotations import Any
from function.auth import is_subject, owner_of
from function.auth.signed_tokens import keyed_hash
from function.config.profile import BucketLocation
from function.config.setting_table import REVOCATIONS, CallerEntry
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import OssUnavailable, UploadError
from function.oss.instants import iso
from function.webhook import deliver
from function.wechat.api import whole_number

REVOKED = "revoked"
# Fields that identify a push; its sender is the platform.
IDENTITY = ("OpenID", "CreateTime", "Event", "RevokeInfo")
SAID = ("event", "sub", "owner", "name", "revokeInfo", "at")
# Microphone, camera, chosen pictures, chosen files, avatar; pictures of service accounts; everything.
UPLOADED = {5, 7, 14, 15, 20, 207, 301}
# WeChat repeats a push within seconds: an older one may be a replay.
ACTED_ON_FOR = timedelta(hours=1)


def accept_revocation(
    context: RequestContext, event: Mapping[str, Any], entry: CallerEntry
) -> UploadError | None:
    """
    Begin the erasure that an event asks for, and deliver it to the business, without waiting for either.

    Args:
        event: of a verified push; its fields may be missing, or of any type.
        entry: whose push it is, and whose owner alone is erased.

    Returns:
        why WeChat must repeat the push: something of it is stored nowhere.
    """
    openid, created, name, info = (event.get(each) for each in IDENTITY)
    subject = openid if is_subject(openid) else None
    secret = context.settings.owner_secret
    owner = context.line.owner = owner_of(subject, secret, entry.owner_id) if subject else None
    at = _time_of(created)
    body = {
        "event": REVOKED,
        "sub": subject,
        "owner": owner,
        "name": name,
        "revokeInfo": None if info is None else str(info),
        "at": at and iso(at),
        **context.settings.caller_field(entry.app),
    }
    id = id_of(body, context.settings)
    failed: UploadError | None = None
    if owner and name in context.settings.erase_on:
        try:
            body |= _erasure(context, event, entry, owner, at, id)
        except UploadError as error:
            failed = error
    if not deliver(context, _location(context.settings), id, body, owner or "", at=at):
        failed = failed or OssUnavailable(reason="the event could be neither delivered nor stored")
    return failed


def id_of(body: Mapping[str, Any], settings: Settings) -> str:
    """
    Return the ``webhook-id`` of an event, whose fields are ``IDENTITY`` as the business gets them.

    Logs and records of erasures show it; without the secret no openid can be guessed, and no id be made.
    """
    said = [body.get(each) for each in SAID]
    return f"{REVOKED}-{keyed_hash(settings.owner_secret, b'push' + json.dumps(said).encode()).hex()}"


def _erasure(
    context: RequestContext,
    event: Mapping[str, Any],
    entry: CallerEntry,
    owner: str,
    at: datetime | None,
    id: str,
) -> dict[str, str]:
    """Begin an erasure; return its id for the business, or nothing with the reason in the log."""
    codes = set(map(int, re.findall(r"[0-9]{1,9}", str(event.get("RevokeInfo")))))
    if event.get("AppID") != entry.settings.appid:
        context.line.reason = "not erased: the AppID in the event is not WECHAT_APPID"
    elif event["Event"] == REVOCATIONS[0] and not codes & UPLOADED:
        context.line.reason = "not erased: RevokeInfo is not about uploads"
    elif at is None or abs(context.now - at) > ACTED_ON_FOR:
        context.line.reason = "not erased: CreateTime is not of the last hour"
    else:
        from function.owners.erasure import begin

        return {"erasure": begin(context, owner, id).erasure}
    return {}


def _time_of(created: object) -> datetime | None:
    seconds = whole_number(created)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _location(settings: Settings) -> BucketLocation | None:
    """Return a bucket whose due records a tick reads, if there is one."""
    profiles = [*settings.profiles.values()]
    listed = [each.location for each in profiles if each.gives_receipts]
    return next(iter(listed), profiles[0].location if settings.erase else None)
