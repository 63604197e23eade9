"""A Python of the target's version, and the real package, made once."""

import contextlib
import os
import shutil

import pytest

from ops.package.bytecode import find_python
from ops.package.command import build
from ops.package.function_files import BURST
from ops.package.vendoring import vendor
from tests.ops.package.project import make_project
from tests.support import stage
from tests.support.canaries import Watch
from tests.support.clone import clone


def needed(program, package):
    """The path of a program; without it, what needs it is skipped."""
    if program is None:
        pytest.skip(f"needs {package} (apt install {package})")
    return program


@pytest.fixture(scope="session")
def python312():
    return needed(find_python(None, os.environ), "python3.12")


@pytest.fixture(scope="session")
def openssl():
    return needed(shutil.which("openssl"), "openssl")


@pytest.fixture(scope="session")
def with_profiles(tmp_path_factory):
    """A clone whose operator took the example."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    shutil.copy(folder / "profiles.example.toml", folder / "profiles.toml")
    return folder


@pytest.fixture(scope="session")
def watch():
    """Knows the secrets of the shell in which the package is built."""
    return Watch()


@pytest.fixture(scope="session")
def package(tmp_path_factory, with_profiles, python312, watch):
    folder = tmp_path_factory.mktemp("package") / "function"
    with pytest.MonkeyPatch.context() as shell:
        for name, value in stage.planted_environment(watch, "profiles.toml").items():
            shell.setenv(name, value)
        return folder, build(with_profiles, folder, python312)


@pytest.fixture(scope="session")
def burst_package(tmp_path_factory, with_profiles, python312):
    folder = tmp_path_factory.mktemp("package") / "function-burst"
    build(with_profiles, folder, python312, BURST)
    return folder


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The one dependency of the small project, as pip leaves it."""
    root = make_project(tmp_path_factory.mktemp("installed") / "project")
    folder = tmp_path_factory.mktemp("pip")
    with contextlib.chdir(root):
        vendor(folder, root, ["requirements.txt"])
    return folder


@pytest.fixture
def without_pip(installed, monkeypatch):
    """Its copy instead of one more start of pip, where another matter is tried."""

    def copy(folder, *_):
        shutil.copytree(installed, folder, dirs_exist_ok=True)

    monkeypatch.setattr("ops.package.command.vendor", copy)
