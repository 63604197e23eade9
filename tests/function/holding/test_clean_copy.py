"""holding.clean_copy: what is published has no metadata, or nothing is."""

import io
import re
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from random import Random
from zlib import crc32

import jwt
import pytest
from PIL import Image

from function.auth.signed_tokens import RECEIPT, issue_token
from function.holding import clean_copy
from function.moderation.finding import Outcome
from local.oss.rules import OssRules
from tests.function.holding.conftest import CHECK, COMMIT, act_on, amend, later, names, profile
from tests.function.holding.test_decision import kill
from tests.support.memory_oss import BROKEN, DENIED, LATE, LOST, NOTHING_KEPT, UNHEARD, Part
from tests.support.photos import MIME, QUARTERS, photo, secrets_in

PHOTOS = "".join(
    [
        profile(
            *("photo", 'acl = "public-read"', 'storage_class = "IA"', 'cache_control = "max-age=60"', COMMIT),
            *("strip = true", '[photo.metadata]\nshop = "7"'),
            folder="photos",
        ),
        profile("seen", 'content_disposition = "attachment"', CHECK, "hold_days = 1", "strip = true"),
    ]
)
SURVIVES = OssRules()
KINDS = {"JPEG": "a.jpg", "PNG": "a.png", "WEBP": "a.webp", "HEIC": "a.heic"}


def encoded(kind="JPEG", size=(48, 32), **options):
    file = io.BytesIO()
    image = Image.new("RGB", size, QUARTERS[0])
    image.paste(QUARTERS[1], (size[0] // 2, 0, *size))
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation=6):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[18] = "GPSSECRET"
    return exif


DIRTY = encoded(exif=turned())


@pytest.fixture
def house(house_of, oss, monkeypatch):
    """A world in which nothing but a clean picture may ever be stored under the key of a photo."""
    house = house_of(PHOTOS)
    store, unclean = oss._store, []

    def watched(key, stored):
        if key.startswith(("photos/", "seen/")):
            unclean.extend(secrets_in(stored.body))
        store(key, stored)

    monkeypatch.setattr(oss, "_store", watched)
    yield house
    assert unclean == []


def send(house, body=DIRTY, profile="photo", filename="a.jpg"):
    return house.store(profile, body=body, filename=filename)


@pytest.fixture
def stored(house):
    return send(house)


@pytest.fixture
def seen(house):
    """One that WeChat checks."""
    return send(house, profile="seen")


def copies(oss, stored=None):
    """The clean copies that there are, of one upload or of all: each has a record."""
    named = {name: fields["key"] for name, fields in oss.records().items() if name.startswith("cleaned/")}
    there = {name for name in oss.objects if is_copy(name)}
    assert there <= {*named.values()}
    own = f"cleaned/{stored['uploadId']}-" if stored else "cleaned/"
    return there & {key for name, key in named.items() if name.startswith(own)}


def is_copy(key):
    return key.startswith("held/.clean/")


def state_of(answer):
    assert answer.status == 200, answer.text
    return answer.json["state"]


def review_of(oss, stored):
    return oss.records().get(f"review/{stored['uploadId']}")


def test_a_clean_copy_is_published_and_the_receipt_is_of_the_original(house, oss, stored):
    original = oss.objects[f"held/{stored['key']}"]
    assert state_of(house.commit(stored["receipt"])) == "published"
    assert oss.names() == {stored["key"]}
    assert copies(oss) == set()
    published = oss.objects[stored["key"]]
    assert stored["etag"] == original.etag != published.etag
    assert stored["size"] == len(DIRTY)
    assert secrets_in(published.body) == []
    assert Image.open(io.BytesIO(published.body)).size == (32, 48)
    assert published.acl == "public-read"
    expected = {
        "content-type": "image/jpeg",
        "cache-control": "max-age=60",
        "content-disposition": "inline",
        "x-oss-meta-shop": "7",
        "x-oss-meta-upload-id": stored["uploadId"],
        "x-oss-storage-class": "IA",
        "x-oss-metadata-directive": "REPLACE",
    }
    assert expected.items() <= published.headers.items()
    there = {"etag": published.etag, "size": published.size, "mimeType": "image/jpeg"}
    assert house.events == [{"event": "published", "receipt": stored["receipt"], **there}]
    told = {"key": stored["key"], "state": "published", "url": stored["fileUrl"], **there}
    assert house.ask("status", receipt=stored["receipt"]).json == told
    assert house.commit(stored["receipt"]).json == told


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_becomes_one_of_its_own_kind_and_heic_a_jpeg(kind, house, oss):
    if kind == "HEIC":
        dice = Random(1)
        body = next(each.data for each in iter(lambda: photo(dice), None) if each.kind == kind)
    else:
        body = encoded(kind)
    stored = send(house, body, filename=KINDS[kind])
    assert stored["key"].endswith(KINDS[kind][1:])
    assert state_of(house.commit(stored["receipt"])) == "published"
    published = oss.objects[stored["key"]]
    wanted = "JPEG" if kind == "HEIC" else kind
    assert published.headers["content-type"] == MIME[wanted]
    assert Image.open(io.BytesIO(published.body)).format == wanted


def test_a_clean_copy_is_read_to_its_end_in_ranges(house, oss, monkeypatch):
    monkeypatch.setattr(clean_copy, "RANGE_BYTES", 100)
    stored = send(house, encoded("JPEG"))
    assert state_of(house.commit(stored["receipt"])) == "published"
    read = [each for each in oss.requests if "if-match" in each.headers and is_copy(each.key)]
    last = oss.objects[stored["key"]].size - 1
    assert read[-1].headers["range"].endswith(f"-{last}")
    assert len(read) > 1


@pytest.mark.parametrize("quality", [5, 100])
def test_neither_a_picture_nor_its_copy_may_be_larger_than_the_largest(quality, house, oss, monkeypatch):
    body = encoded(size=(400, 300), quality=quality)
    stored = send(house, body)
    assert state_of(house.commit(stored["receipt"])) == "published"
    size = oss.objects[stored["key"]].size
    assert (size > len(body)) == (quality == 5)
    larger = max(len(body), size)
    for largest, state in ((larger, "published"), (larger - 1, "review")):
        monkeypatch.setattr(clean_copy, "MAX_BYTES", largest)
        processed(oss)
        stored = send(house, body)
        assert state_of(house.commit(stored["receipt"])) == state
    # What is too large itself is not even processed.
    assert (review_of(oss, stored)["errcode"], processed(oss)) == ("too large", quality == 5)


# --- what cannot be cleaned ---


@pytest.fixture
def unclean(house, oss, monkeypatch):
    """Copies have something left that cannot be cut out."""
    store = oss._store

    def spoiled(key, stored):
        if is_copy(key):
            body = stored.body[:-2] + b"\xff\xc3\0\2" + stored.body[-2:]
            stored = replace(stored, body=body, parts=(Part(key, len(body)),))
        store(key, stored)

    monkeypatch.setattr(oss, "_store", spoiled)


def test_metadata_that_cannot_be_cut_out_leaves_the_picture_to_a_human(
    house, oss, unclean, log_lines, stored
):
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert "marker C3" in log_lines()[-1]["reason"]
    assert oss.names() == {f"held/{stored['key']}"}
    review = review_of(oss, stored)
    said = {"reason": "metadata", "errcode": "marker C3", "receipt": stored["receipt"]}
    assert said.items() <= review.items()
    assert f"decided/{stored['uploadId']}" not in oss.records()
    assert house.told == ["review"]
    assert house.status(stored["receipt"]) == "review"
    assert copies(oss) == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "HEIC"])
