"""One call to the local OSS, as what serves it sees it: nothing of sockets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.oss.answer import Answer
from local.oss.bucket import Bucket
from local.oss.request import Request


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


Serve = Callable[[Call], Answer]
