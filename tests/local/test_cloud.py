"""The local cloud as a whole: what it is made of, what it tells the function, a page and a script."""

import json
import subprocess
import sys
import threading
import tomllib
from base64 import b64decode
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
from local.buckets import role_policy
from local.business.posts import Post
from local.callers import read_callers
from local.cloud import BUCKET, FUNCTION_KEY, ROLE_POLICY, LocalCloud
from local.fc.gateway import FcGateway
from local.green.plan import PlannedAnswer
from local.oss.attributes import Attributes
from local.oss.presign import presigned_url
from local.oss.rules import OssRules
from local.oss.versions import StoredObject
from local.profiles import lifecycle_rules
from local.shell import clear_inherited_settings
from local.wechat.check_plan import PlannedCheck

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
        settings = cloud.environment()
    assert set(settings) == REQUIRED | more
    assert settings["CALLER_AUTH"] == caller_auth
    assert settings["OSS_HOST"] == settings["CALLBACK_KEY_ORIGIN"] == cloud.oss.origin
    assert (settings["STS_ENDPOINT"], settings["GREEN_ENDPOINT"]) == (cloud.sts.origin, cloud.green.origin)
    assert settings["CALLBACK_URL"] == f"{gateway.origin}/callback"
    assert cloud.playground.origin in settings["ALLOWED_ORIGINS"].split(",")


def test_every_run_has_its_own_secret_and_extra_settings_replace_those_of_the_cloud(start):
    more = {"CALLER_RATE": "1/s", "OSS_REGION": "x"}
    with start() as first, start(extra_settings=more) as second:
        one, other = first.environment(), second.environment()
    assert one["TOKEN_SECRET"] != other["TOKEN_SECRET"] and len(one["TOKEN_SECRET"]) >= 32
    assert other.items() >= more.items()
    with pytest.raises(ValueError, match="anonymous"):
        start("everyone")


def test_the_addresses_for_scripts_have_the_promised_names(start):
    with start() as cloud:
        addresses = cloud.addresses()
    services = "function sts oss wechat alipay douyin playground business green".split()
    others = "functionFc2 bucket region roleArn accessKeyId accessKeySecret appId buckets".split()
    assert set(addresses) == {*services, *others}
    home, archive = addresses["buckets"]
    assert len({archive["oss"], *(addresses[name] for name in services)}) == 10
    assert home == {name: addresses[name] for name in ("bucket", "region", "oss", "roleArn")}
    assert (archive["bucket"], archive["region"]) == ("local-archive", "cn-shanghai")
    assert archive["roleArn"] != home["roleArn"]


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
        told = {each["name"]: each for each in cloud.page_config()["callers"]}
        for name in ("site", "app"):
            token, entry = told[name]["businessToken"], given[name]
            claims = jwt.decode(token, entry["key"], ["HS256"], audience="uploads", issuer=entry["issuer"])
            assert claims["sub"] == "playground-user"
    secrets = {"secret", "key", "push_token", "push_aes_key"}
    assert len({entry.get(name) for name in secrets for entry in given.values()} - {None}) == 10


def test_callers_of_a_project_keep_their_names_and_ids_and_nothing_that_leads_out(start):
    with start() as cloud:
        own = read_callers(OWN_CALLERS)
        given = read_callers_toml(cloud.prepare("several", {}, {}, own))
        again = read_callers_toml(cloud.prepare("several", {}, {}, own))
        assert given == again and [*given] == [*own]
        assert given["shop"]["secret"] == cloud.wechat.apps["wx1111111111111111"].secret
        assert cloud.wechat.checks.pushes["wx1111111111111111"].url.endswith(
            "/wechat-events/wx1111111111111111"
        )
        assert "2021000000000007" in cloud.alipay.apps and given["pay"]["identity"] == "user_id"
        assert (given["site"]["issuer"], given["site"]["algorithm"]) == ("https://id.example.com", "HS256")
        assert given["odd"] == {"kind": "fax", "number": 1}
        assert not {"endpoint", "push_forward_url"} & set(given["shop"])


@pytest.mark.parametrize("text", ["[main", "main = 1"])
def test_callers_that_the_function_refuses_are_left_to_it(text):
    assert read_callers(text) is None


def test_a_token_of_the_local_business_fits_the_key_the_function_is_given(start):
    with start("jwt") as cloud:
        token, key = cloud.business_token("someone"), cloud.environment()["JWT_KEY"]
        assert cloud.addresses()["businessToken"].count(".") == 2
    assert jwt.decode(token, key, algorithms=["HS256"])["sub"] == "someone"


