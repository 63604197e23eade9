"""holding.current_state: what is due of an upload, by its records, its object and the time."""

from datetime import UTC, datetime, timedelta

import pytest

from function.config.key_template import CLEAN as COPIES
from function.errors import OssUnavailable
from function.holding import records
from function.holding.accepted_record import Progress, get_progress
from function.holding.clean_record import Cleaning
from function.holding.current_state import HeldState, check_state, is_first_attempt, next_step, open_state
from function.holding.held_upload import HeldUpload
from function.moderation.aliyun_verdict import Verdict
from function.moderation.finding import LABEL, Finding, Outcome
from function.oss.client import oss_client
from function.uploads.receipt import Receipt
from tests.function.holding.conftest import profile

MORE = {
    "plain": "ai_label = true",
    "clean": 'hold = ["commit"]\nstrip = true',
    "aliyun": 'hold = ["check"]\ncheck_by = ["aliyun"]',
    "both": 'hold = ["commit", "check"]\ncheck_by = ["aliyun", "wechat"]',
}
NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID, ETAG = "A" * 22, "E7A6"
RISKY, PASS = (Verdict(outcome, Finding(LABEL)) for outcome in (Outcome.RISKY, Outcome.PASS))


@pytest.fixture
def house(house_of):
    return house_of("".join(profile(*each) for each in MORE.items()))


@pytest.fixture
def upload_of(house):
    """An upload of a profile, whose hold ends in two days."""

    def make(profile):
        key = f"{profile}/o/a.png"
        content = Receipt(ID, key, 1, ETAG, "image/png", profile, "sub", "o", True, NOW + 48 * HOUR)
        return HeldUpload(content, "receipt", house.settings.profiles[profile])

    return make


def progress_of(state, at=NOW, **fields):
    return Progress(state, "receipt", ETAG, "", True, at, at, **fields)


@pytest.mark.parametrize(
    ("profile", "state", "fields", "minutes", "hours_left", "due"),
    [
        # Who has the lease has a minute, though an attempt that failed would be given up.
        ("both", "submitting", {"is_lease": True}, 1, 0.5, "give up"),
        ("aliyun", "asking", {}, 1, 9, "ask"),
        ("aliyun", "asking", {}, 1, 1, "give up"),
        ("aliyun", "answered", {"answer": PASS}, 0, 1, "ask"),
        # As after a change of its profile.
        ("aliyun", "submitting", {}, 1, 9, "submit"),
        ("both", "answered", {"answer": PASS}, 0, 1, "submit"),
        ("aliyun", "task", {"task": "t", "asked": 2}, 2, 9, "ask"),
        ("both", "submitting", {"number": 1, "asked": 9}, 1, 9, "submit"),
        ("both", "submitted", {"number": 1}, 35, 1, "submit"),
        ("both", "submitted", {"number": 2}, 35, 1, "silent"),
    ],
)
def test_a_check_is_continued_once_its_time_has_come(
    upload_of, profile, state, fields, minutes, hours_left, due
):
    upload, ends = upload_of(profile), NOW + hours_left * HOUR
    progress = progress_of(state, NOW - timedelta(minutes=minutes), **fields)
    found = check_state(upload, progress, NOW, ends)
    assert (found.state, found.due, found.next_at) == (state, due, None)
    if minutes:
        found = check_state(upload, progress, NOW - timedelta(seconds=1), ends)
        assert (found.state, found.due, found.next_at) == (state, "", NOW)


def test_an_attempt_that_died_before_its_record_is_repeated_after_a_minute(upload_of):
    accepted = progress_of("accepted", NOW - timedelta(minutes=1))
    found = check_state(upload_of("both"), accepted, NOW, NOW + 9 * HOUR)
    assert found.lease == records.attempt_key(ID, 0, 1)


def test_a_record_keeps_the_whole_progress(house):
    oss, odd = bucket(house), {"is_lease": True, "is_unreachable": True, "stored_at": NOW, "answer": RISKY}
    numbers = {"turn": 1, "failures": 2, "copy": 3, "asked": 4, "number": 5}
    progress = progress_of("task", task="t", trace="id", **odd, **numbers)
    records.put(oss, records.accepted_key(ID), progress.fields, NOW)
    assert get_progress(oss, ID) == progress


def test_progress_without_the_task_or_answer_of_its_state_is_invalid(house):
    oss, odd = bucket(house), [progress_of(state) for state in ("task", "answered", "published")]
    for progress in (*odd, progress_of("asking", task="t")):
        records.put(oss, records.accepted_key(ID), progress.fields, NOW)
        with pytest.raises(OssUnavailable):
            get_progress(oss, ID)


def test_an_attempt_that_failed_is_repeated_before_the_object_ends_though_its_receipt_lasts(upload_of):
    failed = progress_of("submitting", number=1, failures=6)
    current = HeldState("submitting", "submit", "lease", failed, held_until=NOW + 1.5 * HOUR)
    found = next_step(None, upload_of("both"), current, NOW)
    assert found == current._replace(due="", lease="", next_at=NOW + HOUR / 2)


@pytest.mark.parametrize(
    ("current", "is_first"),
    [
        (HeldState("answered", "submit"), True),
        (HeldState("submitting", "submit"), False),
        (HeldState("accepted", "clean", cleaning=Cleaning(number=1)), True),
        (HeldState("accepted", "clean", cleaning=Cleaning(number=2)), False),
    ],
)
def test_a_step_begins_once(current, is_first):
    assert is_first_attempt(current) is is_first


def test_a_review_stays_one_without_a_commit(house, upload_of):
    upload, oss = upload_of("both"), bucket(house)
    assert open_state(oss, upload, NOW, NOW + HOUR).state == "held"
    records.put(oss, records.review_key(ID), {}, NOW)
    assert open_state(oss, upload, NOW, NOW + HOUR).state == "review"


def test_a_copy_is_made_by_one_request_and_published_by_any(house, upload_of):
    upload, oss = upload_of("clean"), bucket(house)
    records.put(oss, records.accepted_key(ID), progress_of("accepted").fields, NOW)
    name, key = records.cleaned_key(ID, 1), f"{COPIES}a.jpg"
    records.put(oss, name, {"source": ETAG, "key": key}, NOW)
    found = open_state(oss, upload, NOW, NOW + HOUR)
    assert (found.state, found.due, found.next_at) == ("accepted", "", NOW + timedelta(minutes=1))
    house.oss.store(key, b"clean", content_type="image/jpeg")
    shown = upload.shown._replace(key=key, etag=house.oss.objects[key].etag)
    records.put(oss, name, {"source": ETAG, "copy": shown.fields}, NOW)
    found = open_state(oss, upload, NOW, NOW + HOUR)
    assert (found.due, found.copy.key) == ("clean", key)


def bucket(house):
    call = house.call()
    return oss_client(call, call.settings.home)


def test_the_label_of_what_is_never_held_is_in_no_record(house):
    said = house.store("plain")
    house.oss.requests.clear()
    assert house.status(said["receipt"]) == "published"
    assert [request.key for request in house.oss.requests] == [said["key"]]
