"""The local cloud as a whole: what it is made of, what it tells the function, a page and a script."""

import json
import subprocess
import sys
import threading
import tomllib
from base64 import b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_der_private_key

from function.app import load_settings
from function.auth import all_settings
from local.buckets import file_name_at
from local.business.posts import Post
from local.callers import read_callers
from local.cloud import BUCKET, FUNCTION_KEY, LocalCloud
from local.fc.gateway import FcGateway
from local.green.plan import PlannedAnswer
from local.oss.attributes import Attributes
from local.oss.presign import presigned_url
from local.oss.rules import OssRules
from local.oss.versions import StoredObject
from local.profiles import lifecycle_rules
from local.shell import clear_inherited_settings
from local.wechat.check_plan import PlannedCheck
from tests.local.site import put_object

PROJECT = Path(__file__).resolve().parents[2]
REQUIRED = set(
    "OSS_BUCKET OSS_REGION OSS_HOST STS_ENDPOINT STS_ROLE_ARN CALLER_AUTH TOKEN_SECRET CALLBACK_URL"
    " CALLBACK_KEY_ORIGIN PROFILES_FILE ALLOWED_ORIGINS UPLOAD_WEBHOOK_URL QUOTA_URL GREEN_ENDPOINT"
    " ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET".split()
)
OF_WECHAT = {f"WECHAT_{name}" for name in "APPID SECRET ENDPOINT PUSH_TOKEN PUSH_AES_KEY".split()}
MODES = {
    "wechat": {"STS_SESSION_SECONDS", *OF_WECHAT},
    "jwt": {"JWT_KEY", "JWT_ALGORITHM"},
    "anonymous": set(),
    "alipay": {f"ALIPAY_{name}" for name in "APP_ID KEY PUBLIC_KEY ENDPOINT".split()},
    "douyin": {f"DOUYIN_{name}" for name in "APPID SECRET ENDPOINT".split()},
    "several": {"STS_SESSION_SECONDS", "WECHAT_ENDPOINT", "ALIPAY_ENDPOINT", "DOUYIN_ENDPOINT"},
}
OWN_CALLERS = """
[shop]
kind = "wechat"
appid = "wx1111111111111111"
secret = "env:SHOP_SECRET"
push_forward_url = "https://shop.example/push"
endpoint = "https://api.weixin.qq.com"
[pay]
kind = "alipay"
app_id = "2021000000000007"
key = "file:keys/pay.pem"
alipay_public_key = "MIIB"
identity = "user_id"
[site]
kind = "jwt"
issuer = "https://id.example.com"
algorithm = "RS256"
key = "file:keys/site.pem"
[odd]
kind = "fax"
number = 1
"""


@pytest.fixture
def gateway():
    running = FcGateway(lambda event, context: {"statusCode": 200})
    yield running
    running.stop()


@pytest.fixture
def start(gateway, tmp_path):
    """A local cloud, not yet entered, with these options."""
    return partial(LocalCloud, gateway, tmp_path)


def port_of(server):
    return int(server.origin.rpartition(":")[2])


@pytest.mark.parametrize(("caller_auth", "more"), MODES.items())
def test_the_environment_names_every_emulator_and_nothing_else(start, gateway, caller_auth, more):
    with start(caller_auth) as cloud:
        settings, contract = cloud.environment(), cloud.profiles["contract"]
        place, other = load_settings(settings).profiles["contract"].location, cloud.addresses()["buckets"][1]
    assert set(settings) == REQUIRED | more
    assert settings["CALLER_AUTH"] == caller_auth
    assert settings["OSS_HOST"] == settings["CALLBACK_KEY_ORIGIN"] == cloud.oss.origin
    assert (settings["STS_ENDPOINT"], settings["GREEN_ENDPOINT"]) == (cloud.sts.origin, cloud.green.origin)
    assert settings["CALLBACK_URL"] == f"{gateway.origin}/callback"
    assert cloud.playground.origin in settings["ALLOWED_ORIGINS"].split(",")
    # A profile of the second bucket has its current address.
    assert {place.host, place.oss_endpoint, place.read_origin, contract["host"]} == {cloud.archive.origin}
    expected = other["bucket"], other["region"], other["roleArn"]
    assert (contract["bucket"], contract["region"], contract["role"]) == expected
    assert (place.bucket, place.region, place.role_arn) == expected