def test_metadata_that_survives_is_cut_out(kind, house, oss):
    """Without touching the picture: OSS would have stored the very same pixels."""
    cleaned = send(house, encoded(kind), filename=KINDS[kind])
    house.commit(cleaned["receipt"])
    oss.picture_rules = SURVIVES
    stored = send(house, encoded(kind, exif=turned(1)), filename=KINDS[kind])
    assert state_of(house.commit(stored["receipt"])) == "published"
    published = oss.objects[stored["key"]]
    assert secrets_in(published.body) == []
    pixels = [Image.open(io.BytesIO(oss.objects[each["key"]].body)).tobytes() for each in (stored, cleaned)]
    assert pixels[0] == pixels[1]
    assert published.headers["content-type"] == MIME[kind]


def test_a_copy_is_private_under_a_name_that_cannot_be_guessed(house, oss):
    """A bucket may be public, and the upload id is known to its owner."""
    stored, seen = send(house, profile="seen"), []
    house.store("seen", body=DIRTY, filename="b.jpg")
    for key in copies(oss):
        folder, _, name = key.removeprefix("held/.clean/").partition("/")
        assert folder == stored["key"].split("/")[1]
        assert len(name) == 22 and stored["uploadId"] not in key
        assert oss.objects[key].acl == "private"
        seen.append(name)
    assert len(set(seen)) == 2


def test_a_copy_of_an_owner_who_is_none_of_ours_is_in_no_owner_s_folder(house, oss, clock, stored):
    """A receipt that the business signed may name any."""
    claims = jwt.decode(stored["receipt"], options={"verify_signature": False}) | {"owner": "../a"}
    secrets, life = house.settings.receipt_secrets, timedelta(days=4)
    receipt = issue_token(claims, audience=RECEIPT, secrets=secrets, now=clock(), life=life)
    assert state_of(house.commit(receipt)) == "published"
    assert {each.key.split("/")[2] for each in oss.requests if is_copy(each.key)} == {"-"}


