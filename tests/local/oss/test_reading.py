"""Who may read an object, over HTTP, and what comes with it."""

import base64
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import alibabacloud_oss_v2 as sdk
import pytest
import requests

from local.common.accounts import AccessKey
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY = "u/42/图片 1+2.jpg"
PRIVATE = (403, "AccessDenied", "0003-00000001")


@pytest.fixture
def private(oss):
    """Objects are for those who sign, as on a real bucket."""
    oss.bucket.rules = replace(oss.bucket.rules, private_reads_need_signature=True)
    return oss


@pytest.fixture
def stored(private, oss_client):
    def store(**fields):
        assert oss_client.post(oss_client.v4_form({"key": KEY, **fields})).status == 204

    store()
    return store


def test_a_private_and_an_absent_object_look_alike_without_a_signature(stored, oss_client):
    for path in (oss_client.path(KEY), "/none"):
        assert oss_client.request("GET", path).refusal == PRIVATE


def test_a_refused_head_tells_why_in_a_header(stored, oss_client):
    answer = oss_client.request("HEAD", oss_client.path(KEY))
    assert (answer.status, answer.body, answer.headers["x-oss-ec"]) == (403, b"", "0003-00000001")
    xml = ElementTree.fromstring(base64.b64decode(answer.headers["x-oss-err"]))
    assert xml.findtext("Code") == "AccessDenied"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_signed_url_reads_it(method, stored, oss_client):
    answer = oss_client.request(method, oss_client.presigned(method, KEY, key="account"))
    assert (answer.status, answer.body) == (200, b"picture" if method == "GET" else b"")
    assert answer.headers["Content-Length"] == "7"


def test_a_signed_header_reads_it(stored, oss_client):
    headers = oss_client.signed_headers("GET", KEY, key="account")
    assert oss_client.request("GET", oss_client.path(KEY), headers=headers).body == b"picture"


@cases("storage_class", "is_read")
def test_an_archived_object_has_a_head_but_cannot_be_read(stored, oss_client, storage_class, is_read):
    stored(**{"x-oss-storage-class": storage_class})
    copy = {"x-oss-copy-source": f"/{oss_client.server.bucket.name}/{quote(KEY)}"}
    answers = [
        oss_client.call("GET", KEY),
        oss_client.call("PUT", "u/42/copy.jpg", headers=copy),
        oss_client.request(
            "GET", oss_client.presigned("GET", KEY, "account", **{"x-oss-process": "image/info"})
        ),
    ]
    is_refused = [answer.status == 403 and answer.refusal[1] == "InvalidObjectState" for answer in answers]
    assert is_refused == [not is_read] * 3
    assert oss_client.call("HEAD", KEY).headers["x-oss-storage-class"] == storage_class


def test_a_url_for_one_object_reads_no_other(stored, oss_client):
    stored(key="u/43/b.jpg")
    url = oss_client.presigned("GET", KEY, key="account")
    other = oss_client.path("u/43/b.jpg") + "?" + url.partition("?")[2]
    assert oss_client.request("GET", other).refusal[:2] == (403, "SignatureDoesNotMatch")


def test_a_url_is_good_until_its_end(stored, oss_client, oss_clock):
    url = oss_client.presigned("GET", KEY, key="account", expires=60)
    oss_clock.tick(seconds=60)
    assert oss_client.request("GET", url).status == 200
    oss_clock.tick(seconds=1)
    assert oss_client.request("GET", url).refusal == (403, "AccessDenied", "0002-00000236")


