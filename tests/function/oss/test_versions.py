"""oss.versions: lists and deletions of versions and unfinished uploads, as OSS writes and takes them."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import md5

import pytest

from function.errors import OssRejected, OssUnavailable
from function.http.client import HttpResponse
from function.oss.versions import (
    UPLOADS,
    VERSIONS,
    Entry,
    Markers,
    delete_many,
    delete_version,
    list_entries,
)
from tests.function.oss.conftest import refusal

AT = datetime(2020, 5, 18, 5, 45, 43, tzinfo=UTC)
STORED = "<LastModified>2020-05-18T05:45:43.000Z</LastModified>"
DONE = HttpResponse(204, b"")


def answer(root, text, encoding="<EncodingType>url</EncodingType>"):
    return HttpResponse(200, f"<{root}>{encoding}{text}</{root}>".encode())


def test_a_page_has_versions_and_markers_and_where_the_next_begins(scripted):
    text = (
        f"<Version><Key>u%2Fa%20b</Key><VersionId>V1</VersionId>{STORED}</Version>"
        f"<DeleteMarker><Key>u%2Fc</Key><VersionId>V2</VersionId>{STORED}</DeleteMarker>"
        "<Other><Key>u%2Fd</Key></Other><IsTruncated>true</IsTruncated>"
        "<NextKeyMarker>u%2Fc</NextKeyMarker><NextVersionIdMarker>V2</NextVersionIdMarker>"
    )
    scripted.answers = [answer("ListVersionsResult", text), answer("ListVersionsResult", "")]
    found, following = list_entries(scripted.calls(), VERSIONS, "u/", Markers())
    assert (found, following) == ([Entry("u/a b", "V1", AT), Entry("u/c", "V2")], Markers("u/c", "V2"))
    assert list_entries(scripted.calls(), VERSIONS, "u/", following) == ([], None)
    query = {"versions": "", "max-keys": "1000", "prefix": "u/", "encoding-type": "url"}
    more = {"key-marker": "u/c", "version-id-marker": "V2"}
    assert [(asked.method, asked.key, asked.query) for asked in scripted.asked] == [
        ("GET", "", query),
        ("GET", "", query | more),
    ]


def test_a_page_has_unfinished_uploads(scripted):
    text = (
        "<Upload><Key>u/%41</Key><UploadId>U1</UploadId></Upload><IsTruncated>true</IsTruncated>"
        "<NextKeyMarker>u/%41</NextKeyMarker><NextUploadIdMarker>U1</NextUploadIdMarker>"
    )
    scripted.answers = [answer("ListMultipartUploadsResult", text, encoding="")]
    # What is not encoded stays as it is.
    expected = ([Entry("u/%41", "U1")], Markers("u/%41", "U1"))
    assert list_entries(scripted.calls(), UPLOADS, "u/", Markers("u/0")) == expected
    query = {"uploads": "", "max-uploads": "1000", "prefix": "u/", "key-marker": "u/0"}
    assert scripted.asked[0].query == {**query, "encoding-type": "url"}


@pytest.mark.parametrize("markers", ["", "<NextKeyMarker>u/a</NextKeyMarker>"])
def test_a_page_that_leads_to_itself_or_nowhere_is_an_error(markers, scripted):
    scripted.answers = [answer("ListVersionsResult", f"<IsTruncated>true</IsTruncated>{markers}")]
    with pytest.raises(OssUnavailable):
        list_entries(scripted.calls(), VERSIONS, "u/", Markers("u/a"))


def deleted(*keys, encoding="<EncodingType>url</EncodingType>"):
    entries = "".join(f"<Deleted><Key>{key}</Key><VersionId>V</VersionId></Deleted>" for key in keys)
    return answer("DeleteResult", f"{entries}<Error><Key>u%2Fe</Key></Error>", encoding)


def test_versions_are_deleted_in_one_call_that_names_each(scripted):
    scripted.answers = [
        deleted("u%2Fa%26", "u%2Fb"),
        deleted("u/%41", encoding=""),
        refusal(403, "AccessDenied"),
    ]
    entries = [Entry("u/a&", "V"), Entry("u/\n", "V"), Entry("u/b", "")]
    assert delete_many(scripted.calls(), entries) == {("u/a&", "V"), ("u/b", "V")}
    assert delete_many(scripted.calls(), entries[:1]) == {("u/%41", "V")}
    assert delete_many(scripted.calls(), entries[:1]) == set()
    assert delete_many(scripted.calls(), []) == set()
    asked = scripted.asked[0]
    assert (asked.method, asked.key, asked.query) == ("POST", "", {"delete": "", "encoding-type": "url"})
    assert asked.body == (
        b"<Delete><Quiet>false</Quiet><Object><Key>u/a&amp;</Key><VersionId>V</VersionId></Object>"
        b"<Object><Key>u/b</Key></Object></Delete>"
    )
    assert asked.headers["content-md5"] == b64encode(md5(asked.body).digest()).decode()
    assert asked.headers["content-type"] == "application/xml"
    assert asked.max_bytes == 8_388_608
    scripted.answers = ["TimeoutError"] * 2
    with pytest.raises(OssUnavailable) as raised:
        delete_many(scripted.calls(), entries)
    assert raised.value.reason == "DeleteMultipleObjects: TimeoutError"


# With 28 characters around it such an entry has 1,900 bytes.
LONG = "u" * 1872


@pytest.mark.parametrize(
    ("keys", "sizes"),
    [
        (["u"] * 1000, [1000]),
        (["u"] * 1001, [1000, 1]),
        ([LONG] * 1000, [1000]),
        ([*[LONG] * 999, f"{LONG}u", *[LONG] * 998, LONG[1:]], [999, 1000]),
    ],
    ids=["1000", "1001", "bytes", "one byte more"],
)
def test_a_call_names_at_most_a_thousand_in_1_900_000_bytes(keys, sizes, scripted):
    scripted.answers = [deleted("u"), deleted("v")][: len(sizes)]
    found = delete_many(scripted.calls(), [Entry(key, "") for key in keys])
    assert [asked.body.count(b"><Object>") for asked in scripted.asked] == sizes
    assert found == {("u", "V"), *([("v", "V")] if len(sizes) > 1 else [])}


@pytest.mark.parametrize("status", [400, 404])
def test_where_oss_takes_no_id_null_the_object_is_deleted_without(status, scripted):
    scripted.answers = [refusal(status, "NoSuchVersion"), DONE]
    assert delete_version(scripted.calls(), Entry("u/a", "null")) == ""
    assert [asked.query for asked in scripted.asked] == [{"versionId": "null"}, {}]


@pytest.mark.parametrize(("id", "status"), [("V1", 404), ("null", 403), ("", 400)])
def test_any_other_refusal_is_an_error(id, status, scripted):
    scripted.answers = [refusal(status, "NoSuchVersion")]
    with pytest.raises(OssRejected):
        delete_version(scripted.calls(), Entry("u/a", id))
    assert len(scripted.asked) == 1
