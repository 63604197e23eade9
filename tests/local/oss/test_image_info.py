"""Picture sizes from headers written by hand."""

import struct

import pytest

from local.oss.image_info import ImageInfo, read_image_info

JPEG_APP0 = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
JPEG_TABLE = b"\xff\xc4\0\x05\xff\xc0\0"
JPEG_FRAME = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 480, 640) + b"\3\1\x22\0\2\x11\1\3\x11\1"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 640, 480) + b"\0\0\0"
LOSSY = b"RIFF\x20\0\0\0WEBPVP8 \x14\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640 | 1 << 14, 480)
LOSSLESS = b"RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14 | 1 << 28)
EXTENDED = b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x7f\x02\0\xdf\x01\0"
JPEG = b"\xff\xd8" + JPEG_APP0 + b"\xff\xff" + JPEG_TABLE[1:] + JPEG_FRAME


def _info(tmp_path, content):
    path = tmp_path / "picture"
    path.write_bytes(content)
    return read_image_info(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "png"),
        (GIF, "gif"),
        (b"GIF87a" + GIF[6:], "gif"),
        (LOSSY, "webp"),
        (LOSSLESS, "webp"),
        (EXTENDED, "webp"),
        (JPEG, "jpg"),
        (b"\xff\xd8\xff\x01" + JPEG_FRAME, "jpg"),
    ],
)
def test_reads_width_height_and_format(tmp_path, content, kind):
    assert _info(tmp_path, content) == ImageInfo(640, 480, kind)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"<svg width='640' height='480'/>",
        b"RIFF\x20\0\0\0WAVEfmt ",
        b"RIFF\x20\0\0\0WEBPVP9 ",
        PNG[:20],
        GIF[:8],
        LOSSY[:28],
        LOSSLESS[:23],
        EXTENDED[:27],
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\0",
        b"\xff\xd8" + JPEG_APP0[:3],
        b"\xff\xd8" + JPEG_APP0 + b"\xff\xda\0\x02" + JPEG_FRAME,
        b"\xff\xd8" + JPEG_FRAME[:6],
    ],
)
def test_a_truncated_or_invalid_picture_has_no_size(tmp_path, content):
    assert _info(tmp_path, content) is None
