"""ListObjects, ListObjectsV2, ListParts and ListMultipartUploads, page by page, and who may list what."""

from urllib.parse import unquote

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.fixture
def lists(oss_client):
    """A page; parameters with ``_`` for ``-``."""

    def ask(**query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        return oss_client.call("GET", "", **{"list-type": "2", **query})

    return ask


@pytest.fixture
def uploads(oss_client):
    """The page of the unfinished uploads, and the key and id of each."""

    def ask(**query):
        answer = oss_client.call("GET", "", uploads=None, **query)
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


def test_storage_classes_and_empty_pages_are_switched_and_the_older_list_encodes_its_markers(
    lists, stored, rules, oss_client
):
    stored("u/a", "u/b c")
    assert lists().element("Contents/StorageClass") == "Standard"
    rules(listed_class_in_capitals=True, empty_pages_allowed=True)
    assert lists().element("Contents/StorageClass") == "STANDARD"
    empty = lists(max_keys="0")
    assert (empty.status, keys_of(empty), empty.element("IsTruncated")) == (200, [], "false")
    query = {"encoding-type": "url", "max-keys": "1", "marker": "u/a", "delimiter": " "}
    older = oss_client.call("GET", "", **query)
    assert [older.element(name) for name in ("EncodingType", "Marker")] == ["url", "u%2Fa"]
    assert keys_of(older, "CommonPrefixes/Prefix") == ["u%2Fb%20"]


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


def test_uploads_that_share_a_prefix_come_together_and_an_aborted_one_is_gone(begin, uploads):
    upload, _, _ = begin("u/b"), begin("u/c/1"), begin("u/c/2")
    answer, found = uploads(prefix="u/", delimiter="/")
    assert (found, keys_of(answer, "CommonPrefixes/Prefix")) == ([("u/b", upload.id)], ["u/c/"])
    assert upload.abort().status == 204
    assert uploads(prefix="u/b")[1] == []
