"""Calls about versions, delete markers and unfinished uploads: list them below a prefix, delete them."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import unquote
from xml.sax.saxutils import escape

from function.annotations import NamedTuple
from function.oss.client import OssClient, call, error_for, malformed, result_of
from function.oss.listing import MAX_PAGE_BYTES, list_below, stored_at
from function.oss.presign import NONE
from function.oss.responses import name_of, refusal_of, text_in

ENTRIES_A_PAGE = 1000
# OSS takes 2 MB in one request.
MAX_BODY_BYTES = 1_900_000
NULL = "null"


class EntryList(NamedTuple):
    """
    A list of a bucket, by OSS's names.

    Args:
        name: of the operation.
        result: name of the root element, without ``Result``.
        noun: ``version`` or ``upload``, of which the other names are made.
        limit: parameter for the length of a page.
        entries: names of the elements that are listed.

    Sources: https://help.aliyun.com/zh/oss/developer-reference/listobjectversions
        https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads
    """

    name: str
    result: str
    noun: str
    limit: str
    entries: tuple[str, ...]


VERSIONS = EntryList("ListObjectVersions", "ListVersions", "version", "max-keys", ("Version", "DeleteMarker"))
UPLOADS = EntryList("ListMultipartUploads", "ListMultipartUploads", "upload", "max-uploads", ("Upload",))


class Entry(NamedTuple):
    """
    A version of an object, a delete marker or an unfinished upload.

    Args:
        id: of the version ``null``, or empty, in a bucket without versions.
        last_modified: of a version only.
    """

    key: str
    id: str
    last_modified: datetime | None = None


class Markers(NamedTuple):
    """Where a list goes on; empty at its beginning."""

    key: str = ""
    id: str = ""


def list_entries(
    oss: OssClient, listed: EntryList, prefix: str, after: Markers
) -> tuple[list[Entry], Markers | None]:
    """List a page below a prefix, and return where the next one begins; ``None`` after the last."""
    id_field = f"{listed.noun.title()}Id"
    query = {f"{listed.noun}s": "", listed.limit: str(ENTRIES_A_PAGE), "prefix": prefix}
    markers = {"key-marker": after.key, f"{listed.noun}-id-marker": after.id}
    query |= {name: value for name, value in markers.items() if value}
    root, decode, entries = list_below(oss, listed.name, listed.result, query, listed.entries)
    found = []
    for element, key in entries:
        stored = stored_at(element, listed.name) if name_of(element) == "Version" else None
        found.append(Entry(key, text_in(element, id_field), stored))
    if text_in(root, "IsTruncated") != "true":
        return found, None
    following = Markers(decode(text_in(root, "NextKeyMarker")), text_in(root, f"Next{id_field}Marker"))
    if following in (after, Markers()):
        raise malformed(listed.name)
    return found, following


def delete_many(oss: OssClient, versions: Iterable[Entry]) -> set[tuple[str, str]]:
    """
    Delete versions with as few calls as OSS allows.

    Returns:
        key and id of each that OSS confirmed; the others may be there or not.

    Raises:
        OssUnavailable: no response.

    Source: https://help.aliyun.com/zh/oss/developer-reference/deletemultipleobjects
    """
    confirmed: set[tuple[str, str]] = set()
    batch: list[bytes] = []
    size = 0
    for version in versions:
        # XML cannot express other keys, or would change them.
        if not version.key.isprintable():
            continue
        id_ = f"<VersionId>{escape(version.id)}</VersionId>" if version.id else ""
        entry = f"<Object><Key>{escape(version.key)}</Key>{id_}</Object>".encode()
        if size + len(entry) > MAX_BODY_BYTES or len(batch) == ENTRIES_A_PAGE:
            confirmed |= _delete_batch(oss, b"".join(batch))
            batch, size = [], 0
        batch.append(entry)
        size += len(entry)
    return confirmed | _delete_batch(oss, b"".join(batch)) if batch else confirmed


def _delete_batch(oss: OssClient, entries: bytes) -> set[tuple[str, str]]:
    body = b"<Delete><Quiet>false</Quiet>%b</Delete>" % entries
    digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    response = call(
        oss,
        "DeleteMultipleObjects",
        "POST",
        "",
        query={"delete": "", "encoding-type": "url"},
        headers={"content-type": "application/xml", "content-md5": digest},
        body=body,
        max_bytes=MAX_PAGE_BYTES,
        is_repeatable=True,
    )
    # One key without the right, or under retention, may fail all; each is deleted by itself then.
    if response.status != 200:
        return set()
    root = result_of("Delete", response)
    decode = unquote if text_in(root, "EncodingType") == "url" else str
    deleted = [element for element in root if name_of(element) == "Deleted"]
    return {(decode(text_in(element, "Key")), text_in(element, "VersionId")) for element in deleted}


def delete_version(oss: OssClient, version: Entry) -> str | None:
    """
    Delete one version or delete marker.

    Returns:
        the id by which OSS deleted it, empty where it takes no id; ``None`` under retention.

    Source: https://help.aliyun.com/zh/oss/developer-reference/deleteobject
    """
    query = {"versionId": version.id} if version.id else NONE
    response = call(oss, "DeleteObject", "DELETE", version.key, query=query, is_repeatable=True)
    if response.status == 204:
        return version.id
    refusal = refusal_of(response)
    if refusal.code == "FileImmutable":
        return None
    # It is not documented whether a bucket that never had versions takes this id.
    if version.id == NULL and response.status in (400, 404):
        return delete_version(oss, version._replace(id=""))
    raise error_for("DeleteObject", refusal)
