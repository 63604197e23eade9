"""holding.picture_metadata: a plain picture is clean, and everything else that a file can hold is found."""

import io
import random
import struct
import zlib
from itertools import pairwise

import pytest
from PIL import Image, ImageCms

from function.holding.picture_metadata import (
    AFTER_END,
    TURNED,
    UNREADABLE,
    kind_after_cleaning,
    metadata_in,
    why_not_cleaned,
    without,
)
from function.moderation.picture_structure import JPEG, MAX_PARTS, PNG, WEBP, PictureFile

FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
COLOURS = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NOISE = Image.effect_noise((60, 40), 60).convert("RGB")
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


def encoded(kind, image=NOISE, **options):
    file = io.BytesIO()
    image.save(file, FORMATS[kind], **options)
    return file.getvalue()


def file_of(data, size=1000):
    """The file, read in ranges of this size."""
    return PictureFile(len(data), lambda at, count: data[at : at + count], size)


def found(kind, data, size=1000):
    return metadata_in(kind, file_of(data, size))[0]


def exif(orientation=1):
    made = Image.Exif()
    made[0x0110] = "Phone 9"
    made[0x0112] = orientation
    return made


def transparent():
    image = NOISE.convert("RGBA")
    image.putalpha(128)
    return image


PLAIN = {
    "jpeg": (JPEG, encoded(JPEG)),
    "progressive jpeg": (JPEG, encoded(JPEG, progressive=True, quality=95)),
    "grey jpeg": (JPEG, encoded(JPEG, NOISE.convert("L"))),
    "jpeg of print colours": (JPEG, encoded(JPEG, NOISE.convert("CMYK"))),
    "jpeg with restarts": (JPEG, encoded(JPEG, restart_marker_rows=1)),
    "jpeg with colours": (JPEG, encoded(JPEG, icc_profile=COLOURS, dpi=(72, 72))),
    "jpeg with colours in pieces": (JPEG, encoded(JPEG, icc_profile=COLOURS + bytes(100_000))),
    "png": (PNG, encoded(PNG)),
    "png with palette": (PNG, encoded(PNG, NOISE.quantize(64), transparency=3)),
    "transparent png": (PNG, encoded(PNG, transparent())),
    "png with colours": (PNG, encoded(PNG, icc_profile=COLOURS, dpi=(72, 72))),
    "webp": (WEBP, encoded(WEBP)),
    "lossless webp": (WEBP, encoded(WEBP, lossless=True)),
    "transparent webp": (WEBP, encoded(WEBP, transparent())),
    "webp with colours": (WEBP, encoded(WEBP, icc_profile=COLOURS)),
}
EACH_PLAIN = pytest.mark.parametrize(("kind", "data"), PLAIN.values(), ids=PLAIN)


@EACH_PLAIN
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1024, 1024 * 1024])
def test_a_plain_picture_has_none_however_it_is_cut(kind, data, size):
    assert found(kind, data, size) == ""


@EACH_PLAIN
def test_bytes_after_the_end_are_metadata(kind, data):
    for more in (b"\0", b"\xff", data, b"x" * 2000):
        assert found(kind, data + more, 999) == AFTER_END
        assert found(kind, data + more, len(data)) == AFTER_END


