"""
Events of WeChat by which a user withdraws an authorisation, or closes the account: delivered to the business.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from function.auth import is_subject, owner_of
from function.config.profile import BucketLocation
from function.config.settings import Settings
from function.context import RequestContext
from function.oss.post_form import iso
from function.webhook import deliver
from function.wechat.api import whole_number

REVOKED = "revoked"
# What names a push; its sender is the platform.
IDENTITY = ("OpenID", "CreateTime", "Event", "RevokeInfo")


def accept_revocation(context: RequestContext, event: Mapping[str, Any]) -> bool:
    """
    Deliver the withdrawal in an event to the business, without waiting for a slow one.

    Args:
        event: of a verified push; its fields may be missing, or of any type.

    Returns:
        False if neither the business nor OSS could be reached, so that WeChat must repeat the push.
    """
    openid, created, name, info = (event.get(each) for each in IDENTITY)
    subject = openid if is_subject(openid) else None
    owner = context.line.owner = owner_of(subject, context.settings.owner_secret) if subject else None
    at = _time_of(created)
    id = f"{REVOKED}-{sha256(json.dumps([openid, str(created), name, str(info)]).encode()).hexdigest()}"
    body = {
        "event": REVOKED,
        "sub": subject,
        "owner": owner,
        "name": name,
        "revokeInfo": None if info is None else str(info),
        "at": at and iso(at),
    }
    return deliver(context, _location(context.settings), id, body)


def _time_of(created: object) -> datetime | None:
    seconds = whole_number(created)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _location(settings: Settings) -> BucketLocation | None:
    """Return a bucket whose due records a tick reads, if there is one."""
    return next((each.location for each in settings.profiles.values() if each.gives_receipts), None)
