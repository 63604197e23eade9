"""holding.clean_copy: what is published is the clean copy and its label, or a human decides."""

import io
from base64 import b64decode
from dataclasses import replace
from hashlib import md5

import pytest
from PIL import Image

from function.ai_label.embed import embed, packet
from function.ai_label.label import AiLabel
from function.errors import OssRejected
from function.holding.held_upload import Case, read_receipt
from function.holding.label_record import doubt_about_label
from function.http.client import ExchangeFailed
from function.moderation.picture_structure import kind_of
from function.oss.client import oss_client
from tests.function.ai_label.files import VECTORS, element, heic_with, label_of, text_of
from tests.function.holding.conftest import CHECK, COMMIT, amend, later, profile
from tests.function.holding.test_clean_copy import (
    KINDS,
    encoded,
    is_copy,
    pass_by,
    review_of,
    state_of,
    turned,
)
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, UNHEARD
from tests.support.photos import secrets_in

FOUND = label_of(VECTORS["J1.jpg"])
CODE = "001191330100MA0000000X20001"
PACKET = element(text_of()).replace(b"</rdf:Description>", b"<exif:x>XMPSECRET</exif:x></rdf:Description>")
STRIPPED = ("strip = true", "ai_label = true")
PROFILES = profile("seen", CHECK, *STRIPPED)
PROFILES += profile(
    "photo", 'acl = "public-read"', 'storage_class = "IA"', COMMIT, *STRIPPED, folder="photos"
)


def labelled(kind="JPEG", xmp=PACKET, **options):
    if kind == "HEIC":
        return heic_with(xmp)
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return encoded(kind, pnginfo=texts)
    return encoded(kind, xmp=xmp, exif=turned(1 if kind == "WEBP" else 6), **options)


@pytest.fixture
def house(house_of):
    return house_of(PROFILES)


@pytest.fixture
def spreading(house_of):
    return house_of(PROFILES, AI_LABEL_CODE=CODE)


@pytest.fixture
def watched(oss, monkeypatch):
    """The clean copies that OSS had, by their keys, as they were last."""
    copies, store = {}, oss._store

    def keep(key, stored):
        if is_copy(key):
            copies[key] = stored.body
        store(key, stored)

    monkeypatch.setattr(oss, "_store", keep)
    return copies


def send(house, body=None, profile="photo", filename="a.jpg", **fields):
    return house.store(profile, body=labelled() if body is None else body, filename=filename, **fields)


@pytest.fixture
def stored(house):
    return send(house)


def expected(watched, label):
    (copy,) = watched.values()
    return copy if label is None else embed(kind_of(copy), copy, packet(label))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keeps", [False, True])
def test_the_checked_bytes_are_published_with_exactly_one_packet(kind, keeps, house, oss, watched):
    oss.picture_rules = replace(
        oss.picture_rules, variants_keep_exif=keeps, variants_keep_xmp=keeps, variants_keep_app11=keeps
    )
    stored = send(house, labelled(kind), filename=KINDS[kind])
    answer = house.commit(stored["receipt"])
    assert state_of(answer) == "published"
    published = oss.objects[stored["key"]]
    assert published.body == expected(watched, FOUND)
    assert label_of(published.body) == FOUND
    assert {"XMPSECRET", "GPS", "Exif"}.isdisjoint(secrets_in(published.body))
    wanted = {
        "content-disposition": "inline",
        "x-oss-storage-class": "IA",
        "x-oss-meta-upload-id": stored["uploadId"],
    }
    assert wanted.items() <= published.headers.items()
    # OSS compares what it stores with this.
    assert b64decode(published.headers["content-md5"]) == md5(published.body).digest()
    assert (published.acl, published.headers["content-type"]) == ("public-read", answer.json["mimeType"])
    there = {"etag": published.etag, "size": published.size}
    assert there.items() <= answer.json.items()
    assert there.items() <= house.events[-1].items()
    assert house.commit(stored["receipt"]).json == answer.json
    assert oss.names() == {stored["key"]} and [key for key in oss.objects if ".clean/" in key] == []
    (copy,) = watched.values()
    with Image.open(io.BytesIO(copy)) as one, Image.open(io.BytesIO(published.body)) as other:
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("body", "said", "label"),
    [
        (None, {}, FOUND),
        (None, {"aiDeclared": True}, FOUND),
        (encoded(), {"aiDeclared": True}, AiLabel(2)),
        (encoded(), {}, None),
    ],
)
def test_a_service_with_a_code_writes_its_own_fields(body, said, label, spreading, oss, watched):
    stored = send(spreading, body, **said)
    assert state_of(spreading.commit(stored["receipt"])) == "published"
    fields = {"propagator": CODE, "propagate_id": stored["uploadId"], "reserved2": ""}
    assert oss.objects[stored["key"]].body == expected(watched, label and label._replace(**fields))


def test_without_a_code_a_declaration_is_not_written(house, oss, watched):
    stored = send(house, encoded(), aiDeclared=True)
    assert state_of(house.commit(stored["receipt"])) == "published"
    assert oss.objects[stored["key"]].body == expected(watched, None)