def test_a_second_commit_does_not_process_again(house, oss, unclean, stored):
    house.commit(stored["receipt"])
    oss.asked.clear()
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert house.told == ["review"]
    # As if the first had died before it asked a human.
    del oss.objects[f"held/.review/{stored['uploadId']}"]
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert review_of(oss, stored)["errcode"] == "marker C3"
    assert "PostProcessTask" not in oss.asked


def test_a_backend_cannot_publish_what_cannot_be_cleaned(house, oss, unclean, stored):
    for _ in range(2):
        assert state_of(house.commit(stored["receipt"], decision="publish")) == "review"
    assert (oss.names(), house.told) == ({f"held/{stored['key']}"}, ["review"])


# --- once, by whoever has the lease ---


def processed(oss):
    asked = oss.asked.count("PostProcessTask")
    oss.asked.clear()
    return asked


def test_a_request_without_the_lease_processes_nothing(house, oss):
    stored, said = send(house), []

    def twice():
        for decision in ({}, {"decision": "publish"}):
            said.append(state_of(house.commit(stored["receipt"], **decision)))

    around_processing(oss, twice, lambda: None)
    assert state_of(house.commit(stored["receipt"])) == "published"
    assert (said, processed(oss)) == (["held", "held"], 1)


def test_a_commit_or_rejection_just_before_the_lease_counts(house, oss):
    for decision, state in (({}, "held"), ({"decision": "reject"}, "rejected")):
        stored = send(house)

        def meet(stored=stored, decision=decision):
            if "/.cleaned/" in oss.requests[-1].key:
                house.commit(stored["receipt"], **decision)
            else:
                oss.between["PutObject"] = meet

        oss.between["PutObject"] = meet
        assert state_of(house.commit(stored["receipt"])) == state


def test_a_tick_knows_of_a_picture_before_it_is_processed(house, oss):
    due = []
    around_processing(oss, lambda: due.extend(house.due("check")), lambda: None)
    send(house, profile="seen")
    assert len(due) == 1


def test_a_tick_that_comes_second_looks_again_whether_the_first_has_finished(house, oss, clock, stored):
    oss.fail("PostProcessTask", UNHEARD, UNHEARD)
    house.commit(stored["receipt"])
    clock.tick(minutes=2, seconds=30)
    # Another request takes the lease of the second attempt, and fails over it.
    oss.between["PutObject"] = lambda: house.commit(stored["receipt"])
    house.tick()
    assert (processed(oss), [name[:12] for name in house.due("check")]) == (2, ["202611241404"])
    later(house, minutes=6).tick()
    assert house.status(stored["receipt"]) == "published"


def test_a_tick_cleans_for_each_owner_while_other_work_waits(house, oss):
    for subject in ("one", "two"):
        receipts = [house.store("photo", subject=subject, body=DIRTY)["receipt"] for _ in range(2)]
        house.commit(None, receipts=receipts)
    oss.store("held/.due/202001010000/doctor--0", b"{}")
    processed(oss)
    later(house, minutes=1).tick()
    assert processed(oss) == 2


def test_a_tick_of_many_buckets_has_time_for_a_clean_copy(house_of):
    names = ["one", "two", "three", "four"]
    house = house_of(PHOTOS + "".join(profile(name, COMMIT, f'bucket = "{name}"') for name in names))
    for name in names:
        house.add_bucket(name, "cn-hangzhou")
    house.commit(None, receipts=[send(house)["receipt"] for _ in range(2)])
    processed(house.oss)
    later(house, minutes=1).tick()
    assert processed(house.oss) == 1


