"""A Python of the target's version, and the real package, made once."""

import os

import pytest

from ops.package.bytecode import find_python
from ops.package.command import build
from ops.package.function_files import BURST
from tests.ops.package.project import ROOT, make_project


@pytest.fixture(scope="session")
def python312():
    """A Python 3.12 that runs; without one, what needs it is reported as not run, and in CI as failed."""
    python = find_python(None, os.environ)
    if python is None:
        reason = "needs Python 3.12 (apt install python3.12)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return python


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
