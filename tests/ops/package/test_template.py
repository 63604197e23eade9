"""``manage.py template``: what ``s init`` gets, made from this repository alone."""

import argparse
import re
import subprocess
import zipfile

import pytest
import yaml

from function import VERSION
from ops.deploy import init
from ops.deploy.features import FEATURES
from ops.deploy.new_files import CALLER_KINDS
from ops.package import template
from ops.package.function_files import PackagingError
from ops.terminal.command_line import run_command
from tests.ops.words import chinese_in

UNTRACKED = (
    ".env.production",
    "private.key",
    "profiles.toml",
    "hooks.py",
    "deploy/template/hook/private.key",
)
# Where secrets usually are, and files beside them that a clone has.
SECRET = """
.env .env.production docs/.env.local private.wx0123456789abcdef.key certs/server.key certs/server.pem
certs/client.p12 certs/client.pfx AccessKey.csv id_rsa id_ed25519 .netrc .pypirc list.txt.done
deploy/terraform/terraform.tfvars deploy/terraform/terraform.tfstate deploy/terraform/terraform.tfstate.backup
""".split()
SHARED = (
    *(".env.example", ".npmrc", "tests/keys/rsa.pem", "function/config/jwt_key.py"),
    # `manage.py types --check` in CI could not find what git leaves out.
    "profiles.d.ts",
    *("profiles.example.toml", "local/demo/profiles.toml", "function/uploads/before_sign_hook.py"),
)
# Of the operator: no upgrade may touch them.
OWN = ("profiles.toml", "hooks.py", "callers.toml", "s.own.yaml")


def clone_with(folder, **changed):
    """The fewest files of a repository that a template is made from."""
    files = {
        "deploy/template/publish.yaml": "Name: oss-direct-upload\nVersion: 0.0.0\n",
        "deploy/template/hook/index.js": "module.exports = {}\n",
        "CHANGELOG.md": "# Changelog\n",
        ".env.example": "TOKEN_SECRET=\n",
        ".gitignore": "build/\n.env\n",
        "handler.py": "",
        "quality/bench/__main__.py": "",
        "quality/bench/results/table.md": "",
        "quality/suite.py": "",
        "quality/targets.mk": "",
        "tests/test_house.py": "",
        "tests/test_handler.py": "",
        "build/function/handler.py": "",
        ".env": "TOKEN_SECRET=of-mine\n",
        **changed,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    # Tracked, and what it leads to is not.
    (folder / "link").symlink_to(".env")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "All"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    for name in UNTRACKED:
        (folder / name).write_text("SECRET=of-mine\n", "utf-8")
    return folder


def test_the_zip_has_the_project_in_src_and_none_of_its_secrets_or_builds(tmp_path):
    target, again = tmp_path / "made" / "template.zip", tmp_path / "again.zip"
    clone = clone_with(tmp_path / "clone", **{"图.md": "committed\n"})
    for name in ("图.md", "handler.py", "new.md"):
        (clone / name).write_text("SECRET=of-mine\n", "utf-8")
    (clone / "tests/test_handler.py").unlink()
    subprocess.run(["git", "add", "new.md", "handler.py"], cwd=clone, check=True)
    count = template.build(clone, target)
    assert template.build(clone, again) == count and again.read_bytes() == target.read_bytes()
    with zipfile.ZipFile(target) as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    about = "publish.yaml hook/index.js version.md"
    project = ".env.example .gitignore CHANGELOG.md handler.py 图.md tests/test_handler.py"
    project += " deploy/template/publish.yaml deploy/template/hook/index.js"
    # `make test`, and the figures that the pages show; what measures stays behind.
    project += " quality/suite.py quality/bench/results/table.md"
    assert {*texts} == {*about.split(), *(f"src/{name}" for name in project.split())} and len(texts) == count
    assert f"Version: {VERSION}\n" in texts["publish.yaml"].decode() and texts["src/图.md"] == b"committed\n"
    assert not [name for name, text in texts.items() if b"of-mine" in text]


def test_callers_that_git_tracks_are_in_no_template(tmp_path):
    clone = clone_with(tmp_path / "clone", **{"callers.toml": ""})
    with pytest.raises(PackagingError, match="callers.toml"):
        template.build(clone, tmp_path / "template.zip")


def test_the_template_command_fails_where_git_tracks_nothing(monkeypatch, tmp_path, capsys):
    clone = clone_with(tmp_path / "clone")
    (clone / ".git").rename(tmp_path / "elsewhere")
    monkeypatch.setattr(template, "ROOT", clone)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    asked = argparse.Namespace(output=tmp_path / "template.zip", lang="en")
    assert run_command(template.run, asked) == 1
    assert "git" in capsys.readouterr().err


def test_the_tool_asks_in_chinese_what_init_asks_and_takes_the_same_shapes():
    text = (template.ROOT / "deploy/template" / "publish.yaml").read_text("utf-8")
    assert text.splitlines().count(template.VERSION_LINE) == 1
    publish = yaml.safe_load(text)
    questions = publish["Parameters"]["properties"]
    hook = (template.ROOT / "deploy/template/hook/index.js").read_text("utf-8")
    assert all(name in hook and chinese_in(each["description"]) for name, each in questions.items())
    assert [name for name, each in questions.items() if each["type"] == "secret"] == ["WECHAT_SECRET"]
    # Without an answer a secret is filled in later, and the language is Chinese.
    assert {*questions} - {*publish["Parameters"]["required"]} == {"LANGUAGE", "WECHAT_SECRET"}
    assert questions["CALLER_AUTH"]["enum"] == [each for each in CALLER_KINDS if each != "several"]
    names = {"OSS_BUCKET": "bucket", "OSS_REGION": "region", "WECHAT_APPID": "appid"}
    shapes = {name: f"^{init.SHAPES[shape]}$" for name, shape in names.items()}
    shapes["WECHAT_SECRET"] = f"^{init.APP_SECRET}$"
    assert {name: questions[name]["pattern"] for name in shapes} == shapes
    features = questions["FEATURES"]
    assert features["default"] == init.USUAL_FEATURES
    known = [*FEATURES, *(each.title.zh for each in FEATURES.values()), "图片"]
    for text in (*known, "、".join(known), ", ".join(known), "all", "avatarvideo", "avatar,all", "checks"):
        assert bool(re.search(features["pattern"], text)) is (init._features(text) is not None), text


@pytest.mark.parametrize(("names", "ignored"), [
    (SECRET, {*SECRET}), (OWN, {*OWN}), (SHARED, set()),
], ids=["secret", "own", "shared"])  # fmt: skip
def test_git_ignores_the_usual_secrets_alone(names, ignored, tmp_path):
    (tmp_path / ".gitignore").write_bytes((template.ROOT / ".gitignore").read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = subprocess.run(["git", "check-ignore", *names], cwd=tmp_path, capture_output=True, text=True)
    assert {*done.stdout.split()} == ignored
