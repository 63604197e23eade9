"""Pictures: sizes, steps, what comes out, looked at; and x-oss-process over HTTP."""

import base64
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
from local.oss.image_steps import IMAGE_STEPS, VIDEO_STEPS, read_steps
from local.oss.pictures import describe, grey_frame, render
from local.oss.process import LARGEST_SOURCE_BYTES
from local.oss.resizing import Resizing, cut_of, resizing_of
from local.oss.rules import OssRules
from tests.local.oss.conftest import OSS_NOW, content_md5, hex_md5, refusal_of
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


@cases("text")
def test_an_unknown_step_is_an_invalid_argument(text):
    steps = VIDEO_STEPS if text.startswith("snapshot,") else IMAGE_STEPS
    assert refusal_of(read_steps, text, steps).startswith("400 InvalidArgument")


def step(text):
    return read_steps(text, IMAGE_STEPS)[0]


@cases("text", "scaled", "canvas")
def test_each_mode_has_its_size(text, scaled, canvas):
    text, _, of = text.partition(" of ")
    size = tuple(map(int, of.split("x"))) if of else (600, 400)
    assert resizing_of(step(f"resize,{text}"), size) == Resizing(scaled, canvas or scaled)


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
def test_every_format_becomes_every_other_in_every_kind_of_colours(kind):
    for wanted in ("jpg", "png", "webp", "bmp", "gif", "tiff"):
        image = made(halves(kind=kind), f"resize,w_30/format,{wanted}")
        assert (pictures.NAMES[image.format], image.size) == (wanted, (30, 20))
        assert is_near(image.convert("RGB").getpixel((2, 2)), RED)
    for mode in {"TIFF": ["CMYK"], "PNG": ["1", "L", "LA", "P", "RGBA", "I;16"]}.get(kind, ()):
        assert made(encoded(Image.new(mode, (60, 40)), kind), "resize,w_30/format,jpg").size == (30, 20)


def test_transparency_becomes_white_a_lower_quality_is_smaller_and_a_picture_may_be_interlaced():
    clear = encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)))
    assert made(clear, "format,jpg").getpixel((4, 4)) == WHITE
    assert made(clear, "resize,w_4").getpixel((2, 2))[3] == 0
    noise = encoded(Image.frombytes("L", (200, 200), random.Random(1).randbytes(40_000)), "JPEG", quality=95)
    low, high = (render(noise, read_steps(f"quality,{q}", IMAGE_STEPS), RULES).data for q in ("q_20", "Q_90"))
    assert len(low) * 2 < len(high)
    assert [made(noise, f"interlace,{n}").info.get("progressive") for n in (0, 1)] == [None, 1]


def taken_in_the_north(kind):
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    exif.get_ifd(0x8825)[1] = "N"
    return halves(kind=kind, exif=exif)


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
def test_each_kind_of_metadata_is_kept_by_its_own_rule_in_its_own_format(kind, rule, kept):
    assert kept_of(kind, "auto-orient,1", **{**NOTHING_KEPT, rule: True}) == kept
    assert kept_of(kind, "auto-orient,1", **NOTHING_KEPT) == set()
    assert kept <= kept_of(kind, "auto-orient,1")
    assert (
        kept_of(kind, "format,bmp") == set() < kept_of(kind, f"format,{'png' if kind == 'JPEG' else 'jpg'}")
    )


def test_the_colour_profile_of_a_picture_stays():
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for keeps in (True, False):
        image = made(halves(kind="JPEG", icc_profile=colours), "format,webp", variants_keep_exif=keeps)
        assert image.info["icc_profile"] == colours


def test_a_heic_picture_is_a_grey_one_of_its_size_with_its_exif_and_xmp():
    assert made(heic((512, 512), (4032, 3024)), "resize,w_400").size == (400, 300)
    image = made(heic((40, 30)), "format,png")
    assert (image.format, is_near(image.getpixel((20, 15)), (128, 128, 128))) == ("PNG", True)
    told = json.loads(describe(heic((640, 480), brand=b"mif1"), 9).data)
    assert (told["Format"]["value"], told["ImageWidth"]["value"]) == ("heic", "640")
    assert refused(heic(), "resize,w_1") == refused(heic((8, 8), brand=b"avif"), "resize,w_1")
    assert refused(heic((30_001, 2)), "resize,w_1") == refused(halves(30_001, 2), "resize,w_1")
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    whole = heic((40, 30)).getvalue() + b"\0\0\0\6" + exif.tobytes() + XMP
    kept, bare = (made(io.BytesIO(whole), "format,jpg", **rules) for rules in ({}, NOTHING_KEPT))
    assert (kept.getexif().get(0x0110), kept.info["xmp"]) == ("Phone 9", XMP)
    assert not bare.getexif() and "xmp" not in bare.info
    # The structure of a TIFF is none of its variant.
    assert not made(halves(kind="TIFF"), "format,jpg").getexif()


