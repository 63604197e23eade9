"""holding.leases: the record of an accepted upload, and who has the lease of its next step."""

from datetime import timedelta

import pytest

from function.holding.accepted_record import Progress, get_progress
from function.holding.current_state import HeldState
from function.holding.held_upload import Case, Shown, read_receipt
from function.holding.leases import accept, begin, note
from function.oss.client import oss_client


@pytest.fixture
def case(house, clock):
    """An upload that waits for a commit."""
    call = house.call()
    upload = read_receipt(house.store("post")["receipt"], call.settings, clock())
    return Case(call, oss_client(call, call.settings.home), upload)


@pytest.fixture
def accepted(case):
    upload, now = case.upload, case.now
    return Progress("accepted", upload.receipt, upload.etag, upload.profile.rules, True, now, now)


@pytest.fixture
def earlier(accepted):
    """As an attempt that failed left it, five minutes ago and by other rules."""
    at = accepted.at - timedelta(minutes=5)
    return Progress("submitting", "old", accepted.etag, "", False, at, at, 3, failures=2, number=1, trace="t")


def test_the_same_bytes_keep_their_check_and_others_begin_theirs(case, accepted, earlier):
    same = earlier._replace(rules=accepted.rules, is_committed=True, turn=4)
    for before, after in (
        (None, accepted),
        (earlier, same),
        (earlier._replace(etag="OTHER"), accepted._replace(turn=4)),
    ):
        assert accept(case, HeldState("held", progress=before)) == after
        assert get_progress(case.oss, case.upload.upload_id) == after._replace(at=case.now)
    assert accept(case, HeldState("held")) is None


def test_the_first_lease_is_the_record_of_the_upload(case, accepted):
    name = f"held/.accepted/{case.upload.upload_id}"
    begun = begin(case, HeldState("accepted", "submit", name), "submit", number=1)
    assert begun == accepted._replace(state="submitting", number=1)
    assert get_progress(case.oss, case.upload.upload_id) == begun._replace(is_lease=True)
    assert begin(case, HeldState("accepted", "submit", name), "submit") is None


@pytest.mark.parametrize(("copy", "number"), [(0, 0), (1, 0), (2, 2)])
@pytest.mark.parametrize("state", ["accepted", "answered", "submitting"])
def test_a_later_lease_keeps_failures_of_its_own_step_alone(house, case, earlier, state, copy, number):
    lease, now = "held/.attempts/a-3-0", case.now
    shown = Shown("held/.clean/a", "E", 1, "image/png", number=copy)
    current = HeldState(state, "submit", lease, earlier._replace(state=state))
    begun = begin(case.of_copy(shown), current, "submit", is_unreachable=True)
    assert begun == {
        "accepted": Progress("submitting", "old", earlier.etag, "", False, now, now, 3),
        "answered": earlier._replace(since=now, failures=0),
        "submitting": earlier,
    }[state]._replace(copy=number, is_unreachable=True)
    assert house.oss.records()["attempts/a-3-0"] == {"at": "2026-11-24T14:00:00Z"}


def test_the_result_of_an_attempt_is_the_next_turn(case, earlier):
    noted = note(case, earlier._replace(is_lease=True), "submitted", trace="u")
    assert noted == earlier._replace(state="submitted", at=case.now, turn=4, trace="u")
    assert get_progress(case.oss, case.upload.upload_id) == noted


def test_a_case_without_a_copy_stays_what_it_is(case):
    copied = case.of_copy(Shown("held/.clean/a", "E", 1, "image/png"))
    assert copied.of_copy(None) is copied
