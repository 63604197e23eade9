"""
What the function remembers about held uploads: small private objects in the bucket, below ``held/.``.

Any instance can go on with what another one began, for all of it is there. What may be said once only is
created and never overwritten, so OSS is the judge between two instances.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from function.config.key_template import RECORDS
from function.errors import AlreadyExists, OssUnavailable
from function.http.json_body import object_in
from function.oss.client import OssClient
from function.oss.objects import get_marker, put_marker
from function.oss.post_form import iso

NAME = r"[0-9A-Za-z_-]{1,128}"

_encode = json.JSONEncoder(separators=(",", ":")).encode


def decided(upload_id: str) -> str:
    """Where the decision about an upload stands."""
    return _marker("decided", upload_id)


def rejected(upload_id: str) -> str:
    """What a rejection leaves for people to find."""
    return _marker("rejected", upload_id)


def committed(upload_id: str) -> str:
    """That an upload was committed, where a check follows."""
    return _marker("committed", upload_id)


def submitted(upload_id: str, number: int, again: str = "") -> str:
    """
    That an upload is submitted for the first or second time; with the ``trace`` of what was.

    Args:
        again: which of the attempts after the first one that came to nothing.
    """
    return _marker("submitted", f"{upload_id}-{number}{again}")


def review(upload_id: str) -> str:
    """That WeChat leaves an upload to a human."""
    return _marker("review", upload_id)


def check(trace_id: str) -> str:
    """What a submission is about."""
    return _marker("checks", trace_id)


def verdict(trace_id: str) -> str:
    """A verdict that came before anybody remembered what it is about."""
    return _marker("verdicts", trace_id)


def _marker(kind: str, name: str) -> str:
    # They come from receipts and verdicts, each of which was read strictly: another could reach what is not
    # its own.
    assert is_name(name)
    return f"{RECORDS}{kind}/{name}"


def is_name(text: str) -> bool:
    """Whether this may stand behind the last slash of a marker: an upload's id, a trace id of WeChat's."""
    return re.fullmatch(NAME, text) is not None


def put(oss: OssClient, name: str, said: Mapping[str, Any], now: datetime) -> None:
    """
    Remember something; who remembers it again says the same.

    Raises:
        UploadError: OSS refuses, or does not answer.
    """
    put_marker(oss, name, _body(said, now))


def create(oss: OssClient, name: str, said: Mapping[str, Any], now: datetime) -> bool:
    """
    Remember something that only the first may say: whether this was it.

    Raises:
        UploadError: OSS refuses, or does not answer; then it may have been stored or not.
    """
    try:
        put_marker(oss, name, _body(said, now), forbid_overwrite=True)
    except AlreadyExists:
        return False
    return True


def get(oss: OssClient, name: str) -> dict[str, Any] | None:
    """
    What was said; ``None`` where nothing was.

    Raises:
        UploadError: OSS refuses, or does not answer, or with something that the function did not write.
    """
    body = get_marker(oss, name)
    if body is None:
        return None
    said = object_in(body)
    if said is None:
        raise OssUnavailable(reason=f"{name}: the marker cannot be read")
    return said


def _body(said: Mapping[str, Any], now: datetime) -> bytes:
    return _encode({**said, "at": iso(now)}).encode()
