"""Pictures as they come out of the local OSS: their size, format and colours, looked at."""

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
from local.oss.image_steps import IMAGE_STEPS, VIDEO_STEPS, read_steps
from local.oss.pictures import describe, grey_frame, render
from local.oss.rules import OssRules
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

RULES = OssRules()
RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


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


def refusal_of(file, text, **rules):
    with pytest.raises(OssError) as refused:
        made(file, text, **rules)
    return refused.value.refusal.code


@cases("text", "size", "left", "right")
def test_steps_give_the_expected_picture(text, size, left, right):
    image = made(halves(), text)
    assert (image.size, image.format) == (size, "PNG")
    assert is_near(image.convert("RGB").getpixel((0, 0)), left)
    assert is_near(image.convert("RGB").getpixel((size[0] - 1, 0)), right)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("wanted", ["jpg", "png", "webp", "bmp", "gif", "tiff"])
def test_every_format_becomes_every_other(kind, wanted):
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
        assert (exif.get(0x0110), exif.get_ifd(0x8825).get(1)) == (
            ("Phone 9", "N") if keeps else (None, None)
        )


IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0f\x1c\x02\x5a\0\x0aSomewhere!\0"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">a place</x:xmpmeta>'


def told_in(kind):
    """A picture with XMP and, as far as its kind has them, IPTC and a comment."""
    if kind == "PNG":
        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        texts.add_text("Comment", "a comment")
        return halves(kind="PNG", pnginfo=texts)
    extra = b"\xff\xed" + struct.pack(">H", len(IPTC) + 2) + IPTC
    jpeg = {"extra": extra, "comment": b"a comment"} if kind == "JPEG" else {}
    return halves(kind=kind, xmp=XMP, **jpeg)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("text", ["auto-orient,1", "format,jpg", "format,png", "format,webp"])
def test_a_variant_keeps_xmp_iptc_and_comments_by_the_same_rule(kind, text):
    steps = read_steps(text, IMAGE_STEPS)
    same = text.endswith(kind.lower().replace("jpeg", "jpg")) or text.startswith("auto")
    kept = render(told_in(kind), steps, RULES).data
    assert b"a place" in kept
    assert (b"a comment" in kept, b"Somewhere!" in kept) == (
        (kind == "JPEG" and (same or text == "format,jpg")) or (kind == "PNG" and same),
        kind == "JPEG" and same,
    )
    dropped = render(told_in(kind), steps, replace(RULES, variants_keep_exif=False)).data
    assert not any(part in dropped for part in (b"a place", b"a comment", b"Somewhere!"))


def test_the_colour_profile_of_a_picture_stays():
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for keeps in (True, False):
        image = made(halves(kind="JPEG", icc_profile=colours), "format,webp", variants_keep_exif=keeps)
        assert image.info["icc_profile"] == colours


def test_a_heic_picture_keeps_its_exif_by_the_same_rule():
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    whole = heic((40, 30)).getvalue() + b"\0\0\0\6" + exif.tobytes()
    assert made(io.BytesIO(whole), "format,jpg").getexif().get(0x0110) == "Phone 9"
    assert not made(io.BytesIO(whole), "format,jpg", variants_keep_exif=False).getexif()
    assert not made(heic((40, 30)), "format,jpg").getexif()


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
    assert refusal_of(halves(4097, 2), "auto-orient,1/resize,w_2") == "ImageTooLarge"
    assert made(halves(4097, 2), "auto-orient,0/resize,w_2").size == (2, 1)
    assert made(halves(4097, 2), "auto-orient,1/resize,w_2", auto_orient_is_bounded=False).size == (2, 1)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_refused_or_its_first_frame_taken(kind):
    frames = [Image.new("RGB", (8, 6), colour) for colour in (RED, GREEN)]
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert refusal_of(moving, "format,jpg") == "BadRequest"
    assert is_near(made(moving, "format,jpg", animations_are_refused=False).getpixel((1, 1)), RED)
    if kind == "GIF":
        assert made(moving, "resize,w_4").size == (4, 3)
    else:
        assert refusal_of(moving, "resize,w_4") == "BadRequest"


def test_the_structure_of_a_tiff_is_no_exif_of_its_variant():
    assert not made(halves(kind="TIFF"), "format,jpg").getexif()


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
    assert refusal_of(heic(), "resize,w_1") == refusal_of(heic((8, 8), brand=b"avif"), "resize,w_1")
    assert refusal_of(heic((30_001, 2)), "resize,w_1") == refusal_of(halves(30_001, 2), "resize,w_1")


def test_image_info_includes_exif():
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    exif.get_ifd(0x8825)[1] = "N"
    file = halves(kind="JPEG", exif=exif)
    told = json.loads(describe(file, 4711).data)
    assert {name: value["value"] for name, value in told.items()} == {
        "FileSize": "4711",
        "Format": "jpg",
        "ImageHeight": "40",
        "ImageWidth": "60",
        "Model": "Phone 9",
        "GPSLatitudeRef": "N",
    }


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"<svg/>", halves().getvalue()[:60], b"\xff\xd8\xff\xe0"]
)
def test_processing_an_invalid_picture_is_a_bad_request(data):
    assert refusal_of(io.BytesIO(data), "resize,w_10") == "BadRequest"


def huge(width, height):
    """The head of a picture whose pixels nobody could hold."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e")


@pytest.mark.parametrize("size", [(30_001, 1), (1, 30_001), (25_000, 10_001)])
def test_a_source_over_the_limits_is_refused_before_it_is_decoded(size):
    assert refusal_of(huge(*size), "resize,w_10") == "ImageTooLarge"


@pytest.mark.parametrize(
    "text", ["resize,m_fixed,w_16384,h_1025,limit_0", "resize,m_pad,w_16384,h_16384,limit_0"]
)
def test_an_outcome_over_the_limits_is_refused(text):
    assert refusal_of(halves(), text) == "ImageTooLarge"


@cases("text", "size", "kind")
def test_a_frame_is_grey_and_of_the_requested_size(text, size, kind):
    image = Image.open(io.BytesIO(grey_frame(read_steps(f"snapshot,{text}", VIDEO_STEPS)[0]).data))
    assert (image.size, image.format) == (size, kind)
    assert is_near(image.convert("RGB").getpixel((5, 5)), (128, 128, 128))


@pytest.mark.parametrize("text", ["t_0,w_16384,h_16384", "t_0,h_16384"])
def test_a_frame_over_the_limits_is_refused(text):
    with pytest.raises(OssError) as refused:
        grey_frame(read_steps(f"snapshot,{text}", VIDEO_STEPS)[0])
    assert refused.value.refusal.code == "ImageTooLarge"


@pytest.mark.filterwarnings("ignore")  # what Pillow says of broken EXIF
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF"])
def test_corrupt_pictures_are_processed_or_refused_without_a_crash(kind):
    dice, whole = (
        random.Random(kind),
        encoded(Image.effect_noise((60, 40), 80).convert("RGB"), kind).getvalue(),
    )
    steps = read_steps("auto-orient,1/resize,w_30", IMAGE_STEPS)
    for _ in range(100):
        broken = bytearray(whole)
        for _ in range(dice.randint(1, 5)):
            broken[dice.randrange(dice.choice((40, 400, len(broken))))] = dice.randrange(256)
        for look in (lambda file: render(file, steps, RULES), lambda file: describe(file, 1)):
            with contextlib.suppress(OssError):
                look(io.BytesIO(broken[: dice.choice((len(broken), 500))]))
