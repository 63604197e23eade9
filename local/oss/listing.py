"""
ListParts and ListMultipartUploads, page by page.

Sources: https://help.aliyun.com/zh/oss/developer-reference/listparts,
https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads
"""

import re
from datetime import datetime
from urllib.parse import quote

from local.oss import errors, part_refusals
from local.oss.access import LIST_PARTS, LIST_UPLOADS, authorize
from local.oss.answer import XML, Answer
from local.oss.documents import Children, write_document
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.multipart import key_elements
from local.oss.request import Request
from local.oss.uploads import Part, Upload

LONGEST_PAGE = 1000


def list_parts(call: Call) -> Answer:
    """ListParts: in ascending order, after the marker."""
    request, bucket = call.request, call.bucket
    authorize(request, bucket, LIST_PARTS)
    most = _number(request, "max-parts", LONGEST_PAGE, LONGEST_PAGE)
    marker = _number(request, "part-number-marker", 0, 10**9)
    named = key_elements(request, bucket, request.key)
    upload_id = request.query["uploadId"]
    with bucket.uploads.held(request.key, upload_id, part_refusals.NO_UPLOAD) as upload:
        parts = [upload.parts[number] for number in sorted(upload.parts) if number > marker]
        storage_class = upload.attributes.storage_class
    page = parts[:most]
    told: Children = [
        *named,
        ("UploadId", upload_id),
        ("StorageClass", storage_class),
        ("PartNumberMarker", str(marker)),
        ("NextPartNumberMarker", str(page[-1].number if page else marker)),
        ("MaxParts", str(most)),
        ("IsTruncated", _truth(len(parts) > len(page))),
        *(("Part", _part_elements(part)) for part in page),
    ]
    return Answer(headers={"Content-Type": XML}, body=write_document("ListPartsResult", told, bucket.rules))


def list_uploads(call: Call) -> Answer:
    """ListMultipartUploads: by key, then by age; after the markers, and only below the prefix."""
    request, bucket = call.request, call.bucket
    authorize(request, bucket, LIST_UPLOADS)
    if request.query.get("delimiter"):
        raise OssError(errors.NOT_IMPLEMENTED)
    most = _number(request, "max-uploads", LONGEST_PAGE, LONGEST_PAGE)
    encoding = key_elements(request, bucket, "")[:-2]
    prefix, key_marker, id_marker = (
        request.query.get(name, "") for name in ("prefix", "key-marker", "upload-id-marker")
    )

    def is_after_the_markers(upload: Upload) -> bool:
        if upload.key == key_marker and id_marker:
            return upload.id > id_marker
        return upload.key > key_marker

    def written(key: str) -> str:
        return quote(key, safe="") if encoding else key

    found = [
        upload for upload in bucket.uploads if upload.key.startswith(prefix) and is_after_the_markers(upload)
    ]
    page = found[:most]
    is_truncated = len(found) > len(page)
    told: Children = [
        *encoding,
        ("Bucket", bucket.name),
        ("KeyMarker", written(key_marker)),
        ("UploadIdMarker", id_marker),
        ("NextKeyMarker", written(page[-1].key) if is_truncated and page else ""),
        ("NextUploadIdMarker", page[-1].id if is_truncated and page else ""),
        ("Prefix", written(prefix)),
        ("MaxUploads", str(most)),
        ("IsTruncated", _truth(is_truncated)),
        *(
            (
                "Upload",
                [
                    ("Key", written(upload.key)),
                    ("UploadId", upload.id),
                    ("StorageClass", upload.attributes.storage_class),
                    ("Initiated", _instant(upload.started)),
                ],
            )
            for upload in page
        ),
    ]
    body = write_document("ListMultipartUploadsResult", told, bucket.rules)
    return Answer(headers={"Content-Type": XML}, body=body)


def _part_elements(part: Part) -> list[tuple[str, str]]:
    return [
        ("PartNumber", str(part.number)),
        ("LastModified", _instant(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("Size", str(part.size)),
    ]


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > most:
        raise invalid_argument(f"{name} is not a number from 0 to {most}.", errors.NO_PUBLIC_EC, name, text)
    return int(text)


def _instant(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _truth(value: bool) -> str:
    return "true" if value else "false"