def test_the_page_config_has_addresses_and_profiles_but_no_secret(start, gateway):
    with start() as cloud:
        config = cloud.page_config()
        secrets = {value for name, value in cloud.environment().items() if "SECRET" in name}
    assert config["function"] == gateway.origin
    names = {
        what: [profile["name"] for profile in config["profiles"] if profile[what]]
        for what in ("classic", "parts")
    }
    assert names == {"classic": ["legacy"], "parts": ["video", "contract"]}
    told = {profile["name"]: profile for profile in config["profiles"]}
    assert told["avatar"]["callback"] is True and "album" not in told
    assert not any(secret in json.dumps(config) for secret in secrets)


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


def test_the_local_bucket_begins_as_a_real_one_does_unless_it_is_given_other_rules(start):
    with start() as cloud:
        rules = cloud.oss.bucket.rules
        assert not any(profile.get("acl") for profile in cloud.profiles.values())
    assert (rules.block_public_access, rules.private_reads_need_signature) == (True, True)
    assert not rules.public_endpoint_forbidden
    with start(rules=OssRules(v1_retired=True)) as cloud:
        assert [store.bucket.rules.v1_retired for store in cloud.stores] == [True, True]


def test_the_local_wechat_pushes_with_the_function_s_settings(start, gateway):
    with start() as cloud:
        settings, push = cloud.environment(), next(iter(cloud.wechat.checks.pushes.values()))
    assert push.url == f"{gateway.origin}/wechat-events"
    assert (settings["WECHAT_PUSH_TOKEN"], settings["WECHAT_PUSH_AES_KEY"]) == (push.token, push.aes_key)
    assert (len(push.token), len(push.aes_key), push.aes_key.isalnum()) == (32, 43, True)
    assert push.token not in repr(push) and push.aes_key not in repr(push)


def test_ports_that_are_taken_are_stepped_over(start, gateway):
    first = port_of(gateway)
    with start(first_port=first) as cloud:
        servers = (cloud.oss, cloud.sts, cloud.wechat, cloud.playground, cloud.business)
        ports = [port_of(server) for server in servers]
        of_archive = port_of(cloud.archive)
    assert first < ports[0] and ports == sorted({*ports}) and ports[-1] < first + 200
    assert first + 5 <= of_archive < first + 200


def test_the_second_bucket_takes_the_port_after_the_others_where_all_are_free(start):
    """So that what the pages print of 9001 to 9005 stays true."""
    # Below the ports that a system gives to connections, which other tests take all the time.
    for first_port in range(20_000, 30_000, 500):
        with start(first_port=first_port) as cloud:
            in_front = (cloud.oss, cloud.sts, cloud.wechat, cloud.playground, cloud.business)
            ports = [port_of(server) - first_port for server in (*in_front, cloud.archive, cloud.green)]
        if ports == [0, 1, 2, 3, 4, 5, 6]:
            return
    pytest.fail(f"never seven ports in a row: {ports}")


@pytest.mark.parametrize(
    ("document", "bucket"), [(ROLE_POLICY, "local-bucket"), (role_policy("local-archive"), "local-archive")]
)
def test_a_role_allows_exactly_the_needs_of_its_sessions(document, bucket):
    needs = {
        "/*": "PutObject PutObjectAcl GetObject DeleteObject DeleteObjectVersion PostProcessTask ListParts"
        " AbortMultipartUpload",
        "": "ListObjects ListObjectVersions ListMultipartUploads",
    }
    found = {statement["Resource"][0]: {*statement["Action"]} for statement in document["Statement"]}
    assert found == {
        f"acs:oss:*:*:{bucket}{part}": {f"oss:{name}" for name in names.split()}
        for part, names in needs.items()
    }
    assert FUNCTION_KEY.access_key_secret not in repr(FUNCTION_KEY)


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


def test_the_local_profiles_are_those_that_ship_with_everything_on_and_four_more(legacy_profiles):
    on_here = {"callback", "confirm", "parts", "read", "variants", "files_per_day", "bytes_per_day"}
    on_here |= {"list", "delete", "ai_label"}

    def read(text):
        return {
            name: {option: value for option, value in profile.items() if option not in on_here}
            for name, profile in tomllib.loads(text).items()
        }

    here = read((PROJECT / "local" / "demo" / "profiles.toml").read_text("utf-8"))
    assert here.pop("album")["key"] == "album/{owner}/{sha256}{ext}"
    assert here.pop("post")["hold"] == ["commit", "check"]
    assert here.pop("note")["commit_by"] == "owner"
    assert here.pop("contract")["bucket"] == "local-archive"
    assert here == read(legacy_profiles)


