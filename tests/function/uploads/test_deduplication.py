"""lifecycle.deduplication: bytes that an owner has stored already are not sent again."""

import json
from datetime import timedelta
from functools import partial
from hashlib import sha256

import pytest

from function.auth.signed_tokens import TICKET
from function.http.client import ExchangeFailed, HttpResponse
from tests.function.uploads.conftest import BUSINESS, business_token, claims_of
from tests.support.cases import profile_toml

pytestmark = pytest.mark.usefixtures("good_sts")
STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"
DIGEST = sha256(b"picture").hexdigest()
PROFILES = (
    profile_toml("default", "bytes", "{owner}/{sha256}{ext}", confirm=True)
    + profile_toml("each", end="{owner}/{sha256}/{id}{ext}", confirm=True)
    + profile_toml("plain", confirm=True)
)


@pytest.fixture
def function(instance, profiles_file, oss):
    return instance(oss, **BUSINESS, PROFILES_FILE=profiles_file(PROFILES))


@pytest.fixture
def ask_of(clock):
    """Ask as a caller of the business for a form of these bytes, or with other fields."""

    def ask(function, subject="ann", **fields):
        known = {"filename": "a.png", "sha256": DIGEST, "size": 1024}
        body = {"files": fields["files"]} if "files" in fields else known | fields
        return function.ask(body=body, headers=business_token(clock, subject))

    return ask


@pytest.fixture
def ask(function, ask_of):
    return partial(ask_of, function)


def test_bytes_that_are_there_already_get_a_receipt_and_no_form(ask, oss, clock, good_sts, function):
    told = ask(context={"order": 17}).json
    receipt = told.pop("receipt")
    [(method, url, *_)] = oss.asked
    assert (method, url) == ("HEAD", told["fileUrl"])
    assert (told["exists"], told["serverTime"]) == (True, "2026-11-24T14:00:00Z")
    assert told.keys() == {"exists", "key", "fileUrl", "uploadId", "serverTime"}
    assert told["fileUrl"] == f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/{told['key']}"
    folder, owner, name = told["key"].split("/")
    assert (folder, name, len(told["uploadId"])) == ("bytes", f"{DIGEST}.png", 22)
    expected = {"key": told["key"], "jti": told["uploadId"], "sub": "ann", "owner": owner}
    expected |= {"context": {"order": 17}, "sha256": DIGEST, "seen": True, "size": 1024, "profile": "default"}
    now = int(clock().timestamp())
    expected |= {"bucket": "my-bucket", "mimeType": "image/png", "iat": now, "exp": now + 86400}
    assert claims_of(receipt, clock).items() >= expected.items()
    # No form was signed, so nobody asked for the keys of one.
    assert len(good_sts.calls) == 1


def test_missing_bytes_get_a_form_and_a_ticket_with_their_digest(ask, oss, clock, function):
    oss.lacks()
    form = ask().json
    assert "exists" not in form
    assert len(oss.asked) == 1
    assert form["formData"]["key"] == form["key"] == f"bytes/{form['key'].split('/')[1]}/{DIGEST}.png"
    assert form["uploadId"] not in form["key"]
    ticket = claims_of(form["ticket"], clock, TICKET)
    assert (ticket["sha256"], ticket["sizes"], ticket["jti"]) == (DIGEST, [1024, 1024], form["uploadId"])
    oss.has()
    assert function.ask(path="/confirm", body={"ticket": form["ticket"]}).json["uploadId"] == form["uploadId"]
    assert ask().json["exists"] is True


def test_deduplication_finds_objects_of_the_same_owner_only(ask, oss):
    ann = ask("ann").json["key"]
    absent, there = oss.lacks(), oss.has()
    oss.says = lambda url: there if url.endswith(ann) else absent
    assert ask("ann").json["exists"] is True
    bob = ask("bob").json
    assert "exists" not in bob
    assert bob["key"].rpartition("/")[2] == ann.rpartition("/")[2]
    assert bob["key"] != ann


@pytest.mark.parametrize("stored", [
    {"content_length": "1023"}, {"content_length": "1025"}, {"content_type": "image/jpeg"},
    {"content_type": ""}
])  # fmt: skip
def test_another_size_or_type_under_that_name_gets_a_form(ask, oss, log_lines, stored):
    oss.has(**stored)
    assert "formData" in ask().json
    assert "reason" not in log_lines()[-1]