def test_auto_orient_reads_exif_that_of_a_png_by_rule_and_is_bounded():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    sideways = halves(exif=exif)
    assert made(sideways, "auto-orient,1").size == made(sideways, "auto-orient,0").size == (60, 40)
    turned = made(sideways, "auto-orient,1", auto_orient_reads_png=True)
    assert (turned.size, turned.getexif().get(0x0112)) == ((40, 60), None)
    assert refused(halves(4097, 2), "auto-orient,1/resize,w_2") == "400 ImageTooLarge"
    for size, text in ((4096, 1), (4097, 0)):
        assert made(halves(size, 2), f"auto-orient,{text}/resize,w_2").size == (2, 1)


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


def test_image_info_includes_exif():
    told = json.loads(describe(taken_in_the_north("JPEG"), 4711).data)
    facts = {"FileSize": "4711", "Format": "jpg", "ImageHeight": "40", "ImageWidth": "60"}
    facts |= {"Model": "Phone 9", "GPSLatitudeRef": "N"}
    assert {name: value["value"] for name, value in told.items()} == facts


def huge(width, height):
    """The head of a picture whose pixels nobody could hold."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e"


@pytest.mark.parametrize(
    ("data", "text", "refusal"),
    [
        *(
            (data, "resize,w_10", "400 BadRequest")
            for data in (b"", b"no picture", b"<svg/>", b"\xff\xd8\xff\xe0")
        ),
        (halves().getvalue()[:60], "resize,w_10", "400 BadRequest"),
        # Before it is decoded.
        *(
            (huge(*size), "resize,w_10", "400 ImageTooLarge")
            for size in ((30_001, 1), (1, 30_001), (25_000, 10_001))
        ),
        (halves().getvalue(), "resize,m_fixed,w_16384,h_1025,limit_0", "400 ImageTooLarge"),
        (halves().getvalue(), "resize,m_pad,w_16384,h_16384,limit_0", "400 ImageTooLarge"),
    ],
)
def test_an_invalid_picture_and_a_source_or_outcome_over_the_limits_are_refused(data, text, refusal):
    assert refused(io.BytesIO(data), text) == refusal


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


KEY, TARGET = "u/42/照片 +1.jpg", "u/42/清.jpg"
SMALL, CLEAN = "image/resize,m_fill,w_20,h_20/format,jpg", "image/auto-orient,1/format,jpg/quality,q_90"


@pytest.fixture
def photo(oss, oss_client):
    """A picture that lies on its side, taken in the north."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (60, 40), "#FF0000").save(file, "JPEG", exif=exif)
    headers = {"Content-Type": "image/jpeg", "Cache-Control": "max-age=60", "x-oss-meta-a": "1"}
    assert oss_client.call("PUT", KEY, file.getvalue(), headers=headers).status == 200
    return file.getvalue()


@pytest.fixture
def process(oss_client):
    def process(text, name=KEY, **query):
        url = oss_client.presigned("GET", name, **{"x-oss-process": text}, **query)
        return oss_client.request("GET", url)

    return process


