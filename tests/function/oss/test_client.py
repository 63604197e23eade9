"""oss.client: bounded calls, retried where that is harmless, without any text of OSS."""

import pytest

from function.errors import AlreadyExists, Misconfigured, OssRejected, OssUnavailable
from function.http.client import HttpResponse
from function.oss.client import BUDGET_SECONDS, FIRST_TRY_SECONDS, OssClient, budget, share_of
from function.oss.multipart import StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import copy_object, delete_object, first_bytes, get_record, head_object, put_record
from tests.function.oss.conftest import BUCKET, KEYS, NOW, refusal
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

PART = StoredPart(1, 5, "E1")
# Each call, and whether it may be sent twice.
CALLS = {
    "HeadObject": (lambda oss: head_object(oss, "u/a"), True),
    "GetObject": (lambda oss: get_record(oss, "u/a"), True),
    "GetObject in part": (lambda oss: first_bytes(oss, "u/a", 4), True),
    "PutObject": (lambda oss: put_record(oss, "u/a", b"{}"), True),
    "PutObject if absent": (lambda oss: put_record(oss, "u/a", b"{}", forbid_overwrite=True), False),
    "DeleteObject": (lambda oss: delete_object(oss, "u/a"), True),
    "CopyObject": (
        lambda oss: copy_object(oss, "u/a", "u/b", acl="private", source_etag="E", forbid_overwrite=True),
        False,
    ),
    "InitiateMultipartUpload": (lambda oss: initiate(oss, "u/a", {}), False),
    "ListParts": (lambda oss: list_parts(oss, "u/a", "ID"), True),
    "CompleteMultipartUpload": (
        lambda oss: complete(oss, "u/a", "ID", [PART], acl="private", forbid_overwrite=True),
        False,
    ),
    "AbortMultipartUpload": (lambda oss: abort(oss, "u/a", "ID"), True),
}
EVERY_CALL = pytest.mark.parametrize("name", CALLS)
REPEATED = [name for name, (_, is_repeated) in CALLS.items() if is_repeated]
NOT_REPEATED = sorted(set(CALLS) - set(REPEATED))
FAILURES = [
    "TimeoutError",
    refusal(500, "InternalError"),
    refusal(503, "ServiceUnavailable"),
    HttpResponse(502, b""),
]


def failure_of(name, oss, kind=Exception):
    call, _ = CALLS[name]
    with pytest.raises(kind) as raised:
        call(oss.calls())
    return raised.value


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("failing", FAILURES, ids=str)
def test_what_is_harmless_is_tried_once_more(name, failing, scripted):
    scripted.answers = [failing, refusal(403, "AccessDenied")]
    assert isinstance(failure_of(name, scripted), OssRejected)
    first, second = scripted.asked
    assert first == second._replace(seconds=FIRST_TRY_SECONDS)
    assert second.seconds == BUDGET_SECONDS


@pytest.mark.parametrize("name", REPEATED)
def test_and_not_a_third_time(name, scripted):
    scripted.answers = ["TimeoutError", "ConnectionRefusedError"]
    error = failure_of(name, scripted, OssUnavailable)
    assert error.reason == f"{name.partition(' ')[0]}: ConnectionRefusedError"


@pytest.mark.parametrize(
    ("failing", "reason", "upstream"),
    [
        (
            refusal(500, "InternalError", "0000-1"),
            "HTTP 500 InternalError EC 0000-1 request 5F00REQUEST",
            "InternalError",
        ),
        (HttpResponse(502, b"<html>"), "HTTP 502", ""),
        ("TimeoutError", "TimeoutError", ""),
    ],
)
def test_why_oss_did_not_answer_is_for_the_log(failing, reason, upstream, scripted):
    scripted.answers = [failing]
    error = failure_of("CopyObject", scripted, OssUnavailable)
    assert (error.reason, error.upstream) == (f"CopyObject: {reason}", upstream)


