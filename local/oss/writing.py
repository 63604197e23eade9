"""
PutObject, CopyObject, DeleteObject, PutObjectACL (and GetObjectACL): single requests that change what is
stored.

Sources: https://help.aliyun.com/zh/oss/developer-reference/putobject,
https://help.aliyun.com/zh/oss/developer-reference/copyobject
"""

import hashlib
from pathlib import Path
from urllib.parse import unquote_to_bytes

from local.oss import access, errors
from local.oss.access import actions_of_writing, authorize, demand
from local.oss.answer import XML, Answer
from local.oss.attributes import ACL_FIELD, DEFAULT_TYPE, Attributes, check_choices, read_attributes
from local.oss.bucket import Bucket
from local.oss.conditions import check_conditions
from local.oss.documents import OWNER, Children, write_document
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.pages import instant
from local.oss.reading import check_absence, check_state, checksum_headers, version_headers
from local.oss.request import Request
from local.oss.storing import new_object, received
from local.oss.versions import DeleteMarker, StoredObject

COPY_SOURCE = "x-oss-copy-source"
DIRECTIVES = ("COPY", "REPLACE")
# What the local OSS keeps nothing of: better refused than silently forgotten.
NOT_KEPT = ("x-oss-tagging", "x-oss-callback", "x-oss-callback-var")


def put_object(call: Call) -> Answer:
    """PutObject: the body becomes the object."""
    request, bucket = call.request, call.bucket
    acl = request.headers.get(ACL_FIELD)
    authorize(request, bucket, *actions_of_writing(acl, bucket.rules), acl=acl)
    attributes = attributes_of(request, bucket)
    if bucket.forbids(attributes.forbid_overwrite, request.key):
        raise OssError(errors.ALREADY_EXISTS)
    with received(call) as content:
        stored = new_object(
            bucket, request.key, attributes, content.size, content.etag, content_md5=content.content_md5
        )
        stored = bucket.store(content.path, stored, attributes.forbid_overwrite)
    headers = {"ETag": f'"{content.etag}"', "Content-MD5": content.content_md5}
    headers |= version_headers(stored, bucket)
    return Answer(headers=headers | checksum_headers(stored.path, stored.size, bucket))


def copy_object(call: Call) -> Answer:
    """CopyObject within the bucket: bytes and, unless replaced, attributes; the ACL is never copied."""
    request, bucket = call.request, call.bucket
    acl = request.headers.get(ACL_FIELD)
    signer = authorize(request, bucket, *actions_of_writing(acl, bucket.rules), acl=acl)
    source_key = source_key_of(request, bucket)
    demand(signer, bucket, source_key, access.READ)
    replaces = _replaces(request) or source_key == request.key
    wanted = attributes_of(request, bucket)
    check_absence(signer, source_key, bucket)
    source, incoming = bucket.objects.duplicate(source_key)
    try:
        check_state(source)
        check_conditions(request.headers, source, "x-oss-copy-source-")
        attributes = wanted if replaces else _copied(source, wanted)
        etag = _etag_of_copy(source, incoming, bucket)
        stored = new_object(bucket, request.key, attributes, source.size, etag)
        stored = bucket.store(incoming, stored, attributes.forbid_overwrite)
    finally:
        incoming.unlink(missing_ok=True)
    told = [("ETag", f'"{stored.etag}"'), ("LastModified", instant(stored.modified))]
    return Answer(
        headers={"Content-Type": XML, "ETag": f'"{stored.etag}"', **version_headers(stored, bucket)},
        body=write_document("CopyObjectResult", told, bucket.rules),
    )


def delete_object(call: Call) -> Answer:
    """204, whether there was an object or not."""
    version = call.request.query.get("versionId")
    authorize(call.request, call.bucket, access.DELETE if version is None else access.DELETE_VERSION)
    if version == "":
        raise invalid_argument("The version id is empty.", errors.NO_PUBLIC_EC, "versionId")
    found = call.bucket.delete(call.request.key, version)
    # A version that is gone is told as the one that goes; without versions there is none to tell.
    told = version if version is not None else found and found.version
    headers = {"x-oss-version-id": told} if told else {}
    is_marker = isinstance(found, DeleteMarker)
    return Answer(204, {**headers, **({"x-oss-delete-marker": "true"} if is_marker else {})})