@pytest.mark.parametrize("caller_auth", MODES)
def test_a_profile_of_the_second_bucket_has_its_current_address(start, caller_auth):
    with start(caller_auth) as cloud:
        contract, other = cloud.profiles["contract"], cloud.addresses()["buckets"][1]
        assert contract["host"] == cloud.archive.origin
        place = load_settings(cloud.environment()).profiles["contract"].location
    expected = other["bucket"], other["region"], other["roleArn"]
    assert (contract["bucket"], contract["region"], contract["role"]) == expected
    assert (place.bucket, place.region, place.role_arn) == expected
    assert {place.host, place.oss_endpoint, place.read_origin} == {contract["host"]}


def test_anonymous_callers_have_no_owner_only_reading(start):
    def readers(caller_auth):
        with start(caller_auth) as cloud:
            given = tomllib.loads(Path(cloud.environment()["PROFILES_FILE"]).read_text("utf-8"))
        assert given == cloud.profiles
        return {name: profile.get("read") for name, profile in given.items()}

    of_their_own = dict.fromkeys(["default", "video", "album", "note", "contract"], "owner")
    assert readers("jwt") == {**of_their_own, "avatar": "callers", "post": "callers", "legacy": None}
    assert set(readers("anonymous").values()) == {"callers", None}


@pytest.mark.parametrize(
    ("caller_auth", "post", "note"),
    [
        ("wechat", [["commit", "check"], None], [["commit"], "owner"]),
        ("jwt", [["commit"], None], [["commit"], "owner"]),
        ("anonymous", [["commit"], None], [["commit"], None]),
    ],
)
def test_hold_steps_depend_on_the_caller_mode(start, caller_auth, post, note):
    with start(caller_auth) as cloud:
        settings = load_settings(cloud.environment())
        held = {name: profile for name, profile in cloud.profiles.items() if "hold" in profile}
        rules = cloud.oss.bucket.lifecycle.rules
    told = {name: [profile["hold"], profile.get("commit_by")] for name, profile in held.items()}
    assert told == {"post": post, "note": note}
    assert {name for name, profile in settings.profiles.items() if profile.is_held} == set(told)
    days = {rule.prefix: (rule.days, rule.abort_days) for rule in rules}
    limits = {settings.profiles[name].stored_folder: settings.profiles[name].hold_days for name in told}
    assert days[""] == (None, 7) and days["held/.decided/"] == (max(limits.values()) + 8, None)
    assert {prefix: one for prefix, one in days.items() if prefix and not prefix.startswith("held/.")} == {
        folder: (hold_days + 1, None) for folder, hold_days in limits.items()
    }
    assert not {"held/", "held/.rejected/"} & set(days)


def test_each_bucket_has_a_rule_for_the_held_profiles_that_are_in_it():
    assert [rule.prefix for rule in lifecycle_rules({"avatar": {}}, BUCKET)] == [""]
    receipts = lifecycle_rules({"avatar": {"callback": True}}, BUCKET)
    assert {rule.prefix: rule.days for rule in receipts} == {"": None, "held/.due/": 8}
    three = {"key": "a/{id}", "hold": ["commit"], "hold_days": 3}
    one = {"key": "b/c/{owner}-{id}", "hold": ["commit"]}

    def held(profiles, bucket=BUCKET):
        rules = lifecycle_rules(profiles, bucket)[1:]
        longest = max(rule.days for rule in rules)
        assert {rule.days for rule in rules if rule.prefix[5] == "."} == {8, longest}
        return {rule.prefix: rule.days for rule in rules if rule.prefix[5] != "."}

    assert held({"a": three, "b": one}) == {"held/a/": 4, "held/b/c/": 2}
    profiles = {"a": three, "b": {**one, "bucket": "local-archive"}}
    assert held(profiles) == {"held/a/": 4}
    assert held(profiles, "local-archive") == {"held/b/c/": 2}
    checked = {"key": "c/{id}", "hold": ["commit", "check"]}
    assert held({"c": checked}) == {"held/c/": 8}


def test_every_setting_the_function_reads_and_others_that_change_it_are_cleared():
    kept = {"PATH": "/bin", "HOME": "/root", "PORT": "9000", "NO_COLOR": "1"}
    more = set(
        "HTTP_PROXY https_proxy All_Proxy no_proxy DEBUG FC_REGION ALIYUN_ACCESS_KEY_ID"
        " ALIYUN_ACCESS_KEY_SECRET ALIBABA_CLOUD_CREDENTIALS_FILE".split()
    )
    names = {row.name for row in all_settings()}
    assert {"OSS_BUCKET", "CALLER_RATE", "TOKEN_SECRET"} <= names
    environ = {**kept, **dict.fromkeys(names | more, "inherited")}
    clear_inherited_settings(environ)
    assert environ == kept
