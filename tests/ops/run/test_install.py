"""Setting up: the small set is enough for the demo, and what goes wrong is said in a sentence."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import manage
from ops.package.pins import read_pins
from ops.run.install import NPM, PYPI, install, main, make_environment

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


@pytest.fixture
def nothing_to_install(tmp_path):
    (tmp_path / "requirements.txt").write_text("# nothing\n", "utf-8")
    return [str(tmp_path / "venv"), str(tmp_path / "requirements.txt")]


# Says that it has made an environment, and puts itself there; has a pip of its own after ensurepip alone.
PLAYED = """#!{real} -S
import os, shutil, sys
from pathlib import Path
me, (_, module, *rest) = Path(sys.argv[0]), sys.argv[1:]
with open({log!r}, "a") as log:
    print(me.parent.name, *sys.argv[1:4], file=log)
if module == "venv":
    Path(rest[-1], "bin").mkdir(parents=True)
    shutil.copy(me, Path(rest[-1], "bin", "python"))
elif module == "ensurepip":
    me.with_name("pip").touch()
elif not me.with_name("pip").exists():
    {says}
"""


@pytest.mark.parametrize(
    "says",
    ["os.execv(REAL, [REAL, '-S', '-m', 'pip'])", "sys.exit('no such option: --python')"],
    ids=["none at all", "an old one"],
)
def test_a_python_with_an_unusable_pip_gets_another_in_the_environment(
    nothing_to_install, tmp_path, monkeypatch, capfd, says
):
    """As on Debian, where venv and ensurepip are."""
    log = tmp_path / "log"
    played = tmp_path / "python"
    says = says.replace("REAL", repr(sys.executable))
    played.write_text(PLAYED.format(real=sys.executable, log=str(log), says=says), "utf-8")
    played.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(played))
    assert main([*nothing_to_install, "--fresh"]) == 0
    assert log.read_text("utf-8").splitlines() == [
        f"{tmp_path.name} -m venv --clear",
        f"{tmp_path.name} -m pip --python",
        "bin -m ensurepip --upgrade",
        "bin -m pip install",
    ]
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
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in tops:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in tops else find(name)
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


@pytest.mark.parametrize("command", ["setup", "doctor", "package", "check-deploy"])
def test_a_command_with_missing_packages_names_the_install_command(command, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "alibabacloud_oss_v2" else find(name)
    )
    with pytest.raises(SystemExit) as end:
        manage.main([command])
    assert end.value.code == f"{command} needs packages that are not installed yet. Run: make setup"
