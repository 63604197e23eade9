"""Pictures as they come out of the local OSS: their size, format and colours, looked at."""

import contextlib
import io
import json
import random
import struct
import zlib

import pytest
from PIL import Image

from local.oss import pictures
from local.oss.errors import OssError
from local.oss.image_steps import IMAGE_STEPS, VIDEO_STEPS, read_steps
from local.oss.pictures import describe, grey_frame, render
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

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


def made(file, text):
    rendered = render(file, read_steps(text, IMAGE_STEPS))
    image = Image.open(io.BytesIO(rendered.data))
    image.load()
    assert rendered.content_type == Image.MIME[image.format]
    return image


def is_near(colour, wanted):
    return all(abs(a - b) < 24 for a, b in zip(colour, wanted, strict=True))


def refusal_of(file, text):
    with pytest.raises(OssError) as refused:
        render(file, read_steps(text, IMAGE_STEPS))
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
    low, high = (render(noise, read_steps(f"quality,{q}", IMAGE_STEPS)).data for q in ("q_20", "Q_90"))
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
        made_of = render(taken_in_the_north(kind), read_steps(text, IMAGE_STEPS), keeps)
        exif = Image.open(io.BytesIO(made_of.data)).getexif()
        assert (exif.get(0x0110), exif.get_ifd(0x8825).get(1)) == (
            ("Phone 9", "N") if keeps else (None, None)
        )


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
        for look in (lambda file: render(file, steps), lambda file: describe(file, 1)):
            with contextlib.suppress(OssError):
                look(io.BytesIO(broken[: dice.choice((len(broken), 500))]))
