"""
Part list of CompleteMultipartUpload, checked against the uploaded parts.

Source: https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload
"""

import hashlib
import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from local.oss import errors, refusals
from local.oss.documents import read_document
from local.oss.errors import OssError
from local.oss.uploads import Part, Upload


def read_part_list(document: bytes) -> list[tuple[int, str]]:
    """
    Number and ETag, without quotes, of each part listed, in ascending order; the list may be empty.

    Raises:
        OssError: no such document, a number that no part has, or another order.
    """
    listed = [_entry(entry) for entry in read_document(document, "CompleteMultipartUpload")]
    numbers = [number for number, _ in listed]
    if any(later <= earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        raise OssError(refusals.PART_ORDER)
    return listed


def chosen_parts(upload: Upload, listed: Sequence[tuple[int, str]], smallest: int) -> list[Part]:
    """
    The parts of an upload that a list names.

    Args:
        smallest: bytes that all but the last have to have; only now does OSS look.

    Raises:
        OssError: one is not there or has changed, or is too small.
    """
    parts = []
    for number, etag in listed:
        part = upload.parts.get(number)
        if part is None or part.etag != etag:
            details = {"ETag": etag, "PartNumber": str(number), "UploadId": upload.id}
            raise OssError(refusals.INVALID_PART, **details)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < smallest:
            details = {"MinSizeAllowed": str(smallest), "ProposedSize": str(part.size)}
            raise OssError(refusals.PART_TOO_SMALL, **details, PartNumber=str(part.number), ETag=part.etag)
    return parts


def etag_of(parts: Sequence[Part]) -> str:
    """Of an object in parts: MD5 over their ETags as text, and their number."""
    text = "".join(part.etag for part in parts).encode()
    return f"{hashlib.md5(text, usedforsecurity=False).hexdigest().upper()}-{len(parts)}"


def part_number(text: str, most: int) -> int:
    """
    Raises:
        OssError: no whole number from 1 to the most.
    """
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise OssError(refusals.PART_NUMBER, ArgumentName="PartNumber", ArgumentValue=text)
    return int(text)


def _entry(entry: Element) -> tuple[int, str]:
    number, etag = (entry.findtext(name, "").strip() for name in ("PartNumber", "ETag"))
    if entry.tag != "Part" or not re.fullmatch("[0-9]{1,9}", number) or not etag:
        raise OssError(errors.MALFORMED_XML)
    return int(number), etag.strip('"')
