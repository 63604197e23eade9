"""Calls about objects: facts, copies, processed copies, deletion, ranges, and small records."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from function.annotations import NamedTuple
from function.config.profile import ACL_FIELD, META_PREFIX, STORAGE_CLASS_FIELD
from function.errors import OssUnavailable
from function.http.client import DEFAULT_MAX_BYTES, HttpResponse
from function.oss.client import FIRST_TRY_SECONDS, OssClient, call, error_for, malformed, result_of
from function.oss.instants import MAX_YEAR
from function.oss.post_form import OVERWRITE_FIELD
from function.oss.presign import NONE, PROCESS
from function.oss.responses import etag_in, refusal_of, text_in

RECORD_TYPE = "application/json"
MAX_RECORD_BYTES = 16 * 1024
# OSS cannot process this object, or not so; a missing right is ``AccessDenied``.
UNPROCESSABLE = "BadRequest ImageTooLarge InvalidArgument MissingArgument NoSuchKey NotImplemented".split()


class ObjectFacts(NamedTuple):
    """
    Facts about an object, as OSS reports them.

    Args:
        etag: without quotes.
        content_type: as OSS writes it.
        metadata: without ``x-oss-meta-``, names in lower case.
        last_modified: timezone-aware UTC.
        encoding: its ``Content-Encoding``; empty for none.
    """

    size_bytes: int
    etag: str
    content_type: str
    metadata: Mapping[str, str]
    last_modified: datetime
    encoding: str = ""


def is_size(text: str) -> bool:
    """Return whether a text is a number of bytes."""
    return text.isascii() and text.isdigit() and len(text) < 16


def head_object(oss: OssClient, key: str) -> ObjectFacts | None:
    """
    Return the facts about an object; ``None`` if OSS says that there is none.

    A 403 never counts as none: it is not documented whether OSS responds so if the role may not list.

    Source: https://help.aliyun.com/zh/oss/developer-reference/headobject
    """
    response = call(oss, "HeadObject", "HEAD", key, is_repeatable=True)
    return _facts(response) if _is_found("HeadObject", response, 200) else None


def _is_found(name: str, response: HttpResponse, *statuses: int) -> bool:
    """Return whether OSS has the object, as these statuses say; raise ``UploadError`` if it says neither."""
    if response.status in statuses:
        return True
    refusal = refusal_of(response)
    if (refusal.status, refusal.code) == (404, "NoSuchKey"):
        return False
    raise error_for(name, refusal)


def _facts(response: HttpResponse) -> ObjectFacts:
    from email.utils import parsedate_to_datetime

    headers = response.headers
    size, etag = headers.get("content-length", ""), etag_in(headers.get("etag"))
    try:
        modified = parsedate_to_datetime(headers.get("last-modified", "")).astimezone(UTC)
    # A year or a time zone may have any number of digits.
    except (ValueError, OverflowError):
        raise malformed("HeadObject") from None
    # Days are added to the date.
    if not (is_size(size) and etag and modified.year <= MAX_YEAR):
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
        last_modified=modified,
        encoding=headers.get("content-encoding", ""),
    )


def copy_object(
    oss: OssClient,
    source: str,
    target: str,
    *,
    acl: str,
    source_etag: str,
    storage_class: str = "",
    replaced: Mapping[str, str] = NONE,
) -> str:
    """
    Copy one object of the bucket to a free name, with its type, headers and metadata.

    Args:
        acl: of the copy; OSS does not copy it.
        source_etag: without quotes; other bytes are not copied.
        storage_class: of the copy; empty for the bucket's.
        replaced: type, headers and metadata of the copy instead, names in lower case.

    Returns:
        ETag of the copy without quotes; empty if the source is gone or has other bytes.

    Raises:
        AlreadyExists: the name is taken, perhaps by an earlier try whose response was lost.

    Source: https://help.aliyun.com/zh/oss/developer-reference/copyobject
    """
    headers = {
        "x-oss-copy-source": f"/{oss.bucket}/{quote(source)}",
        "x-oss-copy-source-if-match": f'"{source_etag}"',
        OVERWRITE_FIELD: "true",
        ACL_FIELD: acl,
    }
    if storage_class:
        headers[STORAGE_CLASS_FIELD] = storage_class
    if replaced:
        headers |= {"x-oss-metadata-directive": "REPLACE", **replaced}
    # Not repeated: a second copy would take the first one's object for another.
    response = call(oss, "CopyObject", "PUT", target, headers=headers, is_repeatable=False)
    if response.status == 200:
        etag = etag_in(text_in(result_of("CopyObject", response), "ETag"))
        if not etag:
            raise malformed("CopyObject")
        return etag
    refusal = refusal_of(response)
    if (refusal.status, refusal.code) in ((404, "NoSuchKey"), (412, "PreconditionFailed")):
        return ""
    raise error_for("CopyObject", refusal)


def process_object(oss: OssClient, source: str, target: str, process: str) -> str:
    """
    Process an object of the bucket and store the result as another one, which is overwritten.

    Args:
        process: such as ``image/auto-orient,1/format,jpg``.

    Returns:
        empty if it was stored, else OSS's code: it cannot process this object.

    Source: https://help.aliyun.com/zh/oss/user-guide/sys-or-saveas
    """
    import hashlib

    key, bucket = (urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in (target, oss.bucket))
    body = f"{PROCESS}={process}|sys/saveas,o_{key},b_{bucket}".encode()
    digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    headers, query = {"content-md5": digest}, {PROCESS: ""}
    name = "PostProcessTask"
    # Not repeated: it may take longer than a first try is given.
    response = call(oss, name, "POST", source, query=query, headers=headers, body=body, is_repeatable=False)
    if response.status == 200:
        return ""
    refusal = refusal_of(response)
    if refusal.code in UNPROCESSABLE:
        return refusal.code
    raise error_for(name, refusal)


def delete_object(oss: OssClient, key: str, *, is_repeatable: bool = True) -> None:
    """
    Delete an object, whether it is there or not.

    Args:
        is_repeatable: False if another object may get the name; then the caller has time to look and repeat.

    Source: https://help.aliyun.com/zh/oss/developer-reference/deleteobject
    """
    # OSS responds the same if the object is gone already.
    response = call(
        oss, "DeleteObject", "DELETE", key, is_repeatable=is_repeatable, max_seconds=FIRST_TRY_SECONDS
    )
    if response.status != 204:
        raise error_for("DeleteObject", refusal_of(response))


def set_private(oss: OssClient, key: str) -> None:
    """
    Make an object private, whatever its bucket is.

    Source: https://help.aliyun.com/zh/oss/developer-reference/putobjectacl
    """
    headers, query = {ACL_FIELD: "private"}, {"acl": ""}
    response = call(oss, "PutObjectACL", "PUT", key, query=query, headers=headers, is_repeatable=True)
    if response.status != 200:
        raise error_for("PutObjectACL", refusal_of(response))


def put_record(oss: OssClient, key: str, body: bytes, *, forbid_overwrite: bool = False) -> None:
    """Store a small record: JSON in UTF-8, at most ``MAX_RECORD_BYTES``; raises as ``put_object`` does."""
    put_object(oss, key, body, RECORD_TYPE, forbid_overwrite=forbid_overwrite)


def put_object(
    oss: OssClient,
    key: str,
    body: bytes,
    content_type: str,
    *,
    forbid_overwrite: bool = False,
    acl: str = "private",
    headers: Mapping[str, str] = NONE,
) -> None:
    """
    Store an object of the function.

    Args:
        headers: further ones, names in lower case.

    Raises:
        AlreadyExists: there is one already, and it must not be overwritten.

    Source: https://help.aliyun.com/zh/oss/developer-reference/putobject
    """
    headers = {
        **headers,
        "content-type": content_type,
        OVERWRITE_FIELD: str(forbid_overwrite).lower(),
        ACL_FIELD: acl,
    }
    # Writing the same record again is harmless; but if only the first may be stored, a second try would be
    # refused because of the first.
    response = call(
        oss, "PutObject", "PUT", key, headers=headers, body=body, is_repeatable=not forbid_overwrite
    )
    if response.status != 200:
        raise error_for("PutObject", refusal_of(response))


def first_bytes(oss: OssClient, key: str, count: int) -> tuple[bytes, str]:
    """
    Return the first bytes of an object, and its ``Content-Encoding`` (empty for none).

    Returns:
        nothing if there is no object.

    Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
    """
    headers = {"range": f"bytes=0-{count - 1}"}
    response = call(oss, "GetObject", "GET", key, headers=headers, is_repeatable=True)
    if not _is_found("GetObject", response, 200, 206):
        return b"", ""
    return response.body[:count], response.headers.get("content-encoding", "")


def read_range(oss: OssClient, key: str, first: int, count: int, etag: str) -> bytes:
    """
    Return so many bytes of an object, all of which it has.

    Args:
        etag: without quotes; other bytes are not read.

    Raises:
        UploadError: OSS refuses, or does not respond, or the object is another one.

    Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
    """
    headers = {"range": f"bytes={first}-{first + count - 1}", "if-match": f'"{etag}"'}
    # A refusal is not cut off at the end of a short range.
    max_bytes = max(count, DEFAULT_MAX_BYTES)
    response = call(oss, "GetObject", "GET", key, headers=headers, max_bytes=max_bytes, is_repeatable=True)
    if response.status == 206 and len(response.body) == count:
        return response.body
    if response.status in (200, 206):
        raise malformed("GetObject")
    refusal = refusal_of(response)
    if refusal.status in (404, 412):
        raise OssUnavailable(reason=f"GetObject: {refusal}: the object was replaced while it was read")
    raise error_for("GetObject", refusal)


def get_record(oss: OssClient, key: str) -> bytes | None:
    """
    Return the bytes of a record; ``None`` if OSS says that there is none.

    Raises:
        UploadError: OSS refuses, or does not respond, or with more than ``MAX_RECORD_BYTES``.
    """
    return read_object(oss, key, MAX_RECORD_BYTES)


def read_object(
    oss: OssClient, key: str, max_bytes: int, *, process: str = "", etag: str = ""
) -> bytes | None:
    """
    Return all bytes of an object, or what image processing makes of it; ``None`` if OSS says there is none.

    Args:
        etag: without quotes; other bytes are none.

    Raises:
        UploadError: OSS refuses, or does not respond, or with more than ``max_bytes``.

    Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
    """
    query = {PROCESS: process} if process else NONE
    headers = {"if-match": f'"{etag}"'} if etag else NONE
    response = call(
        oss, "GetObject", "GET", key, query=query, headers=headers, max_bytes=max_bytes, is_repeatable=True
    )
    if etag and response.status == 412:
        return None
    return response.body if _is_found("GetObject", response, 200) else None
