"""The commands of docs/upgrade move a project of before to this version, without a conflict."""

import os
import subprocess
from pathlib import Path

import pytest

from ops.deploy.check_deploy import check
from ops.deploy.own_blocks import with_own_blocks
from tests.docs.markdown import ROOT, both, code_blocks, page
from tests.ops.deploy.project import CONFIGURED, FOR_OPTIONAL_BLOCKS

NAMES = both("docs/upgrade.md")
AUTHOR = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
MINE = '\n[mine]\nkey = "mine/{id}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\n'


def git(folder, *command):
    done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def commands(name, part):
    """Each printed block in this part of the page: a clone, one of before, a project by s init."""
    text = page(name).split("\n## ")[part + 1]
    return [code for kind, code in code_blocks(text) if kind == "sh"]


def play(folder, *lines):
    environ = {**os.environ, **AUTHOR, "HOME": str(folder), "GIT_EDITOR": "false"}
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def before():
    """The last commit that tracked the operator's own files."""
    left = git(ROOT, "log", "--diff-filter=D", "--format=%H", "-1", "--", "profiles.toml")
    if not (commit := left and git(ROOT, "rev-parse", "--verify", "-q", f"{left}^")):
        pytest.skip("needs the history of a whole clone")
    return commit


@pytest.fixture
def clone(before, tmp_path):
    """A clone of that commit, with an ``.env`` and a repository that has gone on to this commit since."""
    origin, mine = tmp_path / "origin.git", tmp_path / "mine"
    objects = git(ROOT, "rev-parse", "--path-format=absolute", "--git-common-dir")
    git(tmp_path, "init", "-q", "--bare", str(origin))
    (origin / "objects/info/alternates").write_text(f"{objects}/objects\n")
    git(origin, "symbolic-ref", "HEAD", "refs/heads/main")
    git(origin, "update-ref", "refs/heads/main", before)
    git(tmp_path, "clone", "-q", "--shared", str(origin), str(mine))
    git(origin, "update-ref", "refs/heads/main", git(ROOT, "rev-parse", "HEAD"))
    settings = {**CONFIGURED, "LOG_PROJECT": FOR_OPTIONAL_BLOCKS["LOG_PROJECT"]}
    (mine / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return mine


def change(clone):
    """Own profiles, hooks, and a block of s.yaml that is switched on."""
    with (clone / "profiles.toml").open("a") as file:
        file.write(MINE)
    (clone / "hooks.py").write_text("def before_sign(*_):\n    pass\n")
    text = (clone / "s.yaml").read_text().replace("      # logConfig:", "      logConfig:")
    head, rest = text.split("      logConfig:\n")
    block, blank, tail = rest.partition("\n\n")
    (clone / "s.yaml").write_text(f"{head}      logConfig:\n{block.replace('# ', '')}{blank}{tail}")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", ["unedited", "edited", "committed"])
def test_a_clone_of_before_is_upgraded_by_the_printed_commands(clone, monkeypatch, name, state):
    if state != "unedited":
        change(clone)
    if state == "committed":
        play(clone, "git add -f profiles.toml hooks.py s.yaml", "git commit -qm Mine")
    profiles = (clone / "profiles.toml").read_text("utf-8")
    (from_before,) = commands(name, 1)
    play(clone, from_before)
    assert (clone / "profiles.toml").read_text("utf-8") == profiles
    assert (clone / "hooks.py").exists() is (state != "unedited")
    assert git(clone, "status", "--porcelain") == "" and git(clone, "ls-files", "profiles.toml") == ""
    assert (clone / "s.yaml").read_bytes() == (ROOT / "s.yaml").read_bytes()
    assert (clone.parent / "own-files/s.yaml").exists()
    monkeypatch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", clone / "profiles.toml")
    own = with_own_blocks(clone / "s.yaml", {})
    assert own.name == "s.own.yaml" and git(clone, "status", "--porcelain") == ""
    assert check(own, {}).problems == []


@pytest.mark.parametrize("name", NAMES)
def test_the_next_upgrade_of_a_clone_meets_no_own_file(clone, name):
    play(clone, *commands(name, 1))
    origin = clone.parent / "origin.git"
    next_commit = git(origin, *author(), "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Next")
    git(origin, "update-ref", "refs/heads/main", next_commit)
    change(clone)
    play(clone, "git checkout -q -- s.yaml", commands(name, 0)[0].splitlines()[0])
    assert git(clone, "rev-parse", "HEAD") == next_commit
    assert MINE in (clone / "profiles.toml").read_text("utf-8") and (clone / "hooks.py").exists()


def author():
    return ("-c", "user.name=a", "-c", "user.email=a@b.c")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("has_hooks", [True, False])
def test_a_project_by_s_init_takes_its_own_files_along(tmp_path, name, has_hooks):
    old, new = tmp_path / "my-upload", tmp_path / "my-upload-next"
    tools = tmp_path / "bin"
    for folder in (old, new, tools):
        folder.mkdir()
    files = {".env": "A=b\n", "profiles.toml": MINE} | ({"hooks.py": "x = 1\n"} if has_hooks else {})
    for file, text in files.items():
        (old / file).write_text(text)
    # What the tool leaves there, as template.test.js has it made by the real one.
    (tools / "s").write_text("#!/bin/sh\ntouch my-upload-next/.env\n")
    (tools / "s").chmod(0o755)
    play(tmp_path, f"PATH={tools}:$PATH", *commands(name, 2))
    assert {path.name: path.read_text() for path in Path(new).iterdir()} == files
