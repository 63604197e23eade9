"""Version 4 signatures of requests, against vectors that four official signers agree on."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.objects import Objects
from local.oss.presign import presigned_url
from local.oss.request import read_request
from local.oss.request_signature import authenticate, canonical_request, string_to_sign
from local.oss.rules import OssRules
from tests.local.oss.conftest import refusal_of, vectors
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = vectors("presigned_v4")
URLS = {vector["name"]: vector for vector in VECTORS["url"]}
HEADERS = {vector["name"]: vector for vector in VECTORS["header"]}
EVERY = {**URLS, **HEADERS}
PLAIN = [name for name, one in URLS.items() if one["method"] == "GET" and not one["queries"] | one["headers"]]


def key_of(vector, **changes):
    given = vector["credentials"]
    key = AccessKey(given["access_key_id"], given["access_key_secret"], given.get("security_token"))
    return replace(key, **changes)


@pytest.fixture
def bucket_of(tmp_path):
    """The bucket of a vector, at the instant of its signature, with its key."""

    def build(vector, after=0, **changes):
        now = datetime.fromisoformat(vector["date_iso"]) + timedelta(seconds=after)
        accounts = Accounts(key_of(vector, **changes))
        return Bucket(vector["bucket"], vector["region"], accounts, Objects(tmp_path), lambda: now)

    return build


def request_of(vector, url=None, method=None, of=None, **headers):
    """The request as it arrives, of a vector; headers changed by keyword, ``None`` leaves one out."""
    expected = vector["expected"]
    of_the_stack = {name: vector["headers"].get(name) for name in ("host", "content-length")}
    sent = {"host": vector["host"], **expected["headers_to_send"]}
    sent |= {name: value for name, value in of_the_stack.items() if value}
    if "authorization" in expected:
        sent["authorization"] = expected["authorization"]
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    query = "&".join(f"{quote(n)}={quote(v)}" if v else quote(n) for n, v in vector["queries"].items())
    url = url or expected.get("url", f"/{quote(vector['key'])}?{query}")
    target = urlsplit(url)._replace(scheme="", netloc="").geturl()
    present = [(name, value) for name, value in sent.items() if value is not None]
    return read_request(method or vector["method"], target, present)


def changed_query(vector, of=None, **changes):
    request = request_of(vector)
    query = {**request.query, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return replace(request, query={name: value for name, value in query.items() if value is not None})


@pytest.mark.parametrize("name", EVERY)
def test_signatures_of_other_signers_are_reproduced_and_accepted(name, bucket_of):
    vector = EVERY[name]
    expected, request = vector["expected"], request_of(vector)
    additional = tuple(sorted(header.lower() for header in vector["additional_headers"]))
    canonical = canonical_request(request, vector["bucket"], additional)
    assert canonical == expected["canonical_request"]
    date = expected["string_to_sign"].split("\n")[1]
    assert string_to_sign(date, vector["region"], canonical) == expected["string_to_sign"]
    assert authenticate(request, bucket_of(vector)).access_key_id == vector["credentials"]["access_key_id"]


@pytest.mark.parametrize("name", URLS)
def test_a_url_is_good_in_the_spelling_of_each_sdk(name, bucket_of):
    for url in URLS[name].get("sdk_urls", {}).values():
        assert authenticate(request_of(URLS[name], url), bucket_of(URLS[name])) is not None


@pytest.mark.parametrize("name", PLAIN)
def test_a_url_signed_here_is_the_one_that_official_signers_make(name, bucket_of):
    vector = URLS[name]
    key, origin = key_of(vector), f"https://{vector['host']}"
    made = urlsplit(presigned_url(origin, bucket_of(vector), key, vector["key"], vector["expires"]))
    expected = urlsplit(vector["expected"]["url"])
    assert made.path == expected.path
    assert sorted(parse_qsl(made.query)) == sorted(parse_qsl(expected.query))


@pytest.mark.parametrize("name", EVERY)
def test_one_change_is_noticed(name, bucket_of):
    vector = EVERY[name]
    bucket, request = bucket_of(vector), request_of(vector)
    signature = vector["expected"]["signature"]
    wrong = ("0" if signature[0] != "0" else "1") + signature[1:]
    query = {name: wrong if value == signature else value for name, value in request.query.items()}
    headers = {name: value.replace(signature, wrong) for name, value in request.headers.items()}
    secret = vector["credentials"]["access_key_secret"] + "x"
    for what, given, where in (
        ("secret", request, bucket_of(vector, access_key_secret=secret)),
        ("signature", replace(request, query=query, headers=headers), bucket),
        ("method", replace(request, method="PATCH"), bucket),
        ("key", replace(request, key=request.key + "/"), bucket),
        ("query", replace(request, query={**request.query, "x-oss-process": "image/resize,w_1"}), bucket),
        ("header", replace(request, headers={**request.headers, "x-oss-object-acl": "default"}), bucket),
        ("type", replace(request, headers={**request.headers, "content-type": "application/json"}), bucket),
    ):
        assert refusal_of(authenticate, given, where) == "403 SignatureDoesNotMatch 0002-00000040", what


@cases("change", "refusal")
def test_each_wrong_header_has_its_refusal(change, refusal, bucket_of):
    vector = EVERY[change.get("of", "h-acl-perm")]
    assert refusal_of(authenticate, request_of(vector, **change), bucket_of(vector)).startswith(refusal)


@cases("change", "refusal")
def test_each_wrong_parameter_has_its_refusal(change, refusal, bucket_of):
    vector = EVERY[change.get("of", "get-plain")]
    assert refusal_of(authenticate, changed_query(vector, **change), bucket_of(vector)) == refusal


def test_a_host_that_is_not_signed_may_be_any(bucket_of):
    vector = URLS["get-plain"]
    assert authenticate(request_of(vector, host="127.0.0.1:9000"), bucket_of(vector)) is not None


@cases("name", "after", "refusal")
def test_a_signature_is_good_in_its_time(name, after, refusal, bucket_of):
    request, bucket = request_of(EVERY[name]), bucket_of(EVERY[name], after)
    assert refusal_of(authenticate, request, bucket) == refusal
    if name == "get-plain" and after == 901:
        bucket.rules = OssRules(expired_url_is_400=True)
        assert refusal_of(authenticate, request, bucket).startswith("400 ")


def test_a_url_dies_with_its_token(bucket_of):
    vector = URLS["get-plain-sts"]
    end = datetime.fromisoformat(vector["date_iso"]) + timedelta(seconds=60)
    for after, refusal in ((59, ""), (60, "403 SecurityTokenExpired 0002-00000007")):
        bucket = bucket_of(vector, after, expires_at=end)
        assert refusal_of(authenticate, request_of(vector), bucket) == refusal


@pytest.mark.parametrize("spelled", ["spaces", "last", "both"])
def test_an_authorization_may_be_spelled_as_page_or_sdks_do(spelled, bucket_of):
    vector = HEADERS["h-official-page"]
    kind, _, rest = vector["expected"]["authorization"].partition(" ")
    credential, additional, signature = rest.split(",")
    last = [signature, additional] if spelled != "spaces" else [additional, signature]
    spelling = ("," if spelled == "last" else ", ").join([credential, *last])
    request = request_of(vector, authorization=f"{kind} {spelling}")
    assert authenticate(request, bucket_of(vector)) is not None


@cases("target", "headers")
def test_a_request_with_two_readings_is_not_read(target, headers):
    assert refusal_of(read_request, "GET", target, headers).startswith("400 ")


def test_an_unsigned_request_has_no_account_and_an_unknown_key_or_region_is_refused(bucket_of):
    vector = URLS["get-plain"]
    bucket = bucket_of(vector)
    request = read_request("GET", "/u/42/photo.jpg?x-oss-process=style/a", [("host", "127.0.0.1")])
    assert authenticate(request, bucket) is None
    unknown = bucket_of(vector, access_key_id="LTAIOther")
    assert refusal_of(authenticate, request_of(vector), unknown).startswith("403 InvalidAccessKeyId")
    elsewhere = replace(bucket, region="cn-shanghai")
    assert refusal_of(authenticate, request_of(vector), elsewhere) == "400 InvalidArgument 0002-00000715"


def test_a_refusal_tells_the_string_to_sign_and_not_the_signature(bucket_of):
    vector = URLS["get-plain"]
    with pytest.raises(OssError) as refused:
        authenticate(changed_query(vector, x_oss_signature="0" * 64), bucket_of(vector))
    details = refused.value.details
    assert vector["expected"]["string_to_sign"] == details["StringToSign"]
    assert vector["expected"]["signature"] not in json.dumps(details)
    assert vector["credentials"]["access_key_secret"] not in json.dumps(details)


def test_a_header_that_is_no_ascii_is_signed_as_the_bytes_sent():
    sent = [("x-oss-meta-name", "图".encode().decode("latin-1"))]
    assert "x-oss-meta-name:图\n" in canonical_request(read_request("PUT", "/a", sent), "b", ())
