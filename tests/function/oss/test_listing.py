"""oss.listing: pages of ListObjectsV2, as OSS writes them and as nobody should."""

from datetime import UTC, datetime
from itertools import islice
from urllib.parse import quote

import pytest

from function.errors import OssRejected, OssUnavailable
from function.http.client import HttpResponse
from function.oss.listing import MAX_PAGE_BYTES, Listed, list_objects, list_page
from tests.function.oss.conftest import refusal

ETAG = "35A27C2B9EAEEB6F48FD7FB5861D0001"
AT = "2020-05-18T05:45:43.000Z"
NAMESPACE = ' xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"'
FRAME = {"EncodingType": "url", "IsTruncated": "false"}


def entry(key="u/42/a.jpg", **changes):
    fields = {"Key": quote(key, safe=""), "LastModified": AT, "ETag": f'"{ETAG}"', "Size": "25"} | changes
    return f"<Contents>{''.join(f'<{name}>{value}</{name}>' for name, value in fields.items())}</Contents>"


def page(*entries, namespace="", **changes):
    frame = "".join(f"<{name}>{value}</{name}>" for name, value in (FRAME | changes).items() if value)
    return HttpResponse(
        200, f"<ListBucketResult{namespace}>{frame}{''.join(entries)}</ListBucketResult>".encode()
    )


def cut(*entries, token="CgJiYw--"):
    return page(*entries, IsTruncated="true", NextContinuationToken=quote(token, safe=""))


@pytest.mark.parametrize("namespace", ["", NAMESPACE])
def test_a_page_has_the_objects_below_a_prefix(namespace, scripted):
    strange = "u/42/照片 +&%\x01.jpg"
    scripted.answers = [page(entry(), entry(strange, Size="7"), namespace=namespace)]
    at = datetime(2020, 5, 18, 5, 45, 43, tzinfo=UTC)
    objects = [Listed("u/42/a.jpg", 25, ETAG, at), Listed(strange, 7, ETAG, at)]
    assert list_page(scripted.calls(), "u/42/", start_after="u/42/a b", limit=2) == (objects, "")
    (asked,) = scripted.asked
    query = {"list-type": "2", "prefix": "u/42/", "max-keys": "2", "encoding-type": "url"}
    assert (asked.method, asked.key, asked.query) == ("GET", "", query | {"start-after": "u/42/a b"})
    assert asked.max_bytes == MAX_PAGE_BYTES


def test_keys_that_are_not_encoded_stay_as_they_are(scripted):
    scripted.answers = [page(entry(Key="u/42/a%20b"), EncodingType="")]
    assert [each.key for each in list_page(scripted.calls(), "u/42/").objects] == ["u/42/a%20b"]


def test_the_next_page_is_fetched_by_the_decoded_token_and_only_when_it_is_needed(scripted):
    scripted.answers = [cut(entry("u/1"), token="a/+="), cut(token="b"), page(entry("u/2"))]
    listed = list_objects(scripted.calls(), "u/")
    assert next(listed).key == "u/1" and len(scripted.asked) == 1
    assert [each.key for each in listed] == ["u/2"]
    assert [asked.query.get("continuation-token") for asked in scripted.asked] == [None, "a/+=", "b"]
    assert {asked.query["prefix"] for asked in scripted.asked} == {"u/"}


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(200, b"<ListPartsResult/>"),
        page(entry("v/a")),
        page(entry(Key="")),
        page(entry(Size="-1")),
        page(entry(Size="9" * 16)),
        page(entry(ETag="a b")),
        page(entry(LastModified="yesterday")),
        page(entry(LastModified="9999-12-31T23:59:59Z")),
        page(entry(LastModified="0001-01-01T00:00:00+10:00")),
        page(entry(), IsTruncated="true"),
    ],
)
def test_a_page_that_cannot_be_read_is_an_error(answer, scripted):
    scripted.answers = [answer]
    with pytest.raises(OssUnavailable) as raised:
        list_page(scripted.calls(), "u/")
    assert raised.value.reason == "ListObjectsV2: unreadable response" or "ListBucket" in raised.value.reason


def test_a_page_that_leads_to_itself_ends_in_an_error(scripted):
    scripted.answers = [cut(entry("u/1")), cut(entry("u/1"))]
    with pytest.raises(OssUnavailable):
        list(islice(list_objects(scripted.calls(), "u/"), 9))


def test_a_missing_right_is_rejected(scripted):
    scripted.answers = [refusal(403, "AccessDenied")]
    with pytest.raises(OssRejected) as raised:
        list_page(scripted.calls(), "u/")
    assert raised.value.upstream == "AccessDenied"
