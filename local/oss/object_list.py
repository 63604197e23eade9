"""
ListObjects, ListObjectsV2 and ListObjectVersions, page by page.

Sources: https://help.aliyun.com/zh/oss/developer-reference/listobjects,
https://help.aliyun.com/zh/oss/developer-reference/listobjects-v2,
https://help.aliyun.com/zh/oss/developer-reference/listobjectversions
"""

import base64
from collections.abc import Callable, Iterator

from local.oss import errors, refusals
from local.oss.access import LIST, LIST_VERSIONS, authorize
from local.oss.answer import XML, Answer
from local.oss.bucket import Bucket
from local.oss.documents import OWNER, Children, write_document
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.pages import Page, cut, instant, page_size, short_text, truth, writer
from local.oss.rules import OssRules
from local.oss.versions import DeleteMarker, StoredObject, Version

DEFAULT_PAGE = 100
TOKEN = "continuation-token"


def list_objects(call: Call) -> Answer:
    """ListObjects: in the order of keys, below the prefix, behind the marker, each with its owner."""
    query, bucket = call.request.query, call.bucket
    authorize(call.request, bucket, LIST)
    most = page_size(query, "max-keys", DEFAULT_PAGE, bucket.rules)
    prefix, marker, delimiter = (short_text(query, name) for name in ("prefix", "marker", "delimiter"))
    written = writer(query)
    page = _page(bucket, marker, most, prefix, delimiter, before=marker)
    told: Children = [
        ("Name", bucket.name),
        ("Prefix", written(prefix)),
        ("Marker", written(marker)),
        ("MaxKeys", str(most)),
        ("Delimiter", written(delimiter)),
        *([("EncodingType", "url")] if "encoding-type" in query else []),
        ("IsTruncated", truth(page.is_truncated)),
        *([("NextMarker", written(page.last))] if page.is_truncated else []),
        *_entries(page, written, bucket, has_owner=True),
    ]
    return Answer(headers={"Content-Type": XML}, body=write_document("ListBucketResult", told, bucket.rules))


def list_objects_v2(call: Call) -> Answer:
    """
    ListObjectsV2: in the order of keys, below the prefix, behind the token or else ``start-after``.

    An empty token is none: so SDKs ask for the first page.
    """
    query, bucket = call.request.query, call.bucket
    authorize(call.request, bucket, LIST)
    if query["list-type"] != "2":
        raise invalid_argument("list-type is 2.", errors.NO_PUBLIC_EC, "list-type", query["list-type"])
    most = page_size(query, "max-keys", DEFAULT_PAGE, bucket.rules)
    prefix, start, delimiter = (short_text(query, name) for name in ("prefix", "start-after", "delimiter"))
    written = writer(query)
    given = query.get(TOKEN, "")
    last = _last_of(given, prefix, bucket.rules) if given else start
    page = _page(bucket, last, most, prefix, delimiter, before=last if given else "")
    has_owner = query.get("fetch-owner") == "true"
    token = _token_of(prefix, page.last) if page.is_truncated else None
    told: Children = [
        ("Name", bucket.name),
        ("Prefix", written(prefix)),
        *([("StartAfter", written(start))] if start else []),
        *([("ContinuationToken", given)] if given else []),
        ("MaxKeys", str(most)),
        ("Delimiter", written(delimiter)),
        *([("EncodingType", "url")] if "encoding-type" in query else []),
        ("IsTruncated", truth(page.is_truncated)),
        *([("NextContinuationToken", written(token))] if token else []),
        *_entries(page, written, bucket, has_owner),
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


def _page(
    bucket: Bucket, last: str, most: int, prefix: str, delimiter: str, before: str
) -> Page[StoredObject]:
    found = bucket.objects.after(
        last, prefix, in_utf16=bucket.rules.keys_in_utf16_order, is_late=bucket.rules.lists_are_late
    )
    return cut(found, lambda stored: stored.key, most, prefix=prefix, delimiter=delimiter, before=before)


def _entries(
    page: Page[StoredObject], written: Callable[[str], str], bucket: Bucket, has_owner: bool
) -> Iterator[tuple[str, Children]]:
    owner = [OWNER] if has_owner else []
    for stored in page.items:
        yield "Contents", [("Key", written(stored.key)), *_facts(stored, bucket.rules), *owner]
    for common in page.prefixes:
        yield "CommonPrefixes", [("Prefix", written(common))]


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
    raise OssError(refusals.BAD_TOKEN, ArgumentName=TOKEN, ArgumentValue=token)
