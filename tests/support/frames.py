"""Pictures of one frame and of several, block by block: GIF, PNG, WebP and HEIF."""

import struct
from zlib import crc32


def gif(*blocks, colours=0):
    """Header, table of colours, blocks and the end."""
    flags = 0x80 | colours if colours is not None else 0
    table = bytes(6 << colours) if colours is not None else b""
    return b"GIF89a" + struct.pack("<HHBBB", 8, 8, flags, 0, 0) + table + b"".join(blocks) + b";"


def data(size, step=255):
    """Blocks of data."""
    whole, rest = divmod(size, step)
    tail = bytes([rest]) + b"," * rest if rest else b""
    return (bytes([step]) + b"," * step) * whole + tail + b"\0"


def frame(size=9, colours=None, step=255):
    flags = 0x80 | colours if colours is not None else 0
    table = b"," * (6 << colours) if colours is not None else b""
    return b"," + struct.pack("<HHHHB", 0, 0, 8, 8, flags) + table + b"\2" + data(size, step)


def extension(label, size=4):
    return b"!" + label + data(size)


def chunk(kind, content=b""):
    return len(content).to_bytes(4) + kind + content + crc32(kind + content).to_bytes(4)


def png(*chunks):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + b"".join(chunks)


IDAT, ACTL, IEND = chunk(b"IDAT", bytes(9)), chunk(b"acTL", bytes(8)), chunk(b"IEND")


def riff(kind, content=b""):
    return kind + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def webp(*chunks, size=None):
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + (len(content) if size is None else size).to_bytes(4, "little") + content


def heif(brand, *others):
    """The first box of a file, which has its brands, and the beginning of the next one."""
    content = b"ftyp" + brand + bytes(4) + b"".join(others)
    return (4 + len(content)).to_bytes(4) + content + b"\0\0\0\x40meta"