def test_every_run_has_its_own_secret_and_extra_settings_replace_those_of_the_cloud(start):
    more = {"CALLER_RATE": "1/s", "OSS_REGION": "x"}
    with start() as first, start("jwt", extra_settings=more) as second:
        one, other, token = first.environment(), second.environment(), second.business_token("someone")
        assert second.addresses()["businessToken"].count(".") == 2
    assert jwt.decode(token, other["JWT_KEY"], algorithms=["HS256"])["sub"] == "someone"
    assert one["TOKEN_SECRET"] != other["TOKEN_SECRET"] and len(one["TOKEN_SECRET"]) >= 32
    assert other.items() >= more.items()
    with pytest.raises(ValueError, match="anonymous"):
        start("everyone")


def test_scripts_and_the_page_get_the_promised_names_and_the_page_no_secret(cloud, gateway):
    addresses, config = cloud.addresses(), cloud.page_config()
    services = "function sts oss wechat alipay douyin playground business green".split()
    others = "functionFc2 bucket region roleArn accessKeyId accessKeySecret appId buckets".split()
    assert set(addresses) == {*services, *others}
    home, archive = addresses["buckets"]
    assert len({archive["oss"], *(addresses[name] for name in services)}) == 10
    assert home == {name: addresses[name] for name in ("bucket", "region", "oss", "roleArn")}
    assert (archive["bucket"], archive["region"]) == ("local-archive", "cn-shanghai")
    assert archive["roleArn"] != home["roleArn"]
    assert config["function"] == gateway.origin
    told = {profile["name"]: profile for profile in config["profiles"]}
    named = {what: [name for name in told if told[name][what]] for what in ("classic", "parts")}
    assert named == {"classic": ["legacy"], "parts": ["video", "contract"]}
    assert told["avatar"]["callback"] is True and "album" not in told
    secrets = {value for name, value in cloud.environment().items() if "SECRET" in name}
    assert not any(secret in json.dumps(config) for secret in secrets)


def read_callers_toml(deployment):
    """The entries that the function is given, with what their files hold."""
    text = deployment.profiles_file.with_name("callers.toml").read_text("utf-8")
    return {
        name: {
            key: Path(value[5:]).read_text("utf-8") if str(value).startswith("file:") else value
            for key, value in entry.items()
        }
        for name, entry in tomllib.loads(text).items()
    }


def test_several_callers_have_secrets_that_their_platforms_know(start):
    with start("several") as cloud:
        given = read_callers_toml(cloud.deployment)
        told = {each["name"]: each for each in cloud.page_config()["callers"]}
    assert [*given] == ["main", "second", "pay", "tt", "site", "app"]
    assert [name for name in given if "owners" in given[name]] == ["main"]
    for name in ("main", "second"):
        app_id, entry = given[name]["appid"], given[name]
        push = cloud.wechat.checks.pushes[app_id]
        assert entry["secret"] == cloud.wechat.apps[app_id].secret
        assert (entry["push_token"], entry["push_aes_key"]) == (push.token, push.aes_key)
        assert push.url.removeprefix(cloud.push.url) == ("" if name == "main" else f"/{app_id}")
    key = load_der_private_key(b64decode(given["pay"]["key"]), None)
    assert key.public_key() == cloud.alipay.apps[given["pay"]["app_id"]]
    assert cloud.douyin.apps == {given["tt"]["appid"]: given["tt"]["secret"]}
    for name in ("site", "app"):
        token, entry = told[name]["businessToken"], given[name]
        claims = jwt.decode(token, entry["key"], ["HS256"], audience="uploads", issuer=entry["issuer"])
        assert claims["sub"] == "playground-user"
    secrets = {"secret", "key", "push_token", "push_aes_key"}
    assert len({entry.get(name) for name in secrets for entry in given.values()} - {None}) == 10


def test_callers_of_a_project_keep_their_names_and_ids_and_nothing_that_leads_out(cloud):
    own = read_callers(OWN_CALLERS)
    given = read_callers_toml(cloud.prepare("several", {}, {}, own))
    assert given == read_callers_toml(cloud.prepare("several", {}, {}, own)) and [*given] == [*own]
    shop, site, appid = given["shop"], given["site"], "wx1111111111111111"
    assert shop["secret"] == cloud.wechat.apps[appid].secret
    assert cloud.wechat.checks.pushes[appid].url.endswith(f"/wechat-events/{appid}")
    assert "2021000000000007" in cloud.alipay.apps and given["pay"]["identity"] == "user_id"
    assert (site["issuer"], site["algorithm"]) == ("https://id.example.com", "HS256")
    assert given["odd"] == {"kind": "fax", "number": 1}
    assert not {"endpoint", "push_forward_url"} & set(shop)
    # What the function refuses is left to it.
    assert read_callers("[main") is read_callers("main = 1") is None


