"""ListParts and ListMultipartUploads, page by page."""

from urllib.parse import quote

import pytest

from local.common.accounts import AccessKey
from local.oss.rules import OssRules
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY = "u/42/视频 一+1.mp4"
UPLOADS_BELOW = {
    "Effect": "Allow",
    "Action": "oss:ListMultipartUploads",
    "Resource": "acs:oss:*:*:examplebucket",
    "Condition": {"StringLike": {"oss:Prefix": "u/42/*"}},
}
BAD = (400, "InvalidArgument")


def test_parts_are_listed_in_ascending_order_with_size_and_etag(begin):
    upload = begin()
    for number in (3, 1):
        upload.part(number, b"hello"[:number])
    listed = upload.list().xml
    names = "Bucket Key UploadId PartNumberMarker NextPartNumberMarker MaxParts IsTruncated".split()
    assert [listed.findtext(name) for name in names] == [
        *("examplebucket", KEY, upload.id, "0", "3", "1000", "false")
    ]
    assert [[field.text for field in part] for part in listed.findall("Part")] == [
        ["1", "2026-11-24T14:00:00.000Z", '"2510C39011C5BE704182423E3A695E91"', "1"],
        ["3", "2026-11-24T14:00:00.000Z", '"46356AFE55FA3CEA9CBE73AD442CAD47"', "3"],
    ]


def test_lists_are_xml_and_tell_the_class(begin, oss_client):
    upload = begin(x_oss_storage_class="IA")
    for answer in (upload.list(), oss_client.call("GET", "", uploads=None)):
        assert answer.headers["Content-Type"] == "application/xml"
        assert [element.text for element in answer.xml.iter("StorageClass")] == ["IA"]


def test_pages_of_parts_follow_each_other(begin):
    upload = begin()
    for number in range(1, 8):
        upload.part(number, b"x")
    numbers, marker = [], "0"
    for _ in range(10):
        page = upload.list(max_parts="3", part_number_marker=marker).xml
        numbers.append([part.findtext("PartNumber") for part in page.findall("Part")])
        marker = page.findtext("NextPartNumberMarker")
        if page.findtext("IsTruncated") == "false":
            break
    assert numbers == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


def test_an_upload_without_parts_has_an_empty_list(begin):
    listed = begin().list().xml
    assert (listed.findall("Part"), listed.findtext("NextPartNumberMarker")) == ([], "0")


def test_names_are_encoded_on_request(begin, oss_client):
    upload, encoded = begin(), quote(KEY, safe="")
    listed = upload.list(encoding_type="url").xml
    assert (listed.findtext("EncodingType"), listed.findtext("Key")) == ("url", encoded)
    answer = oss_client.call("GET", "", uploads=None, **{"encoding-type": "url"})
    assert (answer.element("EncodingType"), uploads_of(answer)) == ("url", [(encoded, upload.id)])


@cases("query")
def test_each_wrong_parameter_is_refused(query, begin):
    assert begin().list(**query).refusal[:2] == BAD


def uploads_of(answer):
    found = answer.xml.findall("Upload")
    return [(upload.findtext("Key"), upload.findtext("UploadId")) for upload in found]


def test_open_uploads_are_listed_below_a_prefix_page_by_page(begin, oss_client, oss_clock):
    begun = []
    for name in ("u/b", "u/a", "u/a", "v/c"):
        begun.append((name, begin(name).id))
        oss_clock.tick(seconds=1)
    everything = oss_client.call("GET", "", uploads=None)
    in_order = [begun[1], begun[2], begun[0], begun[3]]
    assert uploads_of(everything) == in_order
    assert everything.xml.find("Upload").findtext("Initiated") == "2026-11-24T14:00:01.000Z"
    assert uploads_of(oss_client.call("GET", "", uploads=None, prefix="u/")) == in_order[:3]
    pages, markers = [], {}
    while True:
        answer = oss_client.call("GET", "", uploads=None, **{"max-uploads": "1"}, **markers)
        pages += uploads_of(answer)
        if answer.element("IsTruncated") == "false":
            break
        markers = {
            "key-marker": answer.element("NextKeyMarker"),
            "upload-id-marker": answer.element("NextUploadIdMarker"),
        }
    assert pages == in_order
    assert uploads_of(oss_client.call("GET", "", uploads=None, **{"key-marker": "u/a"})) == in_order[2:]


def test_listing_uploads_needs_a_right_on_the_bucket(oss_client):
    answer = oss_client.call("GET", "", key="sts", uploads=None)
    assert answer.refusal == (403, "AccessDenied", "0003-00000301")


@pytest.mark.parametrize(("prefix", "status"), [("u/42/", 200), ("u/420/", 403), ("", 403), (None, 403)])
def test_the_prefix_of_a_listing_is_held_against_the_policy(prefix, status, oss, oss_client):
    oss.bucket.rules = OssRules(prefix_binds_every_list=True)
    lister = AccessKey("LTAILister", "ListerSecret", policies=({"Statement": [UPLOADS_BELOW]},))
    oss.bucket.accounts.add(lister)
    oss_client.keys = {"lister": lister}
    query = {} if prefix is None else {"prefix": prefix}
    assert oss_client.call("GET", "", key="lister", uploads=None, **query).status == status


def test_uploads_that_share_a_prefix_come_together_and_an_aborted_one_is_gone(begin, oss_client):
    upload = begin("u/b")
    begin("u/c/1"), begin("u/c/2")
    answer = oss_client.call("GET", "", uploads=None, prefix="u/", delimiter="/")
    assert uploads_of(answer) == [("u/b", upload.id)]
    assert [each.findtext("Prefix") for each in answer.xml.findall("CommonPrefixes")] == ["u/c/"]
    assert (upload.abort().status, upload.abort().refusal[:2]) == (204, (404, "NoSuchUpload"))
    assert uploads_of(oss_client.call("GET", "", uploads=None, prefix="u/b")) == []


@pytest.mark.parametrize(("names_it", "key"), [(True, "u/b"), (False, "")])
def test_the_markers_of_the_last_page_are_switched(names_it, key, oss, begin, oss_client):
    oss.bucket.rules = OssRules(last_page_names_markers=names_it)
    upload = begin("u/b")
    answer = oss_client.call("GET", "", uploads=None)
    assert (answer.element("NextKeyMarker"), answer.element("IsTruncated")) == (key, "false")
    assert answer.element("NextUploadIdMarker") == (upload.id if names_it else "")
    begin("u/c")
    assert oss_client.call("GET", "", uploads=None, **{"max-uploads": "1"}).element("NextKeyMarker") == "u/b"


@pytest.mark.parametrize("most", ["0", "1001", "x"])
def test_a_page_of_uploads_holds_1_to_1000(most, oss_client):
    assert oss_client.call("GET", "", uploads=None, **{"max-uploads": most}).refusal[:2] == BAD
