"""
Uploads in parts: InitiateMultipartUpload, UploadPart, UploadPartCopy, CompleteMultipartUpload and
AbortMultipartUpload.

Sources: https://help.aliyun.com/zh/oss/developer-reference/initiatemultipartupload,
https://help.aliyun.com/zh/oss/developer-reference/uploadpart,
https://help.aliyun.com/zh/oss/developer-reference/uploadpartcopy,
https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload
"""

import base64
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import cast
from urllib.parse import quote

from local.common.http_server import PIECE_BYTES
from local.oss import errors, refusals
from local.oss.access import ABORT, READ, WRITE, actions_of_writing, authorize, demand
from local.oss.answer import XML, Answer
from local.oss.attributes import ACL_FIELD, check_choices
from local.oss.body import measured
from local.oss.bucket import Bucket
from local.oss.conditions import check_conditions, read_range
from local.oss.documents import write_document
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.pages import instant
from local.oss.part_list import chosen_parts, etag_of, part_number, read_part_list
from local.oss.reading import check_absence, check_state, checksum_headers, version_headers
from local.oss.request import Request
from local.oss.storing import new_object, read_body, received
from local.oss.uploads import Part, Upload
from local.oss.versions import StoredObject
from local.oss.writing import COPY_SOURCE, attributes_of, refuse_what_is_not_kept, source_key_of

COMPLETE_ALL = "x-oss-complete-all"


def initiate(call: Call) -> Answer:
    """InitiateMultipartUpload: what the object will be; its name is neither touched nor reserved."""
    request, bucket = call.request, call.bucket
    if not bucket.rules.initiate_takes_acl:
        headers = {name: value for name, value in request.headers.items() if name != ACL_FIELD}
        wanted = replace(request, headers=headers)
    else:
        wanted = request
    acl = wanted.headers.get(ACL_FIELD)
    authorize(request, bucket, *actions_of_writing(acl, bucket.rules), acl=acl)
    attributes = attributes_of(wanted, bucket)
    if bucket.forbids(attributes.forbid_overwrite, request.key):
        raise OssError(errors.ALREADY_EXISTS)
    is_sequential = "sequential" in request.query and bucket.rules.sequential_mode
    upload = bucket.uploads.begin(request.key, attributes, bucket.now(), is_sequential)
    told = [
        *key_elements(request, bucket, request.key),
        ("UploadId", upload.id),
    ]
    return xml_answer("InitiateMultipartUploadResult", told, bucket)


def upload_part(call: Call) -> Answer:
    """UploadPart: the body becomes a part, whatever its size; a number that was there is replaced."""
    authorize(call.request, call.bucket, WRITE)
    part, checksum = _keep(call, refusals.NO_UPLOAD_FOR_PART)
    return Answer(headers={"ETag": f'"{part.etag}"', **checksum})


def copy_part(call: Call) -> Answer:
    """
    UploadPartCopy: an object of this bucket, or a range of its bytes, becomes a part.

    A range that the object does not have means all of it, as where it is read.
    """
    request, bucket = call.request, call.bucket
    signer = authorize(request, bucket, WRITE)
    key = source_key_of(request, bucket)
    demand(signer, bucket, key, READ)
    check_absence(signer, key, bucket)
    source, file = bucket.objects.open(key)
    with file:
        check_state(source)
        check_conditions(request.headers, source, f"{COPY_SOURCE}-")
        asked = {"range": request.headers.get(f"{COPY_SOURCE}-range", "")}
        first, length = read_range(asked, source.size) or (0, source.size)
        file.seek(first)
        # A digest is of the request's own body, which is empty.
        headers = {name: value for name, value in request.headers.items() if name != "content-md5"}
        pieces = measured(cast(BufferedReader, file), length)
        copied = replace(call, request=replace(request, headers=headers), body=lambda: pieces)
        part, _ = _keep(copied, refusals.NO_UPLOAD_FOR_COPY)
    told = [("LastModified", instant(part.modified)), ("ETag", f'"{part.etag}"')]
    answer = xml_answer("CopyPartResult", told, bucket)
    return replace(answer, headers={**answer.headers, "ETag": f'"{part.etag}"'})


def _keep(call: Call, unknown: errors.Refusal) -> tuple[Part, dict[str, str]]:
    """The part that the body became, and the headers that tell its checksum."""
    request, bucket = call.request, call.bucket
    number = part_number(request.query["partNumber"], bucket.rules.max_parts)
    encryption = [name for name in request.headers if name.startswith("x-oss-server-side-")]
    if encryption:
        message = "Encryption is named when an upload is initiated."
        raise invalid_argument(message, errors.NO_PUBLIC_EC, encryption[0])
    upload_id = request.query["uploadId"]
    with bucket.uploads.held(request.key, upload_id, unknown):
        pass  # before a body is read that nobody waits for
    with received(call) as content:
        md5 = base64.b64encode(bytes.fromhex(content.etag)).decode()
        checksum = {"Content-MD5": md5, **checksum_headers(content.path, content.size, bucket)}
        with bucket.uploads.held(request.key, upload_id, unknown) as upload:
            _check_order(upload, number)
            path = content.path.rename(content.path.with_name(f"part-{content.path.name}"))
            etag = content.etag if bucket.rules.part_etag_is_md5 else content.etag[::-1]
            part = Part(number, content.size, etag, bucket.now(), path)
            upload.keep(part)
    return part, checksum


