"""
ListParts and ListMultipartUploads, page by page.

Sources: https://help.aliyun.com/zh/oss/developer-reference/listparts,
https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads
"""

import re

from local.oss import errors, refusals
from local.oss.access import LIST_PARTS, LIST_UPLOADS, authorize
from local.oss.answer import XML, Answer
from local.oss.documents import Children, write_document
from local.oss.errors import invalid_argument
from local.oss.exchange import Call
from local.oss.multipart import key_elements
from local.oss.pages import cut, instant, page_size, short_text, truth, writer
from local.oss.request import Request
from local.oss.uploads import Part, Upload

LONGEST_PAGE = 1000


def list_parts(call: Call) -> Answer:
    """ListParts: in ascending order, after the marker."""
    request, bucket = call.request, call.bucket
    authorize(request, bucket, LIST_PARTS)
    most = _number(request, "max-parts", LONGEST_PAGE, LONGEST_PAGE)
    # SDKs ask for the first page with an empty marker.
    has_marker = bool(request.query.get("part-number-marker"))
    marker = _number(request, "part-number-marker", 0, 10**9) if has_marker else 0
    named = key_elements(request, bucket, request.key)
    upload_id = request.query["uploadId"]
    with bucket.uploads.held(request.key, upload_id, refusals.NO_UPLOAD) as upload:
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
        ("IsTruncated", truth(len(parts) > len(page))),
        *(("Part", _part_elements(part)) for part in page),
    ]
    return Answer(headers={"Content-Type": XML}, body=write_document("ListPartsResult", told, bucket.rules))


def list_uploads(call: Call) -> Answer:
    """ListMultipartUploads: by key, then by age; behind the markers, and only below the prefix."""
    query, bucket = call.request.query, call.bucket
    authorize(call.request, bucket, LIST_UPLOADS)
    most, written = page_size(query, "max-uploads", LONGEST_PAGE, bucket.rules), writer(query)
    prefix, delimiter, marker = (short_text(query, name) for name in ("prefix", "delimiter", "key-marker"))
    id_marker = query.get("upload-id-marker", "")

    def is_behind(upload: Upload) -> bool:
        return upload.id > id_marker if marker == upload.key and id_marker else upload.key > marker

    found = [each for each in bucket.uploads if each.key.startswith(prefix) and is_behind(each)]
    page = cut(found, lambda each: each.key, most, prefix=prefix, delimiter=delimiter, before=marker)
    names_last = page.is_truncated or bucket.rules.last_page_names_markers
    last = page.items[-1].id if page.items and page.items[-1].key == page.last else ""
    told: Children = [
        *([("EncodingType", "url")] if "encoding-type" in query else []),
        ("Bucket", bucket.name),
        ("KeyMarker", written(marker)),
        ("UploadIdMarker", id_marker),
        ("NextKeyMarker", written(page.last) if names_last else ""),
        ("NextUploadIdMarker", last if names_last else ""),
        ("Delimiter", written(delimiter)),
        ("Prefix", written(prefix)),
        ("MaxUploads", str(most)),
        ("IsTruncated", truth(page.is_truncated)),
        *(("Upload", _upload_elements(upload, written(upload.key))) for upload in page.items),
        *(("CommonPrefixes", [("Prefix", written(common))]) for common in page.prefixes),
    ]
    body = write_document("ListMultipartUploadsResult", told, bucket.rules)
    return Answer(headers={"Content-Type": XML}, body=body)


def _upload_elements(upload: Upload, key: str) -> list[tuple[str, str]]:
    return [
        ("Key", key),
        ("UploadId", upload.id),
        ("StorageClass", upload.attributes.storage_class),
        ("Initiated", instant(upload.started)),
    ]


def _part_elements(part: Part) -> list[tuple[str, str]]:
    return [
        ("PartNumber", str(part.number)),
        ("LastModified", instant(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("Size", str(part.size)),
    ]


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > most:
        raise invalid_argument(f"{name} is not a number from 0 to {most}.", errors.NO_PUBLIC_EC, name, text)
    return int(text)