@pytest.mark.parametrize("minutes", [0, 2])
def test_a_commit_after_a_failure_by_hand_is_continued(minutes, house, oss, stored):
    oss.fail("PostProcessTask", *[UNHEARD] * (1 + minutes // 2))
    assert house.commit(stored["receipt"], decision="publish").code == "oss_unavailable"
    later(house, minutes=minutes).commit(stored["receipt"])
    later(house, minutes=6).tick()
    assert house.status(stored["receipt"]) == "published"


def test_a_lost_acceptance_under_another_lease_is_continued_soon(house, house_of, oss):
    stored, other = send(house), house_of(PHOTOS)

    def take_the_lease():
        assert kill(other, lambda: other.commit(stored["receipt"]), at=7, after=True)

    assert kill(house, lambda: house.commit(stored["receipt"]), at=7, after=True)
    del oss.objects[f"held/.accepted/{stored['uploadId']}"]
    oss.between["PutObject"] = lambda: oss.between.update(PutObject=take_the_lease)
    later(house, minutes=2).tick()
    assert ([name[:12] for name in house.due("check")], house.ends()) == (["202611241403"], [])


def test_a_commit_beside_one_that_dies_after_its_acceptance_is_due(house, house_of):
    stored, other = send(house), house_of(PHOTOS)

    def die():
        assert kill(other, lambda: other.commit(stored["receipt"]), at=5, after=True)
        assert (f"accepted/{stored['uploadId']}" in house.oss.records(), house.due()) == (True, [])

    house.oss.between["PutObject"] = die
    assert state_of(house.commit(stored["receipt"])) == "published"


def test_a_backend_s_commit_counts_under_the_rules_of_its_time(house_of):
    """Its check had begun when no commit was required."""
    before = PHOTOS.replace('hold = ["commit"]\nstrip = true', 'hold = ["check"]')
    stored = house_of(before).store("photo", body=DIRTY, filename="a.jpg")
    assert state_of(house_of(PHOTOS).commit(stored["receipt"])) == "published"


def test_of_two_commits_at_once_the_latest_asks_no_human_again(house_of, oss):
    stored = send(house_of(PHOTOS))
    later = house_of(PHOTOS.replace('hold = ["commit"]\nstrip', 'hold = ["commit", "check"]\nstrip'))
    oss.between["PutObject"] = lambda: later.commit(stored["receipt"])
    assert state_of(later.commit(stored["receipt"])) == "review"
    assert (later.told, later.due("decision")) == (["review"], [])


def test_after_three_failures_a_human_decides(house, oss, stored):
    oss.fail("PostProcessTask", *[UNHEARD] * 9)
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    for _ in range(20):
        later(house, minutes=1).tick()
    assert processed(oss) == 3
    assert house.status(stored["receipt"]) == "review"
    assert (review_of(oss, stored)["reason"], review_of(oss, stored)["errcode"]) == ("metadata", "failed")
    oss.faults.clear()
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert state_of(house.commit(stored["receipt"], decision="publish")) == "published"
    assert processed(oss) == 1


def test_confirming_again_processes_nothing(house, oss, clock):
    """A ticket is no login: it may have its picture processed once."""
    form = house.form("seen", filename="a.jpg")
    assert oss.post(form["formData"], "bytes", body=DIRTY) == 200
    oss.fail("PostProcessTask", UNHEARD)
    for asked in (1, 0, 0):
        assert house.ask("confirm", ticket=form["ticket"]).json["state"] == "held"
        assert processed(oss) == asked
        clock.tick(minutes=7)


def test_a_confirmation_by_other_rules_takes_no_step_while_a_copy_waits(house, house_of, oss):
    other = house_of(profile("seen", CHECK, "check_scene = 3", "strip = true"))
    form = house.form("seen", filename="a.jpg")
    assert oss.post(form["formData"], "a", body=DIRTY) == 200
    oss.fail("PostProcessTask", UNHEARD)
    for world in (house, other):
        receipt = world.ask("confirm", ticket=form["ticket"]).json["receipt"]
        assert world.status(receipt) == "held"


def test_a_request_begins_one_clean_copy_and_a_tick_the_others(house, oss):
    receipts = [send(house)["receipt"] for _ in range(3)]
    results = house.commit(None, receipts=receipts).json["results"]
    assert [each["state"] for each in results] == ["published", "held", "held"]
    assert processed(oss) == 1
    later(house, minutes=1).tick()
    assert [house.status(receipt) for receipt in receipts] == ["published"] * 3
    assert (processed(oss), house.due("check")) == (2, [])


def test_with_too_little_time_the_tick_cleans(house, oss, stored):
    seconds = 0.0
    house.monotonic = lambda: seconds

    def dawdle():
        nonlocal seconds
        seconds = 4.1

    # Of the ten seconds for all calls to OSS less than six are left.
    oss.between["GetObject"] = dawdle
    assert state_of(house.commit(stored["receipt"])) == "held"
    assert processed(oss) == 0
    later(house, minutes=1).tick()
    assert house.status(stored["receipt"]) == "published"


FRAMES = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime")]


def moving(kind):
    file = io.BytesIO()
    FRAMES[0].save(file, kind, save_all=True, append_images=FRAMES[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (moving("GIF"), "unsupported"),
        (b"no picture", "unsupported"),
        (moving("PNG"), "animated"),
        (moving("WEBP"), "animated"),
        (encoded("PNG", exif=turned()), "turned"),
        (encoded("WEBP", exif=turned(3)), "turned"),
        (encoded("PNG")[:-20], "unreadable"),
        (b"\xff\xd8\xff\xe0", "too large"),
        (encoded("JPEG")[:-20], "BadRequest"),
        (encoded("PNG", (4097, 1)), "ImageTooLarge"),
    ],
)
@pytest.mark.not_for_coverage
def test_each_picture_that_cannot_be_cleaned_has_its_reason(body, detail, house, oss):
    oss.picture_rules = SURVIVES
    stored = send(house, body)
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert (review_of(oss, stored)["reason"], review_of(oss, stored)["errcode"]) == ("metadata", detail)
    assert oss.names() == {f"held/{stored['key']}"}


def test_an_animation_is_left_to_a_human_even_where_oss_takes_its_first_frame(house, oss):
    oss.picture_rules = OssRules(**NOTHING_KEPT, animations_are_refused=False)
    for kind in ("PNG", "WEBP", "GIF"):
        stored = send(house, moving(kind))
        assert state_of(house.commit(stored["receipt"])) == "review"


def test_a_large_result_is_not_published(house, oss, monkeypatch):
    body = encoded(size=(400, 300), quality=5)
    monkeypatch.setattr(clean_copy, "MAX_BYTES", len(body))
    stored = send(house, body)
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert copies(oss) == set()
    assert review_of(oss, stored)["errcode"] == "too large"
    assert oss.records()[f"cleaned/{stored['uploadId']}-1"]["problem"] == "too large"
    later(house, minutes=6).tick()
    assert due_of_copies(house) == []


def test_a_picture_of_the_most_pixels_is_published(house, monkeypatch):
    monkeypatch.setattr(clean_copy, "MAX_PIXELS", 48 * 32)
    assert state_of(house.commit(send(house)["receipt"])) == "published"


def test_a_picture_of_more_than_fifty_million_pixels_is_not_processed(house, oss):
    """Its header costs some bytes to send, and decoding it seconds and memory."""
    bomb = encoded("PNG", (8, 8)).replace(b"\0\0\0\x08\0\0\0\x08", b"\0\0\x1b\x58\0\0\x1b\xe8", 1)
    stored = send(house, bomb, filename="a.png")
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert (review_of(oss, stored)["errcode"], processed(oss)) == ("too large", 0)


def test_an_encoded_object_is_unsupported(house, oss, stored):
    held = oss.objects[f"held/{stored['key']}"]
    held.headers["content-encoding"] = "gzip"
    assert state_of(house.commit(stored["receipt"])) == "review"
    assert review_of(oss, stored)["errcode"] == "unsupported"


# --- what fails ---


@pytest.mark.parametrize("reads", [(), ("GetObject", "GetObject")], ids=["looked at", "cut"])
def test_a_copy_that_goes_before_it_is_verified_is_not_published(reads, house, oss, log_lines):
    oss.picture_rules = SURVIVES

    def let_go():
        for key in filter(is_copy, [*oss.objects]):
            del oss.objects[key]

    def wait_for(call, *later):
        oss.between[call] = (lambda: wait_for(*later)) if later else let_go

    wait_for("PutObjectACL", "HeadObject", *reads)
    answer = house.commit(send(house)["receipt"])
    if reads:
        assert (state_of(answer), copies(oss)) == ("review", set())
    else:
        assert answer.code == "oss_unavailable"
        assert log_lines()[-1]["reason"] == "the clean copy disappeared"


@pytest.mark.parametrize("decision", [{}, {"decision": "publish"}])
def test_a_missing_right_leaves_it_held(decision, house, oss, stored):
    oss.fail("PostProcessTask", DENIED)
    answer = house.commit(stored["receipt"], **decision)
    assert (answer.status, answer.code) == (502, "oss_rejected")
    assert house.status(stored["receipt"]) == "held"
    assert (house.told, review_of(oss, stored)) == ([], None)
    assert state_of(later(house, minutes=1).commit(stored["receipt"], **decision)) == "published"


@pytest.mark.parametrize("fault", [UNHEARD, LATE])
def test_a_processing_without_response_is_repeated_after_a_minute(fault, house, oss, stored):
    oss.fail("PostProcessTask", fault)
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    assert state_of(house.commit(stored["receipt"])) == "held"
    assert state_of(later(house, minutes=1).commit(stored["receipt"])) == "published"
    oss.land()
    assert house.status(stored["receipt"]) == "published"
    # What came so late is deleted by the due record of its attempt.
    later(house, minutes=5).tick()
    assert (oss.names(), copies(oss), house.due()) == ({stored["key"]}, set(), [])


@pytest.mark.parametrize("end", ["reject", "discard"])
def test_a_copy_that_lands_after_the_end_is_deleted(end, house, oss, stored):
    oss.fail("PostProcessTask", LATE)
    house.commit(stored["receipt"])
    act_on(house, end, stored["receipt"])
    oss.land()
    # Another may land later.
    for seconds, left in ((299, 1), (1, 0)):
        later(house, seconds=seconds).tick()
        assert len(copies(oss)) == left
    assert (oss.names(), house.due()) == (set(), [])


def test_a_late_copy_of_an_earlier_attempt_is_deleted(house, oss):
    oss.fail("PostProcessTask", LATE)
    stored = send(house, profile="seen")
    later(house, minutes=1).resume(stored["receipt"])
    oss.land()
    assert len(copies(oss)) == 2
    later(house, minutes=5).tick()
    assert [f"/{name}?" in str(house.wechat.submitted) for name in copies(oss)] == [True]


def due_of_copies(house):
    return [f"held/.due/{name}" for name in house.due("clean")]


@pytest.mark.parametrize("field", ["key", "receipt"])
def test_a_due_record_deletes_nothing_but_copies(field, house, oss, seen):
    """Whoever may write records must not reach other objects by one."""
    (name,) = due_of_copies(house)
    amend(oss, name, **{field: f"held/{seen['key']}"})
    later(house, minutes=6).tick()
    assert f"held/{seen['key']}" in oss.objects
    # A receipt that is none is of no upload that waits for its copy.
    assert len(copies(oss)) == (1 if field == "key" else 0)


@pytest.mark.parametrize("action", ["publish", "reject"])
def test_the_copy_of_a_publication_that_is_not_applied_yet_stays(action, house, oss, stored):
    oss.fail("CopyObject", BROKEN)
    house.commit(stored["receipt"])
    (name,) = due_of_copies(house)
    amend(oss, f"held/.decided/{stored['uploadId']}", decision=action)
    for record in [each for each in oss.objects if "/decision-" in each or "/check-" in each]:
        del oss.objects[record]
    later(house, minutes=6).tick()
    if action == "reject":
        assert (copies(oss), due_of_copies(house)) == (set(), [])
        return
    assert len(copies(oss)) == 1 and due_of_copies(house) != [name]
    assert house.resume(stored["receipt"]) == "published"


def test_two_ticks_at_once_delete_a_copy_once(house, oss, clock, log_lines):
    for _ in range(2):
        send(house, profile="seen")
    gone, other = sorted(due_of_copies(house))
    clock.tick(minutes=6)
    oss.between["GetObject"] = lambda: oss.objects.pop(gone)
    house.tick()
    # The other is looked at in the same tick.
    assert len(due_of_copies(house)) == 1 and other not in due_of_copies(house)
    assert (log_lines()[-1]["status"], log_lines()[-1].get("reason")) == (200, None)


def test_other_bytes_of_the_same_form_get_a_copy_of_their_own(house, oss, seen):
    first = copies(oss)
    del oss.objects[f"held/{seen['key']}"]
    assert oss.post(seen["formData"], "others", body=encoded(size=(64, 64))) == 200
    house.ask("confirm", ticket=seen["ticket"])
    receipt = house.ask("confirm", ticket=seen["ticket"]).json["receipt"]
    house.commit(receipt, decision="publish")
    assert house.status(receipt) == "published"
    assert Image.open(io.BytesIO(oss.objects[seen["key"]].body)).size == (64, 64)
    assert first.isdisjoint(copies(oss))


def test_nine_attempts_are_the_last(house, oss, clock, stored):
    oss.fail("PostProcessTask", *[LATE] * 20)
    for _ in range(12):
        answer = house.commit(stored["receipt"], decision="publish")
        clock.tick(minutes=6)
    assert (processed(oss), state_of(answer)) == (9, "review")
    oss.land()
    assert len(copies(oss)) == 9
    house.commit(stored["receipt"], decision="reject")
    assert copies(oss) == set()


def test_an_attempt_that_names_no_copy_is_invalid(house, oss, seen):
    amend(oss, f"held/.cleaned/{seen['uploadId']}-1", key=seen["key"])
    assert house.commit(seen["receipt"], decision="reject").code == "oss_unavailable"
    assert f"held/{seen['key']}" in oss.objects


def test_the_end_by_time_deletes_the_copy(house, oss):
    send(house, profile="seen")
    later(house, minutes=6).tick()
    assert len(copies(oss)) == 1
    later(house, days=1).tick()
    assert copies(oss) == set()


def around_processing(oss, before, after):
    """Let something happen just before and after the next picture is processed."""
    serve = oss._post_process_task

    def processed(*args):
        del oss._post_process_task
        before()
        answer = serve(*args)
        after()
        return answer

    oss._post_process_task = processed


def test_other_bytes_that_came_and_went_while_it_was_processed_are_not_published(house, oss, clock, stored):
    held, other = f"held/{stored['key']}", encoded("JPEG", (64, 64))

    def back():
        clock.tick(seconds=1)
        oss.replace_object(held, body=DIRTY)

    around_processing(oss, lambda: oss.replace_object(held, body=other), back)
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    assert oss.names() == {held}
    assert state_of(later(house, minutes=1).commit(stored["receipt"])) == "published"
    assert Image.open(io.BytesIO(oss.objects[stored["key"]].body)).size == (32, 48)


def test_a_publication_that_is_continued_tells_of_the_clean_copy(house, oss, stored):
    oss.fail("CopyObject", BROKEN)
    house.commit(stored["receipt"])
    assert house.commit(stored["receipt"]).json["size"] == oss.objects[stored["key"]].size


def test_a_copy_that_was_made_by_hand_is_made_once(house, oss, stored):
    oss.fail("CopyObject", BROKEN)
    house.commit(stored["receipt"], decision="publish")
    # As if it had died before it decided.
    del oss.objects[f"held/.decided/{stored['uploadId']}"]
    assert state_of(house.commit(stored["receipt"], decision="publish")) == "published"
    assert processed(oss) == 1


def test_a_decision_shows_only_the_copy_that_it_names(house, oss, log_lines, stored):
    oss.fail("CopyObject", BROKEN)
    house.commit(stored["receipt"])
    (copy,) = copies(oss)
    decided = oss.records()[f"decided/{stored['uploadId']}"]
    assert decided["copy"] == {"key": copy, "etag": oss.objects[copy].etag, "type": "image/jpeg"} | {
        "size": oss.objects[copy].size
    }
    assert decided["etag"] == stored["etag"]
    oss.store(copy, encoded(size=(64, 64)), content_type="image/jpeg")
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    assert log_lines()[-1]["reason"]
    assert oss.names() == {f"held/{stored['key']}"}
    assert state_of(later(house, seconds=100).discard(stored["receipt"])) == "gone"
    assert (oss.names(), copies(oss)) == (set(), set())


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_copy_that_is_gone_is_made_and_checked_again(house, oss, clock, is_gone, seen):
    first = dict(house.wechat.submitted)
    (copy,) = copies(oss)
    if is_gone:
        del oss.objects[copy]
    else:
        oss.replace_object(copy, body=DIRTY)
    clock.tick(minutes=1)
    pass_of = lambda trace: house.verdict(Outcome.PASS, trace, label=100)  # noqa: E731
    pass_of(*first)
    assert house.status(seen["receipt"]) == "held"
    house.resume(seen["receipt"])
    (anew,) = house.wechat.submitted.keys() - first.keys()
    pass_of(*first)
    assert house.status(seen["receipt"]) == "checking"
    assert house.oss.records()[f"accepted/{seen['uploadId']}"]["number"] == 1
    pass_of(anew)
    assert house.status(seen["receipt"]) == "published"


def test_checkers_and_reviewers_see_what_is_published(house, oss, seen):
    (copy,) = copies(oss)
    (url,) = house.wechat.submitted.values()
    assert f"/{copy}?" in url
    house.verdict(Outcome.REVIEW)
    (item,) = house.ask("reviews", house.backend()).json["items"]
    shown = oss.objects[copy]
    assert f"/{copy}?" in item["url"]
    assert (item["size"], item["contentType"]) == (shown.size, "image/jpeg")
    assert state_of(house.commit(seen["receipt"], decision="publish")) == "published"
    assert oss.objects[seen["key"]].body == shown.body


def test_wechat_gets_the_clean_copy_where_it_opens_no_url(house_of, oss):
    house = house_of(PHOTOS, PUBLIC_URL="https://fn.example.com")
    send(house, profile="seen")
    house.verdict(Outcome.ERROR, errcode=-1008)
    (copy,) = copies(oss)
    token = [*house.wechat.submitted.values()][-1].partition("?t=")[2]
    reply = house.ask_event(method="GET", path="/check-source", query={"t": token})
    assert b64decode(reply.text).endswith(oss.objects[copy].body)


def test_a_picture_that_cannot_be_cleaned_is_shown_to_no_checker(house, oss, unclean, seen):
    assert (house.status(seen["receipt"]), house.wechat.submitted) == ("review", {})
    (item,) = house.ask("reviews", house.backend()).json["items"]
    assert f"/held/{seen['key']}?" in item["url"]
    house.commit(seen["receipt"], decision="reject")
    assert house.wechat.submitted == {}


def pass_by(house, stored):
    (trace,) = (
        name.partition("/")[2]
        for name, fields in house.oss.records().items()
        if name.startswith("checks/") and "stored_at" in fields and fields.get("receipt") == stored["receipt"]
    )
    return lambda: house.verdict(Outcome.PASS, trace, label=100)


PUBLISHED_BY = {
    "commit": ("photo", lambda house, stored: lambda: house.commit(stored["receipt"])),
    "check": ("seen", pass_by),
}


@pytest.mark.parametrize(("profile", "publish"), PUBLISHED_BY.values(), ids=PUBLISHED_BY)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.not_for_coverage
def test_another_instance_continues_publishing_a_clean_copy(
    profile, publish, after, house, house_of, oss, clock
):
    cut_off = 0
    for at in range(1, 40):
        stored = send(house, profile=profile)
        if not kill(house, publish(house, stored), at=at, after=after):
            break
        cut_off += 1
        other = house_of(PHOTOS)
        clock.tick(minutes=1)
        publish(other, stored)()
        assert other.status(stored["receipt"]) == "published", at
        assert names(house, stored) == ["key"], at
        assert copies(oss, stored) == set(), at
    assert cut_off >= 10


def test_a_verdict_that_passes_publishes_the_clean_copy(house, oss, seen):
    pass_by(house, seen)()
    assert house.status(seen["receipt"]) == "published"
    assert oss.objects[seen["key"]].headers["content-disposition"] == "attachment"


READING, WRITING = ("HeadObject", "GetObject"), ("PutObjectACL", "PutObject", "CopyObject", "DeleteObject")


@pytest.mark.parametrize("fault", [UNHEARD, LOST, DENIED])
@pytest.mark.parametrize("call", [*READING, "PostProcessTask", *WRITING])
@pytest.mark.not_for_coverage
def test_a_failure_of_any_call_ends_published_in_the_end(call, fault, house, oss, clock):
    for which in range(9):
        stored = send(house)
        oss.fail(call, *[""] * which, fault, fault)
        for _ in range(3):
            house.commit(stored["receipt"])
            clock.tick(minutes=5)
        is_met = len(oss.faults.pop(call)) < 2
        assert house.status(stored["receipt"]) == "published"
        assert names(house, stored) == ["key"]
        if not is_met:
            # There are fewer calls of this name.
            break
    assert which > 0


def meeting(oss, at, other):
    """Let another request run from beginning to end just before the n-th call, and say whether it did."""
    serve, calls = oss.serve, iter(range(1, 1000))

    def meet(*args, **kwargs):
        if next(calls) == at:
            oss.serve = serve
            other()
        return serve(*args, **kwargs)

    oss.serve = meet
    return lambda: oss.serve == serve


@pytest.mark.parametrize("other", ["commit", "reject", "discard"])
def test_two_requests_at_once_end_in_one_state(other, house, house_of, oss):
    second = house_of(PHOTOS)
    places = {"published": ["key"], "rejected": [], "gone": []}
    for at in range(1, 40):
        stored = send(house)
        has_met = meeting(oss, at, lambda receipt=stored["receipt"]: act_on(second, other, receipt))
        answer = house.commit(stored["receipt"])
        if not has_met():
            break
        # Whoever comes second reports what the first has not done yet.
        assert other != "commit" or state_of(answer) in ("held", "published"), at
        # Until then a copy without response may still finish.
        states = {later(house, seconds=100).status(stored["receipt"]), second.status(stored["receipt"])}
        assert len(states) == 1, at
        assert names(house, stored) == places[states.pop()], at
        assert copies(oss, stored) == set(), at
    assert at >= 12


def test_other_bytes_that_come_at_any_call_are_not_published(house, oss, log_lines):
    other = encoded("JPEG", (64, 64))
    for at in range(1, 40):
        stored = send(house)
        held = f"held/{stored['key']}"

        def swap(held=held):
            if held in oss.objects:
                oss.replace_object(held, body=other)

        has_met = meeting(oss, at, swap)
        answer = house.commit(stored["receipt"])
        if not has_met():
            break
        if answer.code == "oss_unavailable":
            assert re.search(f"{clean_copy.CHANGED}|412", log_lines()[-1]["reason"]), at
        published = oss.objects.get(stored["key"])
        assert published is None or Image.open(io.BytesIO(published.body)).size == (32, 48), at
    assert at >= 12


def test_a_range_has_a_mebibyte(house, oss):
    small, chunk = encoded("PNG"), b"teSt" + bytes(2**20)
    chunk = (2**20).to_bytes(4) + chunk + crc32(chunk).to_bytes(4)
    stored = send(house, small[:-12] + chunk + small[-12:], filename="a.png")
    assert state_of(house.commit(stored["receipt"])) == "published"
    read = [each for each in oss.requests if "if-match" in each.headers and not is_copy(each.key)]
    # For its size, then to its end.
    assert [each.headers["range"] for each in read[:2]] == ["bytes=0-1048575"] * 2
    assert len(read) == 3
