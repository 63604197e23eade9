"""Pictures: their sizes from headers, the steps that are asked for, and what comes out, looked at."""

import contextlib
import io
import json
import random
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from local.oss import pictures
from local.oss.errors import OssError
from local.oss.image_info import ImageInfo, read_image_info
from local.oss.image_steps import IMAGE_STEPS, VIDEO_STEPS, Step, read_steps
from local.oss.pictures import describe, grey_frame, render
from local.oss.resizing import Resizing, cut_of, resizing_of
from local.oss.rules import OssRules
from tests.local.oss.conftest import refusal_of
from tests.support.cases import cases_beside
from tests.support.memory_oss import NOTHING_KEPT

cases = cases_beside(__file__)

RULES = OssRules()
KINDS = ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF"]
RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)
JPEG_APP0 = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
JPEG_TABLE = b"\xff\xc4\0\x05\xff\xc0\0"
JPEG_FRAME = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 480, 640) + b"\3\1\x22\0\2\x11\1\3\x11\1"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 640, 480) + b"\0\0\0"
LOSSY = b"RIFF\x20\0\0\0WEBPVP8 \x14\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640 | 1 << 14, 480)
LOSSLESS = b"RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14 | 1 << 28)
EXTENDED = b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x7f\x02\0\xdf\x01\0"
JPEG = b"\xff\xd8" + JPEG_APP0 + b"\xff\xff" + JPEG_TABLE[1:] + JPEG_FRAME


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        *((PNG, "png"), (GIF, "gif"), (b"GIF87a" + GIF[6:], "gif"), (JPEG, "jpg")),
        *((webp, "webp") for webp in (LOSSY, LOSSLESS, EXTENDED)),
        (b"\xff\xd8\xff\x01" + JPEG_FRAME, "jpg"),
        *(
            (content, None)
            for content in (b"", b"text", b"<svg width='640' height='480'/>", PNG[:20], GIF[:8])
        ),
        *((content, None) for content in (LOSSY[:28], LOSSLESS[:23], EXTENDED[:27])),
        *((b"RIFF\x20\0\0\0" + content, None) for content in (b"WAVEfmt ", b"WEBPVP9 ")),
        *((b"\xff\xd8" + content, None) for content in (b"", b"\xff", b"\0", JPEG_APP0[:3], JPEG_FRAME[:6])),
        (b"\xff\xd8" + JPEG_APP0 + b"\xff\xda\0\x02" + JPEG_FRAME, None),
    ],
)
def test_width_height_and_format_are_read_from_whole_headers(tmp_path, content, kind):
    (tmp_path / "picture").write_bytes(content)
    assert read_image_info(tmp_path / "picture") == (kind and ImageInfo(640, 480, kind))


def test_steps_are_read_in_order():
    text = "resize,m_fill,w_200,h_100,limit_0,color_ff00AA/quality,q_80/format,webp"
    assert read_steps(text, IMAGE_STEPS) == (
        Step("resize", {"m": "fill", "w": "200", "h": "100", "limit": "0", "color": "ff00AA"}),
        Step("quality", {"q": "80"}),
        Step("format", {"": "webp"}),
    )
    assert read_steps("info", IMAGE_STEPS) == (Step("info", {}),)
    (frame,) = read_steps("snapshot,t_7000,f_jpg,w_800,h_600,m_fast,ar_auto", VIDEO_STEPS)
    assert (frame.number("t"), Step("resize", {"w": "7"}).number("h")) == (7000, None)


@cases("text")
def test_an_unknown_image_step_is_an_invalid_argument(text):
    assert refusal_of(read_steps, text, IMAGE_STEPS).startswith("400 InvalidArgument")


@pytest.mark.parametrize(
    ("text", "steps", "refusal"),
    [
        *(
            (text, VIDEO_STEPS, "400 InvalidArgument")
            for text in ("snapshot", "snapshot,f_jpg", "snapshot,t_1,f_gif")
        ),
        ("snapshot,t_1/snapshot,t_2", VIDEO_STEPS, "400 InvalidArgument"),
        ("resize,w_1/watermark,text_SGk", IMAGE_STEPS, "501 NotImplemented"),
    ],
)
def test_a_frame_needs_its_instant_and_an_unsupported_step_is_not_implemented(text, steps, refusal):
    assert refusal_of(read_steps, text, steps).startswith(refusal)


def step(text):
    return read_steps(text, IMAGE_STEPS)[0]


