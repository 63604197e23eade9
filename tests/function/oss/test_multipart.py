"""oss.multipart: initiate, list, complete and abort."""

import pytest

from function.errors import OssRejected, OssUnavailable
from function.http.client import HttpResponse
from function.oss.multipart import (
    MAX_PAGE_BYTES,
    Completed,
    StoredPart,
    abort,
    complete,
    initiate,
    list_parts,
)
from tests.function.oss.conftest import refusal

NAMESPACE = ' xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"'
ID = "0004B9894A22E5B1888A1E29F823"
ETAG = "3349DC700140D7F86A0784842780A3BF"
NO_UPLOAD = refusal(404, "NoSuchUpload", "0042-00000104")


def begun(inner=f"<UploadId>{ID}</UploadId>", namespace=""):
    xml = (
        f"<InitiateMultipartUploadResult{namespace}><Bucket>b</Bucket>{inner}</InitiateMultipartUploadResult>"
    )
    return HttpResponse(200, xml.encode())


@pytest.mark.parametrize("namespace", ["", NAMESPACE])
def test_an_upload_begins_with_the_headers_of_its_object(namespace, scripted):
    scripted.answers = [begun(namespace=namespace)]
    headers = {"content-type": "video/mp4", "x-oss-forbid-overwrite": "true", "content-disposition": "inline"}
    assert initiate(scripted.calls(), "u/a.mp4", headers) == ID
    (asked,) = scripted.asked
    assert (asked.method, asked.key, asked.query, asked.body) == ("POST", "u/a.mp4", {"uploads": ""}, None)
    assert asked.headers.items() >= headers.items()


@pytest.mark.parametrize("inner", ["", "<UploadId>a&amp;b</UploadId>"])
def test_an_upload_without_an_id_is_not_begun(inner, scripted):
    scripted.answers = [begun(inner)]
    with pytest.raises(OssUnavailable) as raised:
        initiate(scripted.calls(), "u/a.mp4", {})
    assert raised.value.reason.startswith("InitiateMultipartUpload: ")


def part(number, size=5, etag=f'"{ETAG}"'):
    return (
        f"<Part><PartNumber>{number}</PartNumber><LastModified>2026-11-24T14:00:00.000Z</LastModified>"
        f"<ETag>{etag}</ETag><Size>{size}</Size></Part>"
    )


def page(*parts, truncated=False, namespace=""):
    xml = (
        f"<ListPartsResult{namespace}><UploadId>{ID}</UploadId><IsTruncated>{str(truncated).lower()}</IsTruncated>"
        f"{''.join(parts)}</ListPartsResult>"
    )
    return HttpResponse(200, xml.encode())


@pytest.mark.parametrize("namespace", ["", NAMESPACE])
def test_all_stored_parts_are_listed(namespace, scripted):
    scripted.answers = [page(part(1, 1048576), part(3, 7, "e-3"), namespace=namespace)]
    assert list_parts(scripted.calls(), "u/a", ID) == [StoredPart(1, 1048576, ETAG), StoredPart(3, 7, "e-3")]
    (asked,) = scripted.asked
    query = {"uploadId": ID, "max-parts": "1000", "part-number-marker": "0"}
    assert (asked.method, asked.key, asked.query) == ("GET", "u/a", query)
    assert asked.max_bytes == MAX_PAGE_BYTES == 1_048_576
    scripted.answers = [page(namespace=namespace)]
    assert list_parts(scripted.calls(), "u/a", ID) == []


def test_the_next_page_begins_after_the_last_part(scripted):
    pages = [page(part(1), part(4), truncated=True), page(part(9), truncated=True), page(part(10000))]
    scripted.answers = pages
    assert [one.number for one in list_parts(scripted.calls(), "u/a", ID)] == [1, 4, 9, 10000]
    assert [one.query["part-number-marker"] for one in scripted.asked] == ["0", "4", "9"]


@pytest.mark.parametrize(
    "answers",
    [
        [page(truncated=True)],
        *([page(part(number), truncated=True), page(part(1))] for number in (1, 2)),
        [page(part(1), truncated=True), page(truncated=True)],
        *([page(part(number), part(1))] for number in (1, 2)),
        *([page(part(number))] for number in (0, 10001, "x")),
        *([page(part(1, size))] for size in ("x", "", "٣", "1" * 16)),
        *([page(part(1, etag=""))], [page(part(1, etag="&lt;x&gt;"))], [page("<Part/>")]),
    ],
)
def test_an_impossible_list_of_parts_is_unavailable(answers, scripted):
    scripted.answers = [*answers]
    with pytest.raises(OssUnavailable) as raised:
        list_parts(scripted.calls(), "u/a", ID)
    assert raised.value.reason.startswith("ListParts: ")
    assert len(scripted.asked) == len(answers)


def test_an_unknown_upload_has_no_list(scripted):
    scripted.answers = [page(part(1), truncated=True), NO_UPLOAD]
    assert list_parts(scripted.calls(), "u/a", ID) is None


RESULT = b"<CompleteMultipartUploadResult><ETag>E-2</ETag></CompleteMultipartUploadResult>"
COMPLETED = HttpResponse(200, RESULT)
PARTS = [StoredPart(1, 5, ETAG), StoredPart(2, 7, "e-2")]


def finish(oss, **changes):
    return complete(oss.calls(), "u/a", ID, PARTS, **{"acl": "private", "forbid_overwrite": True, **changes})


def test_the_request_of_a_completion(scripted):
    scripted.answers = [COMPLETED, COMPLETED]
    assert finish(scripted) is Completed.DONE
    finish(scripted, forbid_overwrite=False)
    asked, other = scripted.asked
    assert (asked.method, asked.key, asked.query) == ("POST", "u/a", {"uploadId": ID})
    assert asked.body.decode() == (
        f'<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"{ETAG}"</ETag></Part>'
        '<Part><PartNumber>2</PartNumber><ETag>"e-2"</ETag></Part></CompleteMultipartUpload>'
    )
    assert asked.headers["content-type"] == "application/xml"
    assert (asked.headers["x-oss-object-acl"], asked.headers["x-oss-forbid-overwrite"]) == ("private", "true")
    assert "x-oss-complete-all" not in asked.headers
    assert other.headers["x-oss-forbid-overwrite"] == "false"


def test_only_two_refusals_are_outcomes_of_a_completion(scripted):
    scripted.answers = [NO_UPLOAD, refusal(400, "InvalidPart", "0042-00000209")]
    assert [finish(scripted), finish(scripted)] == [Completed.NO_SUCH_UPLOAD, Completed.PART_CHANGED]
    scripted.answers = [refusal(400, "EntityTooSmall")]
    with pytest.raises(OssRejected):
        finish(scripted)


def test_an_upload_is_aborted_once(scripted):
    scripted.answers = [HttpResponse(204, b""), NO_UPLOAD]
    assert abort(scripted.calls(), "u/a", ID) is True
    assert abort(scripted.calls(), "u/a", ID) is False
    for asked in scripted.asked:
        assert (asked.method, asked.key, asked.query) == ("DELETE", "u/a", {"uploadId": ID})