def test_a_signed_url_gives_the_thumbnail_with_the_headers_of_its_picture(
    oss, oss_client, rules, photo, process
):
    headers = {"Content-Disposition": "inline", "Expires": "0", "Cache-Control": "no-store"}
    oss_client.call("PUT", KEY, photo, headers={**headers, "Content-Encoding": "x", "x-oss-meta-a": "1"})
    answer = process(SMALL)
    assert Image.open(io.BytesIO(answer.body)).size == (20, 20)
    more = {"Content-Type": "image/jpeg", "Content-Length": str(len(answer.body)), "Content-Encoding": None}
    expected = {**headers, **more, "x-oss-meta-a": None, "Last-Modified": "Tue, 24 Nov 2026 14:00:00 GMT"}
    assert {name: answer.headers[name] for name in expected} == expected
    named = {"response-content-disposition": "attachment; filename=a"}
    assert process(SMALL, **named).headers["Content-Disposition"] == "attachment; filename=a"
    url = oss_client.presigned("GET", KEY, **{"x-oss-process": SMALL})
    assert oss_client.request("GET", url, headers={"If-None-Match": oss.objects[KEY].etag}).status == 304
    rules(default_host_downloads=True)
    answer = process(SMALL).headers
    assert (answer["x-oss-force-download"], answer["Content-Disposition"]) == ("true", "attachment")
    answer = process("image/info")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.body)["FileSize"] == {"value": str(len(photo))}


@cases("text", "refusal")
def test_each_wrong_processing_has_its_refusal(text, refusal, photo, process):
    assert process(text).said.startswith(refusal)


def test_the_frame_of_a_video_is_grey_or_refused(oss_client, rules, process):
    oss_client.call("PUT", "u/clip.mp4", b"video", headers={"Content-Type": "video/mp4"})
    answer = process("video/snapshot,t_1000,w_32", "u/clip.mp4")
    assert Image.open(io.BytesIO(answer.body)).size == (32, 18)
    rules(video_frames_are_grey=False)
    assert process("video/snapshot,t_1000", "u/clip.mp4").said.startswith("501 NotImplemented")
    assert process("doc/preview", "u/clip.mp4").said.startswith("400 InvalidArgument")


def body_of(target=TARGET):
    key, bucket = (
        base64.urlsafe_b64encode(name.encode()).decode().rstrip("=") for name in (target, "examplebucket")
    )
    return f"x-oss-process={CLEAN}|sys/saveas,o_{key},b_{bucket}".encode()


@pytest.fixture
def save(oss_client):
    def save(body=None, md5=None, **query):
        body = body_of() if body is None else body
        headers = {"Content-MD5": md5 or content_md5(body)}
        return oss_client.call("POST", KEY, body, headers=headers, **(query or {"x-oss-process": None}))

    return save


def test_the_result_is_stored_as_another_object_or_instead_of_one(photo, oss, oss_client, save):
    oss_client.call("PUT", TARGET, b"older", headers={"x-oss-meta-b": "2"})
    answer, stored = save(), oss.objects[TARGET]
    told = {"bucket": "examplebucket", "fileSize": stored.size, "object": TARGET, "status": "OK"}
    assert (answer.headers["Content-Type"], json.loads(answer.body)) == ("application/json", told)
    about = (stored.content_type, stored.acl, stored.metadata, stored.headers, stored.modified)
    assert about == ("image/jpeg", "default", {}, {}, OSS_NOW)
    data = stored.path.read_bytes()
    assert (stored.etag, Image.open(io.BytesIO(data)).size) == (hex_md5(data), (40, 60))
    assert oss.objects[KEY].path.read_bytes() == photo
    assert save(body_of(target=KEY)).status == 200
    assert oss.objects[KEY].etag == stored.etag


@cases("body", "refusal")
def test_each_wrong_body_has_its_refusal(body, refusal, photo, oss, save):
    assert save(body.encode()).said.startswith(refusal)
    assert set(oss.objects) == {KEY}


def test_processing_belongs_into_a_body_with_its_digest(photo, save):
    assert save(**{"x-oss-process": "image/format,jpg"}).said.startswith("400 InvalidArgument")
    assert save(md5=base64.b64encode(bytes(16)).decode()).said.startswith("400 InvalidDigest")


def test_a_missing_invalid_or_too_large_picture_is_neither_processed_nor_saved(oss_client, process, save):
    for content, refusal in (
        (None, "404 NoSuchKey"),
        (b"text", "400 BadRequest"),
        (bytes(LARGEST_SOURCE_BYTES), "400 BadRequest"),
        (bytes(LARGEST_SOURCE_BYTES + 1), "400 ImageTooLarge"),
    ):
        if content:
            oss_client.call("PUT", KEY, content)
        assert process(SMALL).said.startswith(refusal) and save().said.startswith(refusal)
    assert LARGEST_SOURCE_BYTES == 20 * 1024 * 1024