def complete(call: Call) -> Answer:
    """CompleteMultipartUpload: the parts listed, or all of them, become the object."""
    request, bucket = call.request, call.bucket
    acl = request.headers.get(ACL_FIELD)
    authorize(request, bucket, *actions_of_writing(acl, bucket.rules), acl=acl)
    refuse_what_is_not_kept(request)
    check_choices(request.headers, bucket.rules)
    document = read_body(call)
    upload_id = request.query["uploadId"]
    if bucket.rules.second_complete_repeats and (answer := bucket.uploads.answer_of(request.key, upload_id)):
        return answer
    with bucket.uploads.held(request.key, upload_id, refusals.NO_UPLOAD_TO_COMPLETE) as upload:
        parts = _chosen(request, document, upload, bucket)
        stored = _join(request, parts, upload, bucket)
        told = [
            ("Location", f"http://{bucket.host}/{quote(stored.key)}"),
            *key_elements(request, bucket, stored.key),
            ("ETag", f'"{stored.etag}"'),
        ]
        answer = xml_answer("CompleteMultipartUploadResult", told, bucket)
        checksum = checksum_headers(stored.path, stored.size, bucket)
        answer = replace(
            answer,
            headers={
                **answer.headers,
                "ETag": f'"{stored.etag}"',
                **checksum,
                **version_headers(stored, bucket),
            },
        )
        bucket.uploads.end(upload, answer)
    return answer


def abort(call: Call) -> Answer:
    """AbortMultipartUpload: the parts are gone."""
    request, bucket = call.request, call.bucket
    authorize(request, bucket, ABORT)
    with bucket.uploads.held(request.key, request.query["uploadId"], refusals.NO_UPLOAD) as upload:
        bucket.uploads.end(upload)
    return Answer(204)


def key_elements(request: Request, bucket: Bucket, key: str) -> list[tuple[str, str]]:
    """
    Raises:
        OssError: an ``encoding-type`` other than ``url``.
    """
    name = "encoding-type"
    encoding = request.query.get(name)
    if encoding not in (None, "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request", errors.NO_PUBLIC_EC, name)
    told = [("Bucket", bucket.name), ("Key", key if encoding is None else quote(key, safe=""))]
    return told if encoding is None else [("EncodingType", encoding), *told]


def xml_answer(root: str, told: list[tuple[str, str]], bucket: Bucket) -> Answer:
    return Answer(headers={"Content-Type": XML}, body=write_document(root, told, bucket.rules))


def _check_order(upload: Upload, number: int) -> None:
    last = max(upload.parts, default=0)
    # Whether the last part may be sent once more no page says.
    if upload.is_sequential and number not in (last, last + 1):
        raise OssError(refusals.PART_NOT_SEQUENTIAL, PartNumber=str(number), UploadId=upload.id)


def _chosen(request: Request, document: bytes, upload: Upload, bucket: Bucket) -> list[Part]:
    if request.headers.get(COMPLETE_ALL, "").lower() == "yes":
        if document:
            raise OssError(refusals.ALL_AND_A_LIST, ArgumentName=COMPLETE_ALL, ArgumentValue="yes")
        listed = [(number, upload.parts[number].etag) for number in sorted(upload.parts)]
    else:
        listed = read_part_list(document)
    return chosen_parts(upload, listed, bucket.rules.min_part_bytes)


def _join(request: Request, parts: Sequence[Part], upload: Upload, bucket: Bucket) -> StoredObject:
    forbid_overwrite = request.headers.get("x-oss-forbid-overwrite", "").lower() == "true"
    if bucket.forbids(forbid_overwrite, upload.key):
        raise OssError(errors.ALREADY_EXISTS)
    incoming = bucket.objects.new_file()
    path = Path(incoming.name)
    try:
        with incoming:
            for part in parts:
                with part.path.open("rb") as file:
                    shutil.copyfileobj(file, incoming, PIECE_BYTES)
        acl = request.headers.get(ACL_FIELD) or upload.attributes.acl
        stored = new_object(
            bucket,
            upload.key,
            replace(upload.attributes, acl=acl),
            sum(part.size for part in parts),
            etag_of(parts),
            kind="Multipart",
            content_md5=_md5_of(path) if upload.is_sequential else None,
        )
        stored = bucket.store(path, stored, forbid_overwrite)
    finally:
        path.unlink(missing_ok=True)
    return stored


def _md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "md5").digest()).decode()
