"""The virtual environment where there is no make, on Windows too; what old or missing tools are answered."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import manage
from ops.run import own_python
from tests.ops.words import chinese_in, english_in

ROOT = Path(__file__).parents[3]
LANGUAGES = pytest.mark.parametrize(("locale", "strangers"), [("zh_CN.UTF-8", english_in), ("C", chinese_in)])


class Exec(Exception):
    pass


@pytest.fixture
def played(monkeypatch):
    """What would be started: a replaced process, a call, a child that Ctrl-C interrupts once."""
    started = []

    def replace(path, command):
        started.append(["execv", *command])
        raise Exec

    class Child:
        waits = 0

        def __init__(self, command):
            started.append(["child", *command])

        def __enter__(self):
            return self

        def __exit__(self, *_):
            started.append(["waited", self.waits])

        def wait(self):
            self.waits += 1
            if self.waits == 1:
                raise KeyboardInterrupt
            return 7

    monkeypatch.setattr(os, "execv", replace)
    monkeypatch.setattr(subprocess, "Popen", Child)
    monkeypatch.setattr(subprocess, "call", lambda command, cwd: started.append(["call", *command]) or 0)
    return started


def test_on_windows_a_command_goes_on_in_scripts_without_execv_and_outlives_ctrl_c(played, tmp_path):
    with pytest.raises(SystemExit) as end:
        own_python.run_again(["demo"], tmp_path, is_windows=True)
    python = str(tmp_path / "Scripts" / "python.exe")
    assert (end.value.code, played) == (
        7,
        [["child", python, str(ROOT / "manage.py"), "demo"], ["waited", 2]],
    )


def test_elsewhere_it_goes_on_in_bin_as_the_same_process(played, tmp_path):
    with pytest.raises(Exec):
        own_python.run_again(["demo"], tmp_path, is_windows=False)
    assert played == [["execv", str(tmp_path / "bin/python"), str(ROOT / "manage.py"), "demo"]]


@pytest.mark.parametrize(
    ("lacks", "command", "requirements"),
    [("aliyunsdkcore", "demo", "run.txt"), ("alibabacloud_oss_v2", "doctor", "dev.txt")],
)
def test_without_make_a_command_installs_its_packages_and_goes_on(
    lacks, command, requirements, played, tmp_path, monkeypatch
):
    find = manage.importlib.util.find_spec
    monkeypatch.setattr(
        manage.importlib.util, "find_spec", lambda name: None if name == lacks else find(name)
    )
    monkeypatch.setattr(own_python, "FOLDER", tmp_path / "none")
    monkeypatch.setattr(own_python.install, "__defaults__", (tmp_path / "none",))
    monkeypatch.setattr(own_python.run_again, "__defaults__", (tmp_path / "none", False))
    monkeypatch.setattr(shutil, "which", {"make": None}.get)
    with pytest.raises(Exec):
        manage.main([command])
    folder, file = str(tmp_path / "none"), f"requirements/{requirements}"
    assert played == [
        ["call", sys.executable, "-m", "ops.run.install", folder, file, "--fresh"],
        ["execv", f"{folder}/bin/python", str(ROOT / "manage.py"), command],
    ]
    monkeypatch.setattr(shutil, "which", {"make": "/usr/bin/make"}.get)
    with pytest.raises(SystemExit, match="make setup"):
        manage.main([command])


@LANGUAGES
def test_an_old_python_is_named_with_the_way_to_name_another(locale, strangers, monkeypatch):
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setattr(sys, "version_info", (3, 8, 10))
    monkeypatch.setattr(sys, "version", "3.8.10 (default)")
    with pytest.raises(SystemExit) as end:
        manage.main(["demo"])
    assert "3.8.10" in end.value.code and "PYTHON=python3.12" in end.value.code
    assert not strangers(end.value.code)


@pytest.fixture
def make(tmp_path):
    """Run the Makefile in a folder of its own, with tools that say they are old, or with none."""
    for name in (
        "Makefile",
        "quality/targets.mk",
        "requirements/run.txt",
        "package.json",
        "package-lock.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)

    def run(*arguments, locale, says=""):
        for name in ("python9", "node") if says else ():
            tool = tmp_path / name
            tool.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {says}\nexit 1\n', "utf-8")
            tool.chmod(0o755)
        for name in ("sh", "awk", "uname"):
            if not (tmp_path / name).exists():
                (tmp_path / name).symlink_to(shutil.which(name))
        return subprocess.run(
            [shutil.which("make"), "PYTHON=python9", *arguments],
            cwd=tmp_path,
            env={"PATH": str(tmp_path), "LC_ALL": locale},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run


@LANGUAGES
def test_make_lists_every_target_in_the_language_of_the_locale(locale, strangers, make):
    lines = make(locale=locale).stdout.splitlines()
    names = [line.split()[1] for line in lines]
    assert {"demo", "run", "deploy", "torture"} <= set(names) and len(names) == len(set(names))
    assert [line for line in lines if len(line.split(maxsplit=2)) < 3 or strangers(line)] == []


@LANGUAGES
@pytest.mark.parametrize(
    ("target", "named"), [(".venv/.ready-to-run", "3.11"), ("node_modules/.ready", "18")]
)
def test_make_names_an_old_or_missing_tool_in_one_line(locale, strangers, target, named, make):
    for says, found in (("", "not found"), ("v9.9.9", "v9.9.9")):
        done = make(target, locale=locale, says=says)
        line, *others = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
        assert done.returncode and not others
        assert named in line and found in line
        assert not strangers(line.replace(found, ""))
