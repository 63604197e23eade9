"""ai_label.boxes: the label is found among the items of HEIC and the tags of MP4 and MOV."""

import struct

import pytest

from function.ai_label.label import METADATA, NOTHING, UNREADABLE, AiLabel
from tests.function.ai_label.files import (
    FTYP_HEIC,
    FTYP_MP4,
    VECTORS,
    box,
    element,
    heic,
    item,
    items,
    label_of,
    places,
    tags,
    text_of,
    value,
)

FOUND = label_of(VECTORS["J1.jpg"])
BARE = text_of().encode()
PACKET = element(text_of())
MDAT = box(b"mdat", PACKET)
# Of the packet, where ``MDAT`` stands first.
AT = len(FTYP_HEIC) + 8
C2PA = box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"), bytes(4), b"manifest\0")
MARKED = AiLabel(source=METADATA, c2pa=True)


@pytest.mark.parametrize(
    "data",
    [
        heic(items(item(7)), places(7, (AT, len(PACKET))), before=MDAT),
        heic(items(item(7)), places(7, (AT, 9), (AT + 9, len(PACKET) - 9)), before=MDAT),
        heic(items(item(7)), places(7, (0, len(PACKET)), base=AT), before=MDAT),
        heic(items(item(7), version=1), places(7, (AT, len(PACKET)), version=0), before=MDAT),
        heic(items(item(7)), places(7, (AT, len(PACKET)), wide_offsets=True), before=MDAT),
        heic(items(item(7)), places(7, (AT, len(PACKET)), method=0x10), before=MDAT),
        heic(box(b"idat", bytes(90)), items(item(7)), places(7, (AT, len(PACKET))), before=MDAT),
        heic(items(item(7)), places(7, (AT, 65536)), before=box(b"mdat", PACKET.ljust(65536))),
        heic(items(item(7, version=3)), places(7, (AT, len(PACKET)), version=2), before=MDAT),
        heic(items(item(1, b"hvc1", b""), item(7)), places(7, (AT, len(PACKET))), before=MDAT, behind=C2PA),
        heic(places(7, (0, len(PACKET)), method=1), items(item(7)), box(b"idat", PACKET)),
        heic(items(item(7)), places(7, (0, len(PACKET)), method=1), box(b"idat", PACKET)),
        heic(box(b"idat", PACKET), items(item(7)), places(7, (0, len(PACKET)), method=1), box(b"free")),
    ],
)
def test_the_packet_of_heic_is_found_where_its_item_is(data):
    assert label_of(data) == FOUND


@pytest.mark.parametrize(
    "data",
    [
        heic(),
        heic(items(item(1, b"Exif")), places(1, (AT, len(PACKET))), before=MDAT),
        heic(items(box(b"infe", bytes(4))), places(7, (AT, len(PACKET))), before=MDAT),
        heic(items(item(7, content_type=b"text/plain\0")), places(7, (AT, len(PACKET))), before=MDAT),
        heic(items(item(7)), before=MDAT),
    ],
)
def test_an_item_that_is_no_packet_of_heic_is_no_label(data):
    assert label_of(data) == NOTHING


def test_a_packet_that_is_another_box_s_or_too_long_is_not_read():
    assert label_of(heic(items(item(7)), places(7, (AT, len(PACKET)), method=2), before=MDAT)) is None
    long = box(b"mdat", PACKET.ljust(65537))
    assert label_of(heic(items(item(7)), places(7, (AT, 65537)), before=long)) is None
    assert label_of(heic(items(item(7)), places(7, (AT, 9999)), before=MDAT)) is None
    assert label_of(FTYP_HEIC + MDAT) is None


def movie(*inside, before=b"", behind=b""):
    return FTYP_MP4 + before + box(b"moov", box(b"mvhd", bytes(100)), *inside) + behind


LABELLED = box(b"udta", tags((struct.pack(">I", 1), value(BARE)), keys=[b"AIGC"]))


@pytest.mark.parametrize(
    "data",
    [
        movie(LABELLED),
        movie(LABELLED, before=MDAT + box(b"free")),
        movie(LABELLED, before=box(b"mdat", bytes(100), wide=True)),
        movie(box(b"udta", tags((b"\0\0\0\2", value(BARE)), keys=[b"title", b"AIGC"]), bytes(4))),
        movie(
            box(b"udta", box(b"name", b"x"), tags((b"\0\0\0\1", value(BARE)), keys=[b"AIGC"], version=b""))
        ),
        movie(tags((b"AIGC", value(BARE)), handler=b"mdir")),
        movie(tags((b"\xa9cmt", value(b'{"AIGC":' + BARE + b"}")), handler=b"mdir")),
        movie(tags((b"AIGC", value(BARE.ljust(4096))), handler=b"mdir")),
        FTYP_MP4 + struct.pack(">I4s", 0, b"moov") + LABELLED,
    ],
)
def test_the_tag_of_a_movie_is_found(data):
    assert label_of(data) == FOUND


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (movie(box(b"meta", box(b"hdlr"))), NOTHING),
        (movie(tags((b"\0\0\0\2", value(b"A day")), keys=[b"AIGC"])), NOTHING),
        (movie(tags((b"\0\0\0\0", value(b"AIGC")), keys=[b"AIGC"])), NOTHING),
        (movie(tags((b"\0\0\0\1", value(b"{}")), keys=[b"AIGC"])), AiLabel(problem=UNREADABLE)),
        (movie(tags((b"\0\0\0\1", value(BARE + bytes(5000))), keys=[b"AIGC"])), AiLabel(problem=UNREADABLE)),
        (movie(tags((b"AIGC", value(BARE.ljust(4097))), handler=b"mdir")), AiLabel(problem=UNREADABLE)),
        (movie(tags((b"\0\0\0\2", value(b'{"Label": "1"}')), keys=[b"AIGC", b"title"])), NOTHING),
        (movie(tags((b"AIGC", box(b"else", bytes(8), BARE)), handler=b"mdir")), NOTHING),
        (movie(box(b"free", tags((b"AIGC", value(BARE))))), NOTHING),
        (movie(box(b"udta", box(b"free", tags((b"AIGC", value(BARE)))))), NOTHING),
        (heic(before=box(b"uuid", bytes(16))), NOTHING),
        (movie(before=C2PA), MARKED),
        (movie(before=box(b"uuid", bytes(16))), NOTHING),
        (heic(before=C2PA), MARKED),
    ],
)
def test_other_tags_are_no_label(data, said):
    assert label_of(data) == said


@pytest.mark.parametrize(
    "data",
    [
        FTYP_MP4,
        FTYP_MP4 + box(b"moov")[:-1],
        FTYP_MP4 + struct.pack(">I4s", 7, b"moov"),
        movie(struct.pack(">I4s", 999, b"udta")),
        movie(*[box(b"free")] * 11_000),
    ],
)
def test_of_boxes_that_do_not_fit_nothing_can_be_said(data):
    assert label_of(data) is None


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"heim", b"heis"])
def test_each_brand_of_heic_is_read(brand):
    data = heic(items(item(7)), places(7, (AT, len(PACKET))), before=MDAT)
    assert label_of(data.replace(b"heic", brand)) == FOUND


@pytest.mark.parametrize("brand", [b"mif1", b"avif", b"avis", b"msf1", b"hevc", b"hevx"])
def test_no_other_picture_in_boxes_is_read(brand):
    assert label_of(movie(LABELLED).replace(b"isom", brand)) is None
