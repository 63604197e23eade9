"""oss.listing: pages of ListObjectsV2, as OSS writes them and as nobody should."""

from datetime import UTC, datetime
from itertools import islice
from urllib.parse import quote

import pytest

from function.errors import OssUnavailable
from function.http.client import HttpResponse
from function.oss.listing import Listed, list_objects, list_page

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


def test_keys_that_are_not_encoded_stay_as_they_are(scripted):
    scripted.answers = [page(entry(Key="u/42/a%20b"), EncodingType="", NextContinuationToken="t")]
    listed = list_page(scripted.calls(), "u/42/")
    assert ([each.key for each in listed.objects], listed.token) == (["u/42/a%20b"], "")


def test_the_next_page_is_fetched_by_the_decoded_token_and_only_when_it_is_needed(scripted):
    scripted.answers = [cut(entry("u/1"), token="a/+="), cut(token="b"), page(entry("u/2"))]
    listed = list_objects(scripted.calls(), "u/", start_after="u/0")
    assert next(listed).key == "u/1" and len(scripted.asked) == 1
    assert [each.key for each in listed] == ["u/2"]
    assert [asked.query.get("continuation-token") for asked in scripted.asked] == [None, "a/+=", "b"]
    assert [asked.query.get("start-after") for asked in scripted.asked] == ["u/0", None, None]
    assert {asked.query["prefix"] for asked in scripted.asked} == {"u/"}


def test_no_further_page_is_fetched_once_less_time_is_left(scripted):
    scripted.answers, scripted.takes_seconds = [cut(entry("u/1")), cut(entry("u/2"), token="b")], 2.0
    assert [each.key for each in list_objects(scripted.calls(), "u/", 6.0)] == ["u/1", "u/2"]
    assert [asked.query["max-keys"] for asked in scripted.asked] == ["1000", "1000"]
    assert "start-after" not in scripted.asked[0].query and scripted.asked[0].max_bytes == 8_388_608


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(200, b"<ListPartsResult/>"),
        page(entry("v/a")),
        page(entry(Size="-1")),
        page(entry(Size="9" * 16)),
        page(entry(ETag="a b")),
        page(entry(LastModified="yesterday")),
        page(entry(LastModified="0001-01-01T00:00:00+10:00")),
        page(entry(), IsTruncated="true"),
    ],
)
def test_a_page_that_cannot_be_read_is_an_error(answer, scripted):
    scripted.answers = [answer]
    with pytest.raises(OssUnavailable) as raised:
        list_page(scripted.calls(), "u/")
    assert raised.value.reason == "ListObjectsV2: unreadable response" or "ListBucket" in raised.value.reason


@pytest.mark.parametrize("second", [cut(entry("u/1")), page(entry("u/1"), IsTruncated="true")])
def test_a_page_that_leads_to_itself_or_nowhere_ends_in_an_error(second, scripted):
    scripted.answers = [cut(entry("u/1")), second]
    with pytest.raises(OssUnavailable) as raised:
        list(islice(list_objects(scripted.calls(), "u/"), 9))
    assert raised.value.reason == "ListObjectsV2: unreadable response"
