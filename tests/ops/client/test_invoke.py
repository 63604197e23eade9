"""``manage.py invoke`` against the local gateway, by both of Function Compute's contracts."""

import argparse
import base64
import hashlib
import json
from contextlib import ExitStack
from urllib.parse import unquote, urlsplit

import jwt
import pytest
import requests
import responses

from function.credentials import AccessKeys
from ops.client import invoke
from ops.client.answers import show_receipt
from ops.client.function_client import FunctionThroughSdk
from ops.client.progress import progress_bar
from ops.terminal.screen import Screen
from tests.ops.client.conftest import start_cloud
from tests.ops.words import chinese_in
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

REFUSED = "http://127.0.0.1:9"
KEYS = AccessKeys("LTAIoperator", "operator-secret-canary", None)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with ExitStack() as stack:
        yield start_cloud(stack, tmp_path_factory.mktemp("objects"), "wechat")


@pytest.fixture
def cloud_by_digest(tmp_path):
    """Another one, whose only profile names objects by their bytes."""
    profiles = tmp_path / "profiles.toml"
    profiles.write_text(
        '[default]\nkey = "u/{owner}/{sha256}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/*"]\n'
        "confirm = true\n"
    )
    with ExitStack() as stack:
        yield start_cloud(stack, tmp_path / "objects", "anonymous", {"PROFILES_FILE": str(profiles)})


@pytest.fixture
def by_sdk(cloud, monkeypatch):
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", KEYS.access_key_id)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", KEYS.access_key_secret)
    return ["--endpoint", cloud.gateway.origin, "--service", "uploads", "--function", "sign"]


@pytest.fixture
def by_url(cloud):
    return ["--url", cloud.gateway.origin]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "头像 picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000)
    return path


def run(*options):
    parser = argparse.ArgumentParser()
    invoke.add_arguments(parser)
    return invoke.run(parser.parse_args([*map(str, options), "--env-file", "/does/not/exist/.env"]))


def read_back(cloud, output):
    """The object of the address that was printed; it is private, so the account signs."""
    [url] = [line.split("uploaded: ")[1] for line in output.splitlines() if "uploaded: " in line]
    return requests.get(cloud.signed_url(unquote(urlsplit(url).path[1:])), timeout=60)


def log_in(cloud, code):
    return requests.post(f"{cloud.gateway.origin}/login", json={"code": code}, timeout=60).json()["token"]


def receipts_in(output):
    """What the receipts say that were printed, each on a line of its own."""
    found = [line for line in output.splitlines() if line.startswith("eyJ")]
    return [jwt.decode(receipt, options={"verify_signature": False}) for receipt in found]


@pytest.mark.parametrize("way", ["by_url", "by_sdk"])
def test_logs_in_and_uploads_by_both_contracts(way, request, capsys, picture, cloud):
    options = request.getfixturevalue(way)
    assert run(*options, "--code", f"local-{way}", "--profile", "avatar", "--upload", picture) == 0
    output = capsys.readouterr().out
    assert "7200 s" in output
    answer = read_back(cloud, output)
    assert (answer.content, answer.headers["Content-Type"]) == (picture.read_bytes(), "image/png")
    by_callback, by_oss = receipts_in(output)
    assert by_callback == {**by_oss, "seen": False}
    assert (by_oss["seen"], by_oss["profile"]) == (True, "avatar")
    assert by_oss["size"] == len(picture.read_bytes())


@pytest.mark.parametrize("way", ["by_url", "by_sdk"])
def test_a_code_or_the_token_of_an_earlier_login_is_enough_for_a_form(way, request, capsys, cloud):
    options = request.getfixturevalue(way)
    assert run(*options, "--code", f"0alone{way}") == 0
    assert '"image/jpeg"' in capsys.readouterr().out
    token = log_in(cloud, f"local-earlier-{way}")
    assert run(*options, "--token", token, "--filename", "a.png", "--size", "5") == 0
    assert '"image/png"' in capsys.readouterr().out


def test_the_sdk_carries_the_token_in_a_header_of_its_own(cloud):
    with responses.RequestsMock() as stub:
        stub.post(
            "https://1.cn-hangzhou.fc.aliyuncs.com/2016-08-15/proxy/svc/fn/upload-params", json={"a": 1}
        )
        client = FunctionThroughSdk("https://1.cn-hangzhou.fc.aliyuncs.com", "svc", "fn", KEYS)
        assert client.ask("upload-params", {"profile": "x"}, "the-token").json == {"a": 1}
        sent = stub.calls[0].request
    assert sent.headers["X-Upload-Token"] == "the-token"
    assert sent.headers["authorization"].startswith(f"FC {KEYS.access_key_id}:")
    assert json.loads(sent.body) == {"profile": "x"}


def test_uploads_with_a_form_in_the_shape_of_the_sample_servers(by_url, capsys, picture, cloud):
    assert run(*by_url, "--code", "local-x", "--profile", "legacy", "--upload", picture) == 0
    assert read_back(cloud, capsys.readouterr().out).content == picture.read_bytes()


def test_uploads_to_the_bucket_of_the_profile_and_has_it_confirmed_and_read_there(
    by_url, capsys, picture, cloud
):
    token = log_in(cloud, "local-archive")
    assert run(*by_url, "--token", token, "--profile", "contract", "--upload", picture) == 0
    output = capsys.readouterr().out
    assert '"local-archive"' in output
    assert read_back(cloud, output).content == picture.read_bytes()
    [claims] = receipts_in(output)
    assert (claims["bucket"], claims["seen"]) == ("local-archive", True)
    assert run(*by_url, "--token", token, "--read", claims["key"]) == 0
    assert f"{cloud.archive.origin}/{claims['key']}" in capsys.readouterr().out


