"""
media_check_async: what is asked, why it may be refused, and which media it downloads and can inspect.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_mediacheckasync.html
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.common.outgoing import exchange
from local.wechat import errors
from local.wechat.errors import WechatError

VISIT_COUNTS_FOR = timedelta(hours=2)
SCENES = (1, 2, 3, 4)
LONGEST_URL = 4096
AUDIO, PICTURE = 1, 2
LARGEST_BYTES = 10 * 1024 * 1024
# How long the real one waits is not known.
SECONDS = 15.0

# What a file of each begins with. Video, webp, heic and svg are not among what the page lists.
BEGINNINGS: dict[int, tuple[bytes, ...]] = {
    PICTURE: (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM"),
    AUDIO: (
        *(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9", b"\x0b\x77"),
        *(b"fLaC", b"OggS", b"RIFF", b"\x30\x26\xb2\x75"),
    ),
}

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


def can_be_looked_at(url: str, media_type: int, takes_any_kind: bool = False) -> bool:
    """Return whether the URL serves a file of at most 10 MB and of a known type."""
    answer = exchange(url, SECONDS, LARGEST_BYTES)
    if answer is None or answer.status != 200:
        return False
    return takes_any_kind or answer.body.startswith(BEGINNINGS[media_type])
