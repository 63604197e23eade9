"""Two buckets on one machine: forms and sessions of one are refused by the other."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
import requests

from local.buckets import ARCHIVE, HOME, bucket_of, file_name_at, role_policy, store_of
from local.cloud import LocalCloud
from local.common.accounts import AccessKey
from local.fc.gateway import FcGateway
from local.oss.presign import presigned_url
from local.oss.versions import StoredObject


@pytest.fixture
def cloud(tmp_path):
    gateway = FcGateway(lambda event, context: {"statusCode": 200})
    with LocalCloud(gateway, tmp_path) as cloud:
        yield cloud
    gateway.stop()


def put(store, key, content=b"picture", file_name=None, **metadata):
    with store.objects.new_file() as file:
        file.write(content)
    facts = (key, len(content), "E", "image/png", store.bucket.now(), store.objects.path_of(key))
    stored = StoredObject(*facts, file_name=file_name, metadata=metadata)
    store.objects.store(Path(file.name), stored, forbid_overwrite=False)


@pytest.fixture
def get():
    with requests.Session() as session:
        session.trust_env = False
        yield lambda url: session.get(url, timeout=60)


def test_each_bucket_has_a_region_a_role_and_a_folder_of_its_own(cloud, tmp_path):
    named = [(store.bucket.name, store.bucket.region) for store in cloud.stores]
    assert named == [("local-bucket", "cn-hangzhou"), ("local-archive", "cn-shanghai")]
    assert len({HOME.role_arn, ARCHIVE.role_arn}) == 2
    assert list(cloud.sts.roles) == [HOME.role_arn, ARCHIVE.role_arn]
    for place in (HOME, ARCHIVE):
        assert cloud.sts.roles[place.role_arn].policy == role_policy(place.bucket)
    for store in cloud.stores:
        put(store, "a.png", store.bucket.name.encode())
    [kept] = (tmp_path / "local-archive").iterdir()
    assert kept.read_bytes() == b"local-archive"
    assert cloud.oss.objects["a.png"].path.read_bytes() == b"local-bucket"
    assert bucket_of({}) == "local-bucket"
    assert bucket_of({"bucket": "local-archive"}) == "local-archive"


def test_an_object_is_looked_for_in_the_bucket_that_is_named_else_where_it_is(cloud):
    put(cloud.archive, "a.png")
    assert store_of(cloud.stores, "a.png") is cloud.archive
    assert store_of(cloud.stores, "a.png", "local-bucket") is cloud.oss
    assert store_of(cloud.stores, "b.png", "local-archive") is cloud.archive
    assert store_of(cloud.stores, "b.png") is store_of(cloud.stores, "b.png", "elsewhere") is cloud.oss
    put(cloud.oss, "a.png")
    assert store_of(cloud.stores, "a.png") is cloud.oss


def test_the_account_s_own_url_opens_the_object_of_either_bucket(cloud, get):
    put(cloud.oss, "a.png", b"at home")
    put(cloud.archive, "b.png", b"archived")
    assert get(cloud.signed_url("a.png")).content == b"at home"
    assert get(cloud.signed_url("b.png")).content == b"archived"
    assert get(cloud.signed_url("a.png", "local-archive")).status_code == 404


def test_the_local_wechat_finds_file_names_in_both_buckets(cloud):
    put(cloud.oss, "held/a.png", file_name="risky-a.png")
    put(cloud.archive, "held/b.png", file_name="review-b.png")
    name_of = cloud.wechat.checks.name_of
    assert name_of(f"{cloud.oss.origin}/held/a.png?x=1") == "risky-a.png"
    assert name_of(f"{cloud.archive.origin}/held/b.png") == "review-b.png"
    assert name_of(f"{cloud.oss.origin}/held/b.png") is None
    # A domain bound to a bucket tells nothing here; an object that both have is the one whose URL it is.
    assert name_of("http://localhost:1/held/b.png") == "review-b.png"
    put(cloud.archive, "held/a.png", file_name="silent-a.png")
    assert file_name_at(cloud.stores, f"{cloud.archive.origin}/held/a.png") == "silent-a.png"
    assert file_name_at(cloud.stores, f"{cloud.oss.origin}/held/a.png") == "risky-a.png"


def test_the_local_wechat_finds_the_name_behind_the_function_s_own_address(cloud):
    put(cloud.archive, "held/a.png", file_name="risky-a.png", **{"upload-id": "A" * 22})

    def name_behind(claims):
        token = f"e30.{urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"
        return file_name_at(cloud.stores, f"https://fn.example.com/check-source?t={token}")

    assert name_behind(b'{"upload":"%s"}' % (b"A" * 22)) == "risky-a.png"
    for claims in (b'{"upload":"B"}', b"{}", b"[]", b"no JSON", b""):
        assert name_behind(claims) is None
    assert file_name_at(cloud.stores, f"{cloud.archive.origin}/held/a.png?t=1") == "risky-a.png"


@pytest.mark.parametrize("place", [HOME, ARCHIVE], ids=lambda place: place.bucket)
def test_a_session_of_one_role_opens_one_bucket_whatever_it_asks_for(cloud, get, place):
    """Its own policy allows everything: what stops it is the role."""
    everything = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
    key = AccessKey("STS.local", "a-secret", "a-token", None, (role_policy(place.bucket), everything))
    cloud.sts._accounts.add(key)
    statuses = {}
    for store in cloud.stores:
        put(store, "a.png")
        statuses[store.bucket.name] = get(presigned_url(store.origin, store.bucket, key, "a.png")).status_code
    assert statuses == {"local-bucket": 403, "local-archive": 403} | {place.bucket: 200}


def test_a_url_of_one_bucket_is_not_good_at_the_other_be_it_in_the_same_region(cloud, get):
    for store in cloud.stores:
        put(store, "a.png")
    for this, that in (cloud.stores, cloud.stores[::-1]):
        url, region = cloud.signed_url("a.png", this.bucket.name), that.bucket.region
        assert get(url).status_code == 200
        elsewhere = get(url.replace(this.origin, that.origin))
        assert (elsewhere.status_code, "region" in elsewhere.text) == (400, True)
        that.bucket.region = this.bucket.region
        elsewhere = get(url.replace(this.origin, that.origin))
        assert (elsewhere.status_code, "SignatureDoesNotMatch" in elsewhere.text) == (403, True)
        that.bucket.region = region


def test_both_buckets_sign_callbacks_with_the_same_key(cloud, get):
    [home, archive] = [get(f"{store.origin}/callback_pub_key_v1.pem").content for store in cloud.stores]
    assert home == archive and home.startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_fault_of_one_bucket_is_not_the_other_s(cloud):
    cloud.archive.faults.plan("status_503")
    assert cloud.oss.faults.take("GetObject") is None
    assert cloud.archive.faults.take("GetObject").kind == "status_503"