@EACH_PLAIN
def test_a_picture_without_its_end_is_unreadable(kind, data):
    for length in {*range(0, len(data), max(1, len(data) // 97)), len(data) - 1}:
        assert found(kind, data[:length]) != ""


@EACH_PLAIN
def test_a_picture_of_another_kind_is_unreadable(kind, data):
    for other in {JPEG, PNG, WEBP} - {kind}:
        assert found(other, data) == UNREADABLE


def test_an_empty_or_foreign_file_is_unreadable():
    assert (UNREADABLE, TURNED) == ("unreadable", "turned")
    for kind in FORMATS:
        for data in (b"", b"GIF89a" + bytes(100), b"<svg/>", bytes(100), b"\xff\xd8\xff\xd9"):
            assert found(kind, data) != ""


@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        (JPEG, "marker E1", {"exif": exif()}),
        (JPEG, "marker E1", {"xmp": XMP}),
        (JPEG, "marker FE", {"comment": b"Some text"}),
        (JPEG, "marker ED", {"extra": b"\xff\xed\0\x10Photoshop 3.0\0"}),
        (PNG, "eXIf", {"exif": exif()}),
        (WEBP, "VP8X", {"exif": exif()}),
        (WEBP, "VP8X", {"xmp": XMP}),
    ],
)
def test_metadata_of_an_encoder_is_found(kind, name, options):
    assert found(kind, encoded(kind, **options)) == name


def segment(code, data):
    return struct.pack(">BBH", 0xFF, code, len(data) + 2) + data


def in_jpeg(*segments, at=2):
    data = PLAIN["jpeg"][1]
    return data[:at] + b"".join(segments) + data[at:]


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + bytes(3)),
        (0xE0, b"JFXX\0\x13" + bytes(5)),
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0more"),
        (0xE2, b"ICC_PROFILE"),
        (0xE2, b"FPXR\0" + bytes(9)),
        (0xEE, b"Adobe" + bytes(8)),
        (0xEE, b"Adobf" + bytes(7)),
        *((code, b"text") for code in (*range(0xE0, 0xF0), *range(0xF0, 0xFF))),
        *((code, bytes(9)) for code in (0xC3, 0xC5, 0xC9, 0xCC, 0xDC, 0xDE, 0xDF, 0x02, 0xD8)),
    ],
)
def test_a_segment_that_no_plain_picture_has_is_found(code, data):
    assert found(JPEG, in_jpeg(segment(code, data))) == f"marker {code:02X}"


def test_metadata_between_and_behind_scans_is_found():
    data = PLAIN["progressive jpeg"][1]
    starts = [at for at, pair in enumerate(pairwise(data)) if pair == (0xFF, 0xDA)]
    assert len(starts) > 3
    for at in (*starts[1:], len(data) - 2):
        for size in (1, 5, 1000):
            inserted = data[:at] + segment(0xE1, b"Exif\0\0") + data[at:]
            assert found(JPEG, inserted, size) in ("marker E1", "marker FF")


def test_a_second_frame_or_none_is_no_plain_jpeg():
    frame = segment(0xC0, bytes(15))
    assert found(JPEG, in_jpeg(frame)) == "marker C0"
    assert found(JPEG, in_jpeg().replace(b"\xff\xc0", b"\xff\xc1")) == ""
    assert found(JPEG, b"\xff\xd8" + segment(0xDA, bytes(6)) + b"data\xff\xd9") == UNREADABLE


@pytest.mark.parametrize("broken", [b"\xff\xe0\0\1", b"\xff\xe0\0\0", b"\0\xe0\0\x10", b"\xff\xff\xe1\0\x10"])
def test_a_broken_segment_is_unreadable(broken):
    for place in (2, 20):
        assert found(JPEG, in_jpeg(broken, at=place)) in (UNREADABLE, "marker FF")
    assert found(JPEG, b"\xff\xd9" + in_jpeg()[2:]) == UNREADABLE


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def in_png(*chunks, behind=b"IHDR"):
    data = PLAIN["png"][1]
    at = data.index(behind) + struct.unpack(">I", data[data.index(behind) - 4 :][:4])[0] + 8
    return data[:at] + b"".join(chunks) + data[at:]


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"sPLT", b"prVt", b"acTL"])
def test_a_chunk_that_no_plain_png_has_is_found(name):
    text = chunk(name, b"Comment\0text")
    assert found(PNG, in_png(text)) == name.decode()
    assert found(PNG, in_png(text, behind=b"IDAT"), 3) == name.decode()


def test_an_odd_name_of_a_chunk_is_not_repeated():
    assert found(PNG, in_png(chunk(b"\n\0\xff\x1b", b""))) == UNREADABLE
    for length, name in ((2**32 - 1, "IDAT"), (2**31, "IDAT"), (2**31 - 1, UNREADABLE)):
        assert found(PNG, in_png(struct.pack(">I4s", length, b"IDAT"))) == name


def test_the_end_of_a_png_is_empty():
    data = PLAIN["png"][1]
    assert data.endswith(chunk(b"IEND", b""))
    assert found(PNG, data[:-12] + chunk(b"IEND", b"\0")) == "IEND"


