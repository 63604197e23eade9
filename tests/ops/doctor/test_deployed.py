"""What ``doctor`` says of the deployed function: callback, health, domains."""

import json
from pathlib import Path

import pytest
import responses

from function.app import Function, load_settings
from function.config.profiles import read_profiles
from function.context import Dependencies
from handler import serve
from local.fc.gateway import FcGateway
from ops.doctor.deployed import check_callback, check_features, check_function, domains
from ops.doctor.examination import function_url
from ops.doctor.findings import State
from tests.conftest import ENVIRONMENT
from tests.ops.doctor.conftest import REFUSED
from tests.support.cases import profile_toml


def test_no_callback_is_no_fault(here, profiles):
    plain = Path(here.environ["PROFILES_FILE"]).read_text("utf-8").replace("callback = true", "")
    findings = here.examine(CALLBACK_URL="", **profiles(plain))
    assert [one.state for one in findings.of("Callback")] == [State.SKIPPED]
    assert findings.of("", State.BAD) == []


@pytest.mark.parametrize(
    "answer", [(404, "<html>not here</html>"), (200, "{}"), (403, "{}"), (502, "Internal Server Error"), None]
)
def test_a_wrong_or_silent_callback_address_is_bad(here, serving, answer):
    origin = serving(*answer) if answer else REFUSED
    finding = check_callback(load_settings({**here.environ, "CALLBACK_URL": f"{origin}/callback"}))
    assert finding.state is State.BAD
    assert answer is None or "CALLBACK_URL" in finding.remedy.en


@pytest.mark.parametrize(("answers", "advice"), [(False, "make deploy"), (True, "--url")])
def test_a_silent_or_foreign_address_of_the_function_is_bad(serving, answers, advice):
    [finding] = check_function(serving(200, "<html>hello</html>", "text/html") if answers else REFUSED)
    assert finding.state is State.BAD
    assert advice in finding.remedy.en


def test_a_misconfigured_deployed_function_is_bad():
    gateway = FcGateway(lambda event, context: serve(Function(Dependencies({})), event, context)).start()
    try:
        [finding] = check_function(gateway.origin)
    finally:
        gateway.stop()
    assert finding.state is State.BAD
    assert "misconfigured" in finding.said.en


@pytest.fixture
def answering():
    """Stand in for the function at an address: the answers to ``/health`` and ``/upload-params``."""
    with responses.RequestsMock() as stub:

        def answer(url, status, code, **told):
            stub.get(f"{url}/health", json={"status": "ok", **told})
            body = {"error": {"code": code, "message": "m"}}
            stub.post(f"{url}/upload-params", status=status, json=body)

        yield answer


def test_the_testing_address_of_function_compute_is_a_doubt(answering):
    url = "https://abc.cn-hangzhou.fcapp.run"
    answering(url, 401, "unauthorized")
    good, doubt = check_function(url)
    assert (good.state, url in good.said.en) == (State.GOOD, True)
    assert doubt.state is State.UNSURE
    assert "ICP" in doubt.remedy.zh


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"functionVersion": "7"}, "version 7"),
        ({"functionVersion": "7", "qualifier": "live"}, "version 7 (live)"),
        ({"functionVersion": "\x1b[2J\u202egone\x07"}, "gone"),
    ],
    ids=["version", "qualifier", "control characters"],
)
def test_names_the_version_that_answers(answering, told, shown):
    answering("https://api.example.com", 400, "bad_request", **told)
    [good] = check_function("https://api.example.com")
    assert good.state is State.GOOD and good.said.en.isprintable() and shown in good.said.en


@pytest.mark.parametrize(("code", "states"), [("not_found", [State.UNSURE]), ("bad_request", [])])
def test_names_the_options_of_own_profiles_that_the_function_lacks(serving, code, states):
    url = serving(404, json.dumps({"error": {"code": code, "message": "m"}}))
    text = '[post]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\nconfirm = true\n'
    profiles = read_profiles(f'{text}hold = ["commit"]\n', default_signature="v4")[0]
    found = check_features(url, "", profiles)
    assert [one.state for one in found] == states
    said = [one.said.say(language) for one in found for language in ("en", "zh")]
    assert all("[post]" in text and "hold" in text for text in said)


SECRET = {"TOKEN_SECRET": "token-secret-0123456789abcdefghijk"}
HERE = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"


def rows(url="", **changes):
    settings = load_settings({**ENVIRONMENT, **changes})
    return {name: text.en for name, text in domains(settings, function_url(settings, url))}


def test_every_bucket_s_addresses_are_listed_each_once(profiles):
    there = {"bucket": "contracts", "region": "cn-shanghai"}
    text = profile_toml("default", read="callers")
    text += profile_toml("contract", **there, parts=True, read="callers") + profile_toml("scan", **there)
    text += profile_toml("page", bucket="pages", host="https://files.example.com")
    changes = {"READ_ORIGIN": "https://img.example.com", **SECRET, **profiles(text)}
    hosts = [HERE, "https://contracts.oss-cn-shanghai.aliyuncs.com", "https://files.example.com"]
    assert rows("https://api.example.com/prefix/", **changes) == {
        "request": f"https://api.example.com; {hosts[1]}",
        "uploadFile": "; ".join(hosts),
        "downloadFile": "; ".join(["https://img.example.com", *hosts[1:]]),
    }


def test_finds_the_function_where_its_callback_is():
    settings = {"CALLBACK_URL": "https://api.example.com/up/callback", **SECRET}
    assert rows(**settings)["request"] == "https://api.example.com"
    assert "--url" in rows()["request"]
    assert "https" in rows("http://127.0.0.1:9000")["request"]
