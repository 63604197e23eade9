"""What ``serve`` prints, and what it is asked to do for a backend of one's own."""

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
import requests

from function.auth.signed_tokens import RECEIPT
from local.addresses import APP_SECRET
from local.callers import APP_ID, CALLER_KINDS, SAMPLES
from local.common.http_server import Handler, Server
from local.wechat.push import PushSettings
from ops.run.hosting import Plan
from ops.run.overview import example_lines, next_lines, show_cloud
from ops.terminal.screen import Screen

ROOT = Path(__file__).parents[3]
ORIGIN = "http://127.0.0.1:9000"


def a_cloud(caller_auth="wechat"):
    pushes = {
        APP_ID: None,
        "wx0000000000local1": PushSettings(f"{ORIGIN}/wechat-events/2", "other", "other-key"),
    }
    checks = SimpleNamespace(pushes=pushes)
    server = SimpleNamespace(origin=ORIGIN, outer_origin=ORIGIN, checks=checks)
    return SimpleNamespace(
        **dict.fromkeys(("gateway", "oss", "sts", "wechat", "playground", "business", "green"), server),
        archive=SimpleNamespace(origin=ORIGIN, outer_origin="http://127.0.0.1:9006"),
        push=PushSettings(f"{ORIGIN}/wechat-events", "a-token", "a-key"),
        caller_auth=caller_auth,
        deployment=SimpleNamespace(settings={}, callers=SAMPLES if caller_auth == "several" else {}),
        platforms=dict.fromkeys(("wechat", "alipay", "douyin"), server),
        profiles={"avatar": {"key": "a/{id}", "max_size": "2MiB", "content_types": ["image/png"]}},
        business_token=lambda subject: "a.b.c",
    )


def shown(cloud):
    stream = io.StringIO()
    show_cloud(cloud, Screen(stream, {}), Plan(port=9000))
    return stream.getvalue()


def test_the_screen_names_addresses_profiles_and_how_to_go_on():
    cloud = a_cloud()
    cloud.profiles["post"] = {"title": "晒单", "key": "p/{filename}", "max_size": 1}
    text = shown(cloud)
    for part in (ORIGIN, "avatar", "2MiB", "image/png", "Ctrl-C", "curl", "docs/deploy.md", "不校验合法域名"):
        assert part in text
    assert {APP_ID, APP_SECRET, "miniprogram/example"} <= set(text.split()) and "config.js" not in text
    assert [line.split() for line in text.splitlines() if "晒单 " in line] == [["post", "晒单", "1", "*/*"]]
    assert f"{ORIGIN}   bucket local-bucket, region cn-hangzhou\n" in text
    assert "http://127.0.0.1:9006   bucket local-archive, region cn-shanghai\n" in text
    assert "CALLER_AUTH=anonymous" in shown(a_cloud("anonymous")) and "CALLER_AUTH" not in text
    cloud.gateway = SimpleNamespace(outer_origin="http://192.168.1.5:9000")
    assert "miniprogram/example, config.js: 'http://192.168.1.5:9000'" in shown(cloud)


@pytest.mark.parametrize("caller_auth", ["alipay", "douyin"])
def test_the_screen_names_the_example_of_the_platform_that_logs_in(caller_auth):
    said = "\n".join(next_lines(a_cloud(caller_auth)))
    assert f"miniprogram/examples/{caller_auth}" in said and "WeChat" not in said


def test_the_screen_shows_the_message_push_as_the_console_has_it():
    words = set(shown(a_cloud()).split())
    assert {f"{ORIGIN}/wechat-events", "a-token", "a-key"} <= words
    assert "EncodingAESKey" not in shown(a_cloud("jwt"))
    text = shown(a_cloud("several"))
    assert "other-key" not in words and APP_SECRET not in text
    assert {"a-token", "a-key", "other", "other-key", f"{ORIGIN}/wechat-events/2"} <= set(text.split())
    assert all(f"[{name}]" in text for name in SAMPLES) and "[main]" not in shown(a_cloud("alipay"))


@pytest.fixture
def backend():
    """The business's own backend: its address, the bodies it got, and an event for the first."""
    got, came = [], threading.Event()

    class Backend(Handler):
        def do_POST(self):  # noqa: N802
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200)
            came.set()

    server = Server(Backend).start()
    yield f"{server.origin}/uploaded", got, came
    server.stop()


def served(*options, port=0):
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "serve", "--json", "--demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PORT": str(port)},
    )


def upload_an_avatar(addresses):
    with requests.Session() as session:
        session.trust_env = False
        function = addresses["function"]
        token = session.post(f"{function}/login", json={"code": "local-me"}, timeout=60).json()["token"]
        wanted = {"profile": "avatar", "filename": "a.png"}
        bearer = {"Authorization": f"Bearer {token}"}
        form = session.post(f"{function}/upload-params", json=wanted, headers=bearer, timeout=60).json()
        parts = [(name, (None, value)) for name, value in form["formData"].items()]
        session.post(form["url"], files=[*parts, ("file", ("a.png", b"x", "image/png"))], timeout=60)


def test_receipts_reach_a_backend_of_ones_own_that_can_verify_them(backend):
    address, got, came = backend
    secret = "a-secret-of-my-own-backend-0123456789"
    # A port that is taken is stepped over, and said.
    taken = address.partition("//")[2].partition("/")[0].partition(":")[2]
    with served("--token-secret", secret, "--webhook", address, port=taken) as process:
        try:
            addresses = json.loads(process.stdout.readline())
            upload_an_avatar(addresses)
            assert came.wait(600), "no webhook came"
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=600)
    receipt = json.loads(got[0])["receipt"]
    claims = jwt.decode(receipt, secret, algorithms=["HS256"], audience=RECEIPT)
    assert claims["profile"] == "avatar"
    assert secret not in "".join(said)
    assert f"Port {taken} " in said[1] and addresses["function"] in said[1]


@pytest.mark.parametrize("caller_auth", CALLER_KINDS)
def test_the_example_commands_ask_for_a_form_as_this_cloud_wants_it(caller_auth):
    *first, last = example_lines(a_cloud(caller_auth))
    words = shlex.split(last)
    assert words[:3] == ["curl", "-s", f"{ORIGIN}/upload-params"]
    assert json.loads(words[-1])["profile"] == "avatar"
    assert ("Authorization: Bearer $TOKEN" in words) is (caller_auth != "anonymous")
    assert [line.split("=")[0] for line in first] == ([] if caller_auth == "anonymous" else ["TOKEN"])
    assert ('"app":' in "".join(first)) is (caller_auth == "several")
