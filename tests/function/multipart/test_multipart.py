"""routes.multipart: a large file is begun with everything pinned, or nothing is begun at all."""

from base64 import urlsafe_b64decode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from function.errors import StsUnavailable
from function.multipart.lifecycle import initiate_headers
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


@pytest.mark.parametrize(("count", "urls"), [(19, 19), (20, 20), (21, 20)])
def test_no_more_than_twenty_urls_are_given_at_a_time(phone, count, urls):
    begun = phone.begin(size=count * PART)
    assert begun["partCount"] == count
    assert [part["number"] for part in begun["parts"]] == list(range(1, urls + 1))


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


def test_initiate_sends_the_fields_that_the_profile_pins(phone, oss):
    phone.begin(profile="kept")
    (upload,) = oss.uploads.values()
    pinned = {"cache-control": "no-cache", "x-oss-storage-class": "IA"}
    pinned |= {"x-oss-forbid-overwrite": "false", "x-oss-meta-source": "app"}
    assert upload.headers.items() >= pinned.items()


def test_types_that_browsers_do_not_show_are_attachments(phone, oss):
    phone.begin(profile="kept", filename="a.txt")
    (upload,) = oss.uploads.values()
    assert upload.headers["content-type"] == "text/plain"
    assert upload.headers["content-disposition"] == "attachment"


def test_the_status_of_a_form_and_the_acl_are_not_for_the_beginning():
    pinned = {"x-oss-content-type": "image/png", "Content-Disposition": "inline"}
    sent = initiate_headers({"success_action_status": "200", "x-oss-object-acl": "private", **pinned}, "ID")
    expected = {"content-type": "image/png", "content-disposition": "inline", "x-oss-meta-upload-id": "ID"}
    assert sent == expected


def silent(_own, _now, *, attempts):
    """In place of STS."""
    raise StsUnavailable


WRONG = {
    "no size": ({"size": None}, (400, "bad_request")),
    "zero bytes": ({"size": 0}, (400, "bad_request")),
    "a negative size": ({"size": -1}, (400, "bad_request")),
    "a size that is text": ({"size": "5"}, (400, "bad_request")),
    "a size that is true": ({"size": True}, (400, "bad_request")),
    "a byte too many": ({"size": 8 * 1024 * KIB + 1}, (413, "too_large")),
    "no type": ({"filename": "noextension"}, (400, "bad_request")),
    "an unknown extension": ({"filename": "a.xyz"}, (415, "unsupported_type")),
    "another type": ({"contentType": "image/png"}, (415, "unsupported_type")),
    "no such profile": ({"profile": "none"}, (400, "unknown_profile")),
    "a profile without parts": ({"profile": "default", "filename": "a.png"}, (400, "bad_request")),
    "a context that is no object": ({"context": "x"}, (400, "bad_request")),
}


@pytest.mark.parametrize("case", WRONG)
def test_invalid_requests_are_refused_before_any_call_to_oss(phone, oss, case):
    changes, expected = WRONG[case]
    asked = {"profile": "video", "filename": "a.mp4", "size": 9, **changes}
    assert phone.ask("multipart", **asked).outcome == expected
    assert oss.asked == []


@pytest.mark.parametrize("files", [[], [{"filename": "a.mp4", "size": 9}], {}, "a.mp4", False])
def test_several_files_at_once_are_refused_even_beside_one(phone, oss, files):
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9, files=files)
    assert answer.outcome == (400, "bad_request")
    assert answer.json["error"]["message"].startswith("files ")
    assert oss.asked == []


def test_no_files_are_no_files(phone):
    assert phone.begin(files=None)["partCount"] == 3


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


def test_the_body_must_be_an_object(phone, oss):
    assert phone.ask_event(body="[1]", path="/multipart").outcome == (400, "bad_request")
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


def test_malformed_multipart_requests_do_not_count(phone_of):
    phone = phone_of(CALLER_RATE="1/min")
    for _ in range(3):
        phone.ask("multipart", profile="video", filename="a.mp4")
    phone.begin()


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


def test_an_existing_key_is_refused_at_the_beginning(phone, oss, clock):
    _, done = phone.store_parts()
    # The same random bytes twice: what never happens is not overwritten when it does.
    phone.restart(random_bytes=lambda _size: urlsafe_b64decode(f"{done['uploadId']}=="))
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9)
    assert answer.outcome == (409, "already_exists")
    assert oss.uploads == {}


def test_without_credentials_for_the_urls_oss_begins_nothing(phone, oss):
    phone.credentials_of(UPLOADS).assume_role = silent
    answer = phone.ask("multipart", profile="video", filename="a.mp4", size=9)
    assert answer.outcome == (503, "sts_unavailable")
    assert oss.asked == []


