"""ListObjectsV2, page by page, and who may list what."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest

from local.common.accounts import AccessKey
from tests.local.oss.conftest import OSS_NOW
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

BAD = (400, "InvalidArgument")
ODD = ["u/ +&%", "u/\x01<a>", "u/\uff0d照片", "u/\U0001f600"]


@pytest.fixture
def lists(oss_client):
    """A page, signed by the account unless told otherwise; parameters with ``_`` for ``-``."""

    def ask(key="account", **query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        return oss_client.call("GET", "", key=key, **{"list-type": "2", **query})

    return ask


@pytest.fixture
def stored(oss_client):
    def store(*names):
        assert {oss_client.call("PUT", name, b"abc").status for name in names} == {200}

    return store


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


def test_an_object_is_listed_with_its_facts(lists, stored):
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


def test_pages_follow_each_other_in_the_order_of_keys(lists, stored):
    stored("u/b", "v/a", "u/a", "u/c/1", "u", "t/z")
    assert all_pages(lists, prefix="u", max_keys="2") == [["u", "u/a"], ["u/b", "u/c/1"]]
    assert keys_of(lists(start_after="u/aa")) == ["u/b", "u/c/1", "v/a"]
    assert keys_of(lists(start_after="u/b", prefix="u/")) == ["u/c/1"]
    assert keys_of(lists(prefix="w")) == []


def test_a_page_may_be_shorter_than_max_keys(oss, lists, stored):
    stored(*"abcde")
    oss.bucket.rules = replace(oss.bucket.rules, longest_page=2)
    assert all_pages(lists, max_keys="1000") == [["a", "b"], ["c", "d"], ["e"]]


def test_a_change_between_two_pages_repeats_and_skips_no_other(oss, lists, stored, oss_client):
    stored(*"bdfh")
    first = lists(max_keys="2")
    oss_client.call("DELETE", "d")
    stored("a", "e")
    token = first.element("NextContinuationToken")
    assert keys_of(first) + keys_of(lists(continuation_token=token)) == [*"bdefh"]


def test_keys_that_share_a_prefix_come_together(lists, stored):
    stored("u/a/1", "u/a/2", "u/b", "u/c/1")
    answer = lists(prefix="u/", delimiter="/")
    assert keys_of(answer) == ["u/b"]
    assert keys_of(answer, "CommonPrefixes/Prefix") == ["u/a/", "u/c/"]
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


ODD_IN_ORDER = sorted(ODD, key=lambda key: key.encode())


@pytest.mark.parametrize(("in_utf16", "order"), [(False, ODD[2:]), (True, ODD[:1:-1])])
def test_the_order_of_keys_is_switched(in_utf16, order, oss, lists, stored):
    oss.bucket.rules = replace(oss.bucket.rules, keys_in_utf16_order=in_utf16)
    stored(*ODD[2:])
    assert all_pages(lists, max_keys="1") == [[key] for key in order]


@cases("query")
def test_each_wrong_parameter_is_refused(query, lists):
    assert lists(**query).refusal[:2] == BAD


def test_an_empty_page_is_switched(oss, lists, stored):
    stored("a")
    oss.bucket.rules = replace(oss.bucket.rules, empty_pages_allowed=True)
    answer = lists(max_keys="0")
    assert (answer.status, keys_of(answer), answer.element("IsTruncated")) == (200, [], "false")


@pytest.mark.parametrize(("is_allowed", "status"), [(False, 400), (True, 200)])
def test_another_prefix_s_token_is_switched(is_allowed, status, oss, lists, stored):
    stored("u/1", "u/2", "v/1")
    oss.bucket.rules = replace(oss.bucket.rules, foreign_tokens_allowed=is_allowed)
    token = lists(prefix="u/", max_keys="1").element("NextContinuationToken")
    answer = lists(prefix="v/", continuation_token=token)
    assert answer.status == status
    assert lists(prefix="u/", continuation_token="eA==").status == 400


@pytest.mark.parametrize(("in_capitals", "name"), [(False, "Standard"), (True, "STANDARD")])
def test_the_spelling_of_a_listed_class_is_switched(in_capitals, name, oss, lists, stored):
    stored("a")
    oss.bucket.rules = replace(oss.bucket.rules, listed_class_in_capitals=in_capitals)
    assert lists().element("Contents/StorageClass") == name


def with_policy(oss, *actions, resource="acs:oss:*:*:examplebucket", prefixes=("u/42/", "u/42/*")):
    condition = {"Condition": {"StringLike": {"oss:Prefix": list(prefixes)}}} if prefixes else {}
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": [resource], **condition}
    policy = {"Version": "1", "Statement": [statement]}
    key = AccessKey("STS.NTLister", "ListerSecret", "CAISlister", OSS_NOW + timedelta(hours=1), (policy,))
    oss.bucket.accounts.add(key)
    return key


@pytest.fixture
def lister(oss, oss_client):
    """Makes a session that may do these actions; the client knows it as ``lister``."""

    def make(*actions, **statement):
        oss_client.keys = {**oss_client.keys, "lister": with_policy(oss, *actions, **statement)}

    return make


@cases("prefix", "status")
def test_a_session_lists_below_its_prefix_alone(prefix, status, lister, lists):
    lister("oss:ListObjects")
    asked = {} if prefix is None else {"prefix": prefix}
    answer = lists(key="lister", **asked)
    assert answer.status == status
    if status == 403:
        assert answer.refusal == (403, "AccessDenied", "0003-00000301")


def test_listing_needs_the_right_on_the_bucket(lister, lists, oss_client):
    lister("oss:ListObjects", resource="acs:oss:*:*:examplebucket/*", prefixes=())
    assert lists(key="lister").status == 403
    lister("oss:ListObjects", prefixes=())
    assert lists(key="lister").status == 200
    assert oss_client.request("GET", "/?list-type=2").refusal == (403, "AccessDenied", "0003-00000001")
