"""ListObjects, ListObjectsV2, ListParts and ListMultipartUploads, page by page, and who may list what."""

from urllib.parse import quote, unquote

import pytest

from tests.local.oss.conftest import NOT_PERMITTED, UNSIGNED
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, BUCKET = "u/42/视频 一+1.mp4", "acs:oss:*:*:examplebucket"
ODD = ["u/ +&%", "u/\x01<a>", "u/\uff0d照片", "u/\U0001f600"]
ODD_IN_ORDER = sorted(ODD, key=lambda key: key.encode())
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
    assert [(field.tag, field.text) for field in answer.xml.find("Contents")][:-1] == [
        ("Key", "u/42/a.jpg"),
        ("LastModified", "2026-11-24T14:00:00.000Z"),
        ("ETag", '"900150983CD24FB0D6963F7D28E17F72"'),
        ("Type", "Normal"),
        ("Size", "3"),
        ("StorageClass", "Standard"),
    ]
    assert answer.element("Contents/Owner/ID")
    rules(listed_class_in_capitals=True, empty_pages_allowed=True)
    assert lists().element("Contents/StorageClass") == "STANDARD"
    empty = lists(max_keys="0")
    assert (empty.status, keys_of(empty), empty.element("IsTruncated")) == (200, [], "false")


def test_pages_follow_each_other_in_the_order_of_keys(rules, lists, stored):
    stored("u/b", "v/a", "u/a", "u/c/1", "u", "t/z")
    assert all_pages(lists, prefix="u", max_keys="2") == [["u", "u/a"], ["u/b", "u/c/1"]]
    assert keys_of(lists(start_after="u/aa")) == ["u/b", "u/c/1", "v/a"]
    assert keys_of(lists(start_after="u/b", prefix="u/")) == ["u/c/1"]
    assert keys_of(lists(prefix="w")) == []
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