@pytest.mark.parametrize(
    "says",
    [
        HttpResponse(403, b"", {"x-oss-ec": "0003-00000001"}),
        HttpResponse(500, b""),
        HttpResponse(200, b"", {}),
        ExchangeFailed("timed out"),
    ],
    ids=["refused", "failing", "nonsense", "silent"],
)
def test_a_form_is_given_when_oss_cannot_be_reached(ask, oss, log_lines, says):
    oss.says = says
    answer = ask()
    assert (answer.status, "formData" in answer.json) == (200, True)
    line = log_lines()[-1]
    assert (line["status"], line["code"]) == (200, None)
    assert line["reason"].startswith("not checked for existence: HeadObject: ")


def test_without_the_objects_session_a_duplicate_gets_a_form(ask, oss, good_sts, log_lines, reply, clock):
    def for_forms_only(request):
        answered = json.dumps(reply(clock() + timedelta(hours=1)))
        return (200, {}, answered) if "PutObject" in request.url else (503, {}, "")

    good_sts.remove("POST", STS_URL)
    good_sts.add_callback("POST", STS_URL, callback=for_forms_only)
    answer = ask()
    assert (answer.status, "formData" in answer.json, oss.asked) == (200, True, [])
    assert log_lines()[-1]["reason"].startswith("not checked for existence: AssumeRole: ")


@pytest.mark.parametrize("wrong", [
    {"sha256": None}, {"sha256": ""}, {"sha256": 5}, {"size": None}, {"sha256": None, "size": None},
    {"sha256": "../" * 21 + "x"}
])  # fmt: skip
def test_without_a_digest_and_a_size_there_is_no_name(ask, oss, wrong):
    answer = ask(**wrong)
    assert (answer.status, answer.code, oss.asked) == (400, "bad_request", [])
    assert "sha256" in answer.json["error"]["message"]


def test_the_receipt_has_a_digest_that_the_key_does_not_use(ask, function, oss, clock):
    form = ask(profile="plain").json
    assert (oss.asked, DIGEST in form["key"]) == ([], False)
    receipt = function.ask(path="/confirm", body={"ticket": form["ticket"]}).json["receipt"]
    assert claims_of(receipt, clock)["sha256"] == DIGEST


def test_a_key_with_an_id_is_not_looked_up(ask, oss):
    first, second = ask(profile="each").json, ask(profile="each").json
    assert first["key"] != second["key"]
    assert DIGEST in first["key"]
    assert oss.asked == []


def digest_of(number):
    return sha256(bytes([number])).hexdigest()


def files(count, **more):
    return [{"filename": "a.png", "size": 1024, "sha256": digest_of(n), **more} for n in range(count)]


def test_deduplication_of_several_files_keeps_their_order(ask, oss, log_lines):
    absent = oss.lacks()
    there = oss.has()
    oss.says = lambda url: there if digest_of(1) in url or digest_of(3) in url else absent
    uploads = ask(files=[*files(4), {"filename": "a.png", "profile": "plain"}]).json["uploads"]
    assert [upload.get("exists", False) for upload in uploads] == [False, True, False, True, False]
    assert [digest_of(n) in upload["key"] for n, upload in enumerate(uploads[:4])] == [True] * 4
    assert [upload["key"] for upload in uploads] == log_lines()[-1]["key"]
    assert all(("formData" in upload) is not upload.get("exists", False) for upload in uploads)


def test_deduplication_stops_after_the_first_failure_of_oss(ask, oss, log_lines):
    there = oss.has()
    silent = ExchangeFailed("timed out")
    oss.says = lambda url: there if digest_of(0) in url else silent
    uploads = ask(files=files(20)).json["uploads"]
    assert [upload.get("exists", False) for upload in uploads] == [True] + [False] * 19
    # The second is asked about twice, within the time of all.
    assert len(oss.asked) == 3


def test_lookups_of_one_request_share_its_budget(function, instance, oss, ask_of):
    given = []

    def slow(_method, url, *, budget_seconds, **_options):
        given.append(budget_seconds)
        # Each is asked about twice, and the second time may take all that is left.
        return HttpResponse(500, b"") if len(given) % 2 else oss.says

    patient = instance(slow, **function.environ)
    # A quarter of a second for each call.
    patient.monotonic = lambda: len(given) / 4
    uploads = ask_of(patient, files=files(10)).json["uploads"]
    assert [upload["exists"] for upload in uploads] == [True] * 10
    assert given[1::2] == [10 - number / 4 for number in range(1, 20, 2)]


def test_the_same_bytes_twice_in_one_request_have_one_name_and_two_ids(ask, oss):
    oss.lacks()
    one, other = ask(files=[*files(1), *files(1)]).json["uploads"]
    assert one["key"] == other["key"]
    assert one["uploadId"] != other["uploadId"]
