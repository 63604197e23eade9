"""Response of the local OSS, independent of sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

XML = "application/xml"


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
