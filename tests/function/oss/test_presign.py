"""oss.presign: the same bytes as four official signers; nothing signed can be changed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import alibabacloud_oss_v2 as sdk
import pytest

from function.oss import signature_v4
from function.oss.presign import OssRequest, authorize, encode, presign, request_url

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "presigned_v4.json").read_text("utf-8"))
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
# The HTTP stack writes these by itself.
OF_THE_STACK = {"host", "content-length"}


class Keys(NamedTuple):
    access_key_id: str = "STS.id"
    access_key_secret: str = "secret"
    security_token: str = "CAIS/token+=="


def request_of(vector):
    return OssRequest(
        vector["method"],
        vector["bucket"],
        vector["region"],
        vector["key"],
        {name: value or "" for name, value in vector["queries"].items()},
        vector["headers"],
        tuple(name.lower() for name in vector["additional_headers"]),
    )


def keys_of(vector):
    given = vector["credentials"]
    return Keys(given["access_key_id"], given["access_key_secret"], given.get("security_token", ""))


def test_every_vector_is_there():
    assert (len(VECTORS["url"]), len(VECTORS["header"]), len(VECTORS["must_reject"])) == (24, 16, 15)


@pytest.mark.parametrize("vector", VECTORS["url"], ids=lambda vector: vector["name"])
def test_signs_urls_as_four_official_signers_do(vector):
    url = presign(
        request_of(vector),
        keys_of(vector),
        datetime.fromisoformat(vector["date_iso"]),
        origin=f"{vector['scheme']}://{vector['host']}",
        expires_in=timedelta(seconds=vector["expires"]),
    )
    assert url == vector["expected"]["url"]


@pytest.mark.parametrize("vector", VECTORS["header"], ids=lambda vector: vector["name"])
def test_signs_headers_as_four_official_signers_do(vector):
    headers = authorize(request_of(vector), keys_of(vector), datetime.fromisoformat(vector["date_iso"]))
    assert headers.pop("authorization") == vector["expected"]["authorization"]
    assert headers.items() >= vector["expected"]["headers_to_send"].items()
    assert headers.keys() - vector["expected"]["headers_to_send"].keys() <= OF_THE_STACK


@pytest.mark.parametrize("vector", VECTORS["header"], ids=lambda vector: vector["name"])
def test_a_request_url_matches_the_signed_canonical_request(vector):
    url = urlsplit(request_url(request_of(vector), "https://b.example"))
    canonical = vector["expected"]["canonical_request"].split("\n")
    assert [f"/{vector['bucket']}{url.path}", url.query] == canonical[1:3]


@pytest.mark.parametrize("key", ["u/a.jpg", "u/视频 一+1.mp4"])
def test_an_acceleration_address_is_signed_for_the_region_of_the_bucket(key):
    config = sdk.config.load_default()
    config.credentials_provider = sdk.credentials.StaticCredentialsProvider(*Keys())
    config.region, config.use_accelerate_endpoint = "cn-hangzhou", True
    theirs = sdk.Client(config).presign(sdk.GetObjectRequest(bucket="photos", key=key)).url
    sent = dict(parse_qsl(urlsplit(theirs).query))
    ours = presign(
        OssRequest("GET", "photos", "cn-hangzhou", key),
        Keys(),
        datetime.strptime(sent["x-oss-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        origin="https://photos.oss-accelerate.aliyuncs.com",
        expires_in=timedelta(seconds=int(sent["x-oss-expires"])),
    )
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]
    assert dict(parse_qsl(urlsplit(ours).query)) == sent


def test_a_url_without_a_query_has_no_question_mark():
    url = request_url(OssRequest("GET", "b", "r", "a/b c"), "https://o.example")
    assert url == "https://o.example/a/b%20c"


def signature(request=None, **changes):
    request = request or OssRequest("GET", "b", "cn-hangzhou", "u/a.jpg", {"x": "1"}, {"content-type": "a/b"})
    arguments = {"origin": "https://b.example", "expires_in": timedelta(seconds=60), **changes}
    url = presign(request, arguments.pop("keys", Keys()), arguments.pop("now", NOW), **arguments)
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))["x-oss-signature"]


REQUEST = OssRequest("GET", "b", "cn-hangzhou", "u/a.jpg", {"x": "1"}, {"content-type": "a/b", "range": "0-"})


@pytest.mark.parametrize(
    "changes",
    [
        *({"method": "HEAD"}, {"bucket": "c"}, {"region": "cn-beijing"}, {"key": "u/b.jpg"}),
        *({"query": {"x": "2"}}, {"query": {}}, {"query": {"x": "1", "x-oss-process": "image/info"}}),
        *({"headers": {"content-type": "a/c"}}, {"additional": ("range",)}),
        {"headers": {**REQUEST.headers, "x-oss-object-acl": "private"}},
        {"headers": {**REQUEST.headers, "content-md5": "m"}},
    ],
)
def test_each_signed_value_changes_the_signature(changes):
    assert signature(REQUEST) == signature(REQUEST)
    assert signature(REQUEST._replace(**changes)) != signature(REQUEST)


@pytest.mark.parametrize(
    "changes",
    [
        *({"keys": Keys(**{field: "other"})} for field in Keys._fields),
        *({"now": NOW + timedelta(seconds=1)}, {"expires_in": timedelta(seconds=61)}),
    ],
)
def test_signer_time_and_life_change_the_signature(changes):
    assert signature(REQUEST, **changes) != signature(REQUEST)


def test_other_headers_the_host_and_spaces_are_not_signed():
    assert signature(REQUEST._replace(headers={**REQUEST.headers, "range": "1-"})) == signature(REQUEST)
    named = REQUEST._replace(additional=("range",))
    assert signature(named._replace(headers={**REQUEST.headers, "range": "1-"})) != signature(named)
    assert signature(REQUEST, origin="https://img.example") == signature(REQUEST)
    padded = REQUEST._replace(headers={"content-type": " a/b ", "range": "0-"})
    assert signature(padded) == signature(REQUEST)


def test_an_additional_header_must_be_given():
    for sign in (signature, lambda request: authorize(request, Keys(), NOW)):
        with pytest.raises(KeyError):
            sign(REQUEST._replace(additional=("host",)))


def test_additional_names_are_signed_sorted():
    headers = {**REQUEST.headers, "host": "h"}
    one = REQUEST._replace(headers=headers, additional=("range", "host"))
    assert signature(one) == signature(one._replace(additional=("host", "range")))
    assert ",AdditionalHeaders=host;range,Signature=" in authorize(one, Keys(), NOW)["authorization"]


def test_signing_does_not_change_its_arguments():
    query, headers = {"x": "1"}, {"content-type": "a/b"}
    request = OssRequest("PUT", "b", "cn-hangzhou", "k", query, headers)
    presign(request, Keys(), NOW, origin="https://b.example", expires_in=timedelta(seconds=9))
    authorize(request, Keys(), NOW)
    assert (query, headers) == ({"x": "1"}, {"content-type": "a/b"})


def test_shared_parts_of_urls_are_encoded_and_derived_once():
    encode.cache_clear()
    signature_v4.derive_signing_key.cache_clear()
    for number in range(50):
        signature(REQUEST._replace(key=f"u/{number}.jpg"))
    assert signature_v4.derive_signing_key.cache_info().misses == 1
    token_names_and_values = 14
    assert encode.cache_info().misses <= 50 + token_names_and_values


@pytest.mark.parametrize("length", [0, signature_v4.HASHED_AT_ONCE, signature_v4.HASHED_AT_ONCE + 1, 9999])
def test_a_request_of_any_length_is_hashed_whole(length):
    import hashlib

    text = "ab9" * length
    assert signature_v4.sha256_without_gil_release(text) == hashlib.sha256(text.encode()).hexdigest()
