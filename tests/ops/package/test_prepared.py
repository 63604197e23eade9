"""Preparations of packaging: bytecode by a Python that runs, libraries without symbols, profiles as JSON."""

import json
import marshal
import os
import struct
import sys
import tomllib
from hashlib import sha256

import pytest

from ops.package.bytecode import compile_folder, find_python
from ops.package.function_files import PackagingError
from ops.package.libraries import ELF, loaded_part, strip_libraries
from ops.package.profiles import prepare_profiles
from tests.ops.package.project import ROOT
from tests.ops.package.services import run_bare, settings


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


def small_library(segments):
    """A header, its segments of these sizes, and the sections that a linker would put behind them."""
    table, size, start = 64, 56, 64 + 56 * len(segments)
    header = bytearray(ELF.ljust(64, b"\0"))
    struct.pack_into("<QQ", header, 32, table, start + sum(segments))
    struct.pack_into("<HHHHH", header, 54, size, len(segments), 64, 9, 8)
    entries, content = b"", b""
    for length in segments:
        entries += struct.pack("<IIQQQQQQ", 1, 5, start + len(content), 0, 0, length, length, 0)
        content += b"L" * length
    return bytes(header) + entries + content + b"symbols and sections"


def test_only_libraries_of_the_target_s_kind_are_cut(tmp_path):
    others = {
        "text.so": b"INPUT(libc.so.6)",
        "of_32_bits.so": b"\x7fELF\x01\x01" + b"x" * 99,
        "a.py": b"pass",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    library = small_library([100])
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "lib.so.1").write_bytes(library)
    strip_libraries(tmp_path)
    assert (tmp_path / "room" / "lib.so.1").read_bytes() == loaded_part(library)
    assert {name: (tmp_path / name).read_bytes() for name in others} == others


def test_the_package_holds_no_symbols(package):
    libraries = list(package[0].rglob("*.so"))
    assert len(libraries) == 2
    for path in libraries:
        header = path.read_bytes()[:64]
        # Of an ELF file of 64 bits: the offset of its table of sections, and their number.
        assert (header[:5], header[0x28:0x30], header[0x3C:0x3E]) == (b"\x7fELF\x02", bytes(8), bytes(2))


SHIPPED = (ROOT / "profiles.example.toml").read_text("utf-8")


def prepare(folder, content):
    (folder / "profiles.toml").write_bytes(content)
    (folder / "profiles.json").write_text("of an older build", "utf-8")
    prepare_profiles(folder)
    path = folder / "profiles.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


@pytest.mark.parametrize("text", [
    SHIPPED,
    "",
    '["头像"]\ntitle = "头像"\nkey = "a/{id}"\n',
    "[p]\nlist = true\nparts_within = 1\nhold_days = 1.0\nmax_size = inf\nhold = [[], {a = 1}]\n",
    '[p]\r\nkey = "a"\r\n',
], ids=["shipped", "empty", "Chinese", "every type", "CR LF"])  # fmt: skip
def test_the_json_has_what_the_file_says_under_the_hash_of_its_text(tmp_path, text):
    prepared = prepare(tmp_path, text.encode())
    read = text.replace("\r\n", "\n")
    assert repr(prepared) == repr({sha256(read.encode()).hexdigest(): tomllib.loads(read)})


@pytest.mark.parametrize("text", [
    "[p\n", "a = 1\na = 2\n", "[p]\nsince = 2026-11-28\n", f"a = {'[' * 5000}{']' * 5000}\n", "a = '\udcff'",
], ids=["no TOML", "twice", "a date", "deep", "no UTF-8"])  # fmt: skip
def test_a_file_that_json_cannot_hold_is_left_to_the_function(tmp_path, text):
    assert prepare(tmp_path, text.encode("utf-8", "surrogateescape")) is None


READ = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from function.app import load_settings
settings = load_settings(os.environ)
sizes = {name: profile.max_size_bytes for name, profile in settings.profiles.items()}
print(json.dumps([sizes, "tomllib" in sys.modules]))
"""


def test_a_packaged_function_reads_no_toml(package, python312):
    own = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"}
    environ = settings("http://127.0.0.1:9", PROFILES_FILE="profiles.toml", **own)
    sizes, is_toml_read = json.loads(run_bare(python312, READ, package[0], environ))
    assert (sizes["default"], is_toml_read) == (10 * 2**20, False)