def test_a_reviewer_s_label_is_written_as_well(spreading, oss, watched):
    stored = send(spreading, encoded())
    said = {"decision": "publish", "aiLabel": 3}
    assert state_of(spreading.commit(stored["receipt"], **said)) == "published"
    assert label_of(oss.objects[stored["key"]].body).label == 3


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (labelled(xmp=element(text_of(Label="9"))), "unreadable"),
        (labelled(xmp=element(text_of() + "<a/>")), "unreadable"),
        (labelled(xmp=element(text_of(ProduceID="某")), comment=b"x"), "not-carried"),
    ],
)
@pytest.mark.parametrize("profile", ["photo", "seen"])
def test_a_label_that_cannot_be_carried_over_leaves_the_picture_to_a_human(
    body, problem, profile, spreading, oss, watched
):
    house, stored = spreading, send(spreading, body, profile=profile)
    if profile == "seen":
        assert pass_by(house, stored)()
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert review_of(oss, stored)["errcode"] == problem
    assert stored["key"] not in oss.objects
    assert state_of(house.commit(stored["receipt"], decision="publish")) == "published"
    assert oss.objects[stored["key"]].body == expected(watched, None)


@pytest.mark.parametrize("says", [{}, {"aiDeclared": True}])
def test_a_picture_that_cannot_be_examined_is_left_to_a_human(says, house, oss, watched, monkeypatch):
    monkeypatch.setattr("function.ai_label.examine.MAX_READS", 0)
    stored = send(house, **says)
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert review_of(oss, stored)["errcode"] == "not-carried"
    assert state_of(house.commit(stored["receipt"], decision="publish")) == "published"
    assert oss.objects[stored["key"]].body == expected(watched, None)


CALLS = ("HeadObject", "GetObject", "PutObject", "DeleteObject")


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("fault", [UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED])
@pytest.mark.parametrize("call", CALLS)
def test_an_interrupted_publication_ends_with_the_same_bytes(call, fault, spreading, oss, clock, watched):
    house = spreading
    for which in range(0, 24, 2 if call == "PutObject" else 4):
        watched.clear()
        stored = send(house)
        oss.fail(call, *[""] * which, fault, fault)
        for _ in range(3):
            house.commit(stored["receipt"])
            clock.tick(minutes=5)
        oss.faults.clear()
        assert house.status(stored["receipt"]) == "published"
        fields = {"propagator": CODE, "propagate_id": stored["uploadId"]}
        copy = list(watched.values())[-1]
        label = FOUND._replace(**fields)
        assert oss.objects[stored["key"]].body == embed("jpg", copy, packet(label)), which


def test_another_code_in_between_changes_nothing_that_was_decided(house_of, oss, watched):
    first, second = house_of(PROFILES, AI_LABEL_CODE=CODE), house_of(PROFILES)
    stored = send(first)
    real = oss._put_object

    def dies(request, body, size):
        if request.key == stored["key"]:
            oss._put_object = real
            raise ExchangeFailed("refused")
        return real(request, body, size)

    oss._put_object = dies
    assert first.commit(stored["receipt"]).code == "oss_unavailable"
    assert later(second, minutes=5).resume(stored["receipt"]) == "published"
    label = FOUND._replace(propagator=CODE, propagate_id=stored["uploadId"])
    assert oss.objects[stored["key"]].body == expected(watched, label)


def test_a_copy_with_other_bytes_than_those_decided_about_is_not_published(house, oss, stored):
    real = oss._get_object

    def replaced(request, body, size):
        if request.key.startswith("held/.clean/") and "range" not in request.headers:
            oss._get_object = real
            oss.store(request.key, encoded(size=(64, 64)), content_type="image/jpeg")
        return (
            oss._get_object(request, body, size) if oss._get_object != replaced else real(request, body, size)
        )

    oss._get_object = replaced
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    assert stored["key"] not in oss.objects


def test_another_object_of_the_name_is_not_replaced(house, oss, stored):
    oss.store(stored["key"], b"another", content_type="image/jpeg")
    answer = house.commit(stored["receipt"])
    assert (answer.status, answer.code) == (409, "already_exists")
    assert oss.objects[stored["key"]].body == b"another"
    assert f"held/{stored['key']}" in oss.objects


def test_a_decision_with_an_invalid_label_is_refused(house, oss, stored):
    house.commit(stored["receipt"])
    amend(oss, f"held/.decided/{stored['uploadId']}", label={"label": 7})
    assert house.commit(stored["receipt"]).code == "oss_unavailable"


def test_a_clean_copy_waits_until_its_label_can_be_read(house, oss):
    call, receipt = house.call(), send(house)["receipt"]
    case = Case(call, oss_client(call, call.settings.home), read_receipt(receipt, call.settings, call.now))
    oss.fail("GetObject", DENIED)
    with pytest.raises(OssRejected):
        doubt_about_label(case, is_checked=False, is_by_hand=False)
