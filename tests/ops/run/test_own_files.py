"""The developer's own files in the local cloud: what is read, what is read again, and what stays."""

import argparse
import io
from contextlib import ExitStack
from itertools import count
from types import SimpleNamespace

import pytest
import requests

from function.app import load_settings
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from ops.client.features import lacking_options
from ops.client.function_client import FunctionAtUrl
from ops.deploy import init
from ops.deploy.features import FEATURES
from ops.run.hosting import Hosted, HostingError
from ops.run.own_files import OwnFiles
from ops.terminal.screen import Screen

TYPES = 'max_size = "1MiB"\ncontent_types = ["image/png"]\n'
POST = f'[post]\ntitle = "晒单"\nkey = "posts/{{owner}}/{{id}}{{ext}}"\nread = "owner"\n{TYPES}'
codes = count()
NOTE = f'[note]\nkey = "notes/{{owner}}/{{id}}{{ext}}"\n{TYPES}'
CALLERS = """
[shop]
kind = "wechat"
appid = "wx1111111111111111"
secret = "env:SHOP_SECRET"
owners = "unnamed"
[tt]
kind = "douyin"
appid = "tt1111111111111111"
secret = "env:TT_SECRET"
"""
SEVERAL = {"env": "CALLER_AUTH=several\n", "callers": CALLERS}
RECEIPT_SECRET = "receipt-SecretCanary-0123456789abcdef"
PAGE = "https://h5.example.com"
REFUSE = "def before_sign(caller, file, limits):\n    return {'refuse': 'no'}\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One local cloud for all tests; each deploys files of its own."""
    hosted = Hosted()
    with ExitStack() as stack:
        gateway = FcGateway(hosted.handle, hosted.initialize)
        stack.callback(gateway.stop)
        folder = tmp_path_factory.mktemp("objects")
        hosted.cloud = stack.enter_context(
            LocalCloud(gateway, folder, extra_settings={"LOGIN_RATE": "1000/min"})
        )
        gateway.start()
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        yield hosted, session


@pytest.fixture
def here(running, tmp_path):
    hosted, session = running
    stream = io.StringIO()
    own = SimpleNamespace(folder=tmp_path, hosted=hosted)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / {"env": ".env", "hooks": "hooks.py"}.get(name, f"{name}.toml")
            path.unlink(missing_ok=True) if text is None else path.write_text(text, "utf-8")

    def send(method, url, headers=None, body=None):
        return session.request(method, url, headers=headers, json=body, timeout=60)

    def ask(method, route, headers=None, body=None):
        return send(method, f"{hosted.cloud.gateway.origin}/{route}", headers, body)

    def said():
        lines = stream.getvalue().splitlines()
        stream.seek(stream.truncate(0))
        return lines

    def log_in(**more):
        return ask("POST", "login", body={"code": f"local-{next(codes)}", **more}).json()["token"]

    def outcome(profile):
        """Return ``form``, or the code of the refusal, for a user who has just logged in."""
        body = {"profile": profile, "filename": "a.png"}
        answer = ask("POST", "upload-params", {"Authorization": f"Bearer {log_in()}"}, body).json()
        return answer["error"]["code"] if "error" in answer else "form"

    def deploy(caller_auth="", **files):
        write(**{"profiles": POST, **files})
        own.files = OwnFiles(tmp_path, caller_auth, Screen(stream, {}), "en")
        own.files.deploy(hosted)
        return said()

    def change(**files):
        write(**files)
        own.files.look()
        return said()

    own.log_in, own.send, own.ask, own.outcome = log_in, send, ask, outcome
    own.deploy, own.change = deploy, change
    yield own
    hosted.cloud.reset()


def test_the_function_runs_with_the_developers_own_profiles(here):
    (line,) = here.deploy()
    assert "profiles.toml" in line and "post" in line
    assert (here.outcome("post"), here.outcome("avatar")) == ("form", "unknown_profile")
    (profile,) = here.hosted.cloud.page_config()["profiles"]
    assert (profile["name"], profile["title"]) == ("post", "晒单")
    assert here.hosted.cloud.page_config()["isDemo"] is False


def test_the_example_runs_until_there_are_own_profiles(here):
    example = here.folder / "profiles.example.toml"
    example.write_text(POST, "utf-8")
    (line,) = here.deploy(profiles=None)
    assert example.name in line and here.outcome("post") == "form"
    (line,) = here.change(profiles=NOTE)
    assert "profiles.toml" in line
    assert (here.outcome("note"), here.outcome("post")) == ("form", "unknown_profile")


