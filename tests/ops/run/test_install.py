"""Setting up: the small set is enough for the demo, and what goes wrong is said in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.package.pins import read_pins
from ops.run.install import NPM, PYPI, install, main, make_environment
from tests.ops.words import chinese_in, english_in
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROOT = Path(__file__).parents[3]
OFFLINE = ["--index-url", "http://127.0.0.1:9/simple", "--retries", "0"]


def python(program):
    return [sys.executable, "-c", program]


def test_an_installer_that_succeeds_is_silent(capfd):
    assert install(python("print('progress, and more of it')"), PYPI) == 0
    assert capfd.readouterr() == ("", "")


PIP = [*f"{sys.executable} -m pip install --quiet --no-deps".split(), *OFFLINE, "no-such-package-x==1"]
FAILING_NPM = "import sys; sys.exit('npm error code ENOTFOUND\\nnpm error network request failed')"


@pytest.mark.parametrize(("command", "registry"), [(PIP, PYPI), (python(FAILING_NPM), NPM)])
def test_without_a_network_one_line_names_the_setting_instead_of_the_installer_s_words(
    capfd, command, registry
):
    assert install(command, registry) != 0
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert registry.variable in said


def test_any_other_failure_keeps_the_installers_last_words(capfd):
    program = "import sys; [print('line', n) for n in range(20)]; sys.exit('hashes do not match')"
    assert install(python(program), PYPI) == 1
    said = capfd.readouterr().err
    assert "hashes do not match" in said
    assert "line 3\n" not in said
    assert PYPI.variable not in said


def test_a_slow_installer_gets_the_hint_once_and_goes_on(capfd):
    assert install(python("import time; time.sleep(0.6)"), PYPI, slow_seconds=0.1) == 0
    assert capfd.readouterr().err.count(PYPI.variable) == 1


def test_a_python_without_venv_names_the_package_to_install(capfd):
    program = "import sys; sys.exit('The virtual environment was not created: ensurepip is not available.')"
    assert make_environment(python(program)) == 1
    assert capfd.readouterr().err.endswith("apt install python3-venv\n")


@pytest.mark.parametrize(("locale", "strangers"), [("zh_CN.UTF-8", english_in), ("en_US.UTF-8", chinese_in)])
def test_install_errors_are_in_the_locale_s_language(locale, strangers, monkeypatch, capfd):
    monkeypatch.setenv("LC_ALL", locale)
    make_environment(python("import sys; sys.exit('ensurepip is not available.')"))
    install(python("import sys; sys.exit('npm error code ENOTFOUND')"), NPM)
    install(python("import time; time.sleep(0.6)"), PYPI, slow_seconds=0.1)
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 3 and [line for line in said if strangers(line)] == []


@pytest.fixture
def nothing_to_install(tmp_path):
    (tmp_path / "requirements.txt").write_text("# nothing\n", "utf-8")
    return [str(tmp_path / "venv"), str(tmp_path / "requirements.txt")]


def has_pip(folder):
    done = subprocess.run(
        [f"{folder}/bin/python", "-m", "pip", "--version"], capture_output=True, check=False
    )
    return done.returncode == 0


def test_the_small_set_has_no_pip_and_the_larger_one_brings_it(nothing_to_install, capfd):
    folder, _ = nothing_to_install
    assert main([*nothing_to_install, "--fresh"]) == 0
    assert Path(folder, "bin", "python").exists()
    assert not has_pip(folder)
    assert main(nothing_to_install) == 0
    assert has_pip(folder)


def test_a_python_without_a_pip_gets_one_of_its_own(nothing_to_install, tmp_path, monkeypatch, capfd):
    """As Debian ships Python: venv and ensurepip are there, pip is not."""
    folder, _ = nothing_to_install
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    assert main([*nothing_to_install, "--fresh"]) == 0
    assert has_pip(folder)


@cases("said")
def test_a_pip_that_cannot_install_elsewhere_is_made_up_for(
    nothing_to_install, tmp_path, monkeypatch, capfd, said
):
    """As of an old pip, and of one whose parts a distribution has moved."""
    folder, _ = nothing_to_install
    real = sys.executable
    python = tmp_path / "python"
    python.write_text(
        f"#!{real}\nimport os, sys\n"
        f"if 'pip' in sys.argv: sys.exit({said!r})\n"
        f"os.execv({real!r}, [{real!r}, *sys.argv[1:]])\n",
        "utf-8",
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert main([*nothing_to_install, "--fresh"]) == 0
    assert has_pip(folder)
    assert capfd.readouterr().err == ""


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


@pytest.mark.parametrize("command", ["demo", "serve", "explain"])
def test_commands_of_the_small_set_import_no_larger_package(command):
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
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in tops:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in tops else find(name)
import manage
manage.main([{command!r}, "--help"])
"""
    environ = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"manage.py {command}" in done.stdout


@pytest.mark.parametrize("command", ["setup", "doctor", "invoke", "package", "check-deploy"])
def test_a_command_with_missing_packages_names_the_install_command(command):
    program = f"""
import importlib.util, sys
sys.path.insert(0, {str(ROOT)!r})
import manage
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "alibabacloud_oss_v2" else find(name)
manage.main([{command!r}])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{command} needs packages that are not installed yet. Run: make setup\n"
