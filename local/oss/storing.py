"""Storing of an object: received into its own file, checked, then stored at once or not at all."""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.oss import errors
from local.oss.attributes import Attributes
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.exchange import Call
from local.oss.versions import StoredObject


@dataclass(frozen=True)
class Received:
    """
    Bytes that have arrived whole.

    Args:
        path: gone after the block that received them, unless it was moved.

        md5: of them all.
    """

    path: Path
    size: int
    md5: bytes

    @property
    def etag(self) -> str:
        return self.md5.hex().upper()

    @property
    def content_md5(self) -> str:
        return base64.b64encode(self.md5).decode()


@contextmanager
def received(call: Call) -> Iterator[Received]:
    """
    Read a request's body into a file.

    Raises:
        OssError: no length, broken off, or not what Content-MD5 says.
    """
    expected = digest_of(call.request.headers)
    file = call.bucket.objects.new_file()
    path = Path(file.name)
    try:
        digest, size = hashlib.md5(usedforsecurity=False), 0
        with file:
            for piece in call.body():
                digest.update(piece)
                size += len(piece)
                file.write(piece)
        if expected not in (None, digest.digest()):
            raise OssError(errors.INVALID_DIGEST)
        yield Received(path, size, digest.digest())
    finally:
        path.unlink(missing_ok=True)


def read_body(call: Call) -> bytes:
    """
    A document that comes with a call.

    Raises:
        OssError: longer than any good one, or not what Content-MD5 says.
    """
    document = b""
    expected = digest_of(call.request.headers)
    for piece in call.body():
        document += piece
        if len(document) > call.bucket.rules.max_document_bytes:
            raise OssError(errors.MALFORMED_XML)
    if expected not in (None, hashlib.md5(document, usedforsecurity=False).digest()):
        raise OssError(errors.INVALID_DIGEST)
    return document


def digest_of(headers: Mapping[str, str]) -> bytes | None:
    """
    The MD5 that the header Content-MD5 promises, of the whole body; ``None`` without one.

    Args:
        headers: by lower-case name.

    Raises:
        OssError: it is none.
    """
    text = headers.get("content-md5")
    if text is None:
        return None
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
        raise OssError(errors.INVALID_DIGEST)
    return digest


def new_object(
    bucket: Bucket,
    key: str,
    attributes: Attributes,
    size: int,
    etag: str,
    kind: str = "Normal",
    content_md5: str | None = None,
) -> StoredObject:
    """An object as of now, not stored yet."""
    return StoredObject(
        key=key,
        size=size,
        etag=etag,
        content_type=attributes.content_type,
        modified=bucket.now(),
        path=bucket.objects.path_of(key),
        acl=attributes.acl or "default",
        storage_class=attributes.storage_class,
        headers=attributes.headers,
        metadata=attributes.metadata,
        kind=kind,
        content_md5=content_md5,
    )
