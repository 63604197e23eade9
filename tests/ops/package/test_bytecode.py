"""Finding a Python of the target's version that really runs."""

import marshal
import os
import sys

import pytest

from ops.package.bytecode import compile_folder, find_python
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


SOURCE = '''"""Canary of a module."""
from __future__ import annotations


class Refused(ValueError):
    """Canary of a class."""


def check(value):
    """Canary of a function."""
    assert value, "it keeps what guards"
    if value > 9:
        raise Refused("line 13")
    return "a text that is no docstring"
'''


def test_bundled_code_loses_its_docstrings_and_keeps_asserts_and_lines(tmp_path):
    (tmp_path / "function").mkdir()
    (tmp_path / "function/rule.py").write_text(SOURCE, "utf-8")
    (tmp_path / "other.py").write_text(SOURCE, "utf-8")
    compile_folder(sys.executable, tmp_path)
    (compiled,) = (tmp_path / "function/__pycache__").glob("rule.*.pyc")
    (plain,) = (tmp_path / "__pycache__").glob("other.*.pyc")
    content = compiled.read_bytes()
    # The hash of the source is that of the source as it is packaged.
    assert content[:16] == plain.read_bytes()[:16]
    names: dict = {}
    exec(marshal.loads(content[16:]), names)
    assert (names.get("__doc__"), names["Refused"].__doc__, names["check"].__doc__) == (None, None, None)
    assert names["check"](1) == "a text that is no docstring"
    with pytest.raises(AssertionError):
        names["check"](0)
    with pytest.raises(names["Refused"]) as raised:
        names["check"](10)
    frame = raised.traceback[-1]
    assert (str(frame.frame.code.raw.co_filename), frame.lineno + 1) == ("/code/function/rule.py", 13)
    assert b"Canary" in plain.read_bytes()
    assert b"Canary" not in content
