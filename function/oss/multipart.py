"""Calls about multipart uploads: initiate, list, complete, abort."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto

from function.annotations import TYPE_CHECKING, NamedTuple
from function.config.profile import ACL_FIELD, MAX_PARTS
from function.oss.client import OssClient, call, error_for, malformed, result_of
from function.oss.post_form import OVERWRITE_FIELD
from function.oss.responses import etag_in, name_of, refusal_of, text_in, word

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PARTS_A_PAGE = 1000
# A part is some 250 bytes of XML.
MAX_PAGE_BYTES = 1024 * 1024
NO_SUCH_UPLOAD = "NoSuchUpload"


class StoredPart(NamedTuple):
    """A stored part; ``etag`` without quotes."""

    number: int
    size_bytes: int
    etag: str


class Completed(Enum):
    """Outcome of a completion."""

    DONE = auto()
    NO_SUCH_UPLOAD = auto()
    PART_CHANGED = auto()


def initiate(oss: OssClient, key: str, headers: Mapping[str, str]) -> str:
    """
    Begin a multipart upload.

    Args:
        headers: of the object (type, disposition, class, metadata), and ``x-oss-forbid-overwrite``; names in
            lower case.

    Returns:
        OSS's id of the upload.

    Raises:
        AlreadyExists: the name is taken, and must not be overwritten.

    Source: https://help.aliyun.com/zh/oss/developer-reference/initiatemultipartupload
    """
    # Not repeated: each try that arrives begins another upload, which is billed until it is aborted.
    response = call(
        oss,
        "InitiateMultipartUpload",
        "POST",
        key,
        query={"uploads": ""},
        headers=headers,
        is_repeatable=False,
    )
    if response.status != 200:
        raise error_for("InitiateMultipartUpload", refusal_of(response))
    root = result_of("InitiateMultipartUpload", response)
    if upload_id := word(text_in(root, "UploadId")):
        return upload_id
    raise malformed("InitiateMultipartUpload")


def list_parts(oss: OssClient, key: str, upload_id: str) -> list[StoredPart] | None:
    """
    Return all stored parts by number; ``None`` if there is no such upload.

    Source: https://help.aliyun.com/zh/oss/developer-reference/listparts
    """
    parts: list[StoredPart] = []
    while True:
        page = _page(oss, key, upload_id, parts[-1].number if parts else 0)
        if page is None:
            return None
        new = list(_parts(page))
        numbers = [0, *[part.number for part in [*parts, *new]]]
        if numbers != sorted(set(numbers)) or numbers[-1] > MAX_PARTS:
            raise malformed("ListParts")
        parts += new
        if text_in(page, "IsTruncated") != "true":
            return parts
        # The next page begins after the last part; an empty page would repeat for ever.
        if not new:
            raise malformed("ListParts")


def _page(oss: OssClient, key: str, upload_id: str, after: int) -> "Element | None":
    query = {"uploadId": upload_id, "max-parts": str(PARTS_A_PAGE), "part-number-marker": str(after)}
    response = call(oss, "ListParts", "GET", key, query=query, max_bytes=MAX_PAGE_BYTES, is_repeatable=True)
    if response.status == 200:
        return result_of("ListParts", response)
    refusal = refusal_of(response)
    if refusal.code == NO_SUCH_UPLOAD:
        return None
    raise error_for("ListParts", refusal)


def _parts(page: "Element") -> Iterator[StoredPart]:
    for element in page:
        if name_of(element) == "Part":
            number, size = text_in(element, "PartNumber"), text_in(element, "Size")
            etag = etag_in(text_in(element, "ETag"))
            if not (_is_number(number) and _is_number(size) and etag):
                raise malformed("ListParts")
            yield StoredPart(int(number), int(size), etag)


def complete(
    oss: OssClient, key: str, upload_id: str, parts: Iterable[StoredPart], *, acl: str, forbid_overwrite: bool
) -> Completed:
    """
    Make the object of these parts.

    Args:
        parts: one at least, by number.

    Raises:
        AlreadyExists: the name is taken, perhaps by an earlier try whose response was lost.

    Source: https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload
    """
    listed = "".join(
        f'<Part><PartNumber>{part.number}</PartNumber><ETag>"{part.etag}"</ETag></Part>' for part in parts
    )
    headers = {
        "content-type": "application/xml",
        OVERWRITE_FIELD: str(forbid_overwrite).lower(),
        ACL_FIELD: acl,
    }
    # Not repeated: OSS continues after a lost connection, and a second call would find no such upload or the
    # name taken because of the first. The next request reads the state first.
    response = call(
        oss,
        "CompleteMultipartUpload",
        "POST",
        key,
        query={"uploadId": upload_id},
        headers=headers,
        body=f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode(),
        is_repeatable=False,
    )
    if response.status == 200:
        result_of("CompleteMultipartUpload", response)
        return Completed.DONE
    refusal = refusal_of(response)
    if refusal.code == NO_SUCH_UPLOAD:
        return Completed.NO_SUCH_UPLOAD
    if refusal.code == "InvalidPart":
        return Completed.PART_CHANGED
    raise error_for("CompleteMultipartUpload", refusal)


def abort(oss: OssClient, key: str, upload_id: str) -> bool:
    """
    Delete an upload with all its parts.

    Returns:
        whether it existed; not so after a completion or an earlier abort.

    Source: https://help.aliyun.com/zh/oss/developer-reference/abortmultipartupload
    """
    # A second call finds nothing left to delete.
    response = call(
        oss, "AbortMultipartUpload", "DELETE", key, query={"uploadId": upload_id}, is_repeatable=True
    )
    if response.status == 204:
        return True
    refusal = refusal_of(response)
    if refusal.code == NO_SUCH_UPLOAD:
        return False
    raise error_for("AbortMultipartUpload", refusal)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