def test_the_older_list_goes_by_keys_and_names_owners(stored, oss_client, may):
    def page(key="account", **query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        answer = oss_client.call("GET", "", key=key, **query)
        return (
            answer,
            keys_of(answer) + keys_of(answer, "CommonPrefixes/Prefix"),
            answer.element("NextMarker"),
        )

    stored("u/a/1", "u/a/2", "u/b c", "u/c")
    whole, found, marker = page(marker="")
    assert (found, marker, whole.element("IsTruncated")) == (
        ["u/a/1", "u/a/2", "u/b c", "u/c"],
        None,
        "false",
    )
    assert [whole.element(name) for name in ("Name", "MaxKeys")] == ["examplebucket", "100"]
    assert all(entry.findtext("Owner/ID") for entry in whole.xml.iter("Contents"))
    pages, marker = [], ""
    while marker is not None:
        answer, found, marker = page(prefix="u/", delimiter="/", max_keys="1", marker=marker)
        assert answer.element("Marker") in ("", *sum(pages, [])) or not pages
        pages.append(found)
    assert pages == [["u/a/"], ["u/b c"], ["u/c"]]
    encoded, _, marker = page(encoding_type="url", max_keys="3", marker="u/a/1")
    assert [encoded.element(name) for name in ("EncodingType", "Marker")] == ["url", "u%2Fa%2F1"]
    assert page(encoding_type="url", max_keys="1", marker="u/a/2")[2] == "u%2Fb%20c"
    below = may("oss:ListObjects", resource=BUCKET, **BELOW)
    assert page(below, prefix="u/42/")[0].said == "200"
    assert page(below)[0].said == page("sts")[0].said == NOT_PERMITTED
    assert oss_client.request("GET", "/").said == UNSIGNED


def test_a_change_between_two_pages_repeats_and_skips_no_other(lists, stored, oss_client):
    stored(*"bdfh")
    first = lists(max_keys="2")
    oss_client.call("DELETE", "d")
    stored("a", "e")
    token = first.element("NextContinuationToken")
    assert keys_of(first) + keys_of(lists(continuation_token=token)) == [*"bdefh"]


def test_keys_that_share_a_prefix_come_together(lists, stored):
    stored("u/a/1", "u/a/2", "u/b", "u/c/1")
    answer = lists(prefix="u/", delimiter="/")
    assert (keys_of(answer), keys_of(answer, "CommonPrefixes/Prefix")) == (["u/b"], ["u/a/", "u/c/"])
    first = lists(prefix="u/", delimiter="/", max_keys="1")
    token = first.element("NextContinuationToken")
    second = lists(prefix="u/", delimiter="/", max_keys="1", continuation_token=token)
    assert (keys_of(first, "CommonPrefixes/Prefix"), keys_of(second)) == (["u/a/"], ["u/b"])


def test_odd_keys_are_legible_when_encoded(lists, stored):
    stored(*ODD)
    answer = lists(encoding_type="url", prefix="u/", max_keys="3")
    assert [unquote(key) for key in keys_of(answer)] == ODD_IN_ORDER[:3]
    assert answer.element("Prefix") == "u%2F"
    assert unquote(keys_of(lists(start_after="u/\uff0d照片", encoding_type="url"))[0]) == ODD[-1]
    assert "\ufffd" in keys_of(lists())[0]


def test_a_session_lists_below_its_prefix_alone(rules, may, lists, uploads, oss_client):
    rules(prefix_binds_every_list=True)
    below = may("oss:ListObjects", "oss:ListMultipartUploads", resource=BUCKET, **BELOW)
    for prefix, said in (
        ({"prefix": "u/42/"}, "200"),
        ({"prefix": "u/420/"}, NOT_PERMITTED),
        ({}, NOT_PERMITTED),
    ):
        assert lists(below, **prefix).said == uploads(below, **prefix)[0].said == said
    # It needs the right on the bucket.
    assert lists(may("oss:ListObjects", resource=f"{BUCKET}/*")).said == NOT_PERMITTED
    assert lists(may("oss:ListObjects", resource=BUCKET)).said == "200"
    assert uploads("sts")[0].said == NOT_PERMITTED
    assert oss_client.request("GET", "/?list-type=2").said == UNSIGNED


def test_parts_are_listed_in_ascending_order_with_size_and_etag_page_by_page(begin):
    upload = begin(x_oss_storage_class="IA")
    assert upload.list().element("NextPartNumberMarker") == "0"
    for number in (3, 1):
        upload.part(number, b"hello"[:number])
    answer = upload.list()
    names = (
        "Bucket Key UploadId PartNumberMarker NextPartNumberMarker MaxParts IsTruncated StorageClass".split()
    )
    told = [answer.element(name) for name in names]
    assert told == ["examplebucket", KEY, upload.id, "0", "3", "1000", "false", "IA"]
    assert answer.headers["Content-Type"] == "application/xml"
    first, second = [[field.text for field in part] for part in answer.xml.findall("Part")]
    assert first == ["1", "2026-11-24T14:00:00.000Z", '"2510C39011C5BE704182423E3A695E91"', "1"]
    assert second == ["3", "2026-11-24T14:00:00.000Z", '"46356AFE55FA3CEA9CBE73AD442CAD47"', "3"]
    upload.part(2, b"x")
    page = upload.list(max_parts="2")
    assert (keys_of(page, "Part/PartNumber"), page.element("IsTruncated")) == (["1", "2"], "true")
    page = upload.list(max_parts="2", part_number_marker=page.element("NextPartNumberMarker"))
    assert (keys_of(page, "Part/PartNumber"), page.element("IsTruncated")) == (["3"], "false")
    encoded = upload.list(encoding_type="url")
    assert (encoded.element("EncodingType"), encoded.element("Key")) == ("url", quote(KEY, safe=""))


def test_open_uploads_are_listed_below_a_prefix_page_by_page(begin, uploads, oss_clock):
    begun = []
    for name in ("u/b", "u/a", "u/a", KEY):
        begun.append((name, begin(name, x_oss_storage_class="IA").id))
        oss_clock.tick(seconds=1)
    everything, found = uploads()
    in_order = [begun[3], begun[1], begun[2], begun[0]]
    assert found == in_order
    assert everything.headers["Content-Type"] == "application/xml"
    first = everything.xml.find("Upload")
    assert (first.findtext("Initiated"), first.findtext("StorageClass")) == ("2026-11-24T14:00:03.000Z", "IA")
    assert uploads(prefix="u/a")[1] == in_order[1:3]
    assert uploads(key_marker="u/a")[1] == in_order[3:]
    assert uploads(encoding_type="url", prefix="u/4")[1] == [(quote(KEY, safe=""), begun[3][1])]
    pages, markers = [], {}
    while True:
        answer, page = uploads(max_uploads="1", **markers)
        pages += page
        if answer.element("IsTruncated") == "false":
            break
        names = {"key_marker": "NextKeyMarker", "upload_id_marker": "NextUploadIdMarker"}
        markers = {name: answer.element(element) for name, element in names.items()}
    assert pages == in_order


def test_uploads_that_share_a_prefix_come_together_and_an_aborted_one_is_gone(begin, uploads):
    upload, _, _ = begin("u/b"), begin("u/c/1"), begin("u/c/2")
    answer, found = uploads(prefix="u/", delimiter="/")
    assert (found, keys_of(answer, "CommonPrefixes/Prefix")) == ([("u/b", upload.id)], ["u/c/"])
    assert upload.abort().status == 204
    assert uploads(prefix="u/b")[1] == []
