"""ListObjects, ListObjectsV2, ListParts and ListMultipartUploads, page by page, and who may list what."""

from urllib.parse import quote, unquote

import pytest

from tests.local.oss.conftest import NOT_PERMITTED
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, BUCKET = "u/42/视频 一+1.mp4", "acs:oss:*:*:examplebucket"

BELOW = {"Condition": {"StringLike": {"oss:Prefix": ["u/42/", "u/42/*"]}}}


@pytest.fixture
def lists(oss_client):
    """A page, signed by the account unless told otherwise; parameters with ``_`` for ``-``."""

    def ask(key="account", **query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        return oss_client.call("GET", "", key=key, **{"list-type": "2", **query})

    return ask


@pytest.fixture
def uploads(oss_client):
    """The page of the unfinished uploads, and the key and id of each."""

    def ask(key="account", **query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        answer = oss_client.call("GET", "", key=key, uploads=None, **query)
        return answer, [
            tuple(each.findtext(name) for name in ("Key", "UploadId")) for each in answer.xml.iter("Upload")
        ]

    return ask


def keys_of(answer, element="Contents/Key"):
    return [found.text for found in answer.xml.findall(element)]


def all_pages(lists, **query):
    pages, token = [], {}
    while True:
        answer = lists(**query, **token)
        pages.append(keys_of(answer))
        if answer.element("IsTruncated") == "false":
            assert answer.element("NextContinuationToken") is None
            return pages
        token = {"continuation_token": unquote(answer.element("NextContinuationToken"))}


@cases("query", "kind")
def test_each_wrong_parameter_is_refused(query, kind, oss_client, begin):
    if kind == "parts":
        answer = begin().list(**query)
    else:
        mark = {kind: "2" if kind == "list-type" else None} if kind else {}
        answer = oss_client.call("GET", "", **{**mark, **query})
    assert answer.said.startswith("400 InvalidArgument")


def test_an_object_is_listed_with_its_facts(lists, stored, rules):
    stored("u/42/a.jpg")
    answer = lists(prefix="u/42/", fetch_owner="true")
    names = "Name Prefix MaxKeys IsTruncated KeyCount".split()
    assert answer.headers["Content-Type"] == "application/xml"
    assert [answer.element(name) for name in names] == ["examplebucket", "u/42/", "100", "false", "1"]
    told = {field.tag: field.text for field in answer.xml.find("Contents")}
    assert told.pop("Owner") is None and answer.element("Contents/Owner/ID")
    facts = {"Key": "u/42/a.jpg", "LastModified": "2026-11-24T14:00:00.000Z", "Type": "Normal", "Size": "3"}
    assert told == {**facts, "ETag": '"900150983CD24FB0D6963F7D28E17F72"', "StorageClass": "Standard"}
    rules(listed_class_in_capitals=True, empty_pages_allowed=True)
    assert lists().element("Contents/StorageClass") == "STANDARD"
    empty = lists(max_keys="0")
    assert (empty.status, keys_of(empty), empty.element("IsTruncated")) == (200, [], "false")


def test_pages_follow_each_other_in_the_order_of_keys(rules, lists, stored):
    stored("u/b", "v/a", "u/a", "u/c/1", "u/\x01<a>", "t/z")
    assert all_pages(lists, prefix="u/", max_keys="2") == [["u/\ufffd<a>", "u/a"], ["u/b", "u/c/1"]]
    assert keys_of(lists(start_after="u/b", prefix="u/")) == ["u/c/1"]
    encoded = lists(encoding_type="url", prefix="u/", max_keys="1")
    assert (unquote(*keys_of(encoded)), encoded.element("Prefix")) == ("u/\x01<a>", "u%2F")
    # A page may be shorter than max-keys.
    rules(longest_page=3)
    assert [len(page) for page in all_pages(lists, max_keys="1000")] == [3, 3]


def test_an_empty_marker_asks_for_the_first_page(lists, stored, begin):
    stored("u/a", "u/b")
    first = lists(continuation_token="", start_after="", prefix="", delimiter="")
    assert (keys_of(first), first.element("ContinuationToken")) == (["u/a", "u/b"], None)
    assert keys_of(lists(continuation_token="", start_after="u/a")) == ["u/b"]
    upload = begin()
    upload.part(1, b"x")
    assert keys_of(upload.list(part_number_marker=""), "Part/PartNumber") == ["1"]


def test_the_older_list_goes_by_keys_and_names_owners(stored, oss_client):
    def page(**query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        answer = oss_client.call("GET", "", **query)
        found = keys_of(answer) + keys_of(answer, "CommonPrefixes/Prefix")
        return answer, found, answer.element("NextMarker")

    stored("u/a/1", "u/a/2", "u/b c", "u/c")
    whole, found, marker = page(marker="")
    assert (found, marker, whole.element("IsTruncated")) == ([*stored()], None, "false")
    assert [whole.element(name) for name in ("Name", "MaxKeys")] == ["examplebucket", "100"]
    assert all(entry.findtext("Owner/ID") for entry in whole.xml.iter("Contents"))
    pages, marker = [], ""
    while marker is not None:
        _, found, marker = page(prefix="u/", delimiter="/", max_keys="1", marker=marker)
        pages.append(found)
    assert pages == [["u/a/"], ["u/b c"], ["u/c"]]
    encoded, _, marker = page(encoding_type="url", max_keys="1", marker="u/a/2")
    assert [encoded.element(name) for name in ("EncodingType", "Marker")] == ["url", "u%2Fa%2F2"]
    assert marker == "u%2Fb%20c"


def test_a_session_lists_below_its_prefix_alone(rules, may, lists, uploads):
    rules(prefix_binds_every_list=True)
    below = may("oss:ListObjects", "oss:ListMultipartUploads", resource=BUCKET, **BELOW)
    for prefix, said in (
        ({"prefix": "u/42/"}, "200"),
        ({"prefix": "u/420/"}, NOT_PERMITTED),
        ({}, NOT_PERMITTED),
    ):
        assert lists(below, **prefix).said == uploads(below, **prefix)[0].said == said


def test_a_change_between_two_pages_repeats_and_skips_no_other(lists, stored, oss_client):
    stored(*"bdfh")
    first = lists(max_keys="2")
    oss_client.call("DELETE", "d")
    stored("a", "e")
    token = first.element("NextContinuationToken")
    assert keys_of(first) + keys_of(lists(continuation_token=token)) == [*"bdefh"]


def test_parts_are_listed_in_ascending_order_with_size_and_etag_page_by_page(begin):
    upload = begin(x_oss_storage_class="IA")
    assert upload.list().element("NextPartNumberMarker") == "0"
    for number in (3, 1):
        upload.part(number, b"hello"[:number])
    answer = upload.list()
    names = "Bucket Key UploadId PartNumberMarker NextPartNumberMarker MaxParts IsTruncated StorageClass"
    told = [answer.element(name) for name in names.split()]
    assert told == ["examplebucket", KEY, upload.id, "0", "3", "1000", "false", "IA"]
    first, second = [[field.text for field in part] for part in answer.xml.findall("Part")]
    assert first == ["1", "2026-11-24T14:00:00.000Z", '"2510C39011C5BE704182423E3A695E91"', "1"]
    page = upload.list(max_parts="1")
    assert (keys_of(page, "Part/PartNumber"), page.element("IsTruncated")) == (["1"], "true")
    page = upload.list(part_number_marker=page.element("NextPartNumberMarker"), encoding_type="url")
    assert (keys_of(page, "Part/PartNumber"), page.element("IsTruncated")) == (["3"], "false")
    assert (page.element("EncodingType"), page.element("Key")) == ("url", quote(KEY, safe=""))


def test_open_uploads_are_listed_below_a_prefix(begin, uploads, oss_clock):
    begun = []
    for name in ("u/b", "u/a", "u/a", KEY):
        begun.append((name, begin(name, x_oss_storage_class="IA").id))
        oss_clock.tick(seconds=1)
    everything, found = uploads()
    in_order = [begun[3], begun[1], begun[2], begun[0]]
    assert found == in_order
    first = everything.xml.find("Upload")
    assert (first.findtext("Initiated"), first.findtext("StorageClass")) == ("2026-11-24T14:00:03.000Z", "IA")
    assert uploads(prefix="u/a")[1] == in_order[1:3]
    assert uploads(key_marker="u/a")[1] == in_order[3:]
    assert uploads(encoding_type="url", prefix="u/4")[1] == [(quote(KEY, safe=""), begun[3][1])]


def test_uploads_that_share_a_prefix_come_together_and_an_aborted_one_is_gone(begin, uploads):
    upload, _, _ = begin("u/b"), begin("u/c/1"), begin("u/c/2")
    answer, found = uploads(prefix="u/", delimiter="/")
    assert (found, keys_of(answer, "CommonPrefixes/Prefix")) == ([("u/b", upload.id)], ["u/c/"])
    assert upload.abort().status == 204
    assert uploads(prefix="u/b")[1] == []
