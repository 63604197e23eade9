"""
GetObject and HeadObject: who may read an object, which part of it, and the headers that it comes with.

Sources: https://help.aliyun.com/zh/oss/developer-reference/getobject,
https://help.aliyun.com/zh/oss/developer-reference/headobject
"""

from email.utils import format_datetime
from pathlib import Path
from typing import BinaryIO

from local.common.accounts import AccessKey
from local.oss import errors
from local.oss.access import LIST, authorize_reading, permits
from local.oss.answer import Answer
from local.oss.attributes import META_PREFIX, header_value
from local.oss.bucket import Bucket
from local.oss.conditions import check_conditions, read_range
from local.oss.crc64 import crc64_of
from local.oss.errors import OssError
from local.oss.exchange import Call
from local.oss.request import Request
from local.oss.versions import StoredObject

# What a signed query may replace in the answer; the type only where the rules say so.
REPLACEABLE = ("Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding")
BRIEF = ("Content-Length", "ETag", "Last-Modified")
FORCED_EC = "0048-00000113"
ARCHIVED = ("Archive", "ColdArchive", "DeepColdArchive")


def get_object(call: Call) -> Answer:
    """The object, or the range of it that is asked for."""
    request, bucket = call.request, call.bucket
    signer = authorize_reading(request, bucket)
    replaced = replaced_headers(request, bucket, is_signed=signer is not None)
    stored, file = open_for(signer, request, bucket)
    try:
        check_state(stored)
        check_conditions(request.headers, stored)
        part = read_range(request.headers, stored.size)
        first, length = part or (0, stored.size)
        file.seek(first)
    except OssError:
        file.close()
        raise
    headers = {**object_headers(stored, bucket), **replaced, "Content-Length": str(length)}
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{stored.size}"
    headers |= forced_download(call)
    return Answer(206 if part else 200, headers, file=file, length=length)


def head_object(call: Call) -> Answer:
    """Answer HEAD for an object; ``?objectMeta`` returns the least."""
    request, bucket = call.request, call.bucket
    signer = authorize_reading(request, bucket)
    replaced = replaced_headers(request, bucket, is_signed=signer is not None)
    stored, file = open_for(signer, request, bucket)
    file.close()
    check_conditions(request.headers, stored)
    headers = object_headers(stored, bucket)
    if "objectMeta" in request.query:
        return Answer(headers={name: headers[name] for name in BRIEF})
    return Answer(headers={**headers, **replaced, **forced_download(call)})


def open_for(signer: AccessKey | None, request: Request, bucket: Bucket) -> tuple[StoredObject, BinaryIO]:
    """
    An object and its data, for whoever may read it.

    Raises:
        OssError: it is not there, or the reader is not told so.
    """
    version = request.query.get("versionId")
    if version is None:
        check_absence(signer, request.key, bucket)
    return bucket.objects.open(request.key, version)


def check_absence(signer: AccessKey | None, key: str, bucket: Bucket) -> None:
    """
    Raises:
        OssError: 403 for what is not there, where the rules say that not everybody is told so.
    """
    if key in bucket.objects or not bucket.rules.absence_told_to_listers_only:
        return
    if signer is None or not permits(signer, LIST, bucket, ""):
        raise OssError(errors.NOT_PERMITTED)


def check_state(stored: StoredObject) -> None:
    """
    Raises:
        OssError: archived: nobody reads or copies it before it is restored, and nothing is restored here.
    """
    if stored.storage_class in ARCHIVED:
        raise OssError(errors.NOT_RESTORED)


def forced_download(call: Call) -> dict[str, str]:
    """Headers that the default host of newer accounts adds to force a download."""
    if not (call.bucket.rules.default_host_downloads and call.is_default_host):
        return {}
    return {"x-oss-force-download": "true", "Content-Disposition": "attachment", "x-oss-ec": FORCED_EC}


def object_headers(stored: StoredObject, bucket: Bucket) -> dict[str, str]:
    """Of a whole object, as HEAD tells them."""
    headers = {
        "Content-Type": stored.content_type,
        "Content-Length": str(stored.size),
        "ETag": f'"{stored.etag}"',
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
        "x-oss-object-type": stored.kind,
        "x-oss-storage-class": stored.storage_class,
        **stored.headers,
        **{META_PREFIX + name: value for name, value in stored.metadata.items()},
        **checksum_headers(stored.path, stored.size, bucket),
        **version_headers(stored, bucket),
    }
    if stored.content_md5 is not None:
        headers["Content-MD5"] = stored.content_md5
    if expiration := bucket.lifecycle.expiration_of(stored):
        headers["x-oss-expiration"] = expiration
    return headers


def checksum_headers(path: Path, size: int, bucket: Bucket) -> dict[str, str]:
    """``x-oss-hash-crc64ecma``, of small data only: OSS promises it for no object."""
    if size > bucket.rules.max_crc64_bytes:
        return {}
    return {"x-oss-hash-crc64ecma": str(crc64_of(path))}


def version_headers(stored: StoredObject, bucket: Bucket) -> dict[str, str]:
    return {"x-oss-version-id": stored.version} if bucket.objects.versioning else {}


def replaced_headers(request: Request, bucket: Bucket, is_signed: bool) -> dict[str, str]:
    """
    Return the headers that ``response-*`` parameters replace.

    Raises:
        OssError: nobody signed it, or it is not to be replaced.
    """
    if "response-content-type" in request.query and bucket.rules.response_type_fixed:
        raise OssError(errors.TYPE_NOT_REPLACEABLE)
    asked = {name: f"response-{name.lower()}" for name in (*REPLACEABLE, "Content-Type")}
    replaced = {name: request.query[field] for name, field in asked.items() if field in request.query}
    if replaced and not is_signed:
        raise OssError(errors.ANONYMOUS_REPLACES)
    return {name: header_value(asked[name], value) for name, value in replaced.items()}
