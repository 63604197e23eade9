"""
Bodies of requests as they arrive: of a length that is known, or in chunks.

Source: https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding
"""

import re
from collections.abc import Iterator
from io import BufferedReader

from local.common.http_server import PIECE_BYTES
from local.oss import errors
from local.oss.errors import OssError

SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;.*)?\r\n")
LONGEST_LINE = 8 * 1024
MOST_TRAILERS = 100


def measured(file: BufferedReader, length: int) -> Iterator[bytes]:
    """
    Raises:
        EOFError: it ends before its length.
    """
    while length:
        piece = file.read1(min(length, PIECE_BYTES))
        if not piece:
            raise EOFError
        length -= len(piece)
        yield piece


def chunked(file: BufferedReader, most: int) -> Iterator[bytes]:
    """
    Args:
        most: bytes of the whole body.

    Raises:
        EOFError: it ends before its last chunk, or is in no chunks.
        OssError: more than the most.
    """
    while size := _size(file):
        most -= size
        if most < 0:
            raise OssError(errors.TOO_LARGE)
        yield from measured(file, size)
        if file.read(2) != b"\r\n":
            raise EOFError
    for _ in range(MOST_TRAILERS):
        line = file.readline(LONGEST_LINE)
        if line == b"\r\n":
            return
        if not line.endswith(b"\r\n"):
            break
    raise EOFError


def _size(file: BufferedReader) -> int:
    line = SIZE_LINE.fullmatch(file.readline(LONGEST_LINE))
    if line is None:
        raise EOFError
    return int(line[1], 16)
