"""
Ranges and conditional reads, on an object's ETag and date.

Sources: https://help.aliyun.com/zh/oss/developer-reference/getobject,
https://help.aliyun.com/zh/oss/developer-reference/copyobject
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from local.oss import errors
from local.oss.errors import OssError
from local.oss.versions import StoredObject

RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


def check_conditions(headers: Mapping[str, str], stored: StoredObject, prefix: str = "") -> None:
    """
    Hold an object against the conditions of a request.

    Args:
        headers: by lower-case name.

        prefix: of their names: ``x-oss-copy-source-`` where the object is copied.

    Raises:
        OssError: 412, or 304 where the reader has it already.
    """
    match, none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    if match is not None and not _names(match, stored):
        raise OssError(errors.PRECONDITION_FAILED, Condition="If-Match")
    changed_since = _date(headers.get(f"{prefix}if-unmodified-since"))
    if changed_since is not None and _whole_seconds(stored) > changed_since:
        raise OssError(errors.PRECONDITION_FAILED, Condition="If-Unmodified-Since")
    if none_match is not None and _names(none_match, stored):
        raise OssError(errors.NOT_MODIFIED)
    since = _date(headers.get(f"{prefix}if-modified-since"))
    if none_match is None and since is not None and _whole_seconds(stored) <= since:
        raise OssError(errors.NOT_MODIFIED)


def read_range(headers: Mapping[str, str], size: int) -> tuple[int, int] | None:
    """
    The first byte asked for, and how many; ``None`` for all.

    A range that an object of this size does not have means all of it, unless
    ``x-oss-range-behavior: standard`` asks for the manners of RFC 9110.

    Raises:
        OssError: 416, with those manners only.
    """
    asked = RANGE.fullmatch(headers.get("range", ""))
    if asked is None or not any(asked.groups()):
        return None
    is_standard = headers.get("x-oss-range-behavior") == "standard"
    first, last = _bounds(asked[1], asked[2], size)
    if first <= last < size:
        return first, last - first + 1
    if is_standard and first < size and first <= last:
        return first, size - first
    if is_standard and first >= size:
        raise OssError(errors.RANGE_NOT_SATISFIABLE)
    return None


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if first:
        return int(first), int(last) if last else size - 1
    # The last bytes: more than there are means all.
    return (max(size - int(last), 0), size - 1) if int(last) else (size, size)


def _names(etags: str, stored: StoredObject) -> bool:
    return etags.strip() == "*" or any(
        etag.strip().removeprefix("W/").strip('"') == stored.etag for etag in etags.split(",")
    )


def _whole_seconds(stored: StoredObject) -> datetime:
    """A date in a header has no fractions."""
    return stored.modified.replace(microsecond=0)


def _date(text: str | None) -> datetime | None:
    """What is no date counts as absent."""
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
