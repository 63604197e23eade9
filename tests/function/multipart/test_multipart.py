"""routes.multipart: a large file is begun with everything pinned, or nothing is begun at all."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from function.errors import StsUnavailable
from function.sts.session_policy import UPLOADS
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KIB = 1024
PART = 100 * KIB


def test_the_answer_is_in_the_shape_of_the_contract(phone, oss):
    begun = phone.begin(size=2 * PART + 1)
    assert set(begun) == {
        *("ticket", "key", "fileUrl", "uploadId", "size", "partSize", "partCount", "headers", "parts"),
        *("expiresAt", "ticketExpiresAt", "serverTime"),
    }
    assert begun["key"] == f"videos/public/{begun['uploadId']}.mp4"
    assert begun["fileUrl"] == f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/{begun['key']}"
    assert (begun["size"], begun["partSize"], begun["partCount"]) == (2 * PART + 1, PART, 3)
    assert begun["headers"] == {"Content-Type": "application/octet-stream"}
    assert [(part["number"], part["size"]) for part in begun["parts"]] == [(1, PART), (2, PART), (3, 1)]
    assert {frozenset(part) for part in begun["parts"]} == {frozenset({"number", "size", "url"})}
    assert (begun["serverTime"], begun["expiresAt"]) == ("2026-11-24T14:00:00Z", "2026-11-24T14:15:00Z")
    assert begun["ticketExpiresAt"] == "2026-11-24T15:00:00Z"
    assert oss.asked == ["InitiateMultipartUpload"]


def test_initiate_sends_the_fields_that_a_form_pins(phone, oss):
    phone.begin()
    (upload,) = oss.uploads.values()
    told = {name: value for name, value in upload.headers.items() if name != "authorization"}
    pinned = {"content-type": "video/mp4", "content-disposition": "inline", "x-oss-storage-class": "Standard"}
    pinned |= {"x-oss-forbid-overwrite": "true"}
    pinned["x-oss-meta-upload-id"] = upload.key.split("/")[-1].partition(".")[0]
    signing = {"x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": "20261124T140000Z"}
    signing |= {"x-oss-security-token": "CAISobjects/+==", "host": "my-bucket.oss-cn-hangzhou.aliyuncs.com"}
    assert told == {**pinned, **signing}


def silent(_own, _now, *, attempts):
    """In place of STS."""
    raise StsUnavailable


WRONG = {
    "no size": ({"size": None}, (400, "bad_request")),
    "zero bytes": ({"size": 0}, (400, "bad_request")),
    "a size that is text": ({"size": "5"}, (400, "bad_request")),
    "a byte too many": ({"size": 8 * 1024 * KIB + 1}, (413, "too_large")),
    "another type": ({"contentType": "image/png"}, (415, "unsupported_type")),
    "a profile without parts": ({"profile": "default", "filename": "a.png"}, (400, "bad_request")),
    "several files beside one": ({"files": [{"filename": "a.mp4", "size": 9}]}, (400, "bad_request")),
}


@pytest.mark.parametrize("case", WRONG)
def test_invalid_requests_are_refused_before_any_call_to_oss(phone, oss, case):
    changes, expected = WRONG[case]
    asked = {"profile": "video", "filename": "a.mp4", "size": 9, **changes}
    assert phone.ask("multipart", **asked).outcome == expected
    assert oss.asked == []


def test_a_profile_with_parts_admits_more_than_a_form_could_carry(phone_of, oss):
    phone = phone_of(
        profiles='[video]\nkey = "v/{id}"\nmax_size = "40GiB"\ncontent_types = ["video/mp4"]\n'
        'parts = true\npart_size = "5MiB"\n'
    )
    assert phone.begin(size=40 * 1024**3)["partCount"] == 8192
    refusal = phone.ask("multipart", profile="video", filename="a.mp4", size=40 * 1024**3 + 1)
    assert refusal.json["error"]["limits"]["maxSize"] == 40 * 1024**3


def test_multipart_needs_a_valid_token(phone_of, oss):
    phone = phone_of(CALLER_AUTH="jwt", JWT_KEY="k" * 32, JWT_ALGORITHM="HS256")
    assert phone.ask("multipart", profile="video", filename="a.mp4", size=9).outcome == (401, "unauthorized")
    assert oss.asked == []


def test_an_upload_in_parts_counts_as_one_form(phone_of, oss):
    phone = phone_of(CALLER_RATE="3/min")
    phone.begin(size=30 * PART)
    assert phone.ask_event(body={"filename": "a.png"}).status == 200
    phone.begin()
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9)
    assert answer.outcome == (429, "too_many_requests")
    assert "Retry-After" in answer.headers
    assert oss.begun == 2


@cases("fault", "expected", "left")
def test_a_failed_initiate_gives_no_ticket(phone, oss, clock, fault, expected, left):
    oss.fail("InitiateMultipartUpload", fault)
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9)
    assert answer.outcome == expected
    assert ("Retry-After" in answer.headers) == (answer.status == 503)
    # Begun once at the most: OSS is not asked again for what may have been done.
    assert oss.asked == ["InitiateMultipartUpload"]
    assert len(oss.uploads) == left
    clock.tick(days=1)
    oss.age(days=1)
    assert oss.uploads == {}


def test_without_credentials_for_the_urls_oss_begins_nothing(phone, oss):
    phone.credentials_of(UPLOADS).assume_role = silent
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9)
    assert answer.outcome == (503, "sts_unavailable")
    assert oss.asked == []


def query_of(part):
    return {name: values[0] for name, values in parse_qs(urlsplit(part["url"]).query).items()}


def test_a_url_leads_to_the_host_of_forms_and_the_function_s_own_calls_to_its_endpoint(phone_of, oss):
    phone = phone_of(OSS_HOST="https://files.example.com", OSS_ENDPOINT="https://inside.example.com")
    begun = phone.begin()
    assert begun["parts"][0]["url"].startswith(f"https://files.example.com/{begun['key']}?")
    assert begun["fileUrl"] == f"https://files.example.com/{begun['key']}"
    assert oss.requests[0].headers["host"] == "inside.example.com"
    assert phone.send(begun) == [200, 200, 200]


@pytest.mark.parametrize("length", [PART - 1, PART + 1, 0])
def test_a_part_that_is_not_as_long_as_signed_does_not_arrive(phone, oss, length):
    begun = phone.begin()
    assert oss.put(begun["parts"][0], begun["headers"], "a", length) == 403
    assert next(iter(oss.uploads.values())).parts == {}


@cases("headers")
def test_a_part_with_other_headers_than_the_answer_s_does_not_arrive(phone, oss, headers):
    assert oss.put(phone.begin()["parts"][0], headers, "a", PART) == 403


@cases("old", "new")
def test_no_part_of_a_url_can_be_changed(phone, oss, old, new):
    begun = phone.begin()
    part = begun["parts"][0]
    assert old in part["url"]
    assert oss.put({**part, "url": part["url"].replace(old, new)}, begun["headers"], "a", PART) == 403


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_part_url_allows_only_put(phone, oss, method):
    begun = phone.begin()
    phone.send(begun)
    assert oss.serve(method, begun["parts"][0]["url"], begun["headers"], b"").status in (400, 403)
    assert len(oss.uploads) == 1


def test_a_url_ends_a_quarter_of_an_hour_after_it_was_signed(phone, oss, clock):
    begun = phone.begin()
    clock.tick(minutes=15)
    assert phone.send(begun) == [200, 200, 200]
    clock.tick(seconds=1)
    assert phone.send(begun) == [403, 403, 403]


def test_a_session_that_ends_within_a_second_is_rounded_down(phone, oss, clock):
    oss.give_sessions(phone.function, life=timedelta(seconds=600, milliseconds=700))
    begun = phone.begin()
    assert {query_of(part)["x-oss-expires"] for part in begun["parts"]} == {"540"}
    assert begun["expiresAt"] == "2026-11-24T14:09:00Z"


def test_the_log_names_the_upload_owner_and_whether_sts_was_called(phone, log_lines):
    begun = phone.begin()
    phone.begin()
    first, second = log_lines()[-2:]
    assert first["route"] == "multipart"
    assert (first["profile"], first["owner"]) == ("video", "public")
    assert (first["key"], first["uploadId"]) == (begun["key"], begun["uploadId"])
    assert (first["stsRefreshed"], second["stsRefreshed"]) == (True, False)


@pytest.mark.parametrize("files", [[], [{"filename": "a.mp4", "size": 9}], {}, "a.mp4", False])
def test_several_files_at_once_are_refused_even_beside_one(phone, oss, files):
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9, files=files)
    assert answer.outcome == (400, "bad_request")
    assert answer.json["error"]["message"].startswith("files ")
    assert oss.asked == []


def test_a_session_that_leaves_less_than_a_minute_signs_no_url(phone, oss, clock):
    phone.ask_event(body={"filename": "a.png"})
    clock.tick(seconds=3600 - 119)
    cache = phone.credentials_of(UPLOADS)
    assume_role, cache.assume_role = cache.assume_role, silent
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9)
    assert answer.outcome == (503, "sts_unavailable")
    assert oss.asked == []
    # A new session is assumed for it as soon as there is one.
    cache.assume_role = assume_role
    assert {query_of(part)["x-oss-expires"] for part in phone.begin()["parts"]} == {"900"}


def test_the_body_must_be_an_object(phone, oss):
    assert phone.ask_event(body="[1]", path="/multipart").outcome == (400, "bad_request")
    assert oss.asked == []