def test_prints_neither_tokens_nor_signatures_nor_keys(by_sdk, capsys, picture, cloud):
    login = log_in(cloud, "local-y")
    assert run(*by_sdk, "--token", login, "--profile", "avatar", "--upload", picture) == 0
    text = "".join(capsys.readouterr())
    assert login.split(".")[1] not in text
    assert KEYS.access_key_secret not in text
    [token] = [line for line in text.splitlines() if "x-oss-security-token" in line]
    assert "…" in token
    assert len(token) < 120


@cases("fault", "options", "name")
def test_each_failure_is_explained_by_name(by_url, capsys, picture, cloud, fault, options, name):
    if fault:
        cloud.oss.faults.plan(fault)
    assert run(*by_url, *options, "--upload", picture) == 1
    error = capsys.readouterr().err
    assert name in error
    assert '"policy"' not in error


def test_an_address_of_another_service_is_refused(cloud, capsys):
    assert run("--url", cloud.oss.origin, "--code", "x") == 1
    assert "405" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["url", "sdk"])
def test_an_unreachable_function_is_reported(way, by_sdk, capsys):
    options = ["--url", REFUSED] if way == "url" else ["--endpoint", REFUSED, *by_sdk[2:]]
    assert run(*options, "--token", "t") == 1
    assert f"{REFUSED}" in capsys.readouterr().err


def test_a_failed_callback_is_a_failure_although_the_status_is_2xx(by_url, capsys, picture, cloud):
    cloud.oss.faults.plan("callback_fails")
    assert run(*by_url, "--code", "local-b", "--profile", "avatar", "--upload", picture) == 1
    shown = capsys.readouterr()
    assert "CallbackFailed" in shown.err
    # OSS confirms what the callback did not bring.
    assert [receipt["seen"] for receipt in receipts_in(shown.out)] == [True]


def test_an_oss_failure_on_confirm_is_explained(by_url, capsys, picture, cloud):
    cloud.oss.faults.plan("status_500", on=["HeadObject"])
    assert run(*by_url, "--code", "local-g", "--upload", picture) == 1
    assert "oss_unavailable" in capsys.readouterr().err


def test_bytes_that_are_there_already_are_not_sent_again(cloud_by_digest, capsys, picture):
    options = ["--url", cloud_by_digest.gateway.origin, "--upload", picture, "--sha256"]
    assert run(*options) == 0
    assert "uploaded: " in capsys.readouterr().out
    assert run(*options) == 0
    output = capsys.readouterr().out
    assert "uploaded: " not in output
    assert [one["sha256"] for one in receipts_in(output)] == [
        hashlib.sha256(picture.read_bytes()).hexdigest()
    ]


@pytest.mark.parametrize("way", ["by_url", "by_sdk"])
def test_the_read_url_of_an_upload_opens_it(way, request, capsys, picture, cloud):
    options = request.getfixturevalue(way)
    token = log_in(cloud, f"local-reads-{way}")
    assert run(*options, "--token", token, "--upload", picture) == 0
    [receipt] = receipts_in(capsys.readouterr().out)
    assert run(*options, "--token", token, "--read", receipt["key"]) == 0
    output = capsys.readouterr().out
    assert f"key        {receipt['key']}" in output
    [url] = [line for line in output.splitlines() if line.startswith("http")]
    assert requests.get(url, timeout=60).content == picture.read_bytes()
    assert run(*options, "--token", token, "--read", receipt["key"], "--variant", "thumb") == 0
    output = capsys.readouterr().out
    assert "x-oss-process image/resize,m_fill,w_200,h_200/format,jpg" in output


def test_a_refused_read_is_explained(by_url, capsys, cloud):
    options = [*by_url, "--token", log_in(cloud, "local-reads-nothing")]
    assert run(*options, "--read", "uploads/somebody/else.png") == 1
    assert "403" in capsys.readouterr().err
    assert run(*options, "--read", "k", "--variant", "nope") == 1
    assert capsys.readouterr().err


@cases("options", "complaint")
def test_wrong_usage_exits_2_before_anything_is_sent(capsys, options, complaint):
    assert run(*options) == 2
    output = capsys.readouterr()
    assert complaint in output.err
    assert output.out == ""


def test_the_sdk_needs_keys(capsys, monkeypatch):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AccessKeyID", raising=False)
    assert run("--endpoint", REFUSED, "--service", "s", "--function", "f") == 2
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in capsys.readouterr().err


def test_lang_zh_prints_chinese(by_url, capsys, picture):
    assert run(*by_url, "--code", "local-e", "--profile", "avatar", "--upload", picture, "--lang", "zh") == 0
    assert chinese_in(capsys.readouterr().out)


def test_the_progress_bar_is_drawn_on_terminals_only(capsys):
    quiet, drawn = progress_bar(False), progress_bar(True)
    for sent in (0, 500, 500, 1000):
        quiet(sent, 1000)
    assert capsys.readouterr().err == ""
    for sent in (0, 500, 501, 1000):
        drawn(sent, 1000)
    error = capsys.readouterr().err
    assert error.count("\r") == 3
    assert error.endswith(f"[{'#' * 30}] 100 %\n")


@pytest.mark.parametrize("receipt", ["", "a", "a.b", "a.b.c", "a.!.c", base64.b64encode(b"x").decode()])
def test_a_malformed_receipt_does_not_stop_it(capsys, receipt):
    show_receipt(json.dumps({"status": "ok", "receipt": receipt}), Screen(), "en")
    assert "status  ok" in capsys.readouterr().out
