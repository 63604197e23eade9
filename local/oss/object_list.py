"""
ListObjectsV2 and ListObjectVersions, page by page.

Sources: https://help.aliyun.com/zh/oss/developer-reference/listobjects-v2,
https://help.aliyun.com/zh/oss/developer-reference/listobjectversions
"""

import base64

from local.oss import errors, version_refusals
from local.oss.access import LIST, LIST_VERSIONS, authorize
from local.oss.answer import XML, Answer
from local.oss.bucket import Bucket
from local.oss.documents import Children, write_document
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.pages import cut, instant, page_size, short_text, truth, writer
from local.oss.rules import OssRules
from local.oss.versions import DeleteMarker, StoredObject, Version

DEFAULT_PAGE = 100
TOKEN = "continuation-token"
OWNER: tuple[str, Children] = ("Owner", [("ID", "0022012"), ("DisplayName", "0022012")])


def list_objects(call: Call) -> Answer:
    """ListObjectsV2: in the order of keys, below the prefix, behind the token or else ``start-after``."""
    query, bucket = call.request.query, call.bucket
    authorize(call.request, bucket, LIST)
    if query["list-type"] != "2":
        raise invalid_argument("list-type is 2.", errors.NO_PUBLIC_EC, "list-type", query["list-type"])
    most = page_size(query, "max-keys", DEFAULT_PAGE, bucket.rules)
    prefix, start, delimiter = (short_text(query, name) for name in ("prefix", "start-after", "delimiter"))
    written = writer(query)
    last = _last_of(query[TOKEN], prefix, bucket.rules) if TOKEN in query else start
    found = bucket.objects.after(
        last, prefix, in_utf16=bucket.rules.keys_in_utf16_order, is_late=bucket.rules.lists_are_late
    )
    page = cut(
        found,
        lambda stored: stored.key,
        most,
        prefix=prefix,
        delimiter=delimiter,
        before=last if TOKEN in query else "",
    )
    has_owner = query.get("fetch-owner") == "true"
    token = _token_of(prefix, page.last) if page.is_truncated else None
    told: Children = [
        ("Name", bucket.name),
        ("Prefix", written(prefix)),
        *([("StartAfter", written(start))] if start else []),
        *([("ContinuationToken", query[TOKEN])] if TOKEN in query else []),
        ("MaxKeys", str(most)),
        ("Delimiter", written(delimiter)),
        *([("EncodingType", "url")] if "encoding-type" in query else []),
        ("IsTruncated", truth(page.is_truncated)),
        *([("NextContinuationToken", written(token))] if token else []),
        *(("Contents", _elements(stored, written(stored.key), bucket, has_owner)) for stored in page.items),
        *(("CommonPrefixes", [("Prefix", written(common))]) for common in page.prefixes),
        ("KeyCount", str(len(page))),
    ]
    return Answer(headers={"Content-Type": XML}, body=write_document("ListBucketResult", told, bucket.rules))


def list_versions(call: Call) -> Answer:
    """ListObjectVersions: of each key the newest first, delete markers among them; behind the markers."""
    query, bucket = call.request.query, call.bucket
    authorize(call.request, bucket, LIST_VERSIONS)
    most = page_size(query, "max-keys", DEFAULT_PAGE, bucket.rules)
    prefix, delimiter, marker = (short_text(query, name) for name in ("prefix", "delimiter", "key-marker"))
    id_marker, written = query.get("version-id-marker", ""), writer(query)
    if id_marker and not marker:
        message = "version-id-marker needs a key-marker."
        raise invalid_argument(message, errors.NO_PUBLIC_EC, "version-id-marker", id_marker)
    found = bucket.objects.versions(
        marker, prefix, from_version=id_marker, in_utf16=bucket.rules.keys_in_utf16_order
    )
    page = cut(found, lambda item: item[0].key, most, prefix=prefix, delimiter=delimiter, before=marker)
    last = page.items[-1][0].version if page.items and page.items[-1][0].key == page.last else ""
    told: Children = [
        ("Name", bucket.name),
        ("Prefix", written(prefix)),
        ("KeyMarker", written(marker)),
        ("VersionIdMarker", id_marker),
        ("MaxKeys", str(most)),
        ("Delimiter", written(delimiter)),
        *([("EncodingType", "url")] if "encoding-type" in query else []),
        ("IsTruncated", truth(page.is_truncated)),
        *([("NextKeyMarker", written(page.last))] if page.is_truncated else []),
        *([("NextVersionIdMarker", last)] if page.is_truncated else []),
        *(
            _version_element(version, is_latest, written(version.key), bucket)
            for version, is_latest in page.items
        ),
        *(("CommonPrefixes", [("Prefix", written(common))]) for common in page.prefixes),
    ]
    return Answer(
        headers={"Content-Type": XML}, body=write_document("ListVersionsResult", told, bucket.rules)
    )


def _version_element(version: Version, is_latest: bool, key: str, bucket: Bucket) -> tuple[str, Children]:
    has_versions = bucket.objects.versioning or bucket.rules.absent_version_is_null
    named: Children = [
        ("Key", key),
        ("VersionId", version.version if has_versions else ""),
        ("IsLatest", truth(is_latest)),
    ]
    if isinstance(version, DeleteMarker):
        return "DeleteMarker", [*named, ("LastModified", instant(version.modified)), OWNER]
    return "Version", [*named, *_facts(version, bucket.rules), OWNER]


def _elements(stored: StoredObject, key: str, bucket: Bucket, has_owner: bool) -> Children:
    return [("Key", key), *_facts(stored, bucket.rules), *([OWNER] if has_owner else [])]


def _facts(stored: StoredObject, rules: OssRules) -> list[tuple[str, str]]:
    # The pages print the storage class of a listing in two ways.
    name = stored.storage_class
    return [
        ("LastModified", instant(stored.modified)),
        ("ETag", f'"{stored.etag}"'),
        ("Type", stored.kind),
        ("Size", str(stored.size)),
        ("StorageClass", name.upper() if rules.listed_class_in_capitals else name),
    ]


def _token_of(prefix: str, last: str) -> str:
    """Opaque to everybody else; with characters that neither a URL nor ``encoding-type`` leaves alone."""
    return base64.b64encode(f"{len(prefix)}/{prefix}{last}".encode()).decode()


def _last_of(token: str, prefix: str, rules: OssRules) -> str:
    """
    Raises:
        OssError: none of ours, or that of another prefix.
    """
    try:
        length, _, rest = base64.b64decode(token, validate=True).decode().partition("/")
        if int(length) == len(prefix) and rest.startswith(prefix) or rules.foreign_tokens_allowed:
            return rest[int(length) :]
    except ValueError:
        pass
    raise OssError(version_refusals.BAD_TOKEN, ArgumentName=TOKEN, ArgumentValue=token)
