"""DeleteMultipleObjects. Source: https://help.aliyun.com/zh/oss/developer-reference/deletemultipleobjects"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes
from xml.etree.ElementTree import Element

from local.oss import errors, refusals
from local.oss.access import DELETE, DELETE_VERSION, demand
from local.oss.answer import XML, Answer
from local.oss.bucket import Bucket
from local.oss.documents import Children, read_document, write_document
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.request_signature import authenticate
from local.oss.storing import read_body
from local.oss.versions import DeleteMarker

MOST_OBJECTS = 1000
ENCODING = "encoding-type"


class Wanted(NamedTuple):
    """A key that is to be deleted, or one version of it."""

    key: str
    version: str | None


def delete_many(call: Call) -> Answer:
    """DeleteMultipleObjects: up to 1,000 keys, those that are not there as well."""
    request, bucket = call.request, call.bucket
    signer = authenticate(request, bucket)
    if signer is None:
        raise OssError(errors.BUCKET_PRIVATE)
    encoding = _encoding(call)
    if "content-md5" not in request.headers:
        missing = refusals.DIGEST_MISSING
        code = "InvalidDigest" if bucket.rules.missing_md5_is_invalid_digest else missing.code
        raise OssError(replace(missing, code=code))
    is_quiet, wanted = _read(read_body(call), is_encoded=encoding == "url2")

    def refusal_of(each: Wanted) -> OssError | None:
        try:
            demand(signer, bucket, each.key, DELETE if each.version is None else DELETE_VERSION)
            bucket.check_deletion(each.key, each.version)
        except OssError as error:
            return error
        return None

    refused = {each: error for each in wanted if (error := refusal_of(each))}
    if refused and bucket.rules.one_key_refuses_all:
        raise next(iter(refused.values()))
    if bucket.rules.repeated_keys_told_once:
        wanted = list(dict.fromkeys(wanted))
    # All are deleted before any is told.
    deleted = [(each, _delete(each, bucket)) for each in wanted if each not in refused]
    named = _failures(refused, encoding) if bucket.rules.failed_deletions_named else []
    if is_quiet and not named:
        return Answer()
    told: Children = [
        *([("EncodingType", encoding)] if encoding else []),
        *([] if is_quiet else (_deleted(*pair, encoding) for pair in deleted)),
        *named,
    ]
    return Answer(headers={"Content-Type": XML}, body=write_document("DeleteResult", told, bucket.rules))


def _encoding(call: Call) -> str:
    rules = call.bucket.rules
    encoding = call.request.query.get(ENCODING)
    if encoding is None and rules.encoding_type_in_header:
        encoding = call.request.headers.get(ENCODING)
    if encoding not in (None, "url", *(["url2"] if rules.url2_known else [])):
        message = "Invalid Encoding Method specified in Request"
        raise invalid_argument(message, errors.NO_PUBLIC_EC, ENCODING, encoding or "")
    return encoding or ""


def _read(document: bytes, is_encoded: bool) -> tuple[bool, list[Wanted]]:
    root = read_document(document, "Delete")
    quiet = [child.text or "" for child in root if child.tag == "Quiet"]
    objects = [child for child in root if child.tag == "Object"]
    is_known = len(quiet) + len(objects) == len(root)
    if not is_known or quiet not in ([], ["true"], ["false"]) or not 1 <= len(objects) <= MOST_OBJECTS:
        raise OssError(errors.MALFORMED_XML)
    return quiet == ["true"], [_wanted(element, is_encoded) for element in objects]


def _wanted(element: Element, is_encoded: bool) -> Wanted:
    names = [child.tag for child in element]
    key = element.findtext("Key", "")
    if not key or sorted(names) not in (["Key"], ["Key", "VersionId"]):
        raise OssError(errors.MALFORMED_XML)
    try:
        key = unquote_to_bytes(key).decode() if is_encoded else key
    except UnicodeDecodeError:
        raise OssError(errors.INVALID_KEY) from None
    return Wanted(key, element.findtext("VersionId"))


def _delete(each: Wanted, bucket: Bucket) -> DeleteMarker | None:
    found = bucket.delete(each.key, each.version)
    return found if isinstance(found, DeleteMarker) else None


def _deleted(each: Wanted, marker: DeleteMarker | None, encoding: str) -> tuple[str, Children]:
    told: Children = [
        ("Key", _written(each.key, encoding)),
        *([] if each.version is None else [("VersionId", each.version)]),
        *([("DeleteMarker", "true"), ("DeleteMarkerVersionId", marker.version)] if marker else []),
    ]
    return "Deleted", told


def _failures(refused: dict[Wanted, OssError], encoding: str) -> Iterable[tuple[str, Children]]:
    """As S3 names them; no page of OSS does."""
    return [
        (
            "Error",
            [
                ("Key", _written(each.key, encoding)),
                *([] if each.version is None else [("VersionId", each.version)]),
                ("Code", error.refusal.code),
                ("Message", error.message),
            ],
        )
        for each, error in refused.items()
    ]


def _written(key: str, encoding: str) -> str:
    return quote(key, safe="") if encoding else key