@pytest.mark.parametrize(
    ("name", "key", "refusal"),
    [
        (KEY, "sts", (403, "AccessDenied", "0003-00000301")),
        ("u/none", "account", (404, "NoSuchKey", "0026-00000001")),
    ],
)
def test_only_a_key_with_read_permission_gets_no_such_key(stored, oss_client, name, key, refusal):
    assert oss_client.request("GET", oss_client.presigned("GET", name, key=key)).refusal == refusal


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_object_is_readable_until_public_access_is_blocked(acl, private, stored, oss_client):
    private.bucket.rules = replace(private.bucket.rules, block_public_access=False)
    stored(**{"x-oss-object-acl": acl})
    assert oss_client.request("GET", oss_client.path(KEY)).body == b"picture"
    private.bucket.rules = replace(private.bucket.rules, block_public_access=True)
    assert oss_client.request("GET", oss_client.path(KEY)).refusal == PRIVATE


def test_without_need_of_a_signature_a_wrong_one_and_replaced_headers_are_refused(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, private_reads_need_signature=False)
    oss_client.post(oss_client.v4_form())
    url = oss_client.presigned("GET", "u/42/a.jpg", key="account").replace("signature=", "signature=0")
    assert oss_client.request("GET", url).refusal[:2] == (403, "SignatureDoesNotMatch")
    answer = oss_client.request("GET", "/u/42/a.jpg?response-cache-control=no-store")
    assert answer.refusal[:2] == (400, "InvalidRequest")


def test_a_signed_query_may_replace_headers_of_the_answer(stored, oss_client):
    wanted = "attachment; filename*=UTF-8''%E5%9B%BE.jpg"
    more = {"response-content-disposition": wanted, "response-cache-control": "no-store"}
    answer = oss_client.request("GET", oss_client.presigned("GET", KEY, key="account", **more))
    assert answer.headers["Content-Disposition"] == wanted
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [("response-content-type", "text/html", 400), ("response-expires", "0\r\nSet-Cookie: a=b", 400)],
)
def test_a_query_replaces_neither_the_type_nor_adds_a_header(name, value, status, stored, oss_client):
    url = oss_client.presigned("GET", KEY, key="account", **{name: value})
    answer = oss_client.request("GET", url)
    assert answer.status == status
    assert answer.headers["Set-Cookie"] is None


@pytest.fixture
def sdk_client(private, stored, oss_client, oss_clock):
    """Alibaba's Python SDK, which signs by the machine's clock."""
    oss_clock.instant = datetime.now(UTC)
    key = oss_client.keys["account"]
    config = sdk.config.load_default()
    config.credentials_provider = sdk.credentials.StaticCredentialsProvider(
        key.access_key_id, key.access_key_secret
    )
    config.region = private.bucket.region
    config.endpoint = private.origin.replace("127.0.0.1", "localhost")
    config.use_cname = True
    return sdk.Client(config)


def test_the_python_sdk_reads_by_header_and_by_url(sdk_client, oss):
    request = sdk.GetObjectRequest(bucket=oss.bucket.name, key=KEY)
    assert sdk_client.get_object(request).body.read() == b"picture"
    url = sdk_client.presign(request, expires=timedelta(minutes=1)).url
    assert requests.get(url, timeout=60).content == b"picture"
    with pytest.raises(sdk.exceptions.OperationError, match="NoSuchKey"):
        sdk_client.head_object(sdk.HeadObjectRequest(bucket=oss.bucket.name, key="none"))


@pytest.mark.parametrize(
    "name", ["Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding"]
)
def test_each_of_five_headers_is_replaced(name, stored, oss_client):
    for method in ("GET", "HEAD"):
        answer = oss_client.call(method, KEY, **{f"response-{name.lower()}": "another"})
        assert (answer.status, answer.headers[name]) == (200, "another")


def test_a_range_is_answered_with_a_part(stored, oss_client):
    answer = oss_client.call("GET", KEY, headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, b"ctu", "bytes 2-4/7")
    assert answer.headers["Content-Length"] == "3"
    assert oss_client.call("GET", KEY, headers={"Range": "bytes=5-9"}).body == b"picture"
    standard = {"Range": "bytes=7-", "x-oss-range-behavior": "standard"}
    assert oss_client.call("GET", KEY, headers=standard).refusal[:2] == (416, "InvalidRange")


