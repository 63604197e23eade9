"""Samples that a checker or OSS is asked about: pictures and a sound."""

import math
import struct
import zlib

SIDE = 128
SAMPLES_A_SECOND, HERTZ = 8000, 440


def picture(width: int = SIDE, height: int = SIDE) -> bytes:
    """A real PNG: a gradient of grey."""
    rows = b"".join(b"\0" + bytes((row + column) % 256 for column in range(width)) for row in range(height))
    return grey_png(width, height, rows)


def grey_png(width: int, height: int, rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """
    Args:
        rows: each begins with its filter.
        more: chunks before those of the dots, each with its name.
    """
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def sound() -> bytes:
    """A small real WAV: a second of one tone, quietly."""
    turn = 2 * math.pi * HERTZ / SAMPLES_A_SECOND
    samples = bytes(128 + round(32 * math.sin(turn * number)) for number in range(SAMPLES_A_SECOND))
    form = struct.pack("<HHIIHH", 1, 1, SAMPLES_A_SECOND, SAMPLES_A_SECOND, 1, 8)
    chunks = [(b"fmt ", form), (b"data", samples)]
    content = b"WAVE" + b"".join(name + struct.pack("<I", len(body)) + body for name, body in chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content
