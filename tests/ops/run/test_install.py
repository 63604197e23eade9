"""Setting up, with make and without: the small set is enough, and what goes wrong is said in a sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

import manage
from ops.package.pins import read_pins
from ops.run import own_python
from ops.run.install import NPM, PYPI, install, main, make_environment
from tests.ops.words import chinese_in, english_in

ROOT = Path(__file__).parents[3]
LANGUAGES = pytest.mark.parametrize(("locale", "strangers"), [("zh_CN.UTF-8", english_in), ("C", chinese_in)])
OFFLINE = ["--index-url", "http://127.0.0.1:9/simple", "--retries", "0"]


def python(program):
    return [sys.executable, "-c", program]


PIP = [*f"{sys.executable} -m pip install --quiet --no-deps".split(), *OFFLINE, "no-such-package-x==1"]
FAILING_NPM = "import sys; sys.exit('npm error code ENOTFOUND\\nnpm error network request failed')"


@pytest.mark.parametrize(("command", "registry"), [(PIP, PYPI), (python(FAILING_NPM), NPM)])
def test_a_failure_keeps_the_installer_s_words_and_names_the_setting(capfd, command, registry):
    assert install(command, registry, slow_seconds=3600) != 0
    *words, last = capfd.readouterr().err.splitlines()
    assert words and registry.variable in last and "HTTPS_PROXY" in last


@pytest.fixture
def slow(monkeypatch):
    """Every program takes longer than anybody waits, and ends well when it is waited for without end."""
    wait = subprocess.Popen.wait

    def wait_longer(process, timeout=None):
        if timeout is not None:
            raise subprocess.TimeoutExpired(process.args, timeout)
        return wait(process)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_longer)


def test_a_slow_installer_gets_the_hint_once_and_goes_on(slow, capfd):
    assert install(["true"], PYPI) == 0
    assert capfd.readouterr().err.count(PYPI.variable) == 1


def test_a_python_without_venv_names_the_package_to_install(capfd):
    program = "import sys; sys.exit('The virtual environment was not created: ensurepip is not available.')"
    assert make_environment(python(program)) == 1
    assert capfd.readouterr().err.endswith("apt install python3-venv\n")


@pytest.mark.parametrize("has_pip", [True, False])
def test_a_python_with_an_unusable_pip_gets_another_in_the_environment(has_pip, monkeypatch):
    """As on Debian, where venv and ensurepip are."""
    ran = []

    def run(command, **_):
        ran.append(command[:4])
        return subprocess.CompletedProcess(command, int("--version" in command and not has_pip))

    monkeypatch.setattr("ops.run.install.subprocess.run", run)
    monkeypatch.setattr("ops.run.install.install", lambda command, _: ran.append(command[:4]) or 0)
    assert main(["venv", "run.txt", "--fresh"]) == 0
    own, borrowed = str(own_python.python_in(Path("venv"))), [sys.executable, "-m", "pip", "--python"]
    more = [borrowed] if has_pip else [[own, "-m", "ensurepip", "--upgrade"], [own, "-m", "pip", "install"]]
    assert ran == [[sys.executable, "-m", "venv", "--clear"], borrowed, *more]


@pytest.mark.parametrize(("arguments", "folder"), [([], "."), (["examples/a"], "examples/a")])
def test_node_packages_go_into_the_folder_that_is_named(arguments, folder, tmp_path, monkeypatch, capfd):
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\necho "asked: $*"\nexit 3\n', "utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert main(["node", *arguments]) == 3
    assert f"asked: ci --prefix {folder} " in capfd.readouterr().err


def test_setting_up_needs_the_standard_library_only():
    program = "import runpy, sys; sys.argv = ['x', 'y', 'z']; sys.path.insert(0, '.'); import ops.run.install"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_commands_of_the_small_set_import_no_larger_package():
    """Each package of the larger set is made unimportable."""
    larger = read_pins((ROOT / "requirements/dev.txt").read_text("utf-8"))
    small = read_pins((ROOT / "requirements/run.txt").read_text("utf-8"))
    program = f"""
import importlib.metadata, sys
sys.path.insert(0, {str(ROOT)!r})
absent = {sorted(larger.keys() - small.keys())!r}
tops = {{top for top, names in importlib.metadata.packages_distributions().items()
        if all(name.lower().replace("_", "-").replace(".", "-") in absent for name in names)}}
assert {{"hypothesis", "alibabacloud_oss_v2", "yaml"}} <= tops
sys.modules.update(dict.fromkeys(tops))
import manage
for command in ("init", "demo", "serve", "explain"):
    try:
        manage.main([command, "--help"])
    except SystemExit as end:
        assert not end.code
"""
    environ = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("demo", "serve", "explain"):
        assert f"manage.py {command}" in done.stdout


class Exec(Exception):
    pass


@pytest.fixture
def played(monkeypatch):
    """What would be started: a replaced process, a call, a child that Ctrl-C interrupts once."""
    started, child = [], MagicMock()
    child.__enter__.return_value.wait.side_effect = [KeyboardInterrupt, 7]

    def replace(path, command):
        started.append(["execv", *command])
        raise Exec

    monkeypatch.setattr(os, "execv", replace)
    monkeypatch.setattr(subprocess, "Popen", lambda command: started.append(["child", *command]) or child)
    monkeypatch.setattr(subprocess, "call", lambda command, cwd: started.append(["call", *command]) or 0)
    return started


def test_on_windows_a_command_goes_on_in_scripts_without_execv_and_outlives_ctrl_c(played, tmp_path):
    with pytest.raises(SystemExit) as end:
        own_python.run_again(["demo"], tmp_path, is_windows=True)
    python = str(tmp_path / "Scripts" / "python.exe")
    assert (end.value.code, played) == (7, [["child", python, str(ROOT / "manage.py"), "demo"]])


@pytest.mark.parametrize(("lacks", "command", "requirements"), [
    ("aliyunsdkcore", "demo", "run.txt"), ("alibabacloud_oss_v2", "doctor", "dev.txt"),
])  # fmt: skip
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


@pytest.fixture
def make(tmp_path):
    """Run the Makefile in a folder of its own, with tools that say they are old, or with none."""
    for name in "Makefile quality/targets.mk requirements/run.txt package.json package-lock.json".split():
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
