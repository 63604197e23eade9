"""moderation.picture_structure: how many frames a picture has, by its bytes."""

from io import BytesIO

import pytest
from PIL import Image

from function.moderation.picture_structure import (
    MAX_BYTES,
    MAX_PARTS,
    RANGE_BYTES,
    Frames,
    PictureFile,
    Unreadable,
    frames_of,
    is_compressed,
)
from tests.support.frames import ACTL, IDAT, IEND, chunk, data, extension, frame, gif, heif, png, riff, webp

ONE, SEVERAL, UNKNOWN = Frames.ONE, Frames.SEVERAL, Frames.UNKNOWN
MB = 1024 * 1024


def frames(body, reads=None, size=None):
    """Offsets and sizes of what is read beside the first range go to ``reads``."""

    def read(at, count):
        assert 0 < count <= MB
        if reads is not None:
            reads.append((at, count))
        return body[at : at + count]

    return frames_of(body[:RANGE_BYTES], len(body) if size is None else size, read)


def drawn(kind, count, side=8, **options):
    """What Pillow writes."""
    # Frames that are equal would become one.
    first, *others = (Image.new("RGB", (side, side), (number * 20, 9, 9)) for number in range(count))
    file = BytesIO()
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(file, kind, **more, **options)
    return file.getvalue()


LOOP, CONTROL, COMMENT = extension(b"\xff", 14), extension(b"\xf9"), extension(b"\xfe", 70_000)


STILL_FLAGS, ANIMATED_FLAGS = bytes([0x3D, *bytes(9)]), bytes([2, *bytes(9)])
PICTURE = riff(b"VP8 ", bytes(9))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize(("count", "expected"), [(1, ONE), (2, SEVERAL), (9, SEVERAL)])
def test_pictures_of_another_writer_are_recognised(kind, count, expected):
    assert frames(drawn(kind, count)) is expected
    assert frames(drawn(kind, count, side=300)) is expected


@pytest.mark.parametrize(
    "body",
    [
        gif(frame()),
        gif(frame(), colours=None),
        gif(frame(), colours=None).replace(b"\0\0\0,", b"\7\0\0,", 1),
        gif(CONTROL, frame(900, colours=7), colours=7),
        gif(LOOP, COMMENT, CONTROL, frame(70_000), COMMENT),
        gif(frame(0)),
        gif(),
        gif(frame()) + frame() + b";",
        gif(frame(70_000, step=1)),
        png(IDAT, IEND),
        png(chunk(b"iCCP", bytes(40_000)), chunk(b"iTXt", bytes(5 * MB)), IDAT, IDAT, IEND),
        png(IDAT, ACTL, IEND),
        webp(PICTURE),
        webp(riff(b"VP8X", STILL_FLAGS), riff(b"ICCP", bytes(70_001)), PICTURE, riff(b"EXIF", bytes(3))),
        webp(PICTURE)[:-1],
        b"\xff\xd8\xff and so on" + gif(frame(), frame()),
        heif(b"heic", b"mif1", b"heic"),
        heif(b"avif", b"mif1", b"miaf"),
        heif(b"heic") + b"avis",
        heif(b"avis").replace(b"ftyp", b"free"),
    ],
    ids=lambda body: f"{body[:20]!r} {len(body)}",
)
def test_still_pictures_and_other_files_have_one_frame(body):
    assert frames(body) is ONE


@pytest.mark.parametrize(
    "body",
    [
        gif(frame(), frame()),
        gif(LOOP, CONTROL, frame(70_000, colours=7), COMMENT, CONTROL, frame(), colours=7),
        gif(frame(2 * MB), frame()),
        gif(frame(0), frame(0))[:-1],
        png(ACTL, IDAT, IEND),
        png(chunk(b"iTXt", bytes(RANGE_BYTES)), ACTL, IDAT, IEND),
        png(chunk(b"iTXt", bytes(19 * MB)), ACTL, IDAT, IEND),
        webp(riff(b"VP8X", ANIMATED_FLAGS), PICTURE),
        webp(riff(b"VP8X", STILL_FLAGS), riff(b"ANIM", bytes(6))),
        webp(riff(b"VP8X", STILL_FLAGS), riff(b"ICCP", bytes(99_999)), riff(b"ANMF", bytes(24))),
        webp(PICTURE, riff(b"ANMF", bytes(24)), size=len(PICTURE) + 4),
        webp(riff(b"VP8X", ANIMATED_FLAGS), size=0),
        webp(riff(b"VP8X", b"\2"))[:-1],
        heif(b"avis", b"avif", b"msf1"),
        heif(b"avif", b"avis"),
        heif(b"hevc", b"mif1"),
        heif(b"msf1"),
        heif(b"mif1", *[b"mif1"] * 5000, b"avis"),
        b"\xff\xff\xff\xff" + heif(b"avis")[4:],
    ],
    ids=lambda body: f"{body[:20]!r} {len(body)}",
)
def test_animated_pictures_have_several_frames(body):
    assert frames(body) is SEVERAL