def test_a_cloud_is_idle_once_no_request_runs_and_nothing_waits(start, gateway, monkeypatch):
    is_in, may_end = threading.Event(), threading.Event()
    gateway._handler = lambda event, context: is_in.set() or may_end.wait(60) and {"statusCode": 200}
    gateway.start()
    with start() as cloud, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(requests.get, gateway.origin, timeout=60)
        assert is_in.wait(60)
        with monkeypatch.context() as patch, pytest.raises(TimeoutError):
            patch.setattr("local.common.running.MOST_SECONDS", 0.02)
            cloud.idle()
        may_end.set()
        assert cloud.idle() is cloud and answer.result().status_code == 200
        cloud.wechat.checks.delivery.put(cloud.clock() + timedelta(seconds=0.1), lambda: done.append(1))
        done = []
        assert cloud.idle() and done == [1]


def test_a_cloud_that_was_reset_holds_nothing_of_what_was_done_in_it(start):
    with start() as cloud:
        bucket = cloud.oss.bucket
        bucket.objects.versioning = "Enabled"
        for _ in range(2):
            with bucket.objects.new_file() as incoming:
                stored = StoredObject("a", 0, "E", "image/png", bucket.now(), Path(incoming.name))
            bucket.store(stored.path, stored, forbid_overwrite=False)
        bucket.delete("a")
        assert len(list(bucket.objects.versions("", ""))) == 3
        bucket.uploads.begin("b", Attributes("image/png", None, "", False), bucket.now(), False)
        cloud.wechat.record("/x", "wx", 0)
        cloud.green.record("ImageModeration", {}, 200)
        cloud.green.plan.add(PlannedAnswer(code=408))
        cloud.wechat.checks.plan.add(PlannedCheck("risky"))
        cloud.wechat.checks.delivery.put(cloud.clock() + timedelta(days=1), pytest.fail)
        cloud.oss.faults.plan("drop")
        cloud.business.business.posts.add(Post("t", []))
        requests.get(cloud.sts.origin, timeout=60)
        cloud.reset()
        lists = cloud.wechat.calls, cloud.green.calls, cloud.sts.calls, cloud.wechat.checks.pushed
        left = *lists, bucket.objects, bucket.objects.versions("", ""), bucket.uploads
        assert [list(each) for each in left] == [[]] * 7
        assert cloud.green.plan.planned() == cloud.wechat.checks.plan.planned() == []
        assert cloud.business.business.told() == []
        assert requests.get(cloud.oss.origin, timeout=60).status_code == 403


def test_both_buckets_have_the_rules_that_are_given_and_a_push_shows_no_secret(start):
    with start(rules=OssRules(v1_retired=True)) as cloud:
        assert [store.bucket.rules.v1_retired for store in cloud.stores] == [True, True]
        push = next(iter(cloud.wechat.checks.pushes.values()))
    assert push.token not in repr(push) and push.aes_key not in repr(push)


def test_ports_that_are_taken_are_stepped_over_and_the_second_bucket_comes_after_the_others(start, gateway):
    """So that what the pages print of 9001 to 9005 stays true."""

    def ports_from(first_port):
        with start(first_port=first_port) as cloud:
            in_front = (cloud.oss, cloud.sts, cloud.wechat, cloud.playground, cloud.business)
            return [port_of(server) - first_port for server in (*in_front, cloud.archive, cloud.green)]

    # Below the ports that a system gives to connections, which other tests take all the time.
    assert any(ports_from(first) == [0, 1, 2, 3, 4, 5, 6] for first in range(20_000, 30_000, 500))
    *in_front, archive, _ = ports_from(port_of(gateway))
    assert in_front[0] > 0 and in_front == sorted({*in_front}) and in_front[-1] < 200
    assert 5 <= archive < 200


