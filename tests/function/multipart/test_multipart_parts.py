"""multipart.part_urls: fresh URLs for what is missing, or for what is asked for, until it is over."""

import pytest

from function.sts.session_policy import UPLOADS
from tests.function.multipart.test_multipart import silent
from tests.support.memory_oss import Part

PART = 100 * 1024


def numbers_in(answer):
    assert answer.status == 200, answer.text
    return [part["number"] for part in answer.json["parts"]]


def test_the_answer_is_in_the_shape_of_the_contract(phone, oss, clock):
    begun = phone.begin()
    clock.tick(minutes=14)
    answer = phone.parts(begun["ticket"]).json
    assert set(answer) == {"parts", "missing", "expiresAt", "serverTime"}
    assert [(part["number"], part["size"]) for part in answer["parts"]] == [(1, PART), (2, PART), (3, 1)]
    assert answer["missing"] == 3
    assert (answer["serverTime"], answer["expiresAt"]) == ("2026-11-24T14:14:00Z", "2026-11-24T14:29:00Z")
    assert phone.send(begun, answer["parts"]) == [200, 200, 200]


def test_without_numbers_the_missing_parts_get_urls(phone_of, oss):
    phone = phone_of(SIGN_PART_LENGTH="false")
    begun = phone.begin(size=4 * PART)
    phone.send(begun, begun["parts"][1:3])
    oss.put(begun["parts"][3], begun["headers"], "short", PART - 1)
    answer = phone.parts(begun["ticket"])
    assert numbers_in(answer) == [1, 4]
    assert answer.json["missing"] == 2


def test_twenty_are_answered_at_a_time_and_how_many_are_missing_in_all(phone):
    begun = phone.begin(size=45 * PART)
    assert [part["number"] for part in begun["parts"]] == list(range(1, 21))
    phone.send(begun, begun["parts"][:5])
    answer = phone.parts(begun["ticket"])
    assert numbers_in(answer) == list(range(6, 26))
    assert answer.json["missing"] == 40


def test_requested_numbers_get_urls_in_their_order(phone):
    begun = phone.begin()
    phone.send(begun, begun["parts"][:1])
    answer = phone.parts(begun["ticket"], numbers=[3, 1])
    assert numbers_in(answer) == [3, 1]
    assert answer.json["missing"] == 2


WRONG = [[], [0], [4], [1, 4], [1, "2"], [1, 2, 1], [True], 1]
WRONG_STORED = [
    *({"stored": stored} for stored in ("yes", 1)),
    *({"stored": True, "storedAfter": after} for after in (-1, 10001)),
    {"storedAfter": "1"},
]


@pytest.mark.parametrize("numbers", WRONG, ids=str)
def test_malformed_numbers_are_refused_before_any_call_to_oss(phone, oss, numbers):
    answer = phone.parts(phone.begin()["ticket"], numbers=numbers)
    assert answer.outcome == (400, "bad_request")
    assert answer.json["error"]["message"].startswith("numbers ")
    assert oss.asked == ["InitiateMultipartUpload"]


def test_at_most_twenty_numbers_are_allowed(phone):
    begun = phone.begin(size=40 * PART)
    assert numbers_in(phone.parts(begun["ticket"], numbers=list(range(21, 41)))) == list(range(21, 41))
    assert phone.parts(begun["ticket"], numbers=list(range(1, 22))).outcome == (400, "bad_request")


def test_parts_of_a_complete_upload_get_no_urls(phone):
    begun, _ = phone.store_parts()
    for fields in ({}, {"numbers": [1]}):
        assert phone.parts(begun["ticket"], **fields).outcome == (409, "already_complete")


def test_parts_of_an_aborted_upload_get_no_urls(phone):
    begun = phone.begin()
    phone.abort(begun["ticket"])
    for fields in ({}, {"numbers": [1]}):
        assert phone.parts(begun["ticket"], **fields).outcome == (410, "upload_gone")


def stored_in(answer):
    assert answer.status == 200, answer.text
    return answer.json["stored"]


def test_stored_parts_are_listed_with_size_and_etag_on_request(phone, oss):
    begun = phone.begin()
    phone.send(begun, begun["parts"][:2])
    (upload,) = oss.uploads.values()
    listed = [{"number": n, "size": PART, "etag": upload.parts[n].etag} for n in (1, 2)]
    assert stored_in(phone.parts(begun["ticket"], stored=True)) == listed
    assert stored_in(phone.parts(begun["ticket"], stored=True, storedAfter=1, numbers=[3])) == listed[1:]
    for absent in (False, None):
        assert "stored" not in phone.parts(begun["ticket"], stored=absent, storedAfter=None).json


def test_stored_parts_are_listed_a_thousand_at_a_time(phone, oss):
    begun = phone.begin(profile="many", size=2500 * PART)
    (upload,) = oss.uploads.values()
    upload.parts = {number: Part("x", PART) for number in range(1, 2501)}
    after = (0, 1000, 2000, 10_000)
    pages = [stored_in(phone.parts(begun["ticket"], stored=True, storedAfter=n)) for n in after]
    assert [len(page) for page in pages] == [1000, 1000, 500, 0]
    assert [part["number"] for page in pages for part in page] == list(range(1, 2501))


@pytest.mark.parametrize("wrong", WRONG_STORED, ids=str)
def test_a_malformed_list_of_stored_parts_is_refused_before_any_call_to_oss(phone, oss, wrong):
    answer = phone.parts(phone.begin()["ticket"], **wrong)
    assert answer.outcome == (400, "bad_request")
    assert oss.asked == ["InitiateMultipartUpload"]


@pytest.mark.parametrize("route", ["multipart-parts", "multipart-complete", "multipart-abort"])
@pytest.mark.not_for_coverage
def test_a_ticket_may_be_used_120_times_a_minute(phone, clock, route):
    begun = phone.begin()
    for _ in range(40):
        phone.parts(begun["ticket"])
        phone.complete(begun["ticket"])
        phone.abort(begun["ticket"])
    answer = phone.ask(route, ticket=begun["ticket"])
    assert answer.outcome == (429, "too_many_requests")
    assert "Retry-After" in answer.headers
    # Another ticket has calls of its own, and so has the next minute.
    assert phone.parts(phone.begin()["ticket"]).status == 200
    clock.tick(seconds=60)
    assert phone.ask(route, ticket=begun["ticket"]).status != 429


def test_malformed_requests_do_not_count_against_the_ticket(phone):
    begun = phone.begin()
    for _ in range(130):
        phone.parts(begun["ticket"], numbers=[0])
    assert phone.parts(begun["ticket"]).status == 200


def test_a_session_that_leaves_less_than_a_minute_signs_no_url(phone, oss, clock):
    begun = phone.begin(profile="many")
    clock.tick(seconds=3600 - 120)
    cache = phone.credentials_of(UPLOADS)
    cache.assume_role = silent
    assert numbers_in(phone.parts(begun["ticket"])) == [1, 2, 3]
    clock.tick(seconds=1)
    assert phone.parts(begun["ticket"]).outcome == (503, "sts_unavailable")


def test_the_log_names_the_upload(phone, log_lines):
    begun = phone.begin()
    for route in ("multipart-parts", "multipart-complete", "multipart-abort"):
        phone.ask(route, ticket=begun["ticket"])
        line = log_lines()[-1]
        assert line["route"] == route
        assert (line["profile"], line["owner"]) == ("video", "public")
        assert (line["key"], line["uploadId"]) == (begun["key"], begun["uploadId"])
