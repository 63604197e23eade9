"""Who may read an object, over HTTP, what comes with it, and the conditions and ranges of a reader."""

import base64
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from local.oss.conditions import check_conditions, read_range
from local.oss.errors import OssError
from local.oss.versions import StoredObject
from tests.local.oss.conftest import UNSIGNED, refusal_of
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, ACL = "u/42/图片 1+2.jpg", "x-oss-object-acl"
MODIFIED = datetime(2026, 11, 24, 14, 0, 0, 500_000, tzinfo=UTC)
STORED = StoredObject("a", 1000, "ABC", "text/plain", MODIFIED, Path("a"))


@pytest.fixture
def store(oss_client):
    """Post an object with these fields; its answer."""

    def store(**fields):
        answer = oss_client.post(oss_client.v4_form({"key": KEY, **fields}))
        assert answer.status == 204
        return answer

    store()
    return store


def test_an_object_is_read_back_with_its_headers(oss_client, store):
    fields = {
        "Cache-Control": "max-age=60",
        "Content-Disposition": "attachment; filename=猫.jpg",
        "x-oss-meta-my_note": "1",
        "x-oss-storage-class": "IA",
    }
    posted = store(**fields)
    answer = oss_client.request("GET", oss_client.presigned("GET", KEY), headers={"Host": "any"})
    head = oss_client.request("HEAD", oss_client.presigned("HEAD", KEY))
    more = {"Content-Type": "image/jpeg", "ETag": posted.headers["ETag"], "Content-Length": "7"}
    more["Last-Modified"] = "Tue, 24 Nov 2026 14:00:00 GMT"
    for read, body in ((answer, b"picture"), (head, b"")):
        assert (read.status, read.body) == (200, body)
        told = {name: read.headers[name].encode("latin-1").decode() for name in (*fields, *more)}
        assert told == fields | more


@pytest.mark.parametrize(
    ("storage_class", "is_read"),
    [("IA", True), ("Archive", False), ("ColdArchive", False), ("DeepColdArchive", False)],
)
def test_an_archived_object_has_a_head_but_cannot_be_read(oss_client, store, storage_class, is_read):
    store(**{"x-oss-storage-class": storage_class})
    copy = {"x-oss-copy-source": f"/examplebucket/{quote(KEY)}"}
    for answer in (
        oss_client.call("GET", KEY),
        oss_client.call("PUT", "u/42/copy.jpg", headers=copy),
        oss_client.call("GET", KEY, **{"x-oss-process": "image/info"}),
    ):
        assert answer.said.startswith("403 InvalidObjectState") is not is_read
    assert oss_client.call("HEAD", KEY).headers["x-oss-storage-class"] == storage_class


def test_a_url_is_for_one_object_and_good_until_its_end(oss_client, store, oss_clock):
    url = oss_client.presigned("GET", KEY, expires=60)
    other = oss_client.path("u/43/b.jpg") + "?" + url.partition("?")[2]
    assert oss_client.request("GET", other).said.startswith("403 SignatureDoesNotMatch")
    oss_clock.tick(seconds=60)
    assert oss_client.request("GET", url).status == 200
    oss_clock.tick(seconds=1)
    assert oss_client.request("GET", url).said == "403 AccessDenied 0002-00000236"


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_object_is_readable_until_public_access_is_blocked(acl, rules, store, oss_client):
    for is_blocked in (False, True):
        rules(block_public_access=is_blocked)
        if not is_blocked:
            store(**{ACL: acl})
        answer = oss_client.request("GET", oss_client.path(KEY))
        assert answer.said == (UNSIGNED if is_blocked else "200")


def test_without_need_of_a_signature_a_wrong_one_and_replaced_headers_are_refused(rules, oss_client, store):
    rules(private_reads_need_signature=False)
    url = oss_client.presigned("GET", KEY)
    wrong = url.replace("signature=", "signature=0")
    assert oss_client.request("GET", wrong).said.startswith("403 SignatureDoesNotMatch")
    plain = oss_client.path(KEY)
    assert oss_client.request("GET", plain).body == b"picture"
    replaced = oss_client.request("GET", f"{plain}?response-cache-control=no-store")
    assert replaced.said.startswith("400 InvalidRequest")


@pytest.mark.parametrize(
    "name", ["Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding"]
)
def test_a_signed_query_may_replace_each_of_five_headers_of_the_answer(name, store, oss_client):
    wanted = "attachment; filename*=UTF-8''%E5%9B%BE.jpg"
    for method in ("GET", "HEAD"):
        answer = oss_client.call(method, KEY, **{f"response-{name.lower()}": wanted})
        assert (answer.status, answer.headers[name]) == (200, wanted)


