"""
GetObject and HeadObject: who may read an object, and the headers that it comes with.

Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
"""

from email.utils import format_datetime
from typing import BinaryIO

from local.oss.attributes import META_PREFIX
from local.oss.bucket import Bucket
from local.oss.objects import StoredObject
from local.oss.request import Request


def open_object(request: Request, bucket: Bucket) -> tuple[dict[str, str], BinaryIO]:
    """
    The headers and the data of the object asked for.

    Raises:
        OssError: it is not there.
    """
    stored, file = bucket.objects.open(request.key)
    return response_headers(stored), file


def response_headers(stored: StoredObject) -> dict[str, str]:
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