def test_the_log_names_the_upload_owner_and_whether_sts_was_called(phone, log_lines):
    begun = phone.begin()
    phone.begin()
    first, second = log_lines()[-2:]
    assert first["route"] == "multipart"
    assert (first["profile"], first["owner"]) == ("video", "public")
    assert (first["key"], first["uploadId"]) == (begun["key"], begun["uploadId"])
    assert (first["stsRefreshed"], second["stsRefreshed"]) == (True, False)


def test_a_refusal_is_logged_with_profile_and_owner(phone, log_lines):
    phone.ask("multipart", profile="default", filename="a.png", size=9)
    assert (log_lines()[-1]["profile"], log_lines()[-1]["owner"]) == ("default", "public")


@pytest.mark.parametrize("held", ["uploads", "objects"])
def test_each_of_the_two_sessions_is_logged_when_it_is_assumed(phone, clock, log_lines, held):
    """After a form, or a question about an object, one of them is there already."""
    phone.assume(held, clock())
    phone.begin()
    assert log_lines()[-1]["stsRefreshed"] is True


def query_of(part):
    return {name: values[0] for name, values in parse_qs(urlsplit(part["url"]).query).items()}


def test_a_url_leads_to_the_host_of_forms_and_the_function_s_own_calls_to_its_endpoint(phone_of, oss):
    phone = phone_of(OSS_HOST="https://files.example.com", OSS_ENDPOINT="https://inside.example.com")
    begun = phone.begin()
    assert begun["parts"][0]["url"].startswith(f"https://files.example.com/{begun['key']}?")
    assert begun["fileUrl"] == f"https://files.example.com/{begun['key']}"
    assert oss.requests[0].headers["host"] == "inside.example.com"
    assert phone.send(begun) == [200, 200, 200]


def test_urls_use_the_upload_session_and_calls_the_objects_session(phone, oss):
    begun = phone.begin()
    signed_with = {query_of(part)["x-oss-credential"].split("/")[0] for part in begun["parts"]}
    assert signed_with == {"STS.uploads.upload"}
    assert "Credential=STS.objects.upload/" in oss.requests[0].headers["authorization"]


def test_a_part_url_fixes_part_number_upload_id_and_length(phone, oss):
    (first, *_) = phone.begin()["parts"]
    query = query_of(first)
    assert (query["partNumber"], query["uploadId"]) == ("1", next(iter(oss.uploads)))
    assert (query["x-oss-expires"], query["x-oss-additional-headers"]) == ("900", "content-length")


@pytest.mark.parametrize("length", [PART - 1, PART + 1, 0])
def test_a_part_that_is_not_as_long_as_signed_does_not_arrive(phone, oss, length):
    begun = phone.begin()
    assert oss.put(begun["parts"][0], begun["headers"], "a", length) == 403
    assert next(iter(oss.uploads.values())).parts == {}


def test_without_the_length_in_the_signature_any_length_arrives_and_is_found_out_later(phone_of, oss):
    phone = phone_of(SIGN_PART_LENGTH="false")
    begun = phone.begin()
    assert "x-oss-additional-headers" not in query_of(begun["parts"][0])
    assert oss.put(begun["parts"][0], begun["headers"], "a", PART - 1) == 200
    phone.send(begun, begun["parts"][1:])
    answer = phone.complete(begun["ticket"])
    assert (answer.outcome, answer.json["error"]["missing"]) == ((409, "incomplete"), [1])


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


@pytest.mark.parametrize(
    ("seconds_left", "life"), [(16 * 60, 900), (16 * 60 - 1, 899), (300, 240), (121, 61), (120, 60)]
)
def test_a_url_ends_a_minute_before_its_session_where_that_is_sooner(phone, oss, clock, seconds_left, life):
    phone.ask_event(body={"filename": "a.png"})
    held_until = clock() + timedelta(hours=1)
    cache = phone.credentials_of(UPLOADS)
    clock.tick(seconds=3600 - seconds_left)

    # In the last quarter a new session is wanted; where there is none, the held one serves as long as it can.
    cache.assume_role = silent
    begun = phone.begin()
    assert {query_of(part)["x-oss-expires"] for part in begun["parts"]} == {str(life)}
    ends = clock() + timedelta(seconds=life)
    assert begun["expiresAt"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ends + timedelta(seconds=60) <= held_until


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


def test_a_session_that_ends_within_a_second_is_rounded_down(phone, oss, clock):
    oss.give_sessions(phone.function, life=timedelta(seconds=600, milliseconds=700))
    begun = phone.begin()
    assert {query_of(part)["x-oss-expires"] for part in begun["parts"]} == {"540"}
    assert begun["expiresAt"] == "2026-11-24T14:09:00Z"


def test_a_key_in_chinese_is_sent_to_as_it_is_stored(phone_of, oss):
    phone = phone_of(
        profiles='[video]\nkey = "视频/{owner}/{id}{ext}"\nmax_size = "1MiB"\n'
        'content_types = ["video/mp4"]\nparts = true\n'
    )
    begun, done = phone.store_parts(size=9)
    assert done["key"] == begun["key"] == next(iter(oss.objects))
    assert begun["key"].startswith("视频/")
