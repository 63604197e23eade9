"""oss.due: names and contents of due records, and which of them are due."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone

import pytest

from function.errors import OssUnavailable
from function.http.client import HttpResponse
from function.oss import due
from function.oss.due import Due, Unreadable
from tests.function.oss.conftest import NOW
from tests.function.oss.test_listing import cut, entry, page

PUT = HttpResponse(200, b"", {"etag": '"A"'})
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "minute"),
    [
        (NOON, "202611241200"),
        (NOON + timedelta(microseconds=1), "202611241201"),
        (NOON.astimezone(timezone(timedelta(hours=8))), "202611241200"),
        (datetime(2026, 12, 31, 23, 59, 1, tzinfo=UTC), "202701010000"),
    ],
)
def test_a_record_is_named_by_its_minute_rounded_up(at, minute, scripted):
    scripted.answers = [PUT]
    name = due.write(scripted.calls(), "check", "", "id_-1", at, {"receipt": "r"}, NOW)
    assert name == due.name_of("check", "", "id_-1", at) == f"held/.due/{minute}/check--id_-1"
    (asked,) = scripted.asked
    assert (asked.method, asked.key) == ("PUT", name)
    assert asked.body == b'{"receipt":"r","at":"2026-11-24T14:00:00Z"}'
    assert asked.headers["x-oss-object-acl"] == "private"
    assert asked.headers["x-oss-forbid-overwrite"] == "false"


@pytest.mark.parametrize(("kind", "id"), [("check", "a/b"), ("check", ""), ("Check", "a")])
def test_no_other_name_can_be_written(kind, id):
    with pytest.raises(AssertionError):
        due.name_of(kind, "", id, NOON)


@pytest.mark.parametrize(
    ("owner", "said"),
    [("a2" * 13, "a2" * 13), ("public", "public"), ("", ""), ("o", ""), ("a/b", ""), ("A2" * 13, "")],
)
def test_a_record_is_named_after_an_owner_of_ours_alone(owner, said):
    name = due.name_of("check", owner, "-x", NOON)
    assert name == f"held/.due/202611241200/check-{said}--x"
    assert due.NAME.fullmatch(name).groups() == ("202611241200", "check", said, "-x")


def test_each_failure_in_a_row_is_followed_by_a_longer_pause():
    minutes = (0, 0.9, 1, 2.9, 3, 7.9, 8, 22.9, 23, 82.9, 83, 142.9, 143)
    pauses = [due.pause_after(failures) // timedelta(minutes=1) for failures in range(1, 7)]
    assert pauses == [1, 2, 5, 15, 60, 60]
    attempts = [due.attempt_at(NOON + timedelta(minutes=after), NOON) for after in minutes]
    assert attempts == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]


def test_a_record_is_read_with_its_fields(scripted):
    record = Due("held/.due/202611241200/check--a", NOON, "check", "", "a")
    scripted.answers = [HttpResponse(200, b'{"receipt": "r", "n": 1}'), HttpResponse(404, b"")]
    scripted.answers[1] = scripted.lacks()
    fields = due.read(scripted.calls(), record)
    assert fields == {"receipt": "r", "n": 1} and due.text_of(fields, "receipt") == "r"
    assert due.read(scripted.calls(), record) is None
    for name in ("n", "absent"):
        with pytest.raises(Unreadable):
            due.text_of(fields, name)


@pytest.mark.parametrize("body", [b"", b"[]"])
def test_a_record_that_is_no_json_object_is_unreadable(body, scripted):
    scripted.answers = [HttpResponse(200, body)]
    with pytest.raises(Unreadable):
        due.read(scripted.calls(), Due("held/.due/202611241200/check--a", NOON, "check", "", "a"))


STORED = datetime(2020, 5, 18, 5, 45, 43, tzinfo=UTC)


def test_due_records_are_listed_beyond_odd_ones_and_up_to_now(scripted):
    odd = [
        "held/.due/!",
        "held/.due/202611241160/check--a",
        "held/.due/20261124120/check--a",
        "held/.due/202611241200/check--",
        "held/.due/202611241200/check",
        "held/.due/202611241200/check-a",
        "held/.due/202611241200/check-owner-a",
        "held/.due/202611241200/check--a/b",
    ]
    due_names = ["held/.due/202611241358/unknown--a", "held/.due/202611241400/check--a-1"]
    future = "held/.due/202611241401/check--b"
    scripted.answers = [
        # By OSS's clock the last one was stored later than now.
        cut(*map(entry, odd), entry("held/.due/0", LastModified="2026-11-24T14:00:01.000Z")),
        page(
            *(entry(name, Size="16384") for name in due_names),
            entry("held/.due/202611241400/check--big", Size="16385"),
            entry(future),
        ),
    ]
    listed = list(due.list_due(scripted.calls(), NOW))
    assert listed == [
        *(Due(name, STORED, owner="") for name in odd),
        Due("held/.due/0", NOW + timedelta(seconds=1)),
        Due(due_names[0], NOW - timedelta(minutes=2), "unknown", "", "a"),
        Due(due_names[1], NOW, "check", "", "a-1"),
        Due("held/.due/202611241400/check--big", STORED),
    ]
    assert {asked.query["prefix"] for asked in scripted.asked} == {"held/.due/"}


@pytest.mark.parametrize("listing", [due.list_due, due.sample_due])
def test_no_page_is_fetched_after_a_record_that_is_not_due(listing, scripted):
    scripted.answers = [cut(entry("held/.due/202611241401/check--b"))]
    assert list(listing(scripted.calls(), NOW)) == []


def test_a_page_that_fails_leaves_what_came_before(scripted):
    scripted.answers = [cut(entry("held/.due/202611241400/check--a")), "timed out", "timed out"]
    listed = due.list_due(scripted.calls(), NOW)
    assert next(listed).id == "a"
    with pytest.raises(OssUnavailable):
        next(listed)


def test_behind_very_many_records_later_minutes_are_sampled(scripted):
    """Six, evenly, and the newest; two pages of each at most, the second behind the owner of the first."""
    old = [f"held/.due/202611241200/check--{number}" for number in range(3000)]
    first, newest = f"held/.due/202611241212/check-{'a2' * 13}-a", "held/.due/202611241400/check--n"
    scripted.answers = [cut(*map(entry, old[n : n + 1000]), token=f"{n}") for n in (0, 1000, 2000)]
    scripted.answers += [
        cut(entry(first)),
        cut(entry(old[0]), entry("held/.due/x", LastModified="2027-01-01T00:00:00.000Z")),
        page(entry(first)),
        *[page()] * 4,
        page(
            entry(newest), entry("held/.due/202611241402/check--b"), entry("held/.due/202611241402/check--c")
        ),
    ]
    found = due.sample_due(scripted.calls(), NOW + timedelta(seconds=90))
    assert [record.name for record in found] == [*old, first, "held/.due/x", newest]
    assert [
        asked.query["start-after"].removeprefix("held/.due/20261124") for asked in scripted.asked[3:]
    ] == [
        *("1211/", f"1212/check-{'a2' * 13}-~"),
        *("1231/", "1251/", "1312/", "1332/", "1352/", "1359/"),
    ]


def test_half_of_the_time_is_left_for_what_a_list_finds(scripted):
    scripted.takes_seconds = 2
    scripted.answers = [cut(entry(f"held/.due/202611241200/check--{n}"), token=f"{n}") for n in range(3)]
    assert [record.id for record in due.sample_due(scripted.calls(), NOW)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        *(("1970-01-01T00:00:00Z", True), ("9000-12-31T23:59:59Z", True)),
        *(("1969-12-31T23:59:59Z", False), ("9001-01-01T00:00:00Z", False)),
    ],
)
def test_an_instant_lies_between_1970_and_9000(text, is_good):
    with nullcontext() if is_good else pytest.raises(Unreadable):
        due.instant_of({"at": text}, "at")
