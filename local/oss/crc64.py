"""
CRC-64/XZ, which OSS calls ``crc64ecma``: in plain Python some 10 MB a second, so asked for small data only.
"""

from functools import cache
from pathlib import Path

POLYNOMIAL = 0xC96C5795D7870F42
MASK = 0xFFFFFFFFFFFFFFFF
PIECE_BYTES = 1 << 20


def crc64_of(path: Path) -> int:
    """Of a whole file; OSS writes it in decimal."""
    table, crc = _table(), MASK
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            for byte in piece:
                crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ MASK


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return tuple(table)