@pytest.mark.parametrize("name", NOT_REPEATED)
@pytest.mark.parametrize("failing", FAILURES, ids=str)
def test_what_would_do_its_work_twice_is_never_repeated(name, failing, scripted):
    scripted.answers = [failing]
    error = failure_of(name, scripted, OssUnavailable)
    assert error.retry_after == 2
    assert error.reason.startswith(f"{name.partition(' ')[0]}: ")
    assert len(scripted.asked) == 1
    assert scripted.asked[0].seconds == BUDGET_SECONDS


@EVERY_CALL
def test_a_refusal_is_an_answer_and_not_asked_for_again(name, scripted):
    scripted.answers = [refusal(403, "AccessDenied", "0003-00000001")]
    error = failure_of(name, scripted, OssRejected)
    operation = name.partition(" ")[0]
    assert error.upstream == "AccessDenied"
    assert error.reason == f"{operation}: HTTP 403 AccessDenied EC 0003-00000001 request 5F00REQUEST"
    assert len(scripted.asked) == 1


@EVERY_CALL
@pytest.mark.parametrize(
    "code", ["SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed", "NoSuchBucket"]
)
def test_whatever_else_oss_refuses_is_a_refusal(name, code, scripted):
    scripted.answers = [refusal(404 if code == "NoSuchBucket" else 403, code)]
    assert failure_of(name, scripted, OssRejected).upstream == code


@EVERY_CALL
@pytest.mark.parametrize("status", [100, 201, 204, 301, 304, 400, 404, 418])
def test_a_status_that_says_nothing_known_is_no_success(name, status, scripted):
    if (name, status) in {("DeleteObject", 204), ("AbortMultipartUpload", 204)}:
        return
    scripted.answers = [HttpResponse(status, b"<html>canary</html>", {"location": "https://canary.example"})]
    error = failure_of(name, scripted, OssRejected)
    assert error.reason == f"{name.partition(' ')[0]}: HTTP {status}"
    assert error.upstream == ""


@EVERY_CALL
def test_nothing_of_the_text_of_oss_nor_an_address_gets_out(name, scripted):
    for status, code in ((403, "AccessDenied"), (500, "InternalError"), (400, "PublicEndpointForbidden")):
        scripted.answers = [refusal(status, code)] * (2 if status == 500 and name in REPEATED else 1)
        error = failure_of(name, scripted)
        told = f"{error!r} {vars(error)}"
        assert "canary" not in told
        assert KEYS.security_token not in told
        assert "http" not in told.replace("https://BUCKET", "")
        assert error.__cause__ is None


@EVERY_CALL
def test_a_public_endpoint_that_takes_no_data_calls_is_for_the_operator(name, scripted):
    scripted.answers = [refusal(400, "PublicEndpointForbidden", "0048-00000401")]
    error = failure_of(name, scripted, Misconfigured)
    assert [problem.setting for problem in error.problems] == ["OSS_ENDPOINT"]
    assert error.reason.startswith("OSS_ENDPOINT must be another address")
    for part in ("PublicEndpointForbidden", "0048-00000401", "-internal.aliyuncs.com", "OSS_HOST", "domain"):
        assert part in error.reason
    assert error.upstream == "PublicEndpointForbidden"


@pytest.mark.parametrize(
    "name", ["CopyObject", "InitiateMultipartUpload", "CompleteMultipartUpload", "PutObject if absent"]
)
def test_a_name_that_is_taken_is_its_own_error(name, scripted):
    scripted.answers = [refusal(409, "FileAlreadyExists", "0026-00000099")]
    error = failure_of(name, scripted, AlreadyExists)
    assert (error.status, error.upstream) == (409, "FileAlreadyExists")
    assert "0026-00000099" in error.reason


@EVERY_CALL
def test_each_is_signed_and_says_nothing_twice(name, scripted):
    """The script's OSS checks the signature of each."""
    scripted.answers = [refusal(403, "AccessDenied")]
    failure_of(name, scripted)
    sent = scripted.asked[0].headers
    assert sent["x-oss-security-token"] == KEYS.security_token
    assert sent["x-oss-date"] == "20261124T140000Z"
    assert not {header for header in sent if header != header.lower()}


