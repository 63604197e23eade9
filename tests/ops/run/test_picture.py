"""The picture that the demo draws."""

import struct
import zlib

from ops.run.picture import draw_png


def test_the_picture_is_a_real_png_with_something_on_it():
    png = draw_png(40, 30)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = {}, png[8:]
    while rest:
        (length,), kind = struct.unpack(">I", rest[:4]), rest[4:8]
        data, (crc,) = rest[8 : 8 + length], struct.unpack(">I", rest[8 + length : 12 + length])
        assert crc == zlib.crc32(kind + data)
        chunks[kind], rest = data, rest[12 + length :]
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[b"IHDR"] == struct.pack(">II", 40, 30) + bytes([8, 2, 0, 0, 0])
    pixels = zlib.decompress(chunks[b"IDAT"])
    assert len(pixels) == 30 * (1 + 40 * 3)
    assert set(pixels[:: 1 + 40 * 3]) == {0}
    row = pixels[1 + 15 * 121 : 121 + 15 * 121]
    assert len({row[x * 3 : x * 3 + 3] for x in range(40)}) > 1