@cases("text", "scaled", "canvas")
def test_each_mode_has_its_size(text, scaled, canvas):
    assert resizing_of(step(f"resize,{text}"), (600, 400)) == Resizing(scaled, canvas or scaled)


def test_the_longer_side_of_an_upright_picture_is_its_height_and_no_side_ever_vanishes():
    assert resizing_of(step("resize,l_300"), (400, 600)).scaled == (200, 300)
    assert resizing_of(step("resize,s_100"), (400, 600)).scaled == (100, 150)
    assert resizing_of(step("resize,w_10"), (10_000, 10)).scaled == (10, 1)


@cases("text", "box")
def test_a_crop_starts_at_its_offset_and_ends_at_the_edge(text, box):
    if box:
        assert cut_of(step(f"crop,{text}"), (600, 400)) == box
    else:
        assert refusal_of(cut_of, step(f"crop,{text}"), (600, 400)).startswith("400 BadRequest")


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def halves(width=60, height=40, kind="PNG", **options):
    """The left half red, the right one green."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height))
    return encoded(image, kind, **options)


def made(file, text, **rules):
    rendered = render(file, read_steps(text, IMAGE_STEPS), replace(RULES, **rules))
    image = Image.open(io.BytesIO(rendered.data))
    image.load()
    assert rendered.content_type == Image.MIME[image.format]
    return image


def is_near(colour, wanted):
    return all(abs(a - b) < 24 for a, b in zip(colour, wanted, strict=True))


def refused(file, text, **rules):
    return refusal_of(made, file, text, **rules).rpartition(" ")[0]


@cases("text", "size", "left", "right")
def test_steps_give_the_expected_picture(text, size, left, right):
    image = made(halves(), text)
    assert (image.size, image.format) == (size, "PNG")
    assert is_near(image.convert("RGB").getpixel((0, 0)), left)
    assert is_near(image.convert("RGB").getpixel((size[0] - 1, 0)), right)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_becomes_every_other(kind):
    for wanted in ("jpg", "png", "webp", "bmp", "gif", "tiff"):
        image = made(halves(kind=kind), f"resize,w_30/format,{wanted}")
        assert (pictures.NAMES[image.format], image.size) == (wanted, (30, 20))
        assert is_near(image.convert("RGB").getpixel((2, 2)), RED)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_colours_can_be_scaled(mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert made(encoded(Image.new(mode, (60, 40)), kind), "resize,w_30/format,jpg").size == (30, 20)


def test_transparency_becomes_white_in_a_format_without_alpha():
    clear = encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)))
    assert made(clear, "format,jpg").getpixel((4, 4)) == WHITE
    assert made(clear, "resize,w_4").getpixel((2, 2))[3] == 0


def test_a_lower_quality_is_smaller_and_a_picture_may_be_interlaced():
    noise = encoded(Image.frombytes("L", (200, 200), random.Random(1).randbytes(40_000)), "JPEG", quality=95)
    low, high = (render(noise, read_steps(f"quality,{q}", IMAGE_STEPS), RULES).data for q in ("q_20", "Q_90"))
    assert len(low) * 2 < len(high)
    assert made(noise, "interlace,1").info.get("progressive") == 1
    assert made(noise, "interlace,0").info.get("progressive") is None


def test_a_picture_is_rotated_only_by_auto_orient():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    sideways = halves(kind="JPEG", exif=exif)
    assert made(sideways, "resize,w_30").size == (30, 20)
    assert made(sideways, "auto-orient,0").size == (60, 40)
    upright = made(sideways, "auto-orient,1/resize,w_20")
    assert upright.size == (20, 30)
    assert upright.getexif().get(0x0112) is None


def taken_in_the_north(kind):
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    exif.get_ifd(0x8825)[1] = "N"
    return halves(kind=kind, exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("text", ["resize,w_30", "format,jpg", "format,webp", "crop,w_10", "auto-orient,1"])
def test_a_variant_keeps_exif_unless_the_rule_says_otherwise(kind, text):
    for keeps in (True, False):
        exif = made(taken_in_the_north(kind), text, variants_keep_exif=keeps).getexif()
        told = exif.get(0x0110), exif.get_ifd(0x8825).get(1)
        assert told == (("Phone 9", "N") if keeps else (None, None))


IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0f\x1c\x02\x5a\0\x0aSomewhere!\0"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">a place</x:xmpmeta>'
MANIFEST = b"JP\0\1\0\0\0\1a manifest"


def told_in(kind):
    """A picture with XMP and, as far as its kind has them, IPTC, texts, a comment and C2PA."""
    if kind == "PNG":
        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        texts.add_itxt("Title", "a title 题")
        texts.add(b"tEXt", b"Comment\0a text", after_idat=True)
        texts.add(b"caBX", MANIFEST)
        texts.add(b"prVt", b"Somewhere!")
        return halves(kind="PNG", pnginfo=texts)
    segments = ((b"\xff\xeb", MANIFEST), (b"\xff\xed", IPTC), (b"\xff\xe5", b"something else"))
    extra = b"".join(marker + struct.pack(">H", len(data) + 2) + data for marker, data in segments)
    jpeg = {"extra": extra, "comment": b"a comment"} if kind == "JPEG" else {}
    return halves(kind=kind, xmp=XMP, **jpeg)


def kept_of(kind, text, **rules):
    data = render(told_in(kind), read_steps(text, IMAGE_STEPS), replace(RULES, **rules)).data
    told = (
        b"a place",
        b"a comment",
        b"Somewhere!",
        b"tEXtComment\0a text",
        "a title 题".encode(),
        b"a manif",
    )
    return {part.decode() for part in (*told, b"something else") if part in data}


@pytest.mark.parametrize(
    ("kind", "rule", "kept"),
    [
        *((kind, "variants_keep_xmp", {"a place"}) for kind in ("JPEG", "PNG", "WEBP")),
        ("JPEG", "variants_keep_exif", {"a comment", "Somewhere!"}),
        ("PNG", "variants_keep_texts", {"tEXtComment\0a text", "a title 题"}),
        *((kind, "variants_keep_app11", {"a manif"}) for kind in ("JPEG", "PNG")),
    ],
)
def test_each_kind_of_metadata_is_kept_by_its_own_rule(kind, rule, kept):
    assert kept_of(kind, "auto-orient,1", **{**NOTHING_KEPT, rule: True}) == kept
    assert kept_of(kind, "auto-orient,1", **NOTHING_KEPT) == set()
    assert kept <= kept_of(kind, "auto-orient,1")


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("JPEG", "format,png", {"a place"}),
        ("JPEG", "format,webp", {"a place"}),
        ("PNG", "format,jpg", {"a place"}),
        ("WEBP", "format,jpg", {"a place"}),
        ("JPEG", "format,jpg", {"a place", "a comment", "Somewhere!", "a manif"}),
    ],
)
def test_another_format_keeps_what_it_has_a_place_for(kind, text, kept):
    assert kept_of(kind, text) == kept


def test_the_colour_profile_of_a_picture_stays():
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for keeps in (True, False):
        image = made(halves(kind="JPEG", icc_profile=colours), "format,webp", variants_keep_exif=keeps)
        assert image.info["icc_profile"] == colours


def test_a_heic_picture_keeps_its_exif_and_xmp_by_the_same_rules():
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    whole = heic((40, 30)).getvalue() + b"\0\0\0\6" + exif.tobytes()
    assert made(io.BytesIO(whole), "format,jpg").getexif().get(0x0110) == "Phone 9"
    assert not made(io.BytesIO(whole), "format,jpg", variants_keep_exif=False).getexif()
    assert not made(heic((40, 30)), "format,jpg").getexif()
    labelled = heic((40, 30)).getvalue() + XMP
    assert made(io.BytesIO(labelled), "format,jpg").info["xmp"] == XMP
    assert "xmp" not in made(io.BytesIO(labelled), "format,jpg", variants_keep_xmp=False).info
    # The structure of a TIFF is none of its variant.
    assert not made(halves(kind="TIFF"), "format,jpg").getexif()


def test_a_png_is_turned_by_its_exif_only_if_the_rule_says_so():
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = halves(exif=exif)
    assert made(sideways, "auto-orient,1").size == (60, 40)
    assert made(sideways, "auto-orient,1").getexif()[0x0112] == 6
    turned = made(sideways, "auto-orient,1", auto_orient_reads_png=True)
    assert (turned.size, turned.getexif().get(0x0112)) == ((40, 60), None)


def test_auto_orient_is_bounded_by_the_rule():
    assert made(halves(4096, 2), "auto-orient,1/resize,w_2").size == (2, 1)
    assert refused(halves(4097, 2), "auto-orient,1/resize,w_2") == "400 ImageTooLarge"
    assert made(halves(4097, 2), "auto-orient,0/resize,w_2").size == (2, 1)
    assert made(halves(4097, 2), "auto-orient,1/resize,w_2", auto_orient_is_bounded=False).size == (2, 1)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_refused_or_its_first_frame_taken(kind):
    frames = [Image.new("RGB", (8, 6), colour) for colour in (RED, GREEN)]
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert refused(moving, "format,jpg") == "400 BadRequest"
    assert is_near(made(moving, "format,jpg", animations_are_refused=False).getpixel((1, 1)), RED)
    if kind == "GIF":
        assert made(moving, "resize,w_4").size == (4, 3)
    else:
        assert refused(moving, "resize,w_4") == "400 BadRequest"


def heic(*sizes, brand=b"heic"):
    """The boxes of a HEIC picture that say how large it and its tiles are."""
    boxes = b"".join(b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", *size) for size in sizes)
    return io.BytesIO(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + b"\0\0\0\0meta" + boxes)


def test_a_heic_picture_is_a_grey_one_of_its_size():
    assert made(heic((512, 512), (4032, 3024)), "resize,w_400").size == (400, 300)
    image = made(heic((40, 30)), "format,png")
    assert (image.format, is_near(image.getpixel((20, 15)), (128, 128, 128))) == ("PNG", True)
    told = json.loads(describe(heic((640, 480), brand=b"mif1"), 9).data)
    assert (told["Format"]["value"], told["ImageWidth"]["value"]) == ("heic", "640")
    assert refused(heic(), "resize,w_1") == refused(heic((8, 8), brand=b"avif"), "resize,w_1")
    assert refused(heic((30_001, 2)), "resize,w_1") == refused(halves(30_001, 2), "resize,w_1")


def test_image_info_includes_exif():
    told = json.loads(describe(taken_in_the_north("JPEG"), 4711).data)
    facts = {"FileSize": "4711", "Format": "jpg", "ImageHeight": "40", "ImageWidth": "60"}
    facts |= {"Model": "Phone 9", "GPSLatitudeRef": "N"}
    assert {name: value["value"] for name, value in told.items()} == facts


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"<svg/>", halves().getvalue()[:60], b"\xff\xd8\xff\xe0"]
)
def test_processing_an_invalid_picture_is_a_bad_request(data):
    assert refused(io.BytesIO(data), "resize,w_10") == "400 BadRequest"


def huge(width, height):
    """The head of a picture whose pixels nobody could hold."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e")


