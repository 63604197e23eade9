"""The commands of docs/upgrade take a project of yours to another version, without a conflict."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, code_blocks, page

NAME = "docs/upgrade.md"
AUTHOR = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
MINE = '\n[mine]\nkey = "mine/{id}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\n'


def commands(part):
    """Each printed block in this part of the page: a clone, a project by s init."""
    text = page(NAME).split("\n## ")[part + 1]
    return [code for kind, code in code_blocks(text) if kind == "sh"]


def play(folder, *lines):
    environ = {**os.environ, **AUTHOR, "HOME": str(folder), "GIT_EDITOR": "false"}
    command = ["bash", "-euc", "\n".join(lines)]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_upgrade_of_a_clone_meets_no_own_file(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone")
    play(
        tmp_path,
        f"git clone -q --shared --no-checkout {ROOT} origin",
        # This one may stand at a commit of no branch.
        "git -C origin update-ref refs/heads/main HEAD; git -C origin symbolic-ref HEAD refs/heads/main",
        "git clone -q --shared origin mine",
    )
    origin, mine = tmp_path / "origin", tmp_path / "mine"
    (mine / "profiles.toml").write_text(MINE)
    (mine / "hooks.py").write_text("def before_sign(*_):\n    pass\n")
    following = play(
        origin,
        'commit=$(git commit-tree "HEAD^{tree}" -p HEAD -m Next)',
        'git update-ref refs/heads/main "$commit"; echo "$commit"',
    )
    play(mine, commands(0)[0].splitlines()[0])
    assert play(mine, "git rev-parse HEAD") == following
    assert play(mine, "git status --porcelain") == ""
    assert (mine / "profiles.toml").read_text("utf-8") == MINE and (mine / "hooks.py").exists()


@pytest.mark.parametrize("others", [(), ("callers.toml",), ("hooks.py", "callers.toml")])
def test_a_project_by_s_init_takes_its_own_files_along(tmp_path, others):
    old, new = tmp_path / "my-upload", tmp_path / "my-upload-next"
    tools = tmp_path / "bin"
    for folder in (old, new, tools):
        folder.mkdir()
    files = {".env": "A=b\n", "profiles.toml": MINE} | dict.fromkeys(others, "x = 1\n")
    for file, text in files.items():
        (old / file).write_text(text)
    # What the tool leaves there, as template.test.js has it made by the real one.
    (tools / "s").write_text("#!/bin/sh\ntouch my-upload-next/.env\n")
    (tools / "s").chmod(0o755)
    play(tmp_path, f"PATH={tools}:$PATH", *commands(1))
    assert {path.name: path.read_text() for path in Path(new).iterdir()} == files