def test_all_calls_of_a_request_share_ten_seconds(scripted):
    scripted.takes_seconds = 3.5
    scripted.answers = [HttpResponse(204, b""), HttpResponse(204, b""), "TimeoutError"]
    oss = scripted.calls()
    delete_object(oss, "u/a")
    delete_object(oss, "u/a")
    with pytest.raises(OssUnavailable, match="does not answer") as raised:
        delete_object(oss, "u/a")
    assert [one.seconds for one in scripted.asked] == [4.0, 4.0, 3.0]
    assert raised.value.reason.startswith("DeleteObject: ")


def test_a_call_that_has_no_time_left_is_not_made(scripted):
    scripted.takes_seconds = BUDGET_SECONDS
    scripted.answers = [HttpResponse(204, b"")]
    oss = scripted.calls()
    delete_object(oss, "u/a")
    with pytest.raises(OssUnavailable):
        initiate(oss, "u/a", {})
    assert len(scripted.asked) == 1


def test_a_call_that_has_any_time_left_is_made(scripted):
    scripted.takes_seconds = BUDGET_SECONDS - 0.125
    scripted.answers = [HttpResponse(204, b""), HttpResponse(204, b"")]
    oss = scripted.calls()
    delete_object(oss, "u/a")
    delete_object(oss, "u/a")
    assert scripted.asked[1].seconds == 0.125


def test_a_second_try_gets_what_the_first_has_left(scripted):
    scripted.takes_seconds = FIRST_TRY_SECONDS
    scripted.answers = ["TimeoutError", HttpResponse(204, b"")]
    delete_object(scripted.calls(), "u/a")
    assert [one.seconds for one in scripted.asked] == [FIRST_TRY_SECONDS, BUDGET_SECONDS - FIRST_TRY_SECONDS]


def test_the_budget_counts_from_where_it_is_made():
    clock = iter([100.0, 100.0, 103.5, 111.0])
    left = budget(lambda: next(clock))
    assert [left(), left(), left()] == [BUDGET_SECONDS, BUDGET_SECONDS - 3.5, -1.0]
    assert BUDGET_SECONDS == 10


def test_the_budget_is_of_real_time_where_nobody_says_otherwise():
    left = budget()
    assert BUDGET_SECONDS - 1 < left() <= BUDGET_SECONDS


def test_of_several_buckets_each_has_a_share_of_its_own_and_no_more_than_is_left(scripted):
    clock = iter([0.0, 4.0, 100.0, 101.0])
    scripted.answers = ["TimeoutError", HttpResponse(204, b""), HttpResponse(204, b"")]
    mine = share_of(scripted.calls(), 6.0, lambda: next(clock))
    # What a failure took counts, and nothing that went by in between.
    delete_object(mine, "u/a")
    assert [one.seconds for one in scripted.asked] == [FIRST_TRY_SECONDS, 2.0]
    assert mine.seconds_left() == 1.0
    scripted.takes_seconds = 9.5
    delete_object(scripted.calls(), "u/a")
    assert mine.seconds_left() == 0.5


def test_a_share_is_of_real_time_where_nobody_says_otherwise(scripted):
    scripted.answers = [HttpResponse(204, b"")]
    mine = share_of(scripted.calls(), 6.0)
    delete_object(mine, "u/a")
    assert 5 < mine.seconds_left() < 6


def test_what_makes_the_calls_shows_no_secret():
    assert repr(OssClient(BUCKET, "r", "https://o", KEYS, NOW, print, budget())) == f"OssClient({BUCKET})"


@pytest.mark.parametrize(
    "name", ["CopyObject", "InitiateMultipartUpload", "ListParts", "CompleteMultipartUpload"]
)
@cases("body")
def test_a_success_that_carries_no_result_is_none(name, body, scripted):
    scripted.answers = [HttpResponse(200, body)]
    error = failure_of(name, scripted, OssUnavailable)
    assert error.reason.startswith(f"{name}: ")