def test_only_behaviour_comes_from_env(here):
    given = {
        "ALLOWED_ORIGINS": PAGE, "CALLER_RATE": "7/min", "LOGIN_RATE": "8/min", "READ_RATE": "9/min",
        "QUOTA_UTC_OFFSET": "9", "TOKEN_SECONDS": "600", "ERASE": "true", "OSS_BUCKET": "mine", "OSS_HOST": "https://a.example",
        "RECEIPT_SECRET": RECEIPT_SECRET, "QUOTA_URL": "redis://redis.example",
        "TOKEN_SECRET": "s" * 40, "STS_ROLE_ARN": "acs:ram::1:role/r",
    }  # fmt: skip
    usual = here.hosted.cloud.environment()
    lines = here.deploy(hooks=REFUSE, env="".join(f"{name}={value}\n" for name, value in given.items()))
    assert ["profiles.toml" in lines[0], "hooks.py" in lines[1], ".env" in lines[2]] == [True] * 3
    assert len(lines) == 3 and "CALLER_RATE" in lines[2] and "OSS_BUCKET" not in lines[2]
    settings = here.hosted.cloud.environment()
    taken = {name for name, value in given.items() if settings.get(name) == value}
    behaviour = {"CALLER_RATE", "READ_RATE", "QUOTA_UTC_OFFSET", "TOKEN_SECONDS", "ERASE"}
    assert taken == {*behaviour, "RECEIPT_SECRET"}
    assert settings["ALLOWED_ORIGINS"].split(",")[-1] == PAGE
    own = ("OSS_BUCKET", "OSS_HOST", "QUOTA_URL", "TOKEN_SECRET", "STS_ROLE_ARN", "LOGIN_RATE")
    assert {name: settings[name] for name in own} == {name: usual[name] for name in own}


@pytest.mark.parametrize(("more", "origin", "method", "expected"), [
    ("", "https://b.example.com", "POST", 200), ("", PAGE, "PUT", 403), ("parts = true\n", PAGE, "PUT", 200),
    ("parts = true\n", PAGE, "GET", 403), ("", "https://other.example.com", "POST", 403),
    ("", "null", "POST", 403), ("", "playground", "GET", 200),
])  # fmt: skip
def test_the_bucket_admits_the_pages_that_setup_would_admit(here, more, origin, method, expected):
    here.deploy(profiles=POST + more, env=f"ALLOWED_ORIGINS={PAGE}, https://b.example.com\n")
    cloud = here.hosted.cloud
    origin = cloud.playground.origin if origin == "playground" else origin
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    answer = here.send("OPTIONS", cloud.oss.origin, headers)
    named = answer.headers.get("Access-Control-Allow-Origin")
    assert (answer.status_code, named) == (expected, origin if expected == 200 else None)
    if expected == 403:
        assert "<Code>AccessForbidden</Code>" in answer.text


def test_another_file_of_profiles_and_another_caller_mode_come_from_env(here):
    here.deploy(env="PROFILES_FILE=other.toml\nCALLER_AUTH=jwt\n", other=NOTE)
    cloud = here.hosted.cloud
    assert (list(cloud.profiles), cloud.caller_auth) == (["note"], "jwt")
    assert here.ask("POST", "login", body={"code": "local-me"}).json()["error"]["code"] == "not_found"
    here.deploy("wechat", env="CALLER_AUTH=jwt\n")
    assert cloud.caller_auth == "wechat" and here.outcome("post") == "form"


def test_a_change_is_read_again_and_nothing_is_read_without_one(here):
    here.deploy()
    before = here.hosted.cloud.deployment
    assert here.change() == [] and here.hosted.cloud.deployment is before
    (line,) = here.change(profiles=POST + NOTE)
    assert "profiles.toml" in line and "note" in line
    assert (here.outcome("note"), here.outcome("post")) == ("form", "form")
    held = NOTE + 'confirm = true\nhold = ["commit"]\nhold_days = 3\n'
    here.change(profiles=held)
    rules = here.hosted.cloud.oss.bucket.lifecycle.rules
    assert [rule.days for rule in rules if rule.prefix == "held/notes/"] == [4]