def test_conditional_reads_get_304_or_412(stored, oss, oss_client):
    etag = oss.objects[KEY].etag
    for method in ("GET", "HEAD"):
        same = oss_client.call(method, KEY, headers={"If-None-Match": f'"{etag}"'})
        assert (same.status, same.body) == (304, b"")
        other = oss_client.call(method, KEY, headers={"If-Match": '"0"'})
        assert (other.status, other.headers["x-oss-ec"] is None) == (412, False)


def test_a_brief_head_tells_three_things(stored, oss_client):
    headers = oss_client.call("HEAD", KEY, objectMeta=None).headers
    told = {"Content-Length", "ETag", "Last-Modified"}
    assert told <= set(headers)
    assert not {"Content-Type", "x-oss-object-type", "x-oss-storage-class"} & set(headers)


def test_a_form_keeps_no_digest_and_a_large_object_no_checksum(stored, oss, oss_client):
    head = oss_client.call("HEAD", KEY).headers
    assert head["Content-MD5"] is None
    assert head["x-oss-hash-crc64ecma"] is not None
    oss.bucket.rules = replace(oss.bucket.rules, max_crc64_bytes=7)
    assert oss_client.call("HEAD", KEY).headers["x-oss-hash-crc64ecma"] is not None
    oss.bucket.rules = replace(oss.bucket.rules, max_crc64_bytes=6)
    assert oss_client.call("HEAD", KEY).headers["x-oss-hash-crc64ecma"] is None


def test_a_head_of_a_missing_object_has_the_error_in_a_header(private, oss_client):
    answer = oss_client.call("HEAD", "u/none")
    xml = ElementTree.fromstring(base64.b64decode(answer.headers["x-oss-err"]))
    assert (answer.status, answer.body, xml.findtext("Code")) == (404, b"", "NoSuchKey")
    assert (answer.headers["x-oss-ec"], xml.findtext("Key")) == ("0026-00000001", "u/none")


def test_absence_can_be_revealed_only_with_list_permission(private, oss_client):
    private.bucket.rules = replace(private.bucket.rules, absence_told_to_listers_only=True)
    resource = [f"acs:oss:*:*:{private.bucket.name}/*"]
    with_bucket = [*resource, f"acs:oss:*:*:{private.bucket.name}"]
    policies = {
        "reads": [{"Effect": "Allow", "Action": "oss:GetObject", "Resource": resource}],
        "lists": [{"Effect": "Allow", "Action": "oss:*", "Resource": with_bucket}],
    }
    for name, statement in policies.items():
        policy = {"Version": "1", "Statement": statement}
        oss_client.keys = {**oss_client.keys, name: AccessKey(name, "secret", policies=(policy,))}
        private.bucket.accounts.add(oss_client.keys[name])
    assert oss_client.call("GET", "u/none", key="reads").refusal == (403, "AccessDenied", "0003-00000301")
    assert oss_client.call("HEAD", "u/none", key="reads").status == 403
    for key in ("lists", "account"):
        assert oss_client.call("GET", "u/none", key=key).refusal[:2] == (404, "NoSuchKey")


def test_the_type_may_be_replaceable_after_all(stored, oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, response_type_fixed=False)
    answer = oss_client.request(
        "GET", oss_client.presigned("GET", KEY, key="account", **{"response-content-type": "text/plain"})
    )
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain")


def test_the_default_host_may_make_everything_a_download(stored, oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, default_host_downloads=True)
    asked = {"response-content-disposition": "inline"}
    for method in ("GET", "HEAD"):
        headers = oss_client.call(method, KEY, **asked).headers
        assert (headers["x-oss-force-download"], headers["Content-Disposition"]) == ("true", "attachment")
        assert headers["x-oss-ec"] == "0048-00000113"
        bound = oss_client.call(method, KEY, headers={"Host": "localhost"}, **asked).headers
        assert (bound["x-oss-force-download"], bound["Content-Disposition"]) == (None, "inline")
