"""``manage.py demo`` and ``manage.py serve`` as a user starts them, in a shell that is set against them."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import fc2
import pytest
import requests

from tests.support.cases import table_beside

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 600
# Each of these would break the run if it reached the function or the client.
HOSTILE = table_beside(__file__)["HOSTILE"]


def hostile_shell(folder):
    """The environment of the commands; temporary folders go under ``folder / "tmp"``."""
    (folder / "tmp").mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **HOSTILE, "TMPDIR": str(folder / "tmp"), "PYTHONWARNINGS": "error"}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    # For the fc2 client, which runs in this process.
    monkeypatch.setenv("NO_PROXY", "*")
    return hostile_shell(tmp_path)


def run_command(shell, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT, env=shell, capture_output=True, encoding="utf-8", timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A demo that needs no shell of its own, once for all that look at it: how it ended, and what it left."""

    @cache
    def play(language):
        shell = hostile_shell(tmp_path_factory.mktemp("shell"))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            shell["PORT"] = str(taken.getsockname()[1])
            demo = run_command(shell, "demo", "--lang", language)
        return demo, left_behind(shell), int(shell["PORT"])

    return play


@contextlib.contextmanager
def serving(shell, *arguments, folder=PROJECT):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=folder,
        env=shell,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)


def left_behind(shell):
    return list(Path(shell["TMPDIR"]).iterdir())


def test_the_demo_uploads_one_file_whatever_the_shell_holds(played):
    """Its port is that of the shell, or another near it where that one is taken."""
    demo, left, port = played("en")
    assert (demo.returncode, demo.stderr) == (0, "")
    steps = [line.split()[0] for line in demo.stdout.splitlines() if re.match(r"\d+/10 ", line)]
    assert steps == [f"{step}/10" for step in range(1, 11)]
    assert "local/demo/profiles.toml" in demo.stdout.splitlines()[0]
    assert "every one the same" in demo.stdout
    assert "with a receipt" in demo.stdout
    assert "\x1b" not in demo.stdout
    assert "local-function-key-secret" not in demo.stdout
    assert left == []
    function = demo.stdout.splitlines()[2].split()[1]
    assert port < int(function.rpartition(":")[2]) < port + 50


@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_demo_output_matches_the_readme_of_its_language(played, readme, language):
    shown = (PROJECT / readme).read_text("utf-8").partition("```\n3/10 ")[2].partition("```")[0]
    demo, *_ = played(language)
    printed = [words_of(line) for line in demo.stdout.splitlines()]
    lines = [words_of(line) for line in f"3/10 {shown}".splitlines() if line.strip() != "…"]
    assert lines and [line for line in lines if line not in printed] == []


def words_of(line):
    """A line without what differs from run to run: addresses, keys and numbers."""
    line = re.sub(r"http://\S+|avatars/\S+ ", "·", line)
    return re.sub(r"\d+", "0", re.sub(r"\s+", " ", line)).strip()


def test_serve_prints_one_json_line_answers_and_ends_cleanly(shell, bare):
    with serving({**shell, "PORT": "0"}, "--json", folder=bare) as serve:
        addresses = json.loads(serve.stdout.readline())
        assert set(addresses) == {
            "function", "functionFc2", "sts", "oss", "wechat", "alipay", "douyin", "playground", "business",
            "green", "bucket", "region", "roleArn", "accessKeyId", "accessKeySecret", "appId", "buckets",
        }  # fmt: skip
        answers_by_both_contracts(addresses)
        serve.send_signal(signal.SIGINT)
        rest, log = serve.communicate(timeout=PATIENCE_SECONDS)
    assert (serve.returncode, rest) == (0, "")
    own, *lines = log.splitlines()
    assert "profiles.example.toml" in own
    lines = [json.loads(line) for line in lines]
    assert [line["route"] for line in lines] == ["login", "upload-params", "upload-params", "health"]
    assert left_behind(shell) == []


def answers_by_both_contracts(addresses):
    with requests.Session() as session:
        session.trust_env = False
        login = session.post(f"{addresses['function']}/login", json={"code": "local-someone"}, timeout=60)
        token = login.json()["token"]
        wanted = {"profile": "avatar", "filename": "a.png"}
        headers = {"Authorization": f"Bearer {token}"}
        form = session.post(
            f"{addresses['function']}/upload-params", json=wanted, headers=headers, timeout=60
        )
        assert form.json()["url"] == addresses["oss"]
        client = fc2.Client(
            endpoint=addresses["functionFc2"],
            accessKeyID=addresses["accessKeyId"],
            accessKeySecret=addresses["accessKeySecret"],
        )
        told = ("service", "function", "/upload-params", {"X-Upload-Token": token}, None, json.dumps(wanted))
        answer = client.do_http_request("POST", *told)
        assert (answer.status_code, answer.json()["formData"].keys()) == (200, form.json()["formData"].keys())
        health = session.get(f"{addresses['function']}/any/prefix/health", timeout=60)
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        config = session.get(f"{addresses['playground']}/config.json", timeout=60).json()
        assert config["function"] == addresses["function"]


def test_serve_runs_the_samples_uploads_nothing_by_itself_and_makes_the_folder(shell, tmp_path):
    folder = tmp_path / "objects"
    with serving({**shell, "PORT": "0"}, "--demo", "--folder", str(folder)) as serve:
        printed = ""
        while "Ctrl-C" not in printed:
            line = serve.stdout.readline()
            assert line, serve.stderr.read()
            printed += line
        serve.send_signal(signal.SIGTERM)
        rest, log = serve.communicate(timeout=PATIENCE_SECONDS)
    assert serve.returncode == 0
    assert "Stopped" in rest
    assert log == ""
    assert "local/demo/profiles.toml" in printed.splitlines()[0]
    assert not re.search(r"\d+/10 ", printed)
    assert folder.is_dir() and not any(file.is_file() for file in folder.rglob("*"))
    assert left_behind(shell) == []


def test_serve_survives_a_closed_stdout(shell, bare):
    with serving({**shell, "PORT": "0"}, folder=bare) as serve:
        origin = "".join(serve.stdout.readline() for _ in range(4))
        serve.stdout.close()
        origin = next(word for word in origin.split() if word.startswith("http://"))
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(f"{origin}/health", timeout=60).status_code == 200
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(timeout=PATIENCE_SECONDS) == 0
        assert "Traceback" not in serve.stderr.read()
        serve.stdout = None