@pytest.mark.parametrize("size", [(30_001, 1), (1, 30_001), (25_000, 10_001)])
def test_a_source_over_the_limits_is_refused_before_it_is_decoded(size):
    assert refused(huge(*size), "resize,w_10") == "400 ImageTooLarge"


@pytest.mark.parametrize(
    "text", ["resize,m_fixed,w_16384,h_1025,limit_0", "resize,m_pad,w_16384,h_16384,limit_0"]
)
def test_an_outcome_over_the_limits_is_refused(text):
    assert refused(halves(), text) == "400 ImageTooLarge"


@cases("text", "size", "kind")
def test_a_frame_is_grey_and_of_the_requested_size(text, size, kind):
    (step,) = read_steps(f"snapshot,{text}", VIDEO_STEPS)
    if size is None:
        assert refusal_of(grey_frame, step).startswith("400 ImageTooLarge")
        return
    image = Image.open(io.BytesIO(grey_frame(step).data))
    assert (image.size, image.format) == (size, kind)
    assert is_near(image.convert("RGB").getpixel((5, 5)), (128, 128, 128))


@pytest.mark.filterwarnings("ignore")  # what Pillow says of broken EXIF
@pytest.mark.parametrize("kind", KINDS)
def test_corrupt_pictures_are_processed_or_refused_without_a_crash(kind):
    dice, steps = random.Random(kind), read_steps("auto-orient,1/resize,w_30", IMAGE_STEPS)
    whole = encoded(Image.effect_noise((60, 40), 80).convert("RGB"), kind).getvalue()
    for _ in range(100):
        broken = bytearray(whole)
        for _ in range(dice.randint(1, 5)):
            broken[dice.randrange(dice.choice((40, 400, len(broken))))] = dice.randrange(256)
        for look in (lambda file: render(file, steps, RULES), lambda file: describe(file, 1)):
            with contextlib.suppress(OssError):
                look(io.BytesIO(broken[: dice.choice((len(broken), 500))]))
