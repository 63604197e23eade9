"""oss.objects: facts about objects, copies, deletions and records."""

from datetime import UTC, datetime

import pytest

from function.errors import OssRejected, OssUnavailable
from function.http.client import HttpResponse
from function.oss.objects import (
    MAX_RECORD_BYTES,
    Copied,
    ObjectFacts,
    copy_object,
    delete_object,
    first_bytes,
    get_record,
    head_object,
    put_record,
)
from tests.function.oss.conftest import refusal

HEADERS = {
    "content-length": "344606",
    "content-type": "image/jpeg",
    "etag": '"5B3C1A2E053D763E1B002CC607C5A0FE"',
    "last-modified": "Tue, 24 Nov 2026 13:59:00 GMT",
    "x-oss-object-type": "Multipart",
    "x-oss-meta-owner": "42",
    "x-oss-meta-": "nameless",
    "x-oss-storage-class": "Standard",
}
FACTS = ObjectFacts(
    344606,
    "5B3C1A2E053D763E1B002CC607C5A0FE",
    "image/jpeg",
    {"owner": "42", "": "nameless"},
    "Multipart",
    datetime(2026, 11, 24, 13, 59, tzinfo=UTC),
)


def without_body(status, code, ec):
    """How OSS refuses a HEAD."""
    import base64

    answer = refusal(status, code, ec)
    return HttpResponse(status, b"", {**answer.headers, "x-oss-err": base64.b64encode(answer.body).decode()})


def test_the_facts_of_an_object(scripted):
    scripted.answers = [HttpResponse(200, b"", HEADERS)]
    assert head_object(scripted.calls(), "u/图 片.jpg") == FACTS
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.query, asked.body) == ("HEAD", "u/图 片.jpg", {}, None)


def test_what_an_object_need_not_have_is_empty(scripted):
    needed = {name: HEADERS[name] for name in ("content-length", "etag", "last-modified")}
    scripted.answers = [HttpResponse(200, b"", needed)]
    assert head_object(scripted.calls(), "u/a") == FACTS._replace(
        content_type="", metadata={}, object_type=""
    )


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("content-length", None),
        ("content-length", ""),
        ("content-length", "-1"),
        ("content-length", "1e3"),
        ("content-length", "٣"),
        ("content-length", "1" * 16),
        ("etag", None),
        ("etag", '"<x>"'),
        ("last-modified", None),
        ("last-modified", "yesterday"),
        ("last-modified", f"Tue, 24 Nov {'9' * 20} 13:59:00 GMT"),
        ("last-modified", f"Tue, 24 Nov 2026 13:59:00 +{'9' * 20}"),
        ("last-modified", "Fri, 31 Dec 9999 23:59:59 -2359"),
    ],
)
def test_an_object_without_its_facts_is_not_believed(header, value, scripted):
    headers = {name: text for name, text in {**HEADERS, header: value}.items() if text is not None}
    scripted.answers = [HttpResponse(200, b"", headers)]
    with pytest.raises(OssUnavailable) as raised:
        head_object(scripted.calls(), "u/a")
    assert raised.value.reason.startswith("HeadObject: ")


def test_a_size_of_15_digits_is_a_size(scripted):
    scripted.answers = [HttpResponse(200, b"", {**HEADERS, "content-length": "1" * 15})]
    assert head_object(scripted.calls(), "u/a").size_bytes == int("1" * 15)


def test_an_object_that_is_not_there_is_none(scripted):
    scripted.answers = [without_body(404, "NoSuchKey", "0026-00000001")]
    assert head_object(scripted.calls(), "u/a") is None


@pytest.mark.parametrize(
    "answer",
    [
        without_body(404, "NoSuchBucket", "0015-00000101"),
        without_body(404, "SymlinkTargetNotExist", "0026-00000088"),
        without_body(403, "AccessDenied", "0003-00000001"),
        without_body(403, "NoSuchKey", "0026-00000001"),
        HttpResponse(403, b"", {}),
        HttpResponse(404, b"", {}),
        HttpResponse(404, b"<html>not found</html>", {}),
    ],
)
def test_whatever_does_not_say_so_is_never_taken_for_absent(answer, scripted):
    for call in (head_object, get_record, lambda oss, key: first_bytes(oss, key, 4)):
        scripted.answers = [answer]
        with pytest.raises(OssRejected):
            call(scripted.calls(), "u/a")


COPIED = (
    b'<CopyObjectResult><ETag>"E"</ETag><LastModified>2026-11-24T14:00:00Z</LastModified></CopyObjectResult>'
)


