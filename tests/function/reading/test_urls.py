"""reading: addresses that stay the same for a while, and end with their session."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.request import read_request
from local.oss.request_signature import authenticate
from tests.conftest import ROLE_SECRET, ROLE_TOKEN
from tests.function.reading.keys import KEY, ORIGIN, PROFILES, SHOWN, WALL, query_of


def test_a_variant_uses_the_process_of_its_profile(reading, good_sts):
    url = reading()(key=KEY, variant="thumb").json["url"]
    assert query_of(url)["x-oss-process"] == "image/resize,m_fill,w_200,h_200/format,jpg"
    assert "x-oss-process=image%2Fresize%2Cm_fill%2Cw_200%2Ch_200%2Fformat%2Cjpg&" in url


@pytest.mark.parametrize("variant", [None, "thumb"])
def test_an_oss_that_shares_no_code_with_us_takes_the_url_for_a_get(reading, good_sts, clock, variant):
    url = urlsplit(reading()(key=KEY, variant=variant).json["url"])
    key = AccessKey("STS.NTRoleSessionKeyId", ROLE_SECRET, ROLE_TOKEN, clock() + timedelta(hours=1))
    bucket = Bucket("my-bucket", "cn-hangzhou", Accounts(key), SimpleNamespace(), clock)
    target = f"{url.path}?{url.query}"
    assert authenticate(read_request("GET", target, [("host", "b.example")]), bucket) is not None
    with pytest.raises(OssError):
        authenticate(read_request("HEAD", target, [("host", "b.example")]), bucket)


def test_a_url_of_a_non_ascii_key_is_encoded_once(reading, good_sts):
    assert reading()(key=WALL).json["url"].startswith(f"{ORIGIN}/{quote(WALL)}?")


def test_public_objects_have_plain_urls_that_never_expire(reading, sts):
    answer = reading()(key=SHOWN).json
    assert (answer["url"], answer["expiresAt"]) == (f"{ORIGIN}/{SHOWN}", None)
    answer = reading()(key=SHOWN, variant="small").json
    assert answer["url"] == f"{ORIGIN}/{SHOWN}?x-oss-process=image%2Fresize%2Cw_100%2Fwatermark%2Ctext_5Zu%2B"
    assert answer["expiresAt"] is None


@pytest.mark.parametrize("key", [KEY, SHOWN])
def test_the_url_is_on_the_origin_for_reading(reading, good_sts, key):
    read = reading(READ_ORIGIN="https://img.example.com", OSS_ENDPOINT="https://inside.example")
    assert read(key=key).json["url"].startswith(f"https://img.example.com/{key}")


def test_a_url_stays_the_same_throughout_its_window(reading, good_sts, clock):
    read = reading()
    clock.tick(seconds=1)
    first = read(key=KEY, variant="thumb").json
    clock.tick(seconds=598)
    assert read(key=KEY, variant="thumb").json["url"] == first["url"]
    assert read(items=[{"key": KEY, "variant": "thumb"}]).json["items"][0]["url"] == first["url"]
    clock.tick(seconds=1)
    later = read(key=KEY, variant="thumb").json
    assert later["url"] != first["url"]
    assert query_of(later["url"])["x-oss-date"] == "20261124T141000Z"
    assert (first["expiresAt"], later["expiresAt"]) == ("2026-11-24T14:20:00Z", "2026-11-24T14:30:00Z")


@pytest.mark.parametrize("seconds", [0, 1, 599, 600, 1199])
def test_one_window_at_least_is_left(reading, good_sts, clock, seconds):
    clock.tick(seconds=seconds)
    answer = reading()(key=KEY).json
    ends = answer["expiresAt"]
    assert answer["serverTime"] == (clock().isoformat()[:19] + "Z")
    left = datetime.fromisoformat(ends) - clock()
    assert timedelta(seconds=600) < left <= timedelta(seconds=1200)


def test_a_window_over_midnight_is_signed_for_the_day_it_began(reading, good_sts, clock):
    clock.tick(hours=10, seconds=-1)
    read = reading(PROFILES.replace("read_for = 60", "read_for = 1700"))
    before = read(key=WALL).json["url"]
    clock.tick(seconds=2)
    assert query_of(before)["x-oss-credential"].split("/")[1] == "20261124"
    assert read(key=WALL).json["url"] == before


def test_a_url_never_outlives_its_session(reading, good_sts, clock):
    read = reading(PROFILES.replace("read_for = 60", "read_for = 1700"))
    for _ in range(40):
        clock.tick(seconds=307)
        answer = read(key=WALL).json
        assert datetime.fromisoformat(answer["expiresAt"]) + timedelta(seconds=60) <= good_sts.expirations[-1]


def test_plain_urls_need_no_longer_session(reading, good_sts, clock):
    read = reading(PROFILES.replace('acl = "public-read"', 'acl = "public-read"\nread_for = 1700'))
    read(key=WALL)
    clock.tick(seconds=2200)
    assert read(items=[{"key": SHOWN}, {"key": WALL}]).status == 200
    assert len(good_sts.calls) == 1
