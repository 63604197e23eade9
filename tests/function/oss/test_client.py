"""oss.client: bounded calls, retried where that is harmless, without any text of OSS."""

from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace

import pytest

from function.errors import AlreadyExists, Misconfigured, OssRejected, OssUnavailable
from function.http.client import HttpResponse
from function.oss.client import (
    BUDGET_SECONDS,
    FIRST_TRY_SECONDS,
    OssClient,
    budget,
    oss_client,
    same_bucket,
    with_time_limit,
)
from function.oss.listing import list_page
from function.oss.multipart import StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import (
    copy_object,
    delete_object,
    first_bytes,
    get_record,
    head_object,
    process_object,
    put_record,
    set_private,
)
from function.oss.versions import UPLOADS, VERSIONS, Entry, Markers, delete_version, list_entries
from tests.function.oss.conftest import BUCKET, KEYS, NOW, refusal

PART = StoredPart(1, 5, "E1")
# Each call, and whether it may be sent twice.
CALLS = {
    "HeadObject": (lambda oss: head_object(oss, "u/a"), True),
    "GetObject": (lambda oss: get_record(oss, "u/a"), True),
    "GetObject in part": (lambda oss: first_bytes(oss, "u/a", 4), True),
    "PutObject": (lambda oss: put_record(oss, "u/a", b"{}"), True),
    "PutObject if absent": (lambda oss: put_record(oss, "u/a", b"{}", forbid_overwrite=True), False),
    "DeleteObject": (lambda oss: delete_object(oss, "u/a"), True),
    "DeleteObject of a version": (lambda oss: delete_version(oss, Entry("u/a", "V")), True),
    "CopyObject": (lambda oss: copy_object(oss, "u/a", "u/b", acl="private", source_etag="E"), False),
    "PostProcessTask": (lambda oss: process_object(oss, "u/a", "u/b", "image/format,jpg"), False),
    "PutObjectACL": (lambda oss: set_private(oss, "u/a"), True),
    "InitiateMultipartUpload": (lambda oss: initiate(oss, "u/a", {}), False),
    "ListParts": (lambda oss: list_parts(oss, "u/a", "ID"), True),
    "CompleteMultipartUpload": (
        lambda oss: complete(oss, "u/a", "ID", [PART], acl="private", forbid_overwrite=True),
        False,
    ),
    "AbortMultipartUpload": (lambda oss: abort(oss, "u/a", "ID"), True),
    "ListObjectsV2": (lambda oss: list_page(oss, "u/"), True),
    "ListMultipartUploads": (lambda oss: list_entries(oss, UPLOADS, "u/", Markers()), True),
    "ListObjectVersions": (lambda oss: list_entries(oss, VERSIONS, "u/", Markers()), True),
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
def test_a_repeatable_call_is_retried_once(name, failing, scripted):
    scripted.answers = [failing, refusal(403, "AccessDenied")]
    assert isinstance(failure_of(name, scripted), OssRejected)
    first, second = scripted.asked
    assert first == second._replace(seconds=FIRST_TRY_SECONDS)
    assert second.seconds == BUDGET_SECONDS
    scripted.answers = ["TimeoutError", "ConnectionRefusedError"]
    error = failure_of(name, scripted, OssUnavailable)
    assert error.reason == f"{name.partition(' ')[0]}: ConnectionRefusedError"


INTERNAL = refusal(500, "InternalError", "0000-1")


@pytest.mark.parametrize(
    ("failing", "reason", "upstream"),
    [
        (INTERNAL, "HTTP 500 InternalError EC 0000-1 request 5F00REQUEST", "InternalError"),
        (HttpResponse(502, b"<html>"), "HTTP 502", ""),
        ("TimeoutError", "TimeoutError", ""),
    ],
)
def test_the_log_has_the_reason_of_a_failure(failing, reason, upstream, scripted):
    scripted.answers = [failing]
    error = failure_of("CopyObject", scripted, OssUnavailable)
    assert (error.reason, error.upstream) == (f"CopyObject: {reason}", upstream)


@pytest.mark.parametrize("name", NOT_REPEATED)
@pytest.mark.parametrize("failing", FAILURES, ids=str)
def test_a_call_that_is_not_idempotent_is_not_retried(name, failing, scripted):
    scripted.answers = [failing]
    error = failure_of(name, scripted, OssUnavailable)
    assert (error.retry_after, error.is_own) == (2, False)
    assert error.reason.startswith(f"{name.partition(' ')[0]}: ")
    assert [sent.seconds for sent in scripted.asked] == [BUDGET_SECONDS]


@EVERY_CALL
def test_a_refusal_is_not_retried(name, scripted):
    """The scripted OSS checks the signature of each call."""
    scripted.answers = [refusal(403, "AccessDenied", "0003-00000001")]
    error = failure_of(name, scripted, OssRejected)
    assert error.upstream == "AccessDenied"
    refused = "HTTP 403 AccessDenied EC 0003-00000001 request 5F00REQUEST"
    assert error.reason == f"{name.partition(' ')[0]}: {refused}"
    (sent,) = [asked.headers for asked in scripted.asked]
    assert sent["x-oss-security-token"] == KEYS.security_token
    assert sent["x-oss-date"] == "20261124T140000Z"
    assert not {header for header in sent if header != header.lower()}
    for code in ("SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed", "NoSuchBucket"):
        scripted.answers = [refusal(404 if code == "NoSuchBucket" else 403, code)]
        assert failure_of(name, scripted, OssRejected).upstream == code


@EVERY_CALL
@pytest.mark.parametrize("status", [100, 204, 301, 400, 404])
def test_an_unexpected_status_is_no_success(name, status, scripted):
    if status == 204 and name.startswith(("DeleteObject", "AbortMultipartUpload")):
        return
    scripted.answers = [HttpResponse(status, b"<html>canary</html>", {"location": "https://canary.example"})]
    error = failure_of(name, scripted, OssRejected)
    assert (error.reason, error.upstream) == (f"{name.partition(' ')[0]}: HTTP {status}", "")


@EVERY_CALL
def test_no_text_of_oss_and_no_url_is_in_an_error(name, scripted):
    for status, code in ((403, "AccessDenied"), (500, "InternalError"), (400, "PublicEndpointForbidden")):
        scripted.answers = [refusal(status, code)] * (2 if status == 500 and name in REPEATED else 1)
        error = failure_of(name, scripted)
        told = f"{error!r} {vars(error)}"
        assert "canary" not in told
        assert KEYS.security_token not in told
        assert "http" not in told.replace("https://BUCKET", "")
        assert error.__cause__ is None


@EVERY_CALL
def test_a_forbidden_public_endpoint_is_misconfigured(name, scripted):
    scripted.answers = [refusal(400, "PublicEndpointForbidden", "0048-00000401")]
    error = failure_of(name, scripted, Misconfigured)
    assert [problem.setting for problem in error.problems] == ["OSS_ENDPOINT"]
    for part in ("PublicEndpointForbidden", "0048-00000401", "-internal.aliyuncs.com", "OSS_HOST"):
        assert part in error.reason
    assert error.upstream == "PublicEndpointForbidden"


@pytest.mark.parametrize("name", NOT_REPEATED)
def test_a_taken_name_has_an_error_of_its_own(name, scripted):
    scripted.answers = [refusal(409, "FileAlreadyExists", "0026-00000099")]
    error = failure_of(name, scripted, AlreadyExists)
    assert (error.status, error.upstream) == (409, "FileAlreadyExists")
    assert "0026-00000099" in error.reason


DELETED = HttpResponse(204, b"")


def test_all_calls_of_a_request_share_ten_seconds(scripted):
    scripted.takes_seconds = 3.5
    scripted.answers = [DELETED, DELETED, "TimeoutError"]
    oss = scripted.calls()
    delete_object(oss, "u/a")
    delete_object(oss, "u/a")
    with pytest.raises(OssUnavailable) as raised:
        delete_object(oss, "u/a")
    assert [one.seconds for one in scripted.asked] == [4.0, 4.0, 3.0]
    assert raised.value.reason.startswith("DeleteObject: ")


@pytest.mark.parametrize("left", [0, 0.125])
def test_a_call_is_made_only_with_time_left(scripted, left):
    scripted.takes_seconds = BUDGET_SECONDS - left
    scripted.answers = [DELETED, DELETED] if left else [DELETED]
    oss = scripted.calls()
    delete_object(oss, "u/a")
    with nullcontext() if left else pytest.raises(OssUnavailable):
        delete_object(oss, "u/a")
    assert [one.seconds for one in scripted.asked[1:]] == ([left] if left else [])


def test_a_call_that_is_not_repeated_takes_no_longer_than_its_limit_or_the_budget(scripted):
    scripted.takes_seconds = BUDGET_SECONDS - 1
    scripted.answers = [DELETED, DELETED]
    oss = scripted.calls()
    for _ in range(2):
        delete_object(oss, "u/a", is_repeatable=False)
    assert [one.seconds for one in scripted.asked] == [FIRST_TRY_SECONDS, 1]


def test_a_client_of_the_same_bucket_shares_the_time_limit(scripted):
    asked = []
    context = SimpleNamespace(now=NOW, send=print, monotonic=lambda: 0.0)
    context.credentials = lambda *what: asked.append(what) or KEYS
    location = SimpleNamespace(bucket=BUCKET, region="r", oss_endpoint="https://o", session=str)
    mine = with_time_limit(scripted.calls(), 6.0)
    other = same_bucket(context, mine, location)
    assert (other.send, other.seconds_left()) == (mine.send, 6.0)
    assert oss_client(context, location).seconds_left() == BUDGET_SECONDS
    assert asked == [("objects", [NOW + timedelta(seconds=BUDGET_SECONDS)])] * 2


def test_a_client_shows_no_secret():
    assert repr(OssClient(BUCKET, "r", "https://o", KEYS, NOW, print, budget())) == f"OssClient({BUCKET})"


@pytest.mark.parametrize(
    "name", ["CopyObject", "InitiateMultipartUpload", "ListParts", "CompleteMultipartUpload"]
)
def test_a_success_without_a_result_is_unavailable(name, scripted):
    error = b"<Error><Code>InternalError</Code></Error>"
    entity = b'<!DOCTYPE a [<!ENTITY e "x">]><CopyObjectResult/>'
    for body in (b"", b"not xml", error, b"<CopyObject/>", b"\xff\xfe<", entity):
        scripted.answers = [HttpResponse(200, body)]
        assert failure_of(name, scripted, OssUnavailable).reason.startswith(f"{name}: ")


def test_refusals_of_a_right_or_of_many_calls_are_about_no_object_of_its_own(scripted):
    statuses = (401, 402, 403, 404, 429, 430)
    scripted.answers = [refusal(status, "Refused") for status in statuses]
    found = [failure_of("HeadObject", scripted, OssRejected).is_own for _ in statuses]
    assert found == [False, True, False, True, False, True]
