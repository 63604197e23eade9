"""oss.presign: the same bytes as four official signers; nothing signed can be changed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import alibabacloud_oss_v2 as sdk
import pytest

from function.oss.presign import OssRequest, authorize, presign, request_url

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


def test_an_additional_header_must_be_given():
    for sign in (signature, lambda request: authorize(request, Keys(), NOW)):
        with pytest.raises(KeyError):
            sign(REQUEST._replace(additional=("host",)))
