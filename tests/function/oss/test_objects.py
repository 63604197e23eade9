"""oss.objects: facts about objects, copies, deletions and records."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from function.errors import OssRejected, OssUnavailable, UploadError
from function.http.client import HttpResponse
from function.oss.client import BUDGET_SECONDS
from function.oss.objects import (
    MAX_RECORD_BYTES,
    ObjectFacts,
    copy_object,
    delete_object,
    first_bytes,
    get_record,
    head_object,
    process_object,
    put_record,
    read_object,
    read_range,
    set_private,
)
from tests.function.oss.conftest import refusal

HEADERS = {
    "content-length": "344606",
    "content-type": "image/jpeg",
    "etag": '"5B3C1A2E053D763E1B002CC607C5A0FE"',
    "last-modified": "Tue, 24 Nov 2026 13:59:00 GMT",
    "x-oss-meta-owner": "42",
    "x-oss-meta-": "nameless",
    "x-oss-storage-class": "Standard",
    "content-encoding": "gzip",
}
FACTS = ObjectFacts(
    344606,
    "5B3C1A2E053D763E1B002CC607C5A0FE",
    "image/jpeg",
    {"owner": "42", "": "nameless"},
    datetime(2026, 11, 24, 13, 59, tzinfo=UTC),
    "gzip",
)


def without_body(status, code, ec):
    """How OSS refuses a HEAD."""
    answer = refusal(status, code, ec)
    return HttpResponse(status, b"", {**answer.headers, "x-oss-err": b64encode(answer.body).decode()})


def test_the_facts_of_an_object(scripted):
    scripted.answers = [HttpResponse(200, b"", HEADERS)]
    assert head_object(scripted.calls(), "u/图 片.jpg") == FACTS
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.query, asked.body) == ("HEAD", "u/图 片.jpg", {}, None)


def test_optional_facts_are_empty(scripted):
    needed = {name: HEADERS[name] for name in ("content-length", "etag", "last-modified")}
    latest = {"content-length": "1" * 15, "last-modified": HEADERS["last-modified"].replace("2026", "9000")}
    scripted.answers = [HttpResponse(200, b"", needed | latest)]
    modified = FACTS.last_modified.replace(year=9000)
    expected = ObjectFacts(int("1" * 15), FACTS.etag, "", {}, modified)
    assert head_object(scripted.calls(), "u/a") == expected


@pytest.mark.parametrize(
    ("header", "value"),
    [
        *(("content-length", value) for value in (None, "-1", "٣", "1" * 16)),
        *(("etag", None), ("etag", '"<x>"'), ("last-modified", None), ("last-modified", "yesterday")),
        ("last-modified", f"Tue, 24 Nov {'9' * 20} 13:59:00 GMT"),
        ("last-modified", f"Tue, 24 Nov 2026 13:59:00 +{'9' * 20}"),
        ("last-modified", "Fri, 31 Dec 9999 23:59:59 -2359"),
        ("last-modified", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_an_object_with_invalid_facts_is_unavailable(header, value, scripted):
    headers = {name: text for name, text in {**HEADERS, header: value}.items() if text is not None}
    scripted.answers = [HttpResponse(200, b"", headers)]
    with pytest.raises(OssUnavailable) as raised:
        head_object(scripted.calls(), "u/a")
    assert raised.value.reason.startswith("HeadObject: ")


def test_a_missing_object_is_none(scripted):
    scripted.answers = [without_body(404, "NoSuchKey", "0026-00000001"), *[refusal(404, "NoSuchKey")] * 2]
    assert head_object(scripted.calls(), "u/a") is None
    assert get_record(scripted.calls(), "held/.checks/1") is None
    assert first_bytes(scripted.calls(), "held/a", 4) == (b"", "")


@pytest.mark.parametrize(
    "answer",
    [
        without_body(404, "NoSuchBucket", "0015-00000101"),
        without_body(404, "SymlinkTargetNotExist", "0026-00000088"),
        without_body(403, "AccessDenied", "0003-00000001"),
        without_body(403, "NoSuchKey", "0026-00000001"),
        *(HttpResponse(403, b""), HttpResponse(404, b""), HttpResponse(404, b"<html>not found</html>")),
    ],
)
def test_only_a_missing_object_counts_as_absent(answer, scripted):
    for call in (head_object, get_record, lambda oss, key: first_bytes(oss, key, 4)):
        scripted.answers = [answer]
        with pytest.raises(OssRejected):
            call(scripted.calls(), "u/a")


COPIED = (
    b'<CopyObjectResult><ETag>"E"</ETag><LastModified>2026-11-24T14:00:00Z</LastModified></CopyObjectResult>'
)


def copy(oss, **changes):
    given = {"acl": "public-read", "source_etag": "E-1", **changes}
    return copy_object(oss.calls(), "held/u/图 片+1.jpg", "u/图 片+1.jpg", **given)


def test_the_request_of_a_copy(scripted):
    scripted.answers = [HttpResponse(200, COPIED)] * 2
    assert copy(scripted) == "E"
    copy(scripted, storage_class="IA")
    asked, other = scripted.asked
    assert (asked.method, asked.key, asked.query, asked.body) == ("PUT", "u/图 片+1.jpg", {}, None)
    expected = {
        "x-oss-copy-source": "/examplebucket/held/u/%E5%9B%BE%20%E7%89%87%2B1.jpg",
        "x-oss-copy-source-if-match": '"E-1"',
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": "public-read",
    }
    assert asked.headers.items() >= expected.items()
    assert not {"x-oss-storage-class", "x-oss-metadata-directive"} & {*asked.headers}
    assert other.headers["x-oss-storage-class"] == "IA"


def test_only_two_refusals_are_outcomes_of_a_copy(scripted):
    scripted.answers = [refusal(404, "NoSuchKey"), refusal(412, "PreconditionFailed")]
    assert [copy(scripted), copy(scripted)] == ["", ""]
    for status, code in ((404, "NoSuchBucket"), (412, ""), (403, "NoSuchKey")):
        scripted.answers = [refusal(status, code)]
        with pytest.raises(OssRejected):
            copy(scripted)


@pytest.mark.parametrize(("option", "header"), [({"forbid_overwrite": True}, "true"), ({}, "false")])
def test_a_record_is_private_json(option, header, scripted):
    scripted.answers = [HttpResponse(200, b"")]
    put_record(scripted.calls(), "held/.checks/1", b'{"a":1}', **option)
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.body) == ("PUT", "held/.checks/1", b'{"a":1}')
    assert asked.headers["x-oss-object-acl"] == "private"
    assert asked.headers["x-oss-forbid-overwrite"] == header
    assert asked.headers["content-type"] == "application/json"


def test_a_record_is_read_back(scripted):
    scripted.answers = [HttpResponse(200, b'{"a":1}')]
    assert get_record(scripted.calls(), "held/.checks/1") == b'{"a":1}'
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.max_bytes) == ("GET", "held/.checks/1", MAX_RECORD_BYTES)
    assert MAX_RECORD_BYTES == 16_384


def test_only_the_first_bytes_are_requested(scripted):
    for status, headers in ((206, {}), (200, {}), (206, {"content-encoding": "gzip"})):
        scripted.answers = [HttpResponse(status, b"0123456789", headers)]
        encoding = headers.get("content-encoding", "")
        assert first_bytes(scripted.calls(), "held/a", 4) == (b"0123", encoding)
    asked = scripted.asked[-1]
    assert (asked.method, asked.key, asked.headers["range"]) == ("GET", "held/a", "bytes=0-3")


PROCESS = "image/auto-orient,1/format,jpg/quality,q_90"


def test_the_request_of_a_processed_copy(scripted):
    scripted.answers = [HttpResponse(200, b'{"status":"OK"}'), HttpResponse(200, b"")]
    for _ in range(2):
        assert process_object(scripted.calls(), "u/42/a.jpg", "u/42/a.clean.jpg", PROCESS) == ""
    asked, _ = scripted.asked
    assert (asked.method, asked.key, asked.query) == ("POST", "u/42/a.jpg", {"x-oss-process": ""})
    assert asked.url.endswith("/u/42/a.jpg?x-oss-process")
    assert asked.body == (
        b"x-oss-process=image/auto-orient,1/format,jpg/quality,q_90"
        b"|sys/saveas,o_dS80Mi9hLmNsZWFuLmpwZw,b_ZXhhbXBsZWJ1Y2tldA"
    )
    assert asked.headers["content-md5"] == "jtohLrFQ2jVRgB91bVJBlA=="
    assert asked.seconds == BUDGET_SECONDS


@pytest.mark.parametrize("code", ["ImageTooLarge", "BadRequest", "InvalidArgument", "NoSuchKey"])
def test_the_code_of_an_object_that_cannot_be_processed(code, scripted):
    scripted.answers = [refusal(404 if code == "NoSuchKey" else 400, code)]
    assert process_object(scripted.calls(), "held/a", "held/.clean/a", PROCESS) == code


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(403, "AccessDenied"), OssRejected),
        (refusal(404, "NoSuchBucket"), OssRejected),
        (HttpResponse(400, b"<html>"), OssRejected),
        (refusal(500, "InternalError"), OssUnavailable),
        ("timed out", OssUnavailable),
    ],
)
def test_a_refused_right_is_no_property_of_the_object(answer, error, scripted):
    scripted.answers = [answer]
    with pytest.raises(error):
        process_object(scripted.calls(), "held/a", "held/.clean/a", PROCESS)
    assert len(scripted.asked) == 1


def test_an_object_is_read_whole_if_it_has_these_bytes(scripted):
    scripted.answers = [
        HttpResponse(200, b"abc"),
        HttpResponse(200, b"{}"),
        refusal(412, "PreconditionFailed"),
    ]
    assert read_object(scripted.calls(), "u/a", 3, etag="E-1") == b"abc"
    assert read_object(scripted.calls(), "u/a", 9, process="image/info") == b"{}"
    assert read_object(scripted.calls(), "u/a", 3, etag="E-1") is None
    bound, made, other = scripted.asked
    assert (bound.query, bound.headers["if-match"], bound.max_bytes) == ({}, '"E-1"', 3)
    assert (made.query, made.headers.get("if-match")) == ({"x-oss-process": "image/info"}, None)
    assert other.headers["if-match"] == '"E-1"'
    scripted.answers = [refusal(412, "PreconditionFailed"), refusal(403, "AccessDenied")]
    for etag in ("", "E-1"):
        with pytest.raises(OssRejected):
            read_object(scripted.calls(), "u/a", 3, etag=etag)


def test_an_object_becomes_private_by_its_acl(scripted):
    scripted.answers = [HttpResponse(200, b"")]
    set_private(scripted.calls(), "u/a")
    (asked,) = scripted.asked
    assert (asked.method, asked.query, asked.headers["x-oss-object-acl"]) == ("PUT", {"acl": ""}, "private")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HttpResponse(206, b"ab"), OssUnavailable),
        (HttpResponse(206, b"abcd"), OssUnavailable),
        (HttpResponse(200, b"abc"), OssUnavailable),
        (refusal(412, "PreconditionFailed"), OssUnavailable),
        (refusal(404, "NoSuchKey"), OssUnavailable),
        (refusal(403, "AccessDenied"), OssRejected),
    ],
)
def test_a_range_of_other_bytes_is_not_read(answer, error, scripted):
    scripted.answers = [answer]
    with pytest.raises(error) as raised:
        read_range(scripted.calls(), "held/.clean/a", 3, 3, "E-1")
    assert raised.value.reason.startswith("GetObject: ")


@pytest.mark.parametrize(
    ("name", "tries", "ask"),
    [
        ("DeleteObject", 1, lambda oss, key: delete_object(oss, key, is_repeatable=False)),
        ("GetObject", 2, lambda oss, key: read_range(oss, key, 0, 4, "E")),
    ],
)
def test_a_failure_names_its_call_and_only_a_harmless_one_is_repeated(name, tries, ask, scripted):
    scripted.answers = [*["timed out"] * tries, refusal(403, "AccessDenied")]
    for upstream in ("", "AccessDenied"):
        with pytest.raises(UploadError) as raised:
            ask(scripted.calls(), "u/a")
        assert (raised.value.reason.partition(":")[0], raised.value.upstream) == (name, upstream)


@pytest.mark.parametrize(
    ("name", "ask"),
    [("CopyObject", copy), ("GetObject", lambda oss: read_range(oss.calls(), "u/a", 0, 4, "E"))],
)
def test_an_unreadable_success_names_its_call(name, ask, scripted):
    scripted.answers = [HttpResponse(200, b"<CopyObjectResult/>")]
    with pytest.raises(OssUnavailable) as raised:
        ask(scripted)
    assert raised.value.reason.partition(":")[0] == name
