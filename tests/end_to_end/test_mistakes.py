"""Mistakes of a first evening: each ends with one sentence that names the cause and the remedy."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import requests

from function.config import settings
from manage import main
from ops.explain.advice import find_advice
from ops.terminal.command_line import speak
from tests.ops.words import chinese_in, english_in

PROJECT = Path(__file__).resolve().parents[2]
TABLES = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text("utf-8"))
ENV, ON_THE_LOCAL_CLOUD, REQUESTS = (
    TABLES.pop(name) for name in ("right", "on the local cloud", "a request")
)
MISTAKES = {
    case: {"command": command, **row} for command, rows in TABLES.items() for case, row in rows.items()
}
ANONYMOUS = (
    "<Error><Code>AccessDenied</Code>"
    "<Message>You have no right to access this object because of bucket acl.</Message>"
    "<RequestId>6746C2E5A6B4C53030D6F6A4</RequestId><HostId>b.oss-cn-hangzhou.aliyuncs.com</HostId>"
    "<EC>0003-00000001</EC></Error>"
)
PATIENCE_SECONDS = 600
# Their process is theirs: environment and logging are replaced.
GIVEN_OVER = ("demo", "serve")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """The addresses of a local cloud that runs for all of them; its own port was busy."""
    log = tmp_path_factory.mktemp("cloud") / "log"
    with socket.create_server(("127.0.0.1", 0)) as taken, log.open("w") as errors:
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--json", "--demo", "--lang", "en"],
            cwd=PROJECT,
            env={**os.environ, "PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        yield {**json.loads(process.stdout.readline()), "taken": str(port), "log": str(log)}
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


def make_place(here, mistake, cloud):
    for name in ("s.yaml", ".env.example", "handler.py"):
        shutil.copyfile(PROJECT / name, here / name)
    if "s_yaml" in mistake:
        text = (here / "s.yaml").read_text("utf-8")
        assert mistake["s_yaml"][0] in text
        (here / "s.yaml").write_text(text.replace(*mistake["s_yaml"]), "utf-8")
    (here / ".env").write_bytes(env_file_of(here, mistake, cloud))
    (here / "profiles.toml").write_text(mistake.get("profiles", ""), "utf-8")
    (here / "pasted.xml").write_text(ANONYMOUS, "utf-8")
    (here / "nothing.txt").write_text("hello", "utf-8")


def env_file_of(here, mistake, cloud):
    if "env_file_hex" in mistake:
        return bytes.fromhex(mistake["env_file_hex"])
    if "from_example" in mistake:
        return (PROJECT / ".env.example").read_text("utf-8").replace(*mistake["from_example"]).encode()
    values = {**ENV, **(ON_THE_LOCAL_CLOUD if mistake.get("is_local") else {}), **mistake.get("env", {})}
    lines = (f"{name}={value}\n" for name, value in values.items() if name not in mistake.get("unset", ()))
    return (mistake.get("env_file") or "".join(lines).format(here=here, **cloud)).encode()


@pytest.fixture
def ended(tmp_path, cloud, monkeypatch, capfd):
    """Run the command of a mistake: its code, and all that it prints."""

    def run(mistake, language):
        make_place(tmp_path, mistake, cloud)
        command, *options = mistake["command"].format(here=tmp_path, **cloud).split()
        words = ["--lang", language, command, *options]
        kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "*", "COLUMNS": "400"}
        if command in GIVEN_OVER:
            return in_a_process(words, {**kept, **mistake.get("shell", {})})
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in {**kept, **mistake.get("shell", {})}.items():
            monkeypatch.setenv(name, value)
        if "profiles" in mistake and command == "check-deploy":
            monkeypatch.setattr(settings, "DEFAULT_PROFILES_FILE", tmp_path / "profiles.toml")
        if "python" in mistake:
            monkeypatch.setattr(sys, "version_info", (3, 8, 10))
            monkeypatch.setattr(sys, "version", "3.8.10 (default)")
        monkeypatch.setattr(sys, "argv", ["manage.py", *words])
        code = in_this_process(words)
        return code, "".join(capfd.readouterr())

    yield run
    speak("en")


def in_this_process(words):
    try:
        return main(words)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code)
        return end.code if isinstance(end.code, int) else 1


def in_a_process(words, environ):
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def in_languages():
    """Both for each mistake; a process of its own is begun for one."""
    for case, mistake in MISTAKES.items():
        yield from (
            [(case, "zh")] if mistake["command"].startswith(GIVEN_OVER) else [(case, "en"), (case, "zh")]
        )


@pytest.mark.parametrize(("case", "language"), [*in_languages()])
def test_a_mistake_is_reported_with_its_cause_and_remedy(case, language, tmp_path, ended):
    mistake = MISTAKES[case]
    code, printed = ended(mistake, language)
    assert code == mistake.get("code", 0 if "silent" in mistake else 1), printed
    for name in mistake.get("names", ()):
        assert name.format(here=tmp_path) in printed
    strangers = english_in if language == "zh" else chinese_in
    lines = [line for line in printed.splitlines() if not line.startswith(("用法：", "usage: "))]
    assert [line for line in lines if strangers(line.replace(str(tmp_path), "·"))] == []
    assert "Traceback" not in printed
    assert bool(chinese_in(printed.replace(str(tmp_path), "·"))) == (language == "zh")


@pytest.mark.parametrize("case", REQUESTS)
def test_a_wrong_request_is_answered_by_a_code_and_a_sentence_that_names_the_field(case, cloud):
    mistake, function = REQUESTS[case], cloud["function"]
    with requests.Session() as session:
        session.trust_env = False
        login = session.post(
            f"{function}/login",
            json={"code": f"local-{list(REQUESTS).index(case)}"},
            timeout=PATIENCE_SECONDS,
        )
        token = mistake.get("token", login.json()["token"])
        route, body = mistake["request"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = session.post(f"{function}/{route}", json=body, headers=headers, timeout=PATIENCE_SECONDS)
    if "silent" in mistake:
        assert answer.status_code == 200
        return
    error = answer.json()["error"]
    assert error["code"] == mistake["error"] and error["message"].endswith(".")
    assert all(name in error["message"] for name in mistake.get("names", ()))
    assert find_advice(error["code"])


def test_a_busy_port_is_named_with_the_address_that_took_its_place(cloud):
    (warning,) = [line for line in Path(cloud["log"]).read_text("utf-8").splitlines() if "config.js" in line]
    assert cloud["taken"] in warning and cloud["function"] in warning


def test_each_mistake_is_answered_or_silent_for_a_reason():
    assert len(MISTAKES) >= 100
    for case, mistake in {**MISTAKES, **REQUESTS}.items():
        answered = {"names", "error"} & set(mistake)
        assert bool(answered) != bool(mistake.get("silent")), case


def test_a_file_from_notepad_is_no_mistake(ended):
    """It begins with a mark, which the deployment tool reads over."""
    lines = "".join(f"{name}={value}\r\n" for name, value in ENV.items())
    right = {"command": "check-deploy {here}/s.yaml", "env_file": f"\ufeff{lines}"}
    assert ended(right, "en")[0] == 0
