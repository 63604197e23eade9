"""Calls that list a bucket: the objects below a prefix, page by page."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from function.oss.client import OssClient, call, error_for, malformed, result_of
from function.oss.errors import etag_in, name_of, refusal_of, text_in
from function.oss.objects import instant_in, is_size

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

OBJECTS_A_PAGE = 1000
# A key has up to 1,023 bytes, each of which may be percent-encoded.
MAX_PAGE_BYTES = 4 * 1024 * 1024


class Listed(NamedTuple):
    """An object as a listing has it: ``etag`` without quotes, ``last_modified`` in UTC."""

    key: str
    size_bytes: int
    etag: str
    last_modified: datetime


class Page(NamedTuple):
    """
    Objects in the order of OSS.

    Args:
        token: of the next page, if there is one; a page with few objects, or none, need not be the last.
    """

    objects: list[Listed]
    token: str


def list_page(
    oss: OssClient, prefix: str, *, start_after: str = "", token: str = "", limit: int = OBJECTS_A_PAGE
) -> Page:
    """
    List one page of the objects whose key begins with a prefix.

    Args:
        prefix: not empty: a session may list below its folders only.
        start_after: only keys after this one, which need not exist.
        token: of the page before, listed with the same prefix.
        limit: of the objects on this page, up to ``OBJECTS_A_PAGE``.

    Source: https://help.aliyun.com/zh/oss/developer-reference/listobjects-v2
    """
    query = {"list-type": "2", "prefix": prefix, "max-keys": str(limit), "encoding-type": "url"}
    more = {"start-after": start_after, "continuation-token": token}
    query |= {name: value for name, value in more.items() if value}
    response = call(
        oss, "ListObjectsV2", "GET", "", query=query, max_bytes=MAX_PAGE_BYTES, is_repeatable=True
    )
    if response.status != 200:
        raise error_for("ListObjectsV2", refusal_of(response))
    root = result_of("ListBucket", response)
    # Requested, because XML cannot express every character of a key.
    decode = unquote if text_in(root, "EncodingType") == "url" else str
    objects = [
        _object(entry, decode(text_in(entry, "Key"))) for entry in root if name_of(entry) == "Contents"
    ]
    if any(not each.key.startswith(prefix) for each in objects):
        raise malformed("ListObjectsV2")
    is_truncated = text_in(root, "IsTruncated") == "true"
    following = decode(text_in(root, "NextContinuationToken")) if is_truncated else ""
    # Otherwise this page would be listed for ever.
    if is_truncated and following in ("", token):
        raise malformed("ListObjectsV2")
    return Page(objects, following)


def list_objects(oss: OssClient, prefix: str) -> Iterator[Listed]:
    """List all objects whose key begins with a prefix; each page is requested when it is needed."""
    page = list_page(oss, prefix)
    yield from page.objects
    while page.token:
        page = list_page(oss, prefix, token=page.token)
        yield from page.objects


def _object(entry: "Element", key: str) -> Listed:
    size, etag = text_in(entry, "Size"), etag_in(text_in(entry, "ETag"))
    modified = stored_at(entry, "ListObjectsV2")
    if not (key and is_size(size) and etag):
        raise malformed("ListObjectsV2")
    return Listed(key, int(size), etag, modified)


def stored_at(entry: "Element", name: str) -> datetime:
    """Return when OSS stored an entry of the list of this name; raise ``OssUnavailable`` if unreadable."""
    try:
        return instant_in(text_in(entry, "LastModified"))
    except ValueError:
        raise malformed(name) from None
