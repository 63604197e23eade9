"""
GetObject and HeadObject: who may read an object, and the headers that it comes with.

Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
"""

from email.utils import format_datetime
from typing import BinaryIO

from local.oss import errors
from local.oss.access import READ, authorize
from local.oss.attributes import META_PREFIX, header_value
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.objects import StoredObject
from local.oss.request import Request

# What a signed query may replace in the answer. The type is no longer among it: real buckets refuse that.
REPLACEABLE = ("Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding")


def open_object(request: Request, bucket: Bucket) -> tuple[dict[str, str], BinaryIO]:
    """
    The headers and the data of the object asked for.

    Raises:
        OssError: not for this reader, or not there.
    """
    signer = authorize(request, bucket, READ)
    replaced = _replaced_headers(request, is_signed=signer is not None)
    stored, file = bucket.objects.open(request.key)
    return {**_object_headers(stored), **replaced}, file


def _replaced_headers(request: Request, is_signed: bool) -> dict[str, str]:
    if "response-content-type" in request.query:
        raise OssError(errors.TYPE_NOT_REPLACEABLE)
    asked = {name: f"response-{name.lower()}" for name in REPLACEABLE}
    replaced = {name: request.query[asked[name]] for name in REPLACEABLE if asked[name] in request.query}
    if replaced and not is_signed:
        raise OssError(errors.ANONYMOUS_REPLACES)
    return {name: header_value(asked[name], value) for name, value in replaced.items()}


def _object_headers(stored: StoredObject) -> dict[str, str]:
    return {
        "Content-Type": stored.content_type,
        "Content-Length": str(stored.size),
        "ETag": f'"{stored.etag}"',
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
        "x-oss-object-type": "Normal",
        "x-oss-storage-class": stored.storage_class,
        **stored.headers,
        **{META_PREFIX + name: value for name, value in stored.metadata.items()},
    }
