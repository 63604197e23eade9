"""ai_label.examine: what each vector says, and how little is read of an object for it."""

import json
import struct
from base64 import b64decode
from datetime import UTC, datetime
from random import Random
from time import thread_time
from types import SimpleNamespace

import pytest

from function.ai_label.examine import MAX_BYTES, MAX_READS, examine, label_in
from function.ai_label.label import METADATA, NOTHING, AiLabel
from function.errors import OssUnavailable
from function.http.client import HttpResponse
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts
from function.sts.credentials import AccessKeys
from tests.function.ai_label.files import (
    CODE,
    FTYP_HEIC,
    MORE_XMP,
    ROOT,
    VECTORS,
    XMP,
    box,
    chunk,
    heic,
    item,
    items,
    jpeg,
    label_of,
    places,
    png,
    with_xmp,
)

FOUND = AiLabel(1, METADATA, producer=CODE, produce_id="img-42", propagator=CODE, propagate_id="img-42")
SPREAD = FOUND._replace(propagator="001191330100MA0000000X20001", propagate_id="b3c1f0e2a9d84756")
SAYS = {
    "J1 J2 J3 J4 J9 P1 P2 P3 P6 W1 W4 M1": FOUND,
    "J8 P5 W3": SPREAD,
    "J5": AiLabel(source=METADATA, digital_source_type="trainedAlgorithmicMedia"),
    "J6 P4 W2": AiLabel(source=METADATA, c2pa=True),
    "J0 J7 P0 W0": NOTHING,
    "G1": None,
}
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", VECTORS)
def test_each_vector_says_what_its_table_says(name):
    assert label_of(VECTORS[name]) == next(
        said for names, said in SAYS.items() if name.partition(".")[0] in names.split()
    )


WRITTEN = json.loads((ROOT / "tests/vectors/ai_labels_by_writers.json").read_text("utf-8"))["files"]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_label_that_another_program_wrote_is_read(name):
    assert label_of(b64decode(WRITTEN[name])) == FOUND


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        VECTORS["J1.jpg"][:300],
        VECTORS["P1.png"][:-1],
        VECTORS["W1.webp"][:-1],
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(40),
    ],
)
def test_of_what_is_cut_short_or_another_kind_nothing_can_be_said(data):
    assert label_of(data) is None


class Store:
    """An OSS with one object, which counts what is read of it."""

    def __init__(self, body, seconds=9.0):
        self.body, self.seconds, self.reads = body, seconds, []
        key = AccessKeys("key", "secret", "token")
        self.client = OssClient(
            "b", "cn-hangzhou", "https://b.example", key, NOW, self.send, lambda: self.seconds
        )

    def facts(self, **other):
        plain = {"size_bytes": len(self.body), "etag": "E", "content_type": "", "metadata": {}}
        return ObjectFacts(**{**plain, "last_modified": NOW, **other})

    def send(self, method, url, *, headers, max_bytes, **_rest):
        assert (method, headers["if-match"]) == ("GET", '"E"')
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        assert last < len(self.body) and max_bytes >= last - first + 1
        self.reads.append(last - first + 1)
        return HttpResponse(206, self.body[first : last + 1])

    def examine(self, **facts):
        return examine(self.client, "k", self.facts(**facts))


def test_a_compressed_object_is_not_read():
    store = Store(VECTORS["J1.jpg"])
    assert store.examine(encoding="gzip") is None
    assert store.reads == []
    assert store.examine(encoding="identity") == FOUND


def costly(unit: bytes, count: int) -> bytes:
    """A packet that names a label and repeats a piece."""
    return b"AIGC" + unit * (count // len(unit))


def exif_of(entries: int) -> bytes:
    """EXIF with one directory of texts that are all of it, which is its own second one, too."""
    row = struct.pack("<HHII", 0x010F, 2, 12 * entries, 8)
    first = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, entries) + first + row * (entries - 1)


def heic_that_repeats(packet: bytes, times: int) -> bytes:
    """A HEIC whose items are all the same bytes."""
    listed = items(*map(item, range(1, times + 1)))

    def made(at: int) -> bytes:
        # Without their box and its head.
        rows = [places(each, (at, len(packet)), version=0)[16:] for each in range(1, times + 1)]
        return heic(listed, box(b"iloc", bytes(4), b"\x44\x40", struct.pack(">H", times), *rows))

    return made(len(made(0)) + 8) + box(b"mdat", packet)


COSTLY = {
    "comments without an end": with_xmp(costly(b"<!--/>", 65_000)),
    "packets": jpeg(*[(0xE1, XMP + costly(b"<a/>", 65_000))] * 60),
    "one packet as many items": heic_that_repeats(costly(b"<a/>", 65_000), 900),
    "directories": jpeg(*[(0xE1, exif_of(5400))] * 60),
}


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("name", COSTLY)
def test_a_file_made_to_be_costly_is_given_up_soon(name):
    begin = thread_time()
    found = label_of(COSTLY[name])
    assert found is None or found.label is None
    # A tenth of this is used; unbounded, each but the directories takes more, and up to a minute.
    assert thread_time() - begin < 0.6


