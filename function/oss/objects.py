"""Objects as the function asks OSS about them: facts, copies, deletion, and small markers of its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import quote

from function.config.profile import ACL_FIELD, META_PREFIX
from function.http.client import HttpResponse
from function.oss.client import OssClient, ask, malformed, refused, result_of
from function.oss.errors import etag_in, refusal_of
from function.oss.post_form import CLASS_FIELD, OVERWRITE_FIELD

MARKER_TYPE = "application/json"
MAX_MARKER_BYTES = 16 * 1024


class ObjectFacts(NamedTuple):
    """
    What OSS says of an object that is there.

    Args:
        etag: without quotes.

        content_type: as OSS writes it.

        metadata: without ``x-oss-meta-``, names in lower case.

        object_type: ``Normal``, ``Multipart`` or another of OSS's words.

        last_modified: timezone-aware UTC.
    """

    size_bytes: int
    etag: str
    content_type: str
    metadata: Mapping[str, str]
    object_type: str
    last_modified: datetime


class Copied(Enum):
    """What became of a copy that OSS did not refuse altogether."""

    DONE = auto()
    SOURCE_GONE = auto()
    SOURCE_CHANGED = auto()


def head_object(oss: OssClient, key: str) -> ObjectFacts | None:
    """
    What OSS says of an object; ``None`` when it says that there is none.

    A 403 is never taken for "none": whether OSS answers so where the role may not list is not documented.

    Raises:
        UploadError: OSS refuses, or does not answer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/headobject
    """
    # It changes nothing, so it may be repeated.
    answer = ask(oss, "HeadObject", "HEAD", key, is_repeatable=True)
    if answer.status == 200:
        return _facts(answer)
    refusal = refusal_of(answer)
    if (refusal.status, refusal.code) == (404, "NoSuchKey"):
        return None
    raise refused("HeadObject", refusal)


def _facts(answer: HttpResponse) -> ObjectFacts:
    from email.utils import parsedate_to_datetime

    headers = answer.headers
    size, etag = headers.get("content-length", ""), etag_in(headers.get("etag"))
    try:
        modified = parsedate_to_datetime(headers.get("last-modified", "")).astimezone(UTC)
    # A year, or an hour of a zone, of any number of digits.
    except (ValueError, OverflowError):
        raise malformed("HeadObject") from None
    if not (size.isascii() and size.isdigit() and len(size) < 16 and etag):
        raise malformed("HeadObject")
    return ObjectFacts(
        size_bytes=int(size),
        etag=etag,
        content_type=headers.get("content-type", ""),
        metadata={
            name.removeprefix(META_PREFIX): value
            for name, value in headers.items()
            if name.startswith(META_PREFIX)
        },
        object_type=headers.get("x-oss-object-type", ""),
        last_modified=modified,
    )


def copy_object(
    oss: OssClient,
    source: str,
    target: str,
    *,
    acl: str,
    source_etag: str,
    forbid_overwrite: bool,
    storage_class: str = "",
) -> Copied:
    """
    Copy one object of the bucket to another name, with its type, headers and metadata.

    Args:
        acl: of the copy; OSS does not copy that.

        source_etag: without quotes; other bytes are not copied.

        storage_class: of the copy, the bucket's where it is empty.

    Raises:
        AlreadyExists: the name is taken; perhaps by this very copy, when an earlier answer was lost.

        UploadError: OSS refuses, or does not answer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/copyobject
    """
    headers = {
        "x-oss-copy-source": f"/{oss.bucket}/{quote(source)}",
        "x-oss-copy-source-if-match": f'"{source_etag}"',
        OVERWRITE_FIELD: str(forbid_overwrite).lower(),
        ACL_FIELD: acl,
    }
    if storage_class:
        headers[CLASS_FIELD] = storage_class
    # Not repeated: the second of two copies would find the first one's work and call it another object,
    # or, where it may overwrite, undo what came in between.
    answer = ask(oss, "CopyObject", "PUT", target, headers=headers, is_repeatable=False)
    if answer.status == 200:
        result_of("CopyObject", answer)
        return Copied.DONE
    refusal = refusal_of(answer)
    match refusal.status, refusal.code:
        case 404, "NoSuchKey":
            return Copied.SOURCE_GONE
        case 412, "PreconditionFailed":
            return Copied.SOURCE_CHANGED
    raise refused("CopyObject", refusal)


def delete_object(oss: OssClient, key: str) -> None:
    """
    Delete an object, whether it is there or not.

    Raises:
        UploadError: OSS refuses, or does not answer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/deleteobject
    """
    # OSS says the same of an object that is gone. Nobody makes one of this name in the seconds between: each
    # has an id of its own.
    answer = ask(oss, "DeleteObject", "DELETE", key, is_repeatable=True)
    if answer.status != 204:
        raise refused("DeleteObject", refusal_of(answer))


def put_marker(oss: OssClient, key: str, body: bytes, *, forbid_overwrite: bool = False) -> None:
    """
    Store a small private object of the function's own.

    Args:
        body: JSON in UTF-8, at most ``MAX_MARKER_BYTES``.

    Raises:
        AlreadyExists: there is one, and it must not be overwritten.

        UploadError: OSS refuses, or does not answer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/putobject
    """
    headers = {
        "content-type": MARKER_TYPE,
        OVERWRITE_FIELD: str(forbid_overwrite).lower(),
        ACL_FIELD: "private",
    }
    # The same bytes under the same name are the same marker; but where only the first may be stored, a
    # second try would be refused for what the first one did.
    answer = ask(oss, "PutObject", "PUT", key, headers=headers, body=body, is_repeatable=not forbid_overwrite)
    if answer.status != 200:
        raise refused("PutObject", refusal_of(answer))


def first_bytes(oss: OssClient, key: str, count: int) -> tuple[bytes, str]:
    """
    What an object begins with, and its ``Content-Encoding`` as OSS writes it, empty for none.

    Returns:
        nothing of an object that is not there.

    Raises:
        UploadError: OSS refuses, or does not answer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
    """
    # It changes nothing, so it may be repeated.
    headers = {"range": f"bytes=0-{count - 1}"}
    answer = ask(oss, "GetObject", "GET", key, headers=headers, is_repeatable=True)
    if answer.status in (200, 206):
        return answer.body[:count], answer.headers.get("content-encoding", "")
    refusal = refusal_of(answer)
    if (refusal.status, refusal.code) == (404, "NoSuchKey"):
        return b"", ""
    raise refused("GetObject", refusal)


def get_marker(oss: OssClient, key: str) -> bytes | None:
    """
    The bytes of a marker; ``None`` when OSS says that there is none.

    Raises:
        UploadError: OSS refuses, or does not answer, or with more than ``MAX_MARKER_BYTES``.

    Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
    """
    # It changes nothing, so it may be repeated.
    answer = ask(oss, "GetObject", "GET", key, max_bytes=MAX_MARKER_BYTES, is_repeatable=True)
    if answer.status == 200:
        return answer.body
    refusal = refusal_of(answer)
    if (refusal.status, refusal.code) == (404, "NoSuchKey"):
        return None
    raise refused("GetObject", refusal)
