"""
media_check_async: what is asked, and why it may be refused.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_mediacheckasync.html
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.wechat import errors
from local.wechat.errors import WechatError
from local.wechat.media import AUDIO, PICTURE

VISIT_COUNTS_FOR = timedelta(hours=2)
SCENES = (1, 2, 3, 4)
LONGEST_URL = 4096

LastVisits = Callable[[str], Mapping[str, datetime]]


class Asked(NamedTuple):
    """
    Args:
        app_id: of the access token.

        version: 2; 1 for a call that names none, which gets an event of another shape.
    """

    app_id: str
    media_url: str
    media_type: int
    version: int


def read_check(body: bytes, app_id: str, last_visits: LastVisits, now: datetime) -> Asked | WechatError:
    """
    Args:
        body: as it was sent.

        app_id: of the access token.

        last_visits: when the user of an openid last logged in, by AppID.
    """
    if not body:
        return errors.EMPTY_BODY
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return errors.NOT_JSON
    if not isinstance(given, dict):
        return errors.NOT_JSON
    asked = Asked(app_id, given.get("media_url", ""), given.get("media_type", 0), given.get("version", 1))
    if not _is_text(asked.media_url) or not _is_number(asked.version, (1, 2)):
        return errors.INVALID_ARGUMENTS
    if not _is_number(asked.media_type, (AUDIO, PICTURE)):
        return errors.INVALID_MEDIA_TYPE
    refusal = _visitor_refusal(given, app_id, last_visits, now) if asked.version == 2 else None
    return refusal or asked


def _visitor_refusal(
    given: dict[str, Any], app_id: str, last_visits: LastVisits, now: datetime
) -> WechatError | None:
    if not _is_number(given.get("scene"), SCENES):
        return errors.INVALID_ARGUMENTS
    openid = given.get("openid")
    visits = last_visits(openid) if isinstance(openid, str) else {}
    if app_id not in visits:
        return errors.FOREIGN_OPENID if visits else errors.INVALID_OPENID
    return errors.NOT_SEEN_LATELY if now - visits[app_id] > VISIT_COUNTS_FOR else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_URL


def _is_number(value: Any, known: tuple[int, ...]) -> bool:
    """A number of JSON: neither true nor "2"."""
    return type(value) is int and value in known