def test_the_bound_of_texts_may_be_reached_and_counts_only_what_is_scanned():
    packets = [(0xE1, XMP + b" " * count) for count in (65_000, 65_000)]
    unscanned = [(0xEB, bytes(8) + VECTORS["P4.png"][41:81].ljust(65_000)), (0xE1, MORE_XMP.ljust(65_000))]
    for count, is_read in ((131_072 - 130_000, True), (131_073 - 130_000, False)):
        said = label_of(jpeg(*packets, (0xE1, XMP + b" " * count), *unscanned))
        assert (said is not None and said.c2pa and said.problem == "unreadable") == is_read


def test_a_piece_without_bytes_at_the_end_is_not_read():
    end = len(FTYP_HEIC) + 600_000
    data = heic(items(item(7)), places(7, (end, 0)))
    store = Store(data.ljust(end - 8, b"\0") + b"\0\0\0\x08free")
    assert store.examine() is None
    assert 0 not in store.reads


def test_without_time_it_is_left_for_later():
    store = Store(VECTORS["J1.jpg"], seconds=0.9)
    with pytest.raises(OssUnavailable) as raised:
        store.examine()
    assert raised.value.reason and store.reads == []
    assert Store(VECTORS["J1.jpg"], seconds=1.0).examine() == FOUND


def test_a_bound_may_be_reached(monkeypatch):
    data = VECTORS["P1.png"][:33] + chunk(b"IDAT", bytes(9_000_000)) + VECTORS["P1.png"][33:]
    first = Store(data)
    assert first.examine() == FOUND
    for name, most in (("MAX_READS", len(first.reads)), ("MAX_BYTES", sum(first.reads))):
        for bound, found in ((most, FOUND), (most - 1, None)):
            with monkeypatch.context() as patch:
                patch.setattr(f"function.ai_label.examine.{name}", bound)
                assert Store(data).examine() == found
    assert (MAX_READS, MAX_BYTES) == (20, 4_194_304)


def test_the_data_of_a_picture_is_not_read():
    data = VECTORS["J1.jpg"]
    store = Store(data[:-3] + bytes(1_000_000) + data[-3:])
    assert (store.examine(), len(store.reads)) == (FOUND, 1)


@pytest.mark.parametrize("name", VECTORS)
def test_a_damaged_file_raises_nothing_and_gains_no_label(name):
    dice, asked = Random(name), SimpleNamespace(reads=0)
    clean = label_of(VECTORS[name]) in (None, NOTHING) or not label_of(VECTORS[name]).label
    for _ in range(150):
        data = damaged(dice, VECTORS[name])

        def read(at, count, data=data):
            assert at >= 0 and count >= 0 and at + count <= len(data)
            asked.reads += 1
            return data[at : at + count]

        found = label_in(len(data), read)
        assert not (clean and found and found.label)
    assert asked.reads or name == "G1.gif"


def damaged(dice, data):
    """The file with some bytes changed, taken out or put twice, or without its end."""
    made = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(made)) if made else 0
        match dice.randrange(4):
            case 0:
                made[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del made[at : at + dice.choice((1, 2, 4, 40))]
            case 2:
                made[at:at] = made[at : at + dice.choice((1, 4, 40))]
            case _:
                made = made[: max(at, 1)] if dice.random() < 0.2 else made
    return bytes(made)


def test_of_a_large_picture_only_the_beginning_is_read():
    store = Store(VECTORS["J1.jpg"] + bytes(30 * 1024 * 1024))
    assert store.examine() == FOUND
    assert store.reads == [256 * 1024]


def test_beyond_the_bounds_nothing_can_be_said():
    many = png(*[(b"IDAT", bytes(8192))] * 1000, at=len(VECTORS["P0.png"]) - 12)
    store = Store(many)
    assert store.examine() is None
    assert sum(store.reads) <= MAX_BYTES and len(store.reads) <= MAX_READS
    store = Store(png(*[(b"IDAT", bytes(300_000))] * 30))
    assert store.examine() is None
    assert sum(store.reads) <= MAX_BYTES


def test_a_movie_is_read_however_large_it_is():
    movie = VECTORS["M1.mp4"]
    (size,) = {int.from_bytes(movie[:4])}
    data = struct.pack(">I4s", 30_000_008, b"mdat") + bytes(30_000_000)
    assert Store(movie[:size] + data + movie[size:]).examine() == FOUND


def test_a_label_behind_the_data_of_a_picture_is_found():
    data = chunk(b"IDAT", bytes(9_000_000))
    store = Store(VECTORS["P1.png"][:33] + data + VECTORS["P1.png"][33:])
    assert (store.examine(), len(store.reads)) == (FOUND, 2)
