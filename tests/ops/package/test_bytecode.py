"""Finding a Python of the target's version that really runs."""

import os
import sys

import pytest

from ops.package.bytecode import find_python
from ops.package.function_files import PackagingError


def make_launcher(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_passes_over_a_launcher_that_exists_and_does_not_work(tmp_path):
    make_launcher(tmp_path / "shims/python3.12", "echo 'python3.12: command not found' >&2; exit 127")
    make_launcher(tmp_path / "old/python3.12", "echo 3.11 cpython")
    working = make_launcher(tmp_path / "pyenv/versions/3.12.1/bin/python3.12", "echo 3.12 cpython")
    newer = make_launcher(tmp_path / "pyenv/versions/3.12.10/bin/python3.12", "echo 3.12 cpython")
    environ = {
        "PATH": f"{tmp_path / 'shims'}{os.pathsep}{tmp_path / 'old'}",
        "PYENV_ROOT": str(tmp_path / "pyenv"),
    }
    assert find_python(None, environ) == str(newer)
    newer.unlink()
    assert find_python(None, environ) == str(working)


def test_takes_the_python_that_was_named_or_refuses_it(tmp_path):
    working = make_launcher(tmp_path / "mine", "echo 3.12 cpython")
    assert find_python(str(working), {}) == str(working)
    for other in (make_launcher(tmp_path / "pypy", "echo 3.12 pypy"), tmp_path / "missing"):
        with pytest.raises(PackagingError, match=r"3\.12"):
            find_python(str(other), {"PATH": str(tmp_path)})


def test_this_interpreter_is_no_substitute_for_the_target():
    version = ".".join(map(str, sys.version_info[:2]))
    if version != "3.12":
        with pytest.raises(PackagingError, match=r"3\.12"):
            find_python(sys.executable, {})
    else:
        assert find_python(sys.executable, {}) == sys.executable