def test_a_chunk_has_no_more_bytes_than_it_needs():
    sizes = {b"IHDR": 13, b"PLTE": 768, b"tRNS": 256, b"bKGD": 6, b"sBIT": 4, b"gAMA": 4, b"cHRM": 32}
    for name, most in (sizes | {b"sRGB": 1, b"cICP": 4, b"pHYs": 9}).items():
        assert found(PNG, in_png(chunk(name, bytes(most)))) == ""
        assert found(PNG, in_png(chunk(name, bytes(most + 1)))) == name.decode()


def in_webp(*chunks, data=None, declared=None):
    data = (PLAIN["webp with colours"][1] if data is None else data)[12:] + b"".join(chunks)
    return struct.pack("<4sI4s", b"RIFF", len(data) + 4 if declared is None else declared, b"WEBP") + data


def part(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize("name", [b"EXIF", b"XMP ", b"ANIM", b"ANMF", b"abcd", b"ICCP", b"VP8 "])
def test_a_chunk_that_no_plain_webp_has_is_found(name):
    assert found(WEBP, in_webp(part(name, b"abc")), 5) == name.decode().strip()


@pytest.mark.parametrize("flags", [0x01, 0x02, 0x04, 0x08, 0x40, 0x80])
def test_a_webp_that_announces_more_is_found(flags):
    data = bytearray(PLAIN["webp with colours"][1])
    data[20] |= flags
    assert found(WEBP, bytes(data)) == "VP8X"


def test_a_webp_of_another_length_than_it_says_is_found():
    data = PLAIN["webp"][1]
    assert found(WEBP, in_webp(data=data)) == ""
    assert found(WEBP, in_webp(part(b"abcd", b""), data=data, declared=len(data) - 8)) == AFTER_END
    assert found(WEBP, in_webp(data=data, declared=len(data) - 9)) == UNREADABLE
    assert found(WEBP, in_webp(data=data, declared=2**32 - 1)) == UNREADABLE


def test_a_webp_has_one_picture():
    assert found(WEBP, in_webp(part(b"VP8L", b""), data=PLAIN["webp"][1])) == UNREADABLE
    assert found(WEBP, in_webp(data=bytes(12))) == UNREADABLE
    assert found(WEBP, in_webp(part(b"VP8X", b""), data=bytes(12))) == UNREADABLE


@pytest.mark.parametrize("flags", [b"", b"\0"])
def test_a_webp_may_announce_nothing(flags):
    announced = b"VP8X" + struct.pack("<I", len(flags)) + flags
    assert found(WEBP, in_webp(announced, data=PLAIN["webp"][1])) == ""


@pytest.mark.parametrize("kind", FORMATS)
def test_arbitrary_bytes_raise_nothing(kind):
    dice = random.Random(kind)
    for name in PLAIN:
        data = bytearray(PLAIN[name][1][:3000])
        for _ in range(30):
            data[dice.randrange(40)] = dice.randrange(256)
            found(kind, bytes(data), dice.randint(1, 500))
            if kind != JPEG:
                why_not_cleaned(kind, file_of(bytes(data)))


def heic(*brands):
    return struct.pack(">I4s", 8 + 4 * len(brands), b"ftyp") + b"".join(brands) + b"\0\0\0\x10meta"


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        *((data[:64], kind) for kind, data in PLAIN.values()),
        (heic(b"heic", b"\0\0\0\0", b"mif1", b"heic"), JPEG),
        (heic(b"mif1", b"\0\0\0\0", b"mif1", b"heix"), JPEG),
        (heic(b"hevc", b"\0\0\0\0", b"msf1", b"heic"), ""),
        (heic(b"avif", b"\0\0\0\0", b"mif1"), ""),
        (heic(), ""),
        (b"", ""),
        *(
            (data, "")
            for data in (b"GIF89a", b"BM", b"II*\0", b"<svg", b"RIFF\0\0\0\0WAVE", b"\xff\xd8", b"\x89PNG")
        ),
    ],
)
def test_the_kind_of_a_clean_picture(beginning, kind):
    assert kind_after_cleaning(beginning) == kind


@pytest.mark.parametrize("kind", [PNG, WEBP])
@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_that_exif_turns_is_not_processed(kind, orientation):
    for order in ("<", ">"):
        made = exif(orientation)
        made.endian = order
        data = encoded(kind, exif=made)
        for size in (1, 1000):
            assert why_not_cleaned(kind, file_of(data, size)) == ("" if orientation == 1 else TURNED)


