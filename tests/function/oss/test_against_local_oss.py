"""Calls over real sockets whose answers are lost, before the work was done and after."""

from datetime import UTC, datetime, timedelta

import pytest

from function.errors import AlreadyExists, OssUnavailable
from function.http.client import send
from function.oss.client import OssClient, budget
from function.oss.multipart import Completed, abort, complete, initiate, list_parts
from function.oss.objects import (
    copy_object,
    delete_object,
    get_record,
    head_object,
    put_record,
)
from function.oss.presign import OssRequest, authorize, request_url
from function.sts.credentials import StsCredentials
from local.common.accounts import AccessKey, Accounts
from local.oss.server import OssServer

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
BUCKET, REGION = "examplebucket", "cn-hangzhou"
KEYS = StsCredentials("STS.NTObjects", "TempSecret/+=1", "CAISobjects/+==", NOW)
KEY, OTHER = "held/图 片+1/a.jpg", "图 片+1/a.jpg"
ACTIONS = ("GetObject", "PutObject", "PutObjectAcl", "DeleteObject", "ListParts", "AbortMultipartUpload")
ETAG_OF_ABC = "900150983CD24FB0D6963F7D28E17F72"
LOST, DROPPED = "answer_lost", "drop"


@pytest.fixture
def server(tmp_path):
    policy = {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": [f"oss:{one}" for one in ACTIONS], "Resource": ["acs:oss:*:*:*"]}
        ],
    }
    key = AccessKey(*KEYS[:3], NOW + timedelta(hours=1), (policy,))
    running = OssServer(Accounts(key), BUCKET, REGION, tmp_path / "objects", now=lambda: NOW).start()
    yield running
    running.stop()


@pytest.fixture
def oss(server):
    """The calls of one request after another, and those that were sent."""
    attempts = []

    def counted(*arguments, **options):
        attempts.append(arguments[0])
        return send(*arguments, **options)

    return OssClient(BUCKET, REGION, server.origin, KEYS, NOW, counted, budget()), attempts


def copy(calls):
    return copy_object(calls, KEY, OTHER, acl="private", source_etag=ETAG_OF_ABC)


def upload_part(server, upload_id, number, content):
    """As a client does; the tests of its URL are elsewhere."""
    query = {"uploadId": upload_id, "partNumber": str(number)}
    request = OssRequest("PUT", BUCKET, REGION, KEY, query, {"content-type": "application/octet-stream"})
    headers = authorize(request, KEYS, NOW)
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