def put_acl(call: Call) -> Answer:
    """PutObjectACL: the ACL of an object that exists, nothing else of it."""
    request, bucket = call.request, call.bucket
    acl = request.headers.get(ACL_FIELD)
    authorize(request, bucket, access.WRITE_ACL, acl=acl)
    if acl is None:
        raise invalid_argument("The header x-oss-object-acl is missing.", errors.NO_PUBLIC_EC, ACL_FIELD)
    check_choices(request.headers, bucket.rules)
    bucket.objects.replace(request.key, acl=acl)
    return Answer()


def get_acl(call: Call) -> Answer:
    """GetObjectACL: the owner and the ACL of an object, as it was set."""
    request, bucket = call.request, call.bucket
    authorize(request, bucket, access.READ_ACL)
    if request.key not in bucket.objects:
        raise OssError(errors.NO_SUCH_KEY, Key=request.key)
    grants: Children = [("Grant", bucket.objects[request.key].acl)]
    body = write_document("AccessControlPolicy", [OWNER, ("AccessControlList", grants)], bucket.rules)
    return Answer(headers={"Content-Type": XML}, body=body)


def attributes_of(request: Request, bucket: Bucket) -> Attributes:
    """
    The attributes that a request's headers name.

    Raises:
        OssError: wrong ones, a key that is too long, or what the local OSS does not keep.
    """
    refuse_what_is_not_kept(request)
    if len(request.key.encode()) > bucket.rules.max_key_bytes or request.key[0] in "/\\":
        raise OssError(errors.INVALID_KEY)
    return read_attributes(request.headers, request.headers.get("content-type") or DEFAULT_TYPE, bucket.rules)


def refuse_what_is_not_kept(request: Request) -> None:
    """
    Raises:
        OssError: tags, or a callback of a call that is no form.
    """
    if any(name in request.headers for name in NOT_KEPT) or "callback" in request.query:
        raise OssError(errors.NOT_IMPLEMENTED)


def source_key_of(request: Request, bucket: Bucket) -> str:
    """
    The key in ``/bucket/key``, percent-encoded once more than the header itself.

    Raises:
        OssError: it names none, or another bucket.
    """
    text = request.headers[COPY_SOURCE]
    source, _, version = text.partition("?")
    name, _, key = source.removeprefix("/").partition("/")
    if not key or version:
        raise invalid_argument("The copy source is malformed.", errors.NO_PUBLIC_EC, COPY_SOURCE, text)
    if name != bucket.name:
        raise OssError(errors.NO_SUCH_BUCKET, BucketName=name)
    try:
        return unquote_to_bytes(key).decode()
    except UnicodeDecodeError:
        raise OssError(errors.INVALID_KEY) from None


def _replaces(request: Request) -> bool:
    name = "x-oss-metadata-directive"
    directive = request.headers.get(name, "COPY").upper()
    if directive not in DIRECTIVES:
        raise invalid_argument("It is COPY or REPLACE.", errors.NO_PUBLIC_EC, name, directive)
    return directive == "REPLACE"


def _copied(source: StoredObject, wanted: Attributes) -> Attributes:
    return Attributes(
        content_type=source.content_type,
        acl=wanted.acl,
        storage_class=wanted.storage_class,
        forbid_overwrite=wanted.forbid_overwrite,
        headers=dict(source.headers),
        metadata=dict(source.metadata),
    )


def _etag_of_copy(source: StoredObject, data: Path, bucket: Bucket) -> str:
    if source.kind == "Normal" or bucket.rules.copy_keeps_multipart_etag:
        return source.etag
    with data.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest().upper()
