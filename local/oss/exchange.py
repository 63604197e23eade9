"""
One call to the local OSS and its answer, as what serves it sees them: nothing of sockets.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from local.oss.bucket import Bucket
from local.oss.request import Request

XML = "application/xml"


@dataclass(frozen=True)
class Call:
    """
    Args:
        body: gives the body in pieces, and raises ``OssError`` for one that cannot be read.

        is_default_host: whether the bucket's own host name was asked, not a domain bound to it.
    """

    request: Request
    bucket: Bucket
    body: Callable[[], Iterator[bytes]]
    is_default_host: bool = False


@dataclass(frozen=True)
class Answer:
    """
    Args:
        headers: ``Content-Length`` too, where there is a file.

        file: what is sent in place of ``body``, from where it stands, ``length`` bytes; closed afterwards.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: BinaryIO | None = None
    length: int = 0


Serve = Callable[[Call], Answer]