@pytest.mark.parametrize(
    "body",
    [
        gif(frame())[:-1],
        gif(frame())[:30],
        gif(b"\0", frame()),
        gif(frame(), b"\0"),
        gif(extension(b"\xfe")[:-1]),
        gif(frame(RANGE_BYTES))[:-2],
        png(),
        png(IEND),
        png(b"\xff\xff\xff\xffiTXt" + bytes(9)),
        png(chunk(b"iTXt", bytes(21 * MB)), ACTL, IDAT),
        webp(b"VP8 \xff\xff\xff\xff" + bytes(99)),
        webp(PICTURE, b"ANI"),
        webp(riff(b"VP8X")),
        webp(riff(b"ICCP", bytes(20 * MB)), riff(b"ANIM", bytes(6))),
    ],
    ids=lambda body: f"{body[:20]!r} {len(body)}",
)
def test_malformed_and_endless_pictures_stay_unknown(body):
    assert frames(body) is UNKNOWN


@pytest.mark.parametrize(
    ("parts", "finish"),
    [
        (b"!\xf9\0", lambda parts: gif(parts, frame())),
        (chunk(b"tEXt"), lambda parts: png(parts, IDAT, IEND)),
        (riff(b"EXIF"), lambda parts: webp(PICTURE, parts)),
    ],
    ids=["GIF", "PNG", "WebP"],
)
def test_walking_ends_after_more_parts_than_any_picture_has(parts, finish):
    """20 MiB of empty ones would keep every request of an instance waiting for seconds."""
    assert frames(finish(parts * (MAX_PARTS // 4))) is ONE
    assert frames(finish(parts * MAX_PARTS)) is UNKNOWN


def test_ten_thousand_parts_are_read_and_not_one_more():
    file = PictureFile(1, lambda *_: b"x", 1)
    assert {bytes(file.ahead(1)) for _ in range(10_000)} == {b"x"}
    with pytest.raises(Unreadable):
        file.ahead(1)


def test_walking_ends_after_more_blocks_of_data_than_any_picture_has():
    """A picture has blocks of 255 bytes; 20 MiB of single ones are ten million."""
    assert frames(gif(frame(80_000, step=1), COMMENT)) is ONE
    assert frames(gif(frame(160_000, step=1))) is ONE
    assert frames(gif(frame(160_001, step=1))) is UNKNOWN
    assert frames(gif(*[b"!\xfe" + data(18_000, step=1)] * 10, frame())) is UNKNOWN
    assert frames(gif(frame(MAX_BYTES - MB))) is ONE


def test_no_more_is_read_than_decides():
    for body, count in (
        (gif(frame(), frame(), COMMENT), 0),
        (gif(frame(5 * RANGE_BYTES), frame(), COMMENT, COMMENT), 1),
        (gif(frame(19 * MB), COMMENT), 20),
        (png(chunk(b"iTXt", bytes(9 * MB)), IDAT, chunk(b"IDAT", bytes(9 * MB))), 1),
        (webp(riff(b"VP8X", ANIMATED_FLAGS), riff(b"ICCP", bytes(9 * MB))), 0),
        (webp(riff(b"VP8X", STILL_FLAGS), riff(b"ICCP", bytes(9 * MB)), riff(b"ANIM")), 1),
        (b"\xff\xd8\xff" + bytes(9 * MB), 0),
        (png(chunk(b"tEXt", bytes(65_536 - 53)), IDAT), 0),
        (png(chunk(b"tEXt", bytes(65_536 - 52)), IDAT), 1),
    ):
        reads = []
        frames(body, reads)
        assert len(reads) == count, reads


def test_a_file_that_is_shorter_than_its_receipt_says_stays_unknown():
    """It was replaced, and is read as it is now."""
    body = gif(frame(2 * RANGE_BYTES), frame())
    assert frames(body[: RANGE_BYTES + 9], size=len(body)) is UNKNOWN
    assert frames(png(IDAT)[:20], size=99) is UNKNOWN
    assert frames(body, size=99) is UNKNOWN


@pytest.mark.parametrize("encoding", ["br", "GZIP", "identity, br"])
def test_the_encoding_shows_a_compressed_object(encoding):
    assert is_compressed(encoding)
    assert not any(map(is_compressed, ("", "identity", " Identity")))
