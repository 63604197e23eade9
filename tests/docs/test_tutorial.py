"""
The tutorial's chapter on deployment, line by line: its files pass the check, the function runs with them.

The chapters before it are run by ``miniprogram/test/tutorial.test.js``.
"""

import argparse
import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from functools import partial

import pytest
import requests

from local.profiles import read_profiles
from local.wechat.push import PushSettings
from manage import main
from ops.deploy.env_file import read_env_file
from ops.deploy.init import Asking, add_arguments, run
from tests.docs.backends.run import ask, start_cloud, until, upload
from tests.docs.markdown import ROOT, both, code_blocks, page

NAME = "docs/tutorial.md"
PRINTED = "https://upload.example.com"
# The reader's own, in place of what is printed.
OWN = {
    "my-bucket": "photos-of-users",
    "1234567890123456": "1000000000000001",
    "wx0123456789abcdef": "wx00112233445566ff",
    "https://files.example.com": "https://files.mine.example",
    "LTAI5tExample": "LTAI5tMine",
    "ExampleSecret": "MySecret",
}
KEYS = ("AccountID", "AccessKeyID", "AccessKeySecret")
SECRETS = ("TOKEN_SECRET", "RECEIPT_SECRET", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")
OF_A_CLONE = ("s.yaml", ".env.example", "handler.py")


def chapter():
    """The chapter on deployment, with the reader's own names."""
    text = re.split(r"^## Deploy$", page(NAME), flags=re.M)[1]
    return re.sub("|".join(OWN), lambda printed: OWN[printed[0]], text)


def lines_with(start):
    """The printed commands of one block, from the line that begins so."""
    blocks = [code for kind, code in code_blocks(chapter()) if kind == "sh"]
    (code,) = [code for code in blocks if f"\n{start}" in f"\n{code}"]
    return code[code.index(start) :].strip()


def answers(name):
    """What the page answers to the questions of ``make init``."""
    (table,) = re.findall(r"^```sh\nmake init\n```$(.*?)^```sh$", page(name), flags=re.M | re.S)
    return re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", table, flags=re.M)


def init(folder):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    named = zip(("--bucket", "--region", "--appid", "--features"), answers(NAME), strict=True)
    run(parser.parse_args(["--yes", *(part for pair in named for part in pair)]), Asking(folder, {}))


def test_both_languages_answer_the_same():
    first, second = map(answers, both(NAME))
    assert first == second


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of somebody who has come to this chapter, and has done what it says up to the deployment."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in OF_A_CLONE:
        shutil.copyfile(ROOT / name, folder / name)
    init(folder)
    ((_, written),) = [block for block in code_blocks(chapter()) if block[0] == "ini"]
    names = {line.partition("=")[0] for line in written.splitlines()}
    kept = [
        line
        for line in (folder / ".env").read_text("utf-8").splitlines(keepends=True)
        if line.partition("=")[0] not in names
    ]
    (folder / ".env").write_text("".join(kept) + written, "utf-8")
    exported = lines_with("export ").splitlines()[0]
    for name, value in re.findall(r"(\w+)=(\S+)", exported):
        monkeypatch.setenv(name, value)
    assert all(name in exported for name in KEYS)
    return folder


def test_setup_makes_the_roles_and_the_bucket_of_the_printed_settings(clone, capfd, monkeypatch):
    _, packages, command, last = lines_with("export ").splitlines()
    assert [packages, last] == ["make setup", "make deploy"]
    monkeypatch.setenv("PROFILES_FILE", str(clone / "profiles.toml"))
    assert main([*command.split()[2:], "--dry-run", "--env-file", str(clone / ".env")]) == 0
    printed = capfd.readouterr().out
    env = read_env_file(clone / ".env").values
    names = ("OSS_BUCKET", "OSS_REGION", "STS_ROLE_ARN")
    assert [name for name in names if f"{name}={env[name]}" not in printed] == []
    assert env["STS_SESSION_SECONDS"] in printed


TOOL = """#!/bin/sh
echo "$@" >> calls
case "$*" in
    "alias publish"*) touch live ;;
    "alias list"*) [ -f live ] && echo '[{"aliasName": "live", "versionId": "1"}]' || echo '[]' ;;
    "version list"*) echo '[{"versionId": "1"}]' ;;
    info*) echo '{"triggers": []}' ;;
esac
"""


def test_make_deploy_takes_the_printed_settings(clone, capfd):
    assert main(["check-deploy", "--for-deploy", str(clone / "s.yaml")]) == 0, capfd.readouterr().err
    tool = clone / "s"
    tool.write_text(TOOL, "utf-8")
    tool.chmod(0o755)
    assert main(["deploy", str(clone / "s.yaml"), "--tool", str(tool)]) == 0
    calls = (clone / "calls").read_text("utf-8").splitlines()
    steps = [call.partition(" -")[0] for call in calls if "-o raw" not in call]
    assert steps == ["verify", "deploy", "version publish", "alias publish", "deploy"]


def test_printed_names_that_were_not_replaced_are_not_deployed(clone, capfd):
    text = (clone / ".env").read_text("utf-8")
    for printed, own in OWN.items():
        text = text.replace(own, printed)
    (clone / ".env").write_text(text, "utf-8")
    assert main(["check-deploy", "--for-deploy", str(clone / "s.yaml")]) == 1
    named = re.findall(r"^error: \S+ (\w+)", capfd.readouterr().err, flags=re.M)
    assert named == ["OSS_BUCKET", "STS_ROLE_ARN", "WECHAT_APPID", "OSS_HOST", "AccountID"]


@pytest.fixture
def deployed(clone, monkeypatch):
    """The function with these profiles and secrets, as they would be deployed, among local services."""
    env = read_env_file(clone / ".env").values
    secrets = {setting: env[setting] for setting in (*SECRETS, "STS_SESSION_SECONDS")}
    assert env["UPLOAD_WEBHOOK_URL"].endswith("/webhook")
    push = partial(PushSettings, token=env["WECHAT_PUSH_TOKEN"], aes_key=env["WECHAT_PUSH_AES_KEY"])
    monkeypatch.setattr("local.callers.PushSettings", lambda url, *_: push(url))
    with ExitStack() as stack:
        profiles = read_profiles(clone / "profiles.toml")
        yield clone, *start_cloud(stack, clone, env["CALLER_AUTH"], profiles, **secrets)


def start_backend(folder, function, port):
    """Run the printed command."""
    (folder / "docs").symlink_to(ROOT / "docs")
    (copying,) = [code for kind, code in code_blocks(page(NAME)) if "cp docs/backends/" in code]
    subprocess.run(["bash", "-euc", copying], cwd=folder, timeout=600, check=True)
    command = lines_with(f"FUNCTION={PRINTED}").replace(PRINTED, function).replace(" node ", " exec node ")
    return subprocess.Popen(["bash", "-c", command], cwd=folder, env={**os.environ, "PORT": str(port)})


def test_the_backend_publishes_with_the_printed_settings(deployed):
    folder, cloud, session, port = deployed
    posts = f"http://127.0.0.1:{port}/posts"
    with start_backend(folder, cloud.gateway.origin, port) as backend:
        try:
            until(lambda: states_in(session, posts) == [])
            function = session, cloud.gateway.origin
            token = ask(*function, "login", {"code": "local-somebody"})["token"]
            receipt = upload(*function, token, (ROOT / "tests/playground/picture.png").read_bytes())
            headers = {"Authorization": f"Bearer {token}"}
            body = {"text": "", "receipts": [receipt]}
            assert session.post(posts, json=body, headers=headers, timeout=60).status_code == 200
            until(lambda: states_in(session, posts) == [["published"]])
        finally:
            backend.terminate()


def states_in(session, posts):
    try:
        answer = session.get(posts, timeout=60).json()
    except requests.ConnectionError:
        return None
    return [[picture["state"] for picture in post["pictures"]] for post in answer["posts"]]


def test_doctor_finds_the_printed_settings_well(deployed, capfd, monkeypatch):
    folder, cloud, *_ = deployed
    command = lines_with("python3 manage.py doctor").replace(PRINTED, cloud.gateway.origin).split()[2:]
    for setting, value in cloud.environment().items():
        monkeypatch.setenv(setting, value)
    assert main([*command, "--env-file", str(folder / "none" / ".env")]) == 0, capfd.readouterr().out
