"""
The tutorial's chapter on deployment, line by line: its files pass the check, the function runs with them.

The chapters before it are run by ``miniprogram/test/tutorial.test.js``.
"""

import re
import shutil
import subprocess
import time
from contextlib import ExitStack
from functools import partial

import pytest
import requests

from function.context import HOOKS_FILE
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from local.profiles import read_profiles
from local.wechat.push import PushSettings
from manage import main
from ops.deploy.env_file import read_env_file
from ops.run.hosting import Hosted
from tests.docs.markdown import ROOT, both, code_blocks, page

NAMES = both("docs/tutorial.md")
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
PATIENCE_SECONDS = 60
KEYS = ("AccountID", "AccessKeyID", "AccessKeySecret")
SECRETS = ("TOKEN_SECRET", "RECEIPT_SECRET", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")
OF_A_CLONE = ("s.yaml", ".env.example", "handler.py")


def chapter(name):
    """The chapter on deployment, with the reader's own names."""
    text = re.split(r"^## (?:Deploy|部署)$", page(name), flags=re.M)[1]
    return re.sub("|".join(OWN), lambda printed: OWN[printed[0]], text)


def lines_with(name, start):
    """The printed commands of one block, from the line that begins so."""
    blocks = [code for kind, code in code_blocks(chapter(name)) if kind == "sh"]
    (code,) = [code for code in blocks if f"\n{start}" in f"\n{code}"]
    return code[code.index(start) :].strip()


@pytest.fixture(params=NAMES)
def clone(request, tmp_path, monkeypatch):
    """A clone of somebody who has come to this chapter, and has done what it says up to the deployment."""
    for name in OF_A_CLONE:
        shutil.copyfile(ROOT / name, tmp_path / name)
    shutil.copyfile(ROOT / "profiles.example.toml", tmp_path / "profiles.toml")
    ((_, added),) = [block for block in code_blocks(page(request.param)) if block[0] == "toml"]
    with (tmp_path / "profiles.toml").open("a", encoding="utf-8") as file:
        file.write(added)
    ((_, written),) = [block for block in code_blocks(chapter(request.param)) if block[0] == "ini"]
    (tmp_path / ".env").write_text(written, "utf-8")
    secrets = lines_with(request.param, 'python3 -c "import secrets')
    subprocess.run(["bash", "-euc", secrets], cwd=tmp_path, timeout=600, check=True)
    exported = lines_with(request.param, "export ").splitlines()[0]
    for name, value in re.findall(r"(\w+)=(\S+)", exported):
        monkeypatch.setenv(name, value)
    assert all(name in exported for name in KEYS)
    return request.param, tmp_path


def test_setup_makes_the_roles_and_the_bucket_of_the_printed_settings(clone, capfd):
    name, folder = clone
    _, packages, command, last = lines_with(name, "export ").splitlines()
    assert [packages, last] == ["make setup", "make deploy"]
    offline = ["--dry-run", "--profiles", str(folder / "profiles.toml"), "--env-file", str(folder / ".env")]
    assert main([*command.split()[2:], *offline]) == 0
    printed = capfd.readouterr().out
    env = read_env_file(folder / ".env").values
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
    _, folder = clone
    assert main(["check-deploy", "--for-deploy", str(folder / "s.yaml")]) == 0, capfd.readouterr().err
    tool = folder / "s"
    tool.write_text(TOOL, "utf-8")
    tool.chmod(0o755)
    assert main(["deploy", str(folder / "s.yaml"), "--tool", str(tool)]) == 0
    calls = (folder / "calls").read_text("utf-8").splitlines()
    steps = [call.partition(" -")[0] for call in calls if "-o raw" not in call]
    assert steps == ["verify", "deploy", "version publish", "alias publish", "deploy"]


def test_printed_names_that_were_not_replaced_are_not_deployed(clone, capfd):
    _, folder = clone
    text = (folder / ".env").read_text("utf-8")
    for printed, own in OWN.items():
        text = text.replace(own, printed)
    (folder / ".env").write_text(text, "utf-8")
    assert main(["check-deploy", "--for-deploy", str(folder / "s.yaml")]) == 1
    named = re.findall(r"^error: \S+ (\w+)", capfd.readouterr().err, flags=re.M)
    assert named == ["OSS_BUCKET", "STS_ROLE_ARN", "WECHAT_APPID", "OSS_HOST", "AccountID"]


@pytest.fixture
def deployed(clone, monkeypatch):
    """The function with these profiles and secrets, as they would be deployed, among local services."""
    name, folder = clone
    env = read_env_file(folder / ".env").values
    secrets = {setting: env[setting] for setting in (*SECRETS, "STS_SESSION_SECONDS")}
    push = partial(PushSettings, token=env["WECHAT_PUSH_TOKEN"], aes_key=env["WECHAT_PUSH_AES_KEY"])
    monkeypatch.setattr("local.cloud.PushSettings", lambda url, *_: push(url))
    hosted = Hosted()
    with ExitStack() as stack:
        gateway = FcGateway(hosted.handle, hosted.initialize)
        stack.callback(gateway.stop)
        hosted.cloud = stack.enter_context(LocalCloud(gateway, folder / "objects", extra_settings=secrets))
        deployment = hosted.cloud.prepare(env["CALLER_AUTH"], read_profiles(folder / "profiles.toml"), {})
        hosted.deploy(deployment, folder / HOOKS_FILE.name)
        gateway.start()
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        session.put(f"{hosted.cloud.wechat.origin}/-/check", json={"delay": 0}, timeout=60)
        yield name, folder, hosted.cloud, session


def start_backend(name, folder, function):
    """Run the printed command, and read the address that its program listens at."""
    ((_, program),) = [block for block in code_blocks(page(name)) if "createServer" in block[1]]
    program = program.replace(".listen(PORT)", ".listen(0, function () { console.log(this.address().port) })")
    (folder / "docs").symlink_to(ROOT / "docs")
    (copying,) = [code for kind, code in code_blocks(page(name)) if "cp docs/backends/" in code]
    subprocess.run(["bash", "-euc", copying], cwd=folder, timeout=600, check=True)
    (folder.parent / "my-app-backend/backend.js").write_text(program, "utf-8")
    command = (
        lines_with(name, f"FUNCTION={PRINTED}").replace(PRINTED, function).replace(" node ", " exec node ")
    )
    return subprocess.Popen(["bash", "-c", command], cwd=folder, stdout=subprocess.PIPE, text=True)


def receipt_of(function, session):
    """Of a picture that somebody uploaded."""

    def ask(route, body, token=""):
        answer = session.post(
            f"{function}/{route}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        return answer.json()

    token = ask("login", {"code": "local-somebody"})["token"]
    picture = (ROOT / "tests/playground/picture.png").read_bytes()
    form = ask("upload-params", {"profile": "post", "filename": "a.png", "size": len(picture)}, token)
    session.post(form["url"], data=form["formData"], files={"file": ("a.png", picture)}, timeout=60)
    return ask("confirm", {"ticket": form["ticket"]})["receipt"]


def test_the_backend_publishes_with_the_printed_settings(deployed):
    name, folder, cloud, session = deployed
    function = cloud.gateway.origin
    with start_backend(name, folder, function) as backend:
        try:
            posts = f"http://127.0.0.1:{int(backend.stdout.readline())}/posts"
            receipt = receipt_of(function, session)
            for receipts in ([f"{receipt[:-1]}-"], [receipt, "a.b.c"], []):
                refused = session.post(posts, json={"text": "", "receipts": receipts}, timeout=60)
                assert refused.status_code == 400
            assert session.get(posts, timeout=60).json() == {"posts": []}
            for _ in range(2):
                posted = session.post(posts, json={"text": "", "receipts": [receipt]}, timeout=60)
                assert posted.status_code == 200
            end = time.monotonic() + PATIENCE_SECONDS
            while (states := states_in(session.get(posts, timeout=60))) != [["published"]]:
                assert time.monotonic() < end, states
        finally:
            backend.terminate()


def states_in(answer):
    return [[picture["state"] for picture in post["pictures"]] for post in answer.json()["posts"]]


def test_doctor_finds_the_printed_settings_well(deployed, capfd, monkeypatch):
    name, folder, cloud, _ = deployed
    command = lines_with(name, "python3 manage.py doctor").replace(PRINTED, cloud.gateway.origin).split()[2:]
    for setting, value in cloud.environment().items():
        monkeypatch.setenv(setting, value)
    assert main([*command, "--env-file", str(folder / "none")]) == 0, capfd.readouterr().out