@pytest.mark.parametrize(("broken", "name"), [
    ({"profiles": "[post\n"}, "TOML"),
    ({"profiles": POST.replace("1MiB", "10M")}, "max_size"),
    ({"profiles": None}, "PROFILES_FILE"),
    ({"hooks": "def before_sign("}, "hooks.py"),
    ({"env": "CALLER_RATE=often\n"}, "CALLER_RATE"),
    ({"env": "CALLER_RATE=9/min\nwhat is this\n"}, ".env:2"),
])  # fmt: skip
def test_while_a_file_is_broken_its_error_is_printed_and_the_last_good_one_stays(here, broken, name):
    hooks = "def before_sign(caller, file, limits):\n    return None\n"
    good = {"profiles": POST, "hooks": hooks, "env": "CALLER_RATE=9/min\n"}
    here.deploy(**good)
    first = here.change(**broken)
    assert first[0].startswith("✗ ") and name in first[0]
    assert len([line for line in first if line.startswith("✗")]) == 1
    assert here.change() == []
    assert here.outcome("post") == "form"
    assert len(here.change(**{each: good[each] for each in broken})) == len(good)
    assert here.change(profiles=POST + NOTE, hooks=None, env="")
    assert here.outcome("note") == "form"
    # Back after a mistake: the files that are there, and none that is gone.
    here.change(profiles="[post\n")
    assert len(here.change(profiles=POST + NOTE)) == 2


@pytest.mark.parametrize(("files", "names"), [
    ({"env": "CALLER_AUTH=anonymous\n"}, ["read", "CALLER_AUTH", "profiles.toml:", "[post]"]),
    ({"env": "CALLER_AUTH=everyone\n"}, ["CALLER_AUTH"]), ({"env": "what is this\n"}, [".env:1"]),
    ({"env": "PROFILES_FILE=none.toml\n"}, ["PROFILES_FILE"]),
    ({"hooks": "import none_such\n"}, ["hooks.py"]),
    (SEVERAL | {"callers": "[shop\n"}, ["callers.toml"]),
    (SEVERAL | {"callers": "shop = 1\n"}, ["callers.toml", "shop"]),
    (SEVERAL | {"callers": '[shop]\nkind = "fax"\n'}, ["callers.toml", "shop", "kind"]),
    (SEVERAL | {"profiles": POST + 'callers = ["none"]\n'}, ["profiles.toml", "post", "none"]),
])  # fmt: skip
def test_files_that_the_function_refuses_end_the_start_with_its_sentence(here, files, names):
    with pytest.raises(HostingError) as refused:
        here.deploy(**files)
    assert len(refused.value.sentences) == 1
    assert all(name in refused.value.said.en for name in names)


def test_the_files_that_init_writes_run_here_with_every_feature(here, capsys):
    given = "--yes --bucket b-1 --region cn-hangzhou --appid wx0123456789abcdef".split()
    parser = argparse.ArgumentParser()
    init.add_arguments(parser)
    args = parser.parse_args([*given, "--features", ",".join(FEATURES)])
    assert init.run(args, init.Asking(here.folder, {})) == 0
    here.files = OwnFiles(here.folder, "", Screen(io.StringIO(), {}), "en")
    here.files.deploy(here.hosted)
    profiles = load_settings(here.hosted.cloud.environment()).profiles
    lacking = lacking_options(FunctionAtUrl(here.hosted.cloud.gateway.origin), here.log_in(), profiles)
    assert (lacking, here.outcome("post")) == ([], "form")


def test_a_bucket_of_its_own_is_the_second_bucket_here(here):
    place = 'bucket = "my-papers"\nregion = "cn-beijing"\nrole = "acs:ram::1234567890123456:role/x"\n'
    here.deploy(
        profiles=POST + NOTE + place + '[a]\nhost = "https://a.example"\n' + NOTE[7:].replace("notes", "a")
    )
    cloud = here.hosted.cloud
    assert (cloud.profiles["note"]["bucket"], cloud.profiles["note"]["host"]) == (
        "local-archive",
        cloud.archive.origin,
    )
    assert "host" not in cloud.profiles["a"] and "bucket" not in cloud.profiles["post"]
    assert here.outcome("note") == here.outcome("a") == "form"


def test_the_function_runs_with_the_developers_own_callers_and_secrets_of_the_local_cloud(here):
    lines = here.deploy(**SEVERAL)
    assert any("callers.toml: shop, tt" in line for line in lines)
    for app in ("wx1111111111111111", "tt1111111111111111"):
        assert here.log_in(app=app)
    named = [each["name"] for each in here.hosted.cloud.page_config()["callers"]]
    assert named == ["shop", "tt"]
    (line,) = here.change(callers=CALLERS + '[anyone]\nkind = "anonymous"\n')
    assert "shop, tt, anyone" in line
    # Without a file they are the samples.
    here.deploy(caller_auth="several", callers=None, env=None)
    assert here.log_in(app="tt0000000000local0")
