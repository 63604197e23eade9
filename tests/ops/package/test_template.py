"""``manage.py template``: what ``s init`` gets, made from this repository alone."""

import argparse
import subprocess
import zipfile

import pytest
import yaml

from function import VERSION
from ops.package import template
from ops.package.function_files import PackagingError
from tests.ops.words import in_english

UNTRACKED = (".env.production", "private.key", "hooks.py", "deploy/template/hook/private.key")
# Where secrets usually are, and files beside them that a clone has.
SECRET = (
    ".env",
    ".env.production",
    "docs/.env.local",
    "private.wx0123456789abcdef.key",
    "certs/server.key",
    "certs/server.pem",
    "certs/client.p12",
    "certs/client.pfx",
    "AccessKey.csv",
    "id_rsa",
    "id_ed25519",
    ".netrc",
    ".pypirc",
    "deploy/terraform/terraform.tfvars",
    "deploy/terraform/terraform.tfstate",
    "deploy/terraform/terraform.tfstate.backup",
)
SHARED = (".env.example", ".npmrc", "tests/keys/rsa.pem", "hooks.py", "function/config/jwt_key.py")


def clone_with(folder, **changed):
    """The fewest files of a repository that a template is made from."""
    files = {
        "deploy/template/publish.yaml": "Name: oss-direct-upload\nVersion: 0.0.0\n",
        "deploy/template/hook/index.js": "module.exports = {}\n",
        "CHANGELOG.md": "# Changelog\n",
        ".env.example": "".join(f"{line}\n" for line in (*template.ANSWERED, "TOKEN_SECRET=")),
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
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    # Tracked, and what it leads to is not.
    (folder / "link").symlink_to(".env")
    subprocess.run(["git", "add", "link"], cwd=folder, check=True)
    for name in UNTRACKED:
        (folder / name).write_text("SECRET=of-mine\n", "utf-8")
    return folder


def test_the_zip_has_the_project_in_src_and_none_of_its_secrets_or_builds(tmp_path):
    target = tmp_path / "made" / "template.zip"
    count = template.build(clone_with(tmp_path / "clone"), target)
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
        env = archive.read("src/.env").decode()
        publish = archive.read("publish.yaml").decode()
    assert len(names) == count
    assert names == {
        "publish.yaml",
        "hook/index.js",
        "version.md",
        "src/.env",
        "src/.env.example",
        "src/.gitignore",
        "src/CHANGELOG.md",
        "src/handler.py",
        "src/deploy/template/publish.yaml",
        "src/deploy/template/hook/index.js",
        # `make test`, and the figures that the pages show; what measures stays behind.
        "src/quality/suite.py",
        "src/quality/bench/results/table.md",
        "src/tests/test_handler.py",
    }
    assert "of-mine" not in env
    assert "OSS_BUCKET={{ OSS_BUCKET }}\n" in env
    assert f"Version: {VERSION}\n" in publish


def test_the_same_repository_makes_the_same_bytes(tmp_path):
    clone = clone_with(tmp_path / "clone")
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    template.build(clone, one)
    template.build(clone, other)
    assert one.read_bytes() == other.read_bytes()


def test_an_example_line_without_its_placeholder_is_an_error(tmp_path):
    clone = clone_with(tmp_path / "clone", **{".env.example": "OSS_BUCKET=other\n"})
    with pytest.raises(PackagingError) as caught:
        template.build(clone, tmp_path / "template.zip")
    assert "OSS_BUCKET=my-bucket" in in_english(caught.value.sentences)[0]
    assert not (tmp_path / "template.zip").exists()


@pytest.mark.parametrize("lacking", [".git", ".git/index"])
def test_the_template_command_fails_where_git_tracks_nothing(lacking, monkeypatch, tmp_path, capsys):
    clone = clone_with(tmp_path / "clone")
    (clone / lacking).rename(tmp_path / "elsewhere")
    monkeypatch.setattr(template, "ROOT", clone)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert template.run(argparse.Namespace(output=tmp_path / "template.zip", lang="en")) == 1
    assert "git" in capsys.readouterr().err


def test_each_template_question_is_chinese_and_used():
    publish = yaml.safe_load((template.ROOT / "deploy/template" / "publish.yaml").read_text("utf-8"))
    questions = publish["Parameters"]["properties"]
    used = "".join(template.ANSWERED.values())
    assert all(f"{{{{ {name} }}}}" in used for name in questions)
    assert used.count("{{") == len(questions)
    for question in questions.values():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in question["title"] + question["description"])


def test_an_appid_is_not_needed_and_only_the_secret_is_hidden():
    publish = yaml.safe_load((template.ROOT / "deploy/template" / "publish.yaml").read_text("utf-8"))
    questions = publish["Parameters"]["properties"]
    assert [name for name, question in questions.items() if question["type"] == "secret"] == ["WECHAT_SECRET"]
    assert set(publish["Parameters"]["required"]) == {"OSS_REGION", "OSS_BUCKET", "ACCOUNT_ID", "CALLER_AUTH"}


@pytest.mark.parametrize(
    ("names", "ignored"), [(SECRET, {*SECRET}), (SHARED, set())], ids=["secret", "shared"]
)
def test_git_ignores_the_usual_secrets_alone(names, ignored, tmp_path):
    (tmp_path / ".gitignore").write_bytes((template.ROOT / ".gitignore").read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = subprocess.run(["git", "check-ignore", *names], cwd=tmp_path, capture_output=True, text=True)
    assert {*done.stdout.split()} == ignored
