"""ai_label.embed: a picture gains one packet and nothing else, whatever it is."""

import io

import pytest
from PIL import Image, ImageCms

from function.ai_label.embed import can_be_carried, embed, label_to_write, packet
from function.ai_label.label import CONFLICT, METADATA, NOTHING, AiLabel
from function.holding.picture_metadata import metadata_in, without
from function.moderation.picture_structure import JPEG, PNG, WEBP, PictureFile, kind_of
from tests.function.ai_label.files import CODE, VECTORS, label_of

FOUND = label_of(VECTORS["J1.jpg"])
SPREADER = "001191330100MA0000000X20001"
COLOURS = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NOISE = Image.effect_noise((61, 47), 60).convert("RGB")
GLASS = NOISE.convert("RGBA")
GLASS.putalpha(100)


def encoded(kind, image=NOISE, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


PICTURES = {
    "jpeg": encoded("JPEG"),
    "progressive jpeg": encoded("JPEG", progressive=True, icc_profile=COLOURS),
    "jpeg of print colours": encoded("JPEG", NOISE.convert("CMYK")),
    "jpeg without a first segment": b"\xff\xd8" + VECTORS["J0.jpg"][20:],
    "png": encoded("PNG"),
    "png with colours": encoded("PNG", GLASS, icc_profile=COLOURS),
    "webp": encoded("WEBP"),
    "large webp": encoded("WEBP", NOISE.resize((16000, 3)), quality=1),
    "lossless webp": encoded("WEBP", lossless=True),
    "lossless transparent webp": encoded("WEBP", GLASS, lossless=True),
    "transparent webp": encoded("WEBP", GLASS),
    "webp with colours": encoded("WEBP", icc_profile=COLOURS),
}


@pytest.mark.parametrize(
    ("bare", "labelled"), [("J0.jpg", "J9.jpg"), ("P0.png", "P6.png"), ("W0.webp", "W4.webp")]
)
def test_the_bytes_are_those_of_the_vectors(bare, labelled):
    assert embed(kind_of(VECTORS[bare]), VECTORS[bare], packet(FOUND)) == VECTORS[labelled]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_with_a_label_shows_the_same_and_holds_nothing_else(name):
    data = PICTURES[name]
    kind = kind_of(data)
    made = embed(kind, data, packet(FOUND))
    assert label_of(made) == FOUND
    file = PictureFile(len(made), lambda at, count: made[at : at + count], len(made))
    bare = without(kind, made, metadata_in(kind, file)[1])
    # A WebP without an extended header gains one.
    assert bare.removeprefix(bare[:30] if b"VP8X" not in data[:20] and kind == WEBP else b"") == (
        data[12:] if b"VP8X" not in data[:20] and kind == WEBP else data
    )
    with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(made)) as other:
        assert (one.mode, one.size, one.tobytes()) == (other.mode, other.size, other.tobytes())
        assert packet(FOUND) in (other.info.get("xmp"), other.info.get("XML:com.adobe.xmp", "").encode())
        assert other.info.get("icc_profile") == one.info.get("icc_profile")


def test_a_last_chunk_that_lacks_its_even_byte_gets_it():
    odd = next(
        data for n in range(99) if len(data := encoded("WEBP", NOISE.resize((40 + n, 40)))) and data[-1] == 0
    )
    assert label_of(embed(WEBP, odd[:-1], packet(FOUND))) == FOUND


@pytest.mark.parametrize("id", ["1", "12"])
def test_a_webp_is_even_and_says_what_it_has(id):
    made = embed(WEBP, PICTURES["webp"], packet(FOUND._replace(produce_id=id)))
    assert (len(made) % 2, int.from_bytes(made[4:8], "little")) == (0, len(made) - 8)
    assert [
        embed(WEBP, PICTURES[f"{name}webp"], b"")[20] for name in ("", "lossless ", "lossless transparent ")
    ] == [
        0x04,
        0x04,
        0x14,
    ]
    wide = bytearray(PICTURES["webp"])
    # Two bits above each size ask for scaling.
    wide[27] |= 0xC0
    assert embed(WEBP, bytes(wide), b"")[24:30] == embed(WEBP, PICTURES["webp"], b"")[24:30]


def test_the_packet_stands_behind_the_first_segment_only_if_that_is_jfif_s():
    assert embed(JPEG, PICTURES["jpeg without a first segment"], b"")[2:4] == b"\xff\xe1"
    assert embed(JPEG, VECTORS["J0.jpg"], b"")[20:22] == b"\xff\xe1"


def test_characters_of_xml_and_json_are_written_as_such():
    label = FOUND._replace(produce_id="<a>&\"'&lt;", reserved1="]]>")
    for kind, data in ((JPEG, VECTORS["J0.jpg"]), (PNG, VECTORS["P0.png"]), (WEBP, VECTORS["W0.webp"])):
        assert label_of(embed(kind, data, packet(label))) == label
    assert b"]]>" not in packet(label)


WIDE = FOUND._replace(is_whole=False)
SAID = AiLabel(2, "declared")
SPREAD = {"propagator": SPREADER, "propagate_id": "id", "reserved2": ""}


@pytest.mark.parametrize(
    ("label", "code", "written"),
    [
        (FOUND._replace(reserved2="r"), None, FOUND._replace(reserved2="r")),
        (FOUND._replace(reserved2="r"), SPREADER, FOUND._replace(**SPREAD)),
        (SAID, None, None),
        (SAID, SPREADER, SAID._replace(**SPREAD)),
        (AiLabel(3, "reviewed"), SPREADER, AiLabel(3, "reviewed", **SPREAD)),
        (None, SPREADER, None),
        (NOTHING, SPREADER, None),
        (AiLabel(source=METADATA, c2pa=True), SPREADER, None),
        (WIDE, SPREADER, None),
        (AiLabel(2, problem=CONFLICT), SPREADER, None),
    ],
)
def test_the_service_that_spreads_it_writes_its_own_fields_only(label, code, written):
    assert label_to_write(label, code, "id") == written
    assert written is None or (written.producer == label.producer and CODE != SPREADER)


def test_a_label_is_carried_over_whole_or_not_at_all():
    assert [can_be_carried(each) for each in (FOUND, NOTHING, SAID)] == [True] * 3
    assert [can_be_carried(each) for each in (None, WIDE, AiLabel(problem=CONFLICT))] == [False] * 3
