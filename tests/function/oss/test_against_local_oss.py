"""Calls against the local OSS over real sockets, with lost responses."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function.errors import AlreadyExists, OssRejected, OssUnavailable
from function.http.client import send
from function.oss.client import OssClient, budget
from function.oss.multipart import Completed, abort, complete, initiate, list_parts
from function.oss.objects import (
    copy_object,
    delete_object,
    get_record,
    head_object,
    process_object,
    put_record,
    read_range,
    set_private,
)
from function.sts.credentials import StsCredentials
from local.common.accounts import AccessKey, Accounts
from local.oss.server import OssServer

PICTURE = Path(__file__).parents[2] / "playground" / "picture.png"
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
BUCKET, REGION = "examplebucket", "cn-hangzhou"
KEY, OTHER = "held/图 片+1/a.jpg", "图 片+1/a.jpg"
ACTIONS = (
    *("PostProcessTask", "GetObject", "PutObject", "PutObjectAcl"),
    *("DeleteObject", "ListParts", "AbortMultipartUpload"),
)
ETAG_OF_ABC = "900150983CD24FB0D6963F7D28E17F72"
LOST, DROPPED = "answer_lost", "drop"


def keys(*actions):
    policy = {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": [f"oss:{one}" for one in actions], "Resource": ["acs:oss:*:*:*"]}
        ],
    }
    return AccessKey(
        "STS.NTObjects", "TempSecret/+=1", "CAISobjects/+==", NOW + timedelta(hours=1), (policy,)
    )


@pytest.fixture
def server(tmp_path):
    running = OssServer(
        Accounts(keys(*ACTIONS)), BUCKET, REGION, tmp_path / "objects", now=lambda: NOW
    ).start()
    yield running
    running.stop()


@pytest.fixture
def oss(server):
    """The calls of one request after another; ``oss.attempts`` are those that were sent."""
    return calls_to(server)


def calls_to(server, **changes):
    attempts = []

    def counted(*arguments, **options):
        attempts.append(arguments[0])
        return send(*arguments, **options)

    credentials = StsCredentials("STS.NTObjects", "TempSecret/+=1", "CAISobjects/+==", NOW)
    calls = OssClient(BUCKET, REGION, server.origin, credentials, NOW, counted, budget())
    return calls._replace(**changes), attempts


def test_a_marker_is_stored_read_looked_at_and_deleted(oss):
    calls, _ = oss
    assert get_record(calls, KEY) is None
    assert head_object(calls, KEY) is None
    put_record(calls, KEY, b"abc")
    assert get_record(calls, KEY) == b"abc"
    facts = head_object(calls, KEY)
    assert (facts.size_bytes, facts.etag, facts.content_type) == (3, ETAG_OF_ABC, "application/json")
    assert facts.last_modified == NOW
    delete_object(calls, KEY)
    delete_object(calls, KEY)
    assert head_object(calls, KEY) is None


def test_a_marker_that_must_be_the_first_is(oss):
    calls, _ = oss
    put_record(calls, KEY, b"first", forbid_overwrite=True)
    with pytest.raises(AlreadyExists):
        put_record(calls, KEY, b"second", forbid_overwrite=True)
    assert get_record(calls, KEY) == b"first"
    put_record(calls, KEY, b"second")
    assert get_record(calls, KEY) == b"second"


def copy(calls, **changes):
    given = {"acl": "private", "source_etag": ETAG_OF_ABC, **changes}
    return copy_object(calls, KEY, OTHER, **given)


def test_an_object_is_copied_once_and_only_the_bytes_that_were_meant(oss):
    calls, _ = oss
    assert copy(calls) == ""
    put_record(calls, KEY, b"abc")
    assert copy(calls, source_etag="0" * 32) == ""
    assert head_object(calls, OTHER) is None
    assert copy(calls) == ETAG_OF_ABC
    assert get_record(calls, OTHER) == b"abc"
    assert head_object(calls, OTHER).content_type == "application/json"
    with pytest.raises(AlreadyExists):
        copy(calls)
    delete_object(calls, OTHER)
    assert copy(calls, storage_class="IA") == ETAG_OF_ABC


def test_a_picture_is_processed_read_in_ranges_and_copied_with_other_headers(oss, server):
    calls, _ = oss
    put_record(calls, KEY, PICTURE.read_bytes())
    assert process_object(calls, KEY, "held/.clean/1", "image/auto-orient,1/format,png") == ""
    assert server.bucket.objects["held/.clean/1"].acl == "default"
    set_private(calls, "held/.clean/1")
    assert server.bucket.objects["held/.clean/1"].acl == "private"
    facts = head_object(calls, "held/.clean/1")
    assert (facts.content_type, facts.metadata) == ("image/png", {})
    pieces = [
        read_range(calls, "held/.clean/1", first, min(100, facts.size_bytes - first), facts.etag)
        for first in range(0, facts.size_bytes, 100)
    ]
    assert b"".join(pieces) == server.bucket.objects["held/.clean/1"].path.read_bytes()
    with pytest.raises(OssUnavailable):
        read_range(calls, "held/.clean/1", 0, 1, "0" * 32)
    replaced = {"content-type": "image/png", "x-oss-meta-upload-id": "1", "cache-control": "no-store"}
    given = {"acl": "private", "source_etag": facts.etag, "replaced": replaced}
    assert copy_object(calls, "held/.clean/1", OTHER, **given) == facts.etag
    stored = server.bucket.objects[OTHER]
    assert (stored.content_type, stored.metadata) == ("image/png", {"upload-id": "1"})
    assert stored.headers == {"Cache-Control": "no-store"}


def test_an_unfit_picture_and_a_missing_right_have_different_errors(oss, server):
    calls, _ = oss
    put_record(calls, KEY, b"abc")
    assert process_object(calls, KEY, "held/.clean/1", "image/format,png") == "BadRequest"
    server.bucket.accounts.add(keys(*ACTIONS[1:]))
    with pytest.raises(OssRejected) as raised:
        process_object(calls, KEY, "held/.clean/1", "image/format,png")
    assert raised.value.upstream == "AccessDenied"


def upload_part(server, upload_id, number, content):
    """As a client does; the tests of its URL are elsewhere."""
    from function.oss.presign import OssRequest, authorize, request_url

    calls, _ = calls_to(server)
    query = {"uploadId": upload_id, "partNumber": str(number)}
    request = OssRequest("PUT", BUCKET, REGION, KEY, query, {"content-type": "application/octet-stream"})
    headers = authorize(request, calls.credentials, NOW)
    answer = send("PUT", request_url(request, server.origin), budget_seconds=5, body=content, headers=headers)
    assert answer.status == 200, answer.body


HEADERS = {"content-type": "video/mp4", "content-disposition": "inline", "x-oss-meta-upload-id": "1"}
FIRST, LAST = b"a" * 102400, b"hello"


def begun(server, calls):
    upload_id = initiate(calls, KEY, {**HEADERS, "x-oss-forbid-overwrite": "true"})
    for number, content in ((1, FIRST), (2, LAST)):
        upload_part(server, upload_id, number, content)
    return upload_id


def finish(calls, upload_id, parts):
    return complete(calls, KEY, upload_id, parts, acl="private", forbid_overwrite=True)


def test_an_upload_in_parts_becomes_an_object(server, oss):
    calls, _ = oss
    upload_id = begun(server, calls)
    parts = list_parts(calls, KEY, upload_id)
    assert [(part.number, part.size_bytes) for part in parts] == [(1, 102400), (2, 5)]
    changed = [parts[0], parts[1]._replace(etag="0" * 32)]
    assert finish(calls, upload_id, changed) is Completed.PART_CHANGED
    assert finish(calls, upload_id, parts) is Completed.DONE
    facts = head_object(calls, KEY)
    assert (facts.size_bytes, facts.content_type) == (102405, "video/mp4")
    assert (facts.metadata, facts.etag[-2:]) == ({"upload-id": "1"}, "-2")
    assert finish(calls, upload_id, parts) is Completed.NO_SUCH_UPLOAD
    assert list_parts(calls, KEY, upload_id) is None
    with pytest.raises(AlreadyExists):
        initiate(calls, KEY, {"x-oss-forbid-overwrite": "true"})


def test_more_than_a_page_of_parts_is_listed(server, oss):
    calls, _ = oss
    upload_id = initiate(calls, KEY, {})
    (upload,) = server.bucket.uploads
    upload_part(server, upload_id, 1, LAST)
    part = upload.parts[1]
    upload.parts.update({number: replace(part, number=number) for number in range(2, 1202)})
    listed = list_parts(calls, KEY, upload_id)
    assert [one.number for one in listed] == list(range(1, 1202))
    abort(calls, KEY, upload_id)


# --- answers that are lost, before the work was done and after ---


@pytest.mark.parametrize("kind", [LOST, DROPPED, "status_503", "status_500"])
def test_repeatable_calls_succeed_on_the_second_try(server, oss, kind):
    calls, attempts = oss
    upload_id = begun(server, calls)
    put_record(calls, OTHER, b"abc")
    attempts.clear()

    def struck(call, *arguments):
        server.faults.plan(kind, times=1)
        attempts.clear()
        outcome = call(calls, *arguments)
        assert len(attempts) == 2
        return outcome

    assert struck(head_object, OTHER).etag == ETAG_OF_ABC
    assert struck(get_record, OTHER) == b"abc"
    assert len(struck(list_parts, KEY, upload_id)) == 2
    struck(put_record, OTHER, b"abc")
    assert get_record(calls, OTHER) == b"abc"
    struck(delete_object, OTHER)
    assert head_object(calls, OTHER) is None
    # Where the first try did the work, the second finds nothing more to do, and says so.
    assert struck(abort, KEY, upload_id) is (kind != LOST)
    assert list_parts(calls, KEY, upload_id) is None


def lost(server, attempts, kind, action, call):
    """Make a call whose response is lost; it is sent once."""
    server.faults.plan(kind, times=1, on=[action])
    attempts.clear()
    with pytest.raises(OssUnavailable):
        call()
    assert len(attempts) == 1


@pytest.mark.parametrize("kind", [LOST, DROPPED])
def test_a_copy_with_a_lost_response_is_not_repeated(server, oss, kind):
    calls, attempts = oss
    put_record(calls, KEY, b"abc")
    lost(server, attempts, kind, "CopyObject", lambda: copy(calls))
    if kind == LOST:
        with pytest.raises(AlreadyExists):
            copy(calls)
        assert head_object(calls, OTHER).etag == ETAG_OF_ABC
    else:
        assert copy(calls) == ETAG_OF_ABC


@pytest.mark.parametrize("kind", [LOST, DROPPED])
def test_a_completion_with_a_lost_response_is_not_repeated(server, oss, kind):
    calls, attempts = oss
    upload_id = begun(server, calls)
    parts = list_parts(calls, KEY, upload_id)
    lost(server, attempts, kind, "CompleteMultipartUpload", lambda: finish(calls, upload_id, parts))
    again = finish(calls, upload_id, parts)
    assert again is (Completed.NO_SUCH_UPLOAD if kind == LOST else Completed.DONE)
    assert head_object(calls, KEY).size_bytes == 102405


@pytest.mark.parametrize(("kind", "left"), [(LOST, 1), (DROPPED, 0)])
def test_an_initiation_with_a_lost_response_leaves_at_most_one_upload(server, oss, kind, left):
    calls, attempts = oss
    lost(server, attempts, kind, "InitiateMultipartUpload", lambda: initiate(calls, KEY, {}))
    uploads = list(server.bucket.uploads)
    assert len(uploads) == left
    for upload in uploads:
        server.bucket.uploads.end(upload)


@pytest.mark.parametrize("kind", [LOST, DROPPED])
def test_a_first_record_with_a_lost_response_is_not_stored_twice(server, oss, kind):
    calls, attempts = oss
    lost(
        *(server, attempts, kind, "PutObject"),
        lambda: put_record(calls, KEY, b"first", forbid_overwrite=True),
    )
    assert get_record(calls, KEY) == (b"first" if kind == LOST else None)


def test_a_hanging_oss_costs_only_the_remaining_budget(server):
    deadline = time.monotonic() + 0.5
    calls, attempts = calls_to(server, seconds_left=lambda: deadline - time.monotonic())
    server.faults.plan("slow", seconds=2)
    with pytest.raises(OssUnavailable):
        initiate(calls, KEY, {})
    with pytest.raises(OssUnavailable):
        head_object(calls, KEY)
    assert attempts == ["POST"]
    server.faults.clear()