def test_a_query_replaces_not_the_type_unless_the_rule_says_so_nor_adds_a_header(rules, store, oss_client):
    html, split = {"response-content-type": "text/html"}, {"response-expires": "0\r\nSet-Cookie: a=b"}
    assert oss_client.call("GET", KEY, **html).said == "400 InvalidRequest 0017-00000902"
    answer = oss_client.call("GET", KEY, **split)
    assert (answer.status, answer.headers["Set-Cookie"]) == (400, None)
    rules(response_type_fixed=False)
    assert oss_client.call("GET", KEY, **html).headers["Content-Type"] == "text/html"


def test_a_range_is_answered_with_a_part(store, oss_client):
    answer = oss_client.call("GET", KEY, headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, b"ctu", "bytes 2-4/7")
    assert answer.headers["Content-Length"] == "3"
    assert oss_client.call("GET", KEY, headers={"Range": "bytes=5-9"}).body == b"picture"
    standard = {"Range": "bytes=7-", "x-oss-range-behavior": "standard"}
    assert oss_client.call("GET", KEY, headers=standard).said.startswith("416 InvalidRange")


@cases("asked", "plain", "standard")
def test_a_range_that_is_not_there_is_everything_or_standard(asked, plain, standard):
    assert read_range({"range": asked}, 1000) == plain
    headers = {"range": asked, "x-oss-range-behavior": "standard"}
    if standard == 416:
        assert refusal_of(read_range, headers, 1000).startswith("416 ")
    else:
        assert read_range(headers, 1000) == standard
    # An empty object has none.
    assert read_range({"range": asked}, 0) is None


@cases("headers", "status")
def test_each_condition_has_its_answer(headers, status):
    assert refusal_of(check_conditions, headers, STORED)[:3] == status
    # Those on the source of a copy go by names of their own.
    prefix = "x-oss-copy-source-"
    source = {f"{prefix}{name}": value for name, value in headers.items()}
    assert refusal_of(check_conditions, source, STORED, prefix)[:3] == status
    assert refusal_of(check_conditions, headers, STORED, prefix) == ""


@pytest.mark.parametrize(
    ("name", "value"), [("If-Match", "X"), ("If-Unmodified-Since", "Tue, 24 Nov 2026 13:59:59 GMT")]
)
def test_a_failed_condition_is_named(name, value):
    with pytest.raises(OssError) as refused:
        check_conditions({name.lower(): value}, STORED)
    assert refused.value.details == {"Condition": name}


def test_a_brief_head_tells_three_things(store, oss_client):
    headers = set(oss_client.call("HEAD", KEY, objectMeta=None).headers)
    assert {"Content-Length", "ETag", "Last-Modified"} <= headers
    assert not {"Content-Type", "x-oss-object-type", "x-oss-storage-class"} & headers


def test_a_form_keeps_no_digest_and_a_large_object_no_checksum(store, rules, oss_client):
    assert oss_client.call("HEAD", KEY).headers["Content-MD5"] is None
    for most, has_one in ((7, True), (6, False)):
        rules(max_crc64_bytes=most)
        assert (oss_client.call("HEAD", KEY).headers["x-oss-hash-crc64ecma"] is not None) is has_one


def test_a_head_of_a_missing_object_has_the_error_in_a_header(oss_client):
    answer = oss_client.call("HEAD", "u/none")
    xml = ElementTree.fromstring(base64.b64decode(answer.headers["x-oss-err"]))
    assert (answer.status, answer.body, xml.findtext("Code")) == (404, b"", "NoSuchKey")
    assert (answer.headers["x-oss-ec"], xml.findtext("Key")) == ("0026-00000001", "u/none")


def test_the_default_host_may_make_everything_a_download(store, rules, oss_client):
    rules(default_host_downloads=True)
    names = ("x-oss-force-download", "Content-Disposition", "x-oss-ec")
    for method in ("GET", "HEAD"):
        for host, told in (
            ("127.0.0.1", ["true", "attachment", "0048-00000113"]),
            ("localhost", [None, "inline", None]),
        ):
            asked = {"response-content-disposition": "inline"}
            headers = oss_client.call(method, KEY, headers={"Host": host}, **asked).headers
            assert [headers[name] for name in names] == told