@pytest.mark.parametrize(
    "broken",
    [
        b"\0",
        b"Exif\0\0",
        b"II*\0\xff\xff\0\0",
        b"MM\0*\0\0\0\x08\0\x09\1\x12",
        b"XX*\0\x08\0\0\0\0\0",
    ],
)
def test_a_picture_with_unreadable_exif_is_not_processed(broken):
    assert why_not_cleaned(PNG, file_of(in_png(chunk(b"eXIf", broken)))) == TURNED
    assert why_not_cleaned(WEBP, file_of(in_webp(part(b"EXIF", broken)))) == TURNED


def test_exif_of_any_size_without_orientation_turns_nothing():
    data = b"MM\0*\0\0\0\x08\0\0" + bytes(200_000)
    for begin in (b"", b"Exif\0\0"):
        assert why_not_cleaned(PNG, file_of(in_png(chunk(b"eXIf", begin + data)))) == ""
    assert why_not_cleaned(PNG, file_of(in_png(chunk(b"eXIf", b"")))) == ""


def test_exif_is_read_up_to_its_largest_length():
    for at, turned in ((65524, ""), (65525, TURNED)):
        data = struct.pack(">4sI", b"MM\0*", at).ljust(at, b"\0") + struct.pack(
            ">3HI2H", 1, 0x0112, 3, 1, 1, 0
        )
        assert why_not_cleaned(PNG, file_of(in_png(chunk(b"eXIf", data)))) == turned


def test_walking_ends_after_more_parts_than_any_picture_has():
    endless = in_png(chunk(b"IDAT", b"") * MAX_PARTS)
    assert found(PNG, endless, len(endless)) == why_not_cleaned(PNG, file_of(endless)) == UNREADABLE


def cut(kind, data):
    """What is left without all metadata, and how many pieces that were."""
    _, spans = metadata_in(kind, file_of(data))
    return without(kind, data, spans), len(spans)


DIRTY = {
    "jpeg": (JPEG, {"exif": exif(), "comment": b"text", "xmp": XMP}, 3),
    "png": (PNG, {"exif": exif()}, 1),
    "webp": (WEBP, {"exif": exif(), "xmp": XMP}, 3),
}


@pytest.mark.parametrize(("kind", "options", "pieces"), DIRTY.values(), ids=DIRTY)
def test_cutting_leaves_the_plain_picture(kind, options, pieces):
    dirty = encoded(kind, **options) + b"behind"
    clean, count = cut(kind, dirty)
    assert (found(kind, clean), count) == ("", pieces + 1)
    assert found(kind, dirty) == found(kind, encoded(kind, **options)) != ""
    picture = Image.open(io.BytesIO(clean))
    assert picture.tobytes() == Image.open(io.BytesIO(dirty)).tobytes()
    assert not picture.getexif() and "xmp" not in picture.info


def test_a_chunk_before_the_picture_is_cut_out_alone():
    data = PLAIN["webp"][1]
    assert cut(WEBP, in_webp(data=bytes(12) + part(b"abcd", b"abc") + data[12:])) == (data, 1)


@pytest.mark.parametrize(
    ("kind", "first", "data"),
    [
        (JPEG, "marker FE", encoded(JPEG, comment=b"text")[:-2] + b"\xff\xc3\0\x02\xff\xd9"),
        (JPEG, "marker EE", b"\xff\xd8\xff\xee\0\x08Adobe?" + encoded(JPEG)[2:]),
        (JPEG, "marker E1", encoded(JPEG, exif=exif())[:-2]),
        (PNG, "ABCD", encoded(PNG)[:33] + struct.pack(">I", 0) + b"ABCD" + bytes(4) + encoded(PNG)[33:]),
        (PNG, "acTL", encoded(PNG)[:33] + struct.pack(">I", 8) + b"acTL" + bytes(12) + encoded(PNG)[33:]),
        (WEBP, "VP8X", in_webp(part(b"VP8X", b"\2\0"), data=PLAIN["webp"][1])),
        (WEBP, "ANIM", in_webp(part(b"ANIM", b"abc"))),
        (WEBP, "ANMF", in_webp(part(b"ANMF", b"abc"))),
    ],
)
def test_pieces_that_a_decoder_may_need_are_not_cut_out(kind, first, data):
    assert metadata_in(kind, file_of(data)) == (first, [])
