"""A Python of the target's version, and the real package, made once."""

import os
import shutil

import pytest

from ops.package.bytecode import find_python
from ops.package.command import build
from ops.package.function_files import BURST
from tests.ops.package.project import ROOT, make_project


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
def package(tmp_path_factory, python312):
    folder = tmp_path_factory.mktemp("package") / "function"
    return folder, build(ROOT, folder, python312)


@pytest.fixture(scope="session")
def burst_package(tmp_path_factory, python312):
    folder = tmp_path_factory.mktemp("package") / "function-burst"
    build(ROOT, folder, python312, BURST)
    return folder


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")
