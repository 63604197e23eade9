"""Version 4 signatures of requests, against vectors that four official signers agree on."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.objects import Objects
from local.oss.request import Request, read_request
from local.oss.request_signature import authenticate, canonical_request, string_to_sign
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = json.loads(Path(__file__).parents[2].joinpath("vectors/presigned_v4.json").read_text("utf-8"))
URLS = {vector["name"]: vector for vector in VECTORS["url"]}
HEADERS = {vector["name"]: vector for vector in VECTORS["header"]}
EVERY = {**URLS, **HEADERS}
SENT_BY_THE_HTTP_STACK = ("host", "content-length")


@pytest.fixture
def bucket_of(tmp_path):
    """The bucket of a vector, at the instant of its signature, with its key."""

    def build(vector, after=timedelta(0), **changes):
        given = vector["credentials"]
        key = AccessKey(given["access_key_id"], given["access_key_secret"], given.get("security_token"))
        accounts = Accounts(replace(key, **changes))
        now = datetime.fromisoformat(vector["date_iso"]) + after
        return Bucket(vector["bucket"], vector["region"], accounts, Objects(tmp_path), lambda: now)

    return build


def request_of(vector, url=None, method=None, **headers):
    """The request as it arrives; headers changed by keyword, ``None`` leaves one out."""
    of_the_stack = {name: vector["headers"].get(name) for name in SENT_BY_THE_HTTP_STACK}
    sent = {"host": vector["host"], **vector["expected"]["headers_to_send"]}
    sent |= {name: value for name, value in of_the_stack.items() if value}
    if "authorization" in vector["expected"]:
        sent["authorization"] = vector["expected"]["authorization"]
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    target = target_of(vector) if url is None else urlsplit(url)._replace(scheme="", netloc="").geturl()
    return read_request(
        method or vector["method"],
        target,
        [(name, value) for name, value in sent.items() if value is not None],
    )


def target_of(vector):
    if "url" in vector["expected"]:
        return urlsplit(vector["expected"]["url"])._replace(scheme="", netloc="").geturl()
    query = "&".join(f"{quote(n)}={quote(v)}" if v else quote(n) for n, v in vector["queries"].items())
    return f"/{quote(vector['key'])}?{query}"


def refusal_of(request, bucket):
    with pytest.raises(OssError) as refused:
        authenticate(request, bucket)
    return refused.value.refusal.status, refused.value.refusal.code, refused.value.refusal.ec


@pytest.mark.parametrize("name", EVERY)
def test_signatures_of_other_signers_are_reproduced_and_accepted(name, bucket_of):
    vector = EVERY[name]
    expected, request = vector["expected"], request_of(vector)
    additional = tuple(sorted(header.lower() for header in vector["additional_headers"]))
    canonical = canonical_request(request, vector["bucket"], additional)
    assert canonical == expected["canonical_request"]
    date = expected["string_to_sign"].split("\n")[1]
    assert string_to_sign(date, vector["region"], canonical) == expected["string_to_sign"]
    signer = authenticate(request, bucket_of(vector))
    assert signer.access_key_id == vector["credentials"]["access_key_id"]


@pytest.mark.parametrize(
    ("name", "sdk"), [(name, sdk) for name, vector in URLS.items() for sdk in vector.get("sdk_urls", {})]
)
def test_a_url_is_good_in_the_spelling_of_each_sdk(name, sdk, bucket_of):
    vector = URLS[name]
    assert authenticate(request_of(vector, vector["sdk_urls"][sdk]), bucket_of(vector)) is not None


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("what", ["secret", "signature", "method", "key", "query", "x-oss- header", "type"])
def test_one_change_is_noticed(name, what, bucket_of):
    vector = EVERY[name]
    bucket, request = bucket_of(vector), request_of(vector)
    if what == "secret":
        bucket = bucket_of(vector, access_key_secret=vector["credentials"]["access_key_secret"] + "x")
    elif what == "signature":
        request = resigned(request, vector["expected"]["signature"])
    elif what == "method":
        request = replace(request, method="PATCH")
    elif what == "key":
        request = replace(request, key=request.key + "/")
    elif what == "query":
        request = replace(request, query={**request.query, "x-oss-process": "image/resize,w_1"})
    elif what == "x-oss- header":
        request = replace(request, headers={**request.headers, "x-oss-object-acl": "public-read-write"})
    else:
        request = replace(request, headers={**request.headers, "content-type": "application/json"})
    assert refusal_of(request, bucket) == (403, "SignatureDoesNotMatch", "0002-00000040")


def resigned(request: Request, signature: str) -> Request:
    """The same request with the first digit of its signature changed."""
    wrong = ("0" if signature[0] != "0" else "1") + signature[1:]
    return replace(
        request,
        query={name: wrong if value == signature else value for name, value in request.query.items()},
        headers={name: value.replace(signature, wrong) for name, value in request.headers.items()},
    )


MISMATCH, INVALID = (403, "SignatureDoesNotMatch"), (400, "InvalidArgument")
OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("name", "change", "refusal"),
    [
        ("get-host-signed", {"host": "evil.example.com"}, MISMATCH),
        ("get-custom-domain-sts", {"host": "evil.example.com"}, MISMATCH),
        ("get-plain", {"method": "HEAD"}, MISMATCH),
        ("part-sts-sized", {"content_length": "5242881"}, MISMATCH),
        ("get-plain", {"authorization": HEADERS["h-acl-perm"]["expected"]["authorization"]}, INVALID),
        ("get-plain", {"x_oss_date": "20300102T030406Z"}, INVALID),
        *(("h-acl-perm", {"x_oss_content_sha256": payload}, INVALID) for payload in (None, "", OF_NOTHING)),
    ],
)
def test_a_request_changed_after_signing_is_refused(name, change, refusal, bucket_of):
    assert refusal_of(request_of(EVERY[name], **change), bucket_of(EVERY[name]))[:2] == refusal


def test_a_host_that_is_not_signed_may_be_any(bucket_of):
    vector = URLS["get-plain"]
    assert authenticate(request_of(vector, host="127.0.0.1:9000"), bucket_of(vector)) is not None


def test_a_length_that_is_signed_must_be_sent(bucket_of):
    vector = URLS["part-sts-sized"]
    request = request_of(vector, content_length=None)
    assert refusal_of(request, bucket_of(vector)) == (400, "InvalidArgument", "0002-00000078")


@pytest.mark.parametrize(
    ("name", "after", "refusal"),
    [
        ("get-plain", timedelta(minutes=-15), None),
        ("get-plain", timedelta(minutes=-15, seconds=-1), (403, "RequestTimeTooSkewed", "0000-00000000")),
        ("get-plain", timedelta(seconds=900), None),
        ("get-plain", timedelta(seconds=901), (403, "AccessDenied", "0002-00000236")),
        ("h-acl-perm", timedelta(minutes=15), None),
        ("h-acl-perm", timedelta(minutes=15, seconds=1), (403, "RequestTimeTooSkewed", "0000-00000000")),
        ("h-acl-perm", timedelta(minutes=-15), None),
        ("h-acl-perm", timedelta(minutes=-15, seconds=-1), (403, "RequestTimeTooSkewed", "0000-00000000")),
    ],
)
def test_a_signature_is_good_in_its_time(name, after, refusal, bucket_of):
    request, bucket = request_of(EVERY[name]), bucket_of(EVERY[name], after)
    if refusal is None:
        assert authenticate(request, bucket) is not None
    else:
        assert refusal_of(request, bucket) == refusal


def test_a_url_dies_with_its_token(bucket_of):
    vector = URLS["get-plain-sts"]
    end = datetime.fromisoformat(vector["date_iso"]) + timedelta(seconds=60)
    good = bucket_of(vector, timedelta(seconds=59), expires_at=end)
    assert authenticate(request_of(vector), good) is not None
    over = bucket_of(vector, timedelta(seconds=60), expires_at=end)
    assert refusal_of(request_of(vector), over) == (403, "SecurityTokenExpired", "0002-00000007")


def changed_query(vector, **changes):
    request = request_of(vector)
    query = {**request.query, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return replace(request, query={name: value for name, value in query.items() if value is not None})


@cases("name", "changes", "code", "ec")
def test_each_wrong_parameter_has_its_refusal(name, changes, code, ec, bucket_of):
    request = changed_query(URLS[name], **changes)
    assert refusal_of(request, bucket_of(URLS[name]))[1:] == (code, ec)


@cases("authorization", "code", "ec")
def test_each_wrong_authorization_has_its_refusal(authorization, code, ec, bucket_of):
    request = request_of(HEADERS["h-acl-perm"], authorization=authorization)
    assert refusal_of(request, bucket_of(HEADERS["h-acl-perm"]))[1:] == (code, ec)


@pytest.mark.parametrize("spelled", ["spaces", "last", "both"])
def test_an_authorization_may_be_spelled_as_page_or_sdks_do(spelled, bucket_of):
    vector = HEADERS["h-official-page"]
    kind, _, rest = vector["expected"]["authorization"].partition(" ")
    credential, additional, signature = rest.split(",")
    parts = (
        [credential, additional, signature] if spelled == "spaces" else [credential, signature, additional]
    )
    separator = "," if spelled == "last" else ", "
    request = request_of(vector, authorization=f"{kind} {separator.join(parts)}")
    assert authenticate(request, bucket_of(vector)) is not None


@cases("target", "headers")
def test_a_request_with_two_readings_is_not_read(target, headers):
    with pytest.raises(OssError) as refused:
        read_request("GET", target, headers)
    assert refused.value.refusal.status == 400


def test_an_unsigned_request_has_no_account(bucket_of):
    request = read_request("GET", "/u/42/photo.jpg?x-oss-process=style/a", [("host", "127.0.0.1")])
    assert authenticate(request, bucket_of(URLS["get-plain"])) is None


def test_a_refusal_does_not_reveal_the_correct_signature(bucket_of):
    vector = URLS["get-plain"]
    with pytest.raises(OssError) as refused:
        authenticate(changed_query(vector, x_oss_signature="0" * 64), bucket_of(vector))
    told = json.dumps(refused.value.details)
    assert vector["expected"]["string_to_sign"] == refused.value.details["StringToSign"]
    assert vector["expected"]["signature"] not in told
    assert vector["credentials"]["access_key_secret"] not in told


def test_an_unknown_key_or_another_region_is_refused(bucket_of):
    vector = URLS["get-plain"]
    unknown = bucket_of(vector, access_key_id="LTAIOther")
    assert refusal_of(request_of(vector), unknown)[:2] == (403, "InvalidAccessKeyId")
    elsewhere = replace(bucket_of(vector), region="cn-shanghai")
    assert refusal_of(request_of(vector), elsewhere) == (400, "InvalidArgument", "0002-00000715")


def test_a_header_that_is_no_ascii_is_signed_as_the_bytes_sent():
    sent = [("x-oss-meta-name", "图".encode().decode("latin-1"))]
    canonical = canonical_request(read_request("PUT", "/a", sent), "b", ())
    assert "x-oss-meta-name:图\n" in canonical
