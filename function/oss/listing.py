"""Calls that list a bucket: the objects below a prefix, page by page."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from math import inf
from urllib.parse import unquote

from function.annotations import TYPE_CHECKING, NamedTuple
from function.oss.client import OssClient, call, error_for, malformed, result_of
from function.oss.instants import instant_in
from function.oss.objects import is_size
from function.oss.responses import etag_in, name_of, refusal_of, text_in

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

OBJECTS_A_PAGE = 1000
# A thousand keys of 1,023 bytes, percent-encoded, with what else OSS says of each.
MAX_PAGE_BYTES = 8 * 1024 * 1024


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


def list_below(
    oss: OssClient, name: str, result: str, query: Mapping[str, str], entries: Collection[str]
) -> tuple["Element", Callable[[str], str], list[tuple["Element", str]]]:
    """
    List one page below the prefix of a query.

    Args:
        name: OSS's name of the operation.
        result: name of its root element, without ``Result``.
        entries: names of the elements that have a key.

    Returns:
        the root, the function that decodes its texts, and each entry with its key.

    Raises:
        OssUnavailable: unreadable, or not below the prefix: perhaps no condition of the session checks that.
    """
    # Encoded, because XML cannot express every character of a key.
    query = {**query, "encoding-type": "url"}
    response = call(oss, name, "GET", "", query=query, max_bytes=MAX_PAGE_BYTES, is_repeatable=True)
    if response.status != 200:
        raise error_for(name, refusal_of(response))
    root = result_of(result, response)
    decode = unquote if text_in(root, "EncodingType") == "url" else str
    found = [(entry, decode(text_in(entry, "Key"))) for entry in root if name_of(entry) in entries]
    if any(not key.startswith(query["prefix"]) for _, key in found):
        raise malformed(name)
    return root, decode, found


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
    query = {"list-type": "2", "prefix": prefix, "max-keys": str(limit)}
    more = {"start-after": start_after, "continuation-token": token}
    query |= {name: value for name, value in more.items() if value}
    root, decode, found = list_below(oss, "ListObjectsV2", "ListBucket", query, ("Contents",))
    objects = [_object(element, key) for element, key in found]
    is_truncated = text_in(root, "IsTruncated") == "true"
    following = decode(text_in(root, "NextContinuationToken")) if is_truncated else ""
    # Otherwise this page would be listed for ever.
    if is_truncated and following in ("", token):
        raise malformed("ListObjectsV2")
    return Page(objects, following)


def list_objects(
    oss: OssClient, prefix: str, least_seconds: float = -inf, start_after: str = ""
) -> Iterator[Listed]:
    """
    List all objects whose key begins with a prefix; each page is requested when it is needed.

    Args:
        least_seconds: once less time is left, no further page is requested.
        start_after: only keys after this one.
    """
    page = list_page(oss, prefix, start_after=start_after)
    yield from page.objects
    while page.token and oss.seconds_left() > least_seconds:
        page = list_page(oss, prefix, token=page.token)
        yield from page.objects


def _object(entry: "Element", key: str) -> Listed:
    size, etag = text_in(entry, "Size"), etag_in(text_in(entry, "ETag"))
    modified = stored_at(entry, "ListObjectsV2")
    if not (is_size(size) and etag):
        raise malformed("ListObjectsV2")
    return Listed(key, int(size), etag, modified)


def stored_at(entry: "Element", name: str) -> datetime:
    """Return when OSS stored an entry of the list of this name; raise ``OssUnavailable`` if unreadable."""
    try:
        return instant_in(text_in(entry, "LastModified"))
    except ValueError:
        raise malformed(name) from None