def copy(oss, **changes):
    given = {"acl": "public-read", "source_etag": "E-1", "forbid_overwrite": True, **changes}
    return copy_object(oss.calls(), "held/u/图 片+1.jpg", "u/图 片+1.jpg", **given)


def test_a_copy_names_its_source_the_bytes_the_acl_and_that_nothing_is_overwritten(scripted):
    scripted.answers = [HttpResponse(200, COPIED)]
    assert copy(scripted) is Copied.DONE
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.query, asked.body) == ("PUT", "u/图 片+1.jpg", {}, None)
    assert {name: value for name, value in asked.headers.items() if name.startswith("x-oss-")}.items() >= {
        "x-oss-copy-source": "/examplebucket/held/u/%E5%9B%BE%20%E7%89%87%2B1.jpg",
        "x-oss-copy-source-if-match": '"E-1"',
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": "public-read",
    }.items()
    assert "x-oss-storage-class" not in asked.headers


def test_a_copy_may_overwrite_and_have_a_class_of_its_own(scripted):
    scripted.answers = [HttpResponse(200, COPIED)]
    copy(scripted, forbid_overwrite=False, storage_class="IA")
    (asked,) = scripted.asked
    assert (asked.headers["x-oss-forbid-overwrite"], asked.headers["x-oss-storage-class"]) == ("false", "IA")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refusal(404, "NoSuchKey"), Copied.SOURCE_GONE),
        (refusal(412, "PreconditionFailed"), Copied.SOURCE_CHANGED),
    ],
)
def test_a_source_that_is_gone_or_another_is_told(answer, outcome, scripted):
    scripted.answers = [answer]
    assert copy(scripted) is outcome


@pytest.mark.parametrize(
    "answer", [refusal(404, "NoSuchBucket"), refusal(412, ""), refusal(403, "NoSuchKey")]
)
def test_any_other_refusal_of_a_copy_is_none_of_these(answer, scripted):
    scripted.answers = [answer]
    with pytest.raises(OssRejected):
        copy(scripted)


def test_an_object_is_deleted(scripted):
    scripted.answers = [HttpResponse(204, b"")]
    assert delete_object(scripted.calls(), "u/a b") is None
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.query, asked.body) == ("DELETE", "u/a b", {}, None)


@pytest.mark.parametrize("forbid", [True, False])
def test_a_marker_is_stored_for_nobody_to_read(forbid, scripted):
    scripted.answers = [HttpResponse(200, b"")]
    put_record(scripted.calls(), "held/.checks/1", b'{"a":1}', forbid_overwrite=forbid)
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.body) == ("PUT", "held/.checks/1", b'{"a":1}')
    assert asked.headers["x-oss-object-acl"] == "private"
    assert asked.headers["x-oss-forbid-overwrite"] == ("true" if forbid else "false")
    assert asked.headers["content-type"] == "application/json"


def test_a_marker_may_be_overwritten_where_nobody_says_otherwise(scripted):
    scripted.answers = [HttpResponse(200, b"")]
    put_record(scripted.calls(), "held/.checks/1", b"{}")
    assert scripted.asked[0].headers["x-oss-forbid-overwrite"] == "false"


def test_a_marker_is_read_back(scripted):
    scripted.answers = [HttpResponse(200, b'{"a":1}')]
    assert get_record(scripted.calls(), "held/.checks/1") == b'{"a":1}'
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.max_bytes) == ("GET", "held/.checks/1", MAX_RECORD_BYTES)
    assert MAX_RECORD_BYTES == 16_384


def test_of_an_object_only_the_beginning_is_asked_for(scripted):
    for status in (206, 200):
        scripted.answers = [HttpResponse(status, b"0123456789")]
        assert first_bytes(scripted.calls(), "held/a", 4) == (b"0123", "")
    asked = scripted.asked[-1]
    assert (asked.method, asked.key, asked.headers["range"]) == ("GET", "held/a", "bytes=0-3")


def test_how_an_object_is_packed_is_told_with_its_beginning(scripted):
    scripted.answers = [HttpResponse(206, b"0123", {"content-encoding": "gzip"})]
    assert first_bytes(scripted.calls(), "held/a", 4) == (b"0123", "gzip")


def test_what_is_not_there_begins_with_nothing(scripted):
    scripted.answers = [refusal(404, "NoSuchKey")]
    assert first_bytes(scripted.calls(), "held/a", 4) == (b"", "")


def test_a_marker_that_is_not_there_is_none(scripted):
    scripted.answers = [refusal(404, "NoSuchKey")]
    assert get_record(scripted.calls(), "held/.checks/1") is None