def test_each_run_has_a_new_account_secret(start):
    """The local OSS takes what is signed from pages of any origin, and anybody may read this project."""
    print_it = "from local.cloud import FUNCTION_KEY; print(FUNCTION_KEY.access_key_secret)"
    asked = [sys.executable, "-c", print_it]
    other_run = subprocess.run(asked, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.strip()
    assert len(other_run) >= 32
    page = {"Origin": "https://page.example"}
    with start() as cloud:
        for secret, status in ((FUNCTION_KEY.access_key_secret, 404), (other_run, 403)):
            key = replace(FUNCTION_KEY, access_key_secret=secret)
            url = presigned_url(cloud.oss.origin, cloud.oss.bucket, key, "a")
            assert requests.get(url, headers=page, timeout=60).status_code == status


def test_each_bucket_has_a_rule_for_the_held_profiles_that_are_in_it():
    assert [rule.prefix for rule in lifecycle_rules({"avatar": {}}, BUCKET)] == [""]
    receipts = lifecycle_rules({"avatar": {"callback": True}}, BUCKET)
    assert {rule.prefix: rule.days for rule in receipts} == {"": None, "held/.due/": 8}
    three = {"key": "a/{id}", "hold": ["commit"], "hold_days": 3}
    one = {"key": "b/c/{owner}-{id}", "hold": ["commit"]}
    far, checked = {**one, "bucket": "local-archive"}, {"key": "c/{id}", "hold": ["commit", "check"]}
    for profiles, bucket, expected in (
        ({"a": three, "b": one}, BUCKET, {"held/a/": 4, "held/b/c/": 2}),
        ({"a": three, "b": far}, BUCKET, {"held/a/": 4}),
        ({"a": three, "b": far}, "local-archive", {"held/b/c/": 2}),
        ({"c": checked}, BUCKET, {"held/c/": 8}),
    ):
        days = {rule.prefix: rule.days for rule in lifecycle_rules(profiles, bucket)[1:]}
        own = {prefix: days[prefix] for prefix in days if prefix[5] == "."}
        assert {*own.values()} == {8, max(days.values())}
        assert {prefix: days[prefix] for prefix in days.keys() - own} == expected


def test_every_setting_the_function_reads_and_others_that_change_it_are_cleared():
    kept = {"PATH": "/bin", "HOME": "/root", "PORT": "9000", "NO_COLOR": "1"}
    proxies = {"HTTP_PROXY", "https_proxy", "All_Proxy", "no_proxy"}
    keys = {f"ALIYUN_ACCESS_KEY_{part}" for part in ("ID", "SECRET")} | {"ALIBABA_CLOUD_CREDENTIALS_FILE"}
    names = {row.name for row in all_settings()}
    assert {"OSS_BUCKET", "CALLER_RATE", "TOKEN_SECRET"} <= names
    environ = {**kept, **dict.fromkeys({*names, *proxies, *keys, "DEBUG", "FC_REGION"}, "inherited")}
    clear_inherited_settings(environ)
    assert environ == kept


@pytest.fixture
def cloud(start):
    with start() as running:
        yield running


def put(store, key, **more):
    put_object(store.objects, key, store.bucket.now(), **more)


def test_the_local_wechat_finds_file_names_in_both_buckets(cloud):
    put(cloud.oss, "held/a.png", file_name="risky-a.png")
    put(cloud.archive, "held/b.png", file_name="review-b.png", metadata={"upload-id": "A" * 22})
    name_of, home, archive = cloud.wechat.checks.name_of, cloud.oss.origin, cloud.archive.origin
    assert name_of(f"{home}/held/a.png?x=1") == "risky-a.png"
    assert name_of(f"{archive}/held/b.png?t=1") == "review-b.png"
    assert name_of(f"{home}/held/b.png") is None
    # A domain bound to a bucket tells nothing here; an object that both have is the one whose URL it is.
    assert name_of("http://localhost:1/held/b.png") == "review-b.png"
    put(cloud.archive, "held/a.png", file_name="silent-a.png")
    found = [file_name_at(cloud.stores, f"{origin}/held/a.png") for origin in (archive, home)]
    assert found == ["silent-a.png", "risky-a.png"]

    def name_behind(claims):
        token = f"e30.{urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"
        return file_name_at(cloud.stores, f"https://fn.example.com/check-source?t={token}")

    # The function's own address names an upload.
    assert name_behind(b'{"upload":"%s"}' % (b"A" * 22)) == "review-b.png"
    for claims in (b'{"upload":"B"}', b"{}", b"[]", b"no JSON", b""):
        assert name_behind(claims) is None
