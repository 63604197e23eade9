"""
A picture to upload, written by hand: a real PNG with something to see on it.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BIT_RGB = bytes([8, 2, 0, 0, 0])


def draw_png(width: int, height: int) -> bytes:
    """
    Draw a sun over a sea.

    Source: https://www.w3.org/TR/png-3/
    """
    rows = b"".join(b"\0" + _row(y, width, height) for y in range(height))
    header = struct.pack(">II", width, height) + EIGHT_BIT_RGB
    return (
        SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    )


def _row(y: int, width: int, height: int) -> bytes:
    horizon = height * 2 // 3
    middle, radius = width // 2, height // 4
    row = bytearray()
    for x in range(width):
        if y >= horizon:
            shine = 90 if abs(x - middle) < radius and (x * 7 + y * 13) % 29 < 9 else 0
            row += bytes((20 + shine * 2, 90 + shine, 160))
        elif (x - middle) ** 2 + (y - horizon) ** 2 < radius**2:
            row += bytes((255, 190 - 60 * y // height, 60))
        else:
            row += bytes((120 + 100 * y // horizon, 180 + 30 * y // horizon, 250 - 40 * y // horizon))
    return bytes(row)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
