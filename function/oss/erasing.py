"""Calls that erase a prefix: versions, delete markers and unfinished uploads are listed and deleted."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import unquote
from xml.sax.saxutils import escape

from function.oss.client import OssClient, call, error_for, malformed, result_of
from function.oss.errors import name_of, refusal_of, text_in
from function.oss.listing import instant_in
from function.oss.presign import NONE

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENTRIES_A_PAGE = 1000
MAX_PAGE_BYTES = 8 * 1024 * 1024
# OSS takes 2 MB and 1,000 keys in one request.
MAX_BODY_BYTES = 1_900_000
NULL = "null"

Entry = TypeVar("Entry")


class Version(NamedTuple):
    """
    A version of an object, or a delete marker.

    Args:
        id: ``null``, or empty, in a bucket without versions.
        last_modified: ``None`` of a delete marker.
    """

    key: str
    id: str
    last_modified: datetime | None


class OpenUpload(NamedTuple):
    """An unfinished upload, with OSS's id."""

    key: str
    id: str


class Markers(NamedTuple):
    """Where a list goes on; empty at its beginning."""

    key: str = ""
    id: str = ""


def list_versions(oss: OssClient, prefix: str, after: Markers) -> tuple[list[Version], Markers | None]:
    """
    List a page of all versions and delete markers below a prefix, and return where the next one begins.

    Source: https://help.aliyun.com/zh/oss/developer-reference/listobjectversions
    """

    def read(entry: "Element", key: str) -> Version | None:
        kind, version = name_of(entry), text_in(entry, "VersionId")
        if kind not in ("Version", "DeleteMarker"):
            return None
        instant = instant_in(text_in(entry, "LastModified"), "ListObjectVersions")
        return Version(key, version, instant if kind == "Version" else None)

    query = {"versions": "", "max-keys": str(ENTRIES_A_PAGE)}
    return _page(oss, "ListObjectVersions", prefix, query, ("version-id-marker", after), read)


def list_uploads(oss: OssClient, prefix: str, after: Markers) -> tuple[list[OpenUpload], Markers | None]:
    """
    List a page of the unfinished uploads below a prefix, and return where the next one begins.

    Source: https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads
    """

    def read(entry: "Element", key: str) -> OpenUpload | None:
        return OpenUpload(key, text_in(entry, "UploadId")) if name_of(entry) == "Upload" else None

    query = {"uploads": "", "max-uploads": str(ENTRIES_A_PAGE)}
    return _page(oss, "ListMultipartUploads", prefix, query, ("upload-id-marker", after), read)


def _page(
    oss: OssClient,
    name: str,
    prefix: str,
    query: Mapping[str, str],
    marker: tuple[str, Markers],
    read: Callable[["Element", str], Entry | None],
) -> tuple[list[Entry], Markers | None]:
    id_field, after = marker
    asked = {**query, "prefix": prefix, "encoding-type": "url", "key-marker": after.key, id_field: after.id}
    # An empty value is a name alone, which means something only for what is listed.
    asked = {field: value for field, value in asked.items() if value or field in ("versions", "uploads")}
    response = call(oss, name, "GET", "", query=asked, max_bytes=MAX_PAGE_BYTES, is_repeatable=True)
    if response.status != 200:
        raise error_for(name, refusal_of(response))
    root = result_of(name.replace("ObjectVersions", "Versions"), response)
    decode = unquote if text_in(root, "EncodingType") == "url" else str
    entries: list[Entry] = []
    for element in root:
        key = decode(text_in(element, "Key"))
        entry = read(element, key)
        if entry is not None:
            # Perhaps no condition of the session holds these lists to their prefix.
            if not key.startswith(prefix):
                raise malformed(name)
            entries.append(entry)
    if text_in(root, "IsTruncated") != "true":
        return entries, None
    end = "VersionId" if "versions" in query else "UploadId"
    following = Markers(decode(text_in(root, "NextKeyMarker")), text_in(root, f"Next{end}Marker"))
    if following in (after, Markers()):
        raise malformed(name)
    return entries, following


def delete_many(oss: OssClient, versions: Iterable[Version]) -> set[tuple[str, str]]:
    """
    Delete versions with as few calls as OSS allows.

    Returns:
        key and id of each that OSS confirmed; the others may be there or not.

    Raises:
        OssUnavailable: no response.

    Source: https://help.aliyun.com/zh/oss/developer-reference/deletemultipleobjects
    """
    confirmed: set[tuple[str, str]] = set()
    batch: list[str] = []
    # XML cannot express the others, or would change them.
    for version in [each for each in versions if each.key.isprintable()] + [None]:
        entry = "" if version is None else _entry(version)
        if batch and (version is None or sum(map(len, batch)) + len(entry) > MAX_BODY_BYTES):
            confirmed |= _delete_batch(oss, "".join(batch))
            batch = []
        batch.append(entry)
    return confirmed


def _entry(version: Version) -> str:
    # One character a byte, so that the length is that of the body.
    key = escape(version.key).encode().decode("latin-1")
    id_ = f"<VersionId>{escape(version.id)}</VersionId>" if version.id else ""
    return f"<Object><Key>{key}</Key>{id_}</Object>"


def _delete_batch(oss: OssClient, entries: str) -> set[tuple[str, str]]:
    body = f"<Delete><Quiet>false</Quiet>{entries}</Delete>".encode("latin-1")
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


class Deletion(Enum):
    """Outcome of a deletion."""

    DONE = auto()
    # OSS refuses the id ``null``.
    WITHOUT_ID = auto()
    RETAINED = auto()


def delete_version(oss: OssClient, version: Version) -> Deletion:
    """
    Delete one version or delete marker.

    Source: https://help.aliyun.com/zh/oss/developer-reference/deleteobject
    """
    query = {"versionId": version.id} if version.id else NONE
    response = call(oss, "DeleteObject", "DELETE", version.key, query=query, is_repeatable=True)
    if response.status == 204:
        return Deletion.DONE
    refusal = refusal_of(response)
    if refusal.code == "FileImmutable":
        return Deletion.RETAINED
    # It is not documented whether a bucket that never had versions takes this id.
    if version.id == NULL and response.status in (400, 404):
        outcome = delete_version(oss, version._replace(id=""))
        return Deletion.WITHOUT_ID if outcome is Deletion.DONE else outcome
    raise error_for("DeleteObject", refusal)
