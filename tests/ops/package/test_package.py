import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from ops.package.bytecode import find_python
from ops.package.cold_import import measure_cold_import, summary, unpack_twice
from ops.package.command import BUDGET_BYTES, build
from ops.package.function_files import PackagingError, find_function_files
from ops.package.size import INSTANT_EPOCH
from ops.package.vendoring import MAX_GLIBC, check_glibc, metadata_asked_for, needed_glibc

ROOT = Path(__file__).resolve().parents[3]
UNCHECKED_HASH = 1  # the flags word of a .pyc file, see PEP 552


# A small project with one dependency, built from a wheel beside it: no network.


def make_wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    metadata = {
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-1.0.dist-info/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, **metadata}.items():
            wheel.writestr(path, text)
        record = "".join(f"{path},,\n" for path in [*files, *metadata])
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", f"{record}{name}-1.0.dist-info/RECORD,,\n")


def make_project(root: Path) -> Path:
    root.mkdir(parents=True)
    (root / "function" / "room").mkdir(parents=True)
    (root / "function" / "__init__.py").write_text("", "utf-8")
    (root / "handler.py").write_text("import json\nimport function\nfrom demo import VOWELS\n", "utf-8")
    (root / "sts_credentials.py").write_text("import function.room.answers\n", "utf-8")
    # No import names it: a route is found by its name.
    (root / "function" / "room" / "answers.py").write_text("import function.errors\n", "utf-8")
    # A set of texts has another order in every process, unless the compiler sorts it.
    words = ", ".join(repr(f"word{number}") for number in range(40))
    (root / "function" / "errors.py").write_text(
        f"def known(word):\n    return word in {{{words}}}\n", "utf-8"
    )
    (root / "unused.py").write_text("", "utf-8")
    (root / "manage.py").write_text("import handler\n", "utf-8")
    (root / "profiles.toml").write_text("[default]\n", "utf-8")
    (root / "pyproject.toml").write_text('[project]\nname = "our-function"\nversion = "1.2.3"\n', "utf-8")
    (root / "requirements.txt").write_text("--no-index\n--find-links wheels\ndemo==1.0\n", "utf-8")
    make_wheel(
        root / "wheels",
        "demo",
        {
            "demo/__init__.py": "VOWELS = {'a', 'e', 'i', 'o', 'u'}\n\n\ndef main():\n    return 0\n",
            "demo/__init__.pyi": "VOWELS: set[str]\n",
            "demo/py.typed": "",
            "demo/tests/__init__.py": "",
            "demo/tests/test_demo.py": "assert False\n",
            "demo/data.json": "{}\n",
        },
    )
    return root


def build_in(root: Path, monkeypatch: pytest.MonkeyPatch, python: str | None) -> bytes:
    monkeypatch.chdir(root)  # where pip looks for ./wheels
    return build(root, root / "build" / "function", python)


@pytest.fixture(scope="session")
def python312() -> str:
    """A Python 3.12 that runs; without one, what needs it is reported as not run, and in CI as failed."""
    python = find_python(None, os.environ)
    if python is None:
        message = "no Python 3.12 that runs was found: bytecode and bare import were NOT tested"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return python


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_packs_the_function_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path / "project")
    build_in(root, monkeypatch, None)
    assert names(root / "build/function") == [
        "demo/__init__.py",
        "demo/data.json",
        "function/__init__.py",
        "function/errors.py",
        "function/room/answers.py",
        "handler.py",
        "profiles.toml",
        "sts_credentials.py",
    ]
    assert "build/function: 8 files" in capsys.readouterr().out


def test_says_loudly_when_there_is_no_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build_in(make_project(tmp_path / "project"), monkeypatch, None)
    assert "NO BYTECODE: no Python 3.12 that runs was found" in capsys.readouterr().err


def test_two_clones_in_different_folders_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python312: str
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    one = make_project(tmp_path / "one")
    other = make_project(tmp_path / "quite another" / "place")
    os.utime(other / "handler.py", (1, 1))
    (other / "function" / "errors.py").chmod(0o600)
    zipped = build_in(one, monkeypatch, python312)
    assert zipped == build_in(other, monkeypatch, python312)
    assert zipped == build_in(other, monkeypatch, python312), "building again over the last build"
    compiled = list((one / "build/function").rglob("*.pyc"))
    assert len(compiled) == 6 and all(path.name.endswith(".cpython-312.pyc") for path in compiled)
    for path in compiled:
        content = path.read_bytes()
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH
        assert str(tmp_path).encode() not in content
    for path in (one / "build/function").rglob("*"):
        assert path.stat().st_mtime == INSTANT_EPOCH
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_leaves_the_last_package_alone_when_the_new_one_is_over_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project")
    build_in(root, monkeypatch, None)
    before = names(root / "build/function")
    (root / "function" / "errors.py").write_text(f"NOISE = '{os.urandom(4000).hex()}'\n", "utf-8")
    with pytest.raises(PackagingError, match=r"bytes zipped; the budget is 3,000"):
        build(root, root / "build" / "function", None, budget_bytes=3000)
    assert names(root / "build/function") == before
    assert "NOISE" not in (root / "build/function/function/errors.py").read_text("utf-8")
    assert sorted(path.name for path in (root / "build").iterdir()) == ["function", "function.cdx.json"]


def test_passes_on_what_pip_says_when_it_cannot_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project")
    (root / "requirements.txt").write_text("--no-index\n--find-links wheels\nnowhere==3.0\n", "utf-8")
    with pytest.raises(PackagingError, match=r"(?s)could not install requirements\.txt.*nowhere==3\.0"):
        build_in(root, monkeypatch, None)
    assert not (root / "build/function").exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import ops.package.command\n", "imports ops, which is not part of the function"),
        ("def later():\n    from local import accounts\n", "imports local, which is not part"),
        ("import manage\n", "imports manage, which is not part"),
        ("from . import errors\n", "imports relatively"),
        ("def broken(:\n", "is not Python"),
        ("import boto3\n", "imports boto3, which requirements.txt does not bring"),
    ],
)
def test_refuses_a_function_that_could_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    root = make_project(tmp_path / "project")
    (root / "function" / "errors.py").write_text(source, "utf-8")
    with pytest.raises(PackagingError, match=re.escape(said)) as raised:
        build_in(root, monkeypatch, None)
    assert str(raised.value).startswith("function/errors.py")


@pytest.mark.parametrize("name", ["handler.py", "profiles.toml"])
def test_refuses_a_project_without_its_files(tmp_path: Path, name: str) -> None:
    root = make_project(tmp_path / "project")
    (root / name).unlink()
    with pytest.raises(PackagingError, match=f"{name} is missing"):
        find_function_files(root)


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("import json\nversion('demo')\n", []),
        ("from importlib.metadata import version\nversion('Demo_Tool')\n", ["demo-tool"]),
        ("import importlib.metadata\nimportlib.metadata.distribution('demo')\n", ["demo"]),
        ("from importlib.metadata import version\nversion(__name__)\n", ["*"]),
        ("import importlib_metadata as m\nm.entry_points(group='x')\n", ["*"]),
    ],
)
def test_knows_whose_metadata_is_read(source: str, asked: list[str]) -> None:
    assert list(metadata_asked_for(source)) == asked


def test_keeps_metadata_that_is_read_at_run_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_project(tmp_path / "project")
    reads = "from importlib.metadata import version\nVOWELS = version('demo')\n"
    make_wheel(root / "wheels", "demo", {"demo/__init__.py": reads})
    build_in(root, monkeypatch, None)
    assert "demo-1.0.dist-info/METADATA" in names(root / "build/function")


def test_refuses_a_library_that_needs_a_newer_c_library(tmp_path: Path) -> None:
    (tmp_path / "good.so").write_bytes(b"\0GLIBC_2.2.5\0GLIBC_2.17\0")
    check_glibc(tmp_path)
    (tmp_path / "_rust.abi3.so").write_bytes(b"\0GLIBC_2.17\0GLIBC_2.34\0GLIBC_2.9\0")
    with pytest.raises(PackagingError, match=r"_rust\.abi3\.so needs glibc 2\.34; the target allows 2\.17"):
        check_glibc(tmp_path)


# Finding a Python that runs.


def make_launcher(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_passes_over_a_launcher_that_exists_and_does_not_work(tmp_path: Path) -> None:
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


def test_takes_the_python_that_was_named_or_refuses_it(tmp_path: Path) -> None:
    working = make_launcher(tmp_path / "mine", "echo 3.12 cpython")
    assert find_python(str(working), {}) == str(working)
    for other in (make_launcher(tmp_path / "pypy", "echo 3.12 pypy"), tmp_path / "missing"):
        with pytest.raises(PackagingError, match=r"is not a CPython 3\.12 that runs"):
            find_python(str(other), {"PATH": str(tmp_path)})


# The real package, made once.


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, python312: str) -> tuple[Path, bytes]:
    folder = tmp_path_factory.mktemp("package") / "function"
    return folder, build(ROOT, folder, python312)


def test_the_package_holds_the_function_its_dependencies_and_no_leftovers(
    package: tuple[Path, bytes],
) -> None:
    folder, zipped = package
    files = names(folder)
    top = {name.partition("/")[0] for name in files if "/" in name} - {"__pycache__"}
    assert {"aliyunsdkcore", "aliyunsdksts", "cryptography", "jwt", "certifi"} <= top
    assert not {"requests", "urllib3", "charset_normalizer", "idna"} & top
    ours = {name for name in files if name.startswith("function/") or "/" not in name}
    ours = {name for name in ours if name.endswith((".py", ".toml"))}
    assert {"handler.py", "function/routes/upload_params.py", "profiles.toml"} <= ours
    assert ours == {path.relative_to(ROOT).as_posix() for path in find_function_files(ROOT).files}
    leftovers = r"(^|/)(tests?|bin)/|\.dist-info|\.pyi$|cpython-3(?!12)\d+|(^|/)(manage|conftest)\.py$"
    assert [name for name in files if re.search(leftovers, name)] == []
    sources = [name for name in files if name.endswith(".py")]
    assert len([name for name in files if name.endswith(".cpython-312.pyc")]) == len(sources)
    assert len(zipped) <= BUDGET_BYTES
    libraries = list(needed_glibc(folder))
    assert libraries and all(needed <= MAX_GLIBC for _, needed in libraries)


class FakeSts(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        credentials = {
            "AccessKeyId": "STS.fake",
            "AccessKeySecret": "fake-secret",
            "SecurityToken": "fake-token",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        body = json.dumps({"RequestId": "R-1", "Credentials": credentials}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def sts_origin() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), FakeSts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


# Only that folder and the standard library are there: -S leaves out site-packages, -I the current folder.
BARE_PROGRAM = """
import sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
import json
import handler
import jwt
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA256

context = SimpleNamespace(request_id="R-2")
handler.initialize(context)
event = {
    "version": "v1", "rawPath": "/upload-params", "body": '{"filename": "a.png"}', "isBase64Encoded": False,
    "headers": {"Content-Type": "application/json"}, "queryParameters": {},
    "requestContext": {"requestId": "R-2", "http": {"method": "POST", "path": "/upload-params",
                       "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test"}},
}
answer = handler.handler(json.dumps(event).encode(), context)
token = jwt.encode({"sub": "someone"}, "k" * 32, "HS256")
assert jwt.decode(token, "k" * 32, ["HS256"])["sub"] == "someone"
private_key = rsa.generate_private_key(65537, 2048)
for algorithm in (MD5(), SHA256()):
    signature = private_key.sign(b"callback", padding.PKCS1v15(), algorithm)
    private_key.public_key().verify(signature, b"callback", padding.PKCS1v15(), algorithm)
signed = jwt.encode({"sub": "someone"}, private_key, "RS256")
jwt.decode(signed, private_key.public_key(), ["RS256"])
vendored = [m.__file__ for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", "") or "")]
print(json.dumps({"answer": answer, "outside": vendored}))
"""


def test_the_package_signs_an_upload_in_a_bare_interpreter(
    package: tuple[Path, bytes], python312: str, sts_origin: str
) -> None:
    folder, _ = package
    environment = {
        "OSS_BUCKET": "photos",
        "OSS_REGION": "cn-hangzhou",
        "STS_ROLE_ARN": "acs:ram::1000000000000001:role/upload",
        "STS_ENDPOINT": sts_origin,
        "CALLER_AUTH": "anonymous",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.function",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
    }
    done = subprocess.run(
        [python312, "-I", "-S", "-B", "-W", "error", "-c", BARE_PROGRAM, str(folder)],
        capture_output=True,
        text=True,
        env=environment,
        cwd="/",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["outside"] == []
    assert said["answer"]["statusCode"] == 200, said["answer"]
    form = json.loads(said["answer"]["body"])["formData"]
    assert form["x-oss-security-token"] == "fake-token"
    assert re.fullmatch(r"[0-9a-f]{64}", form["x-oss-signature"])


def test_bytecode_saves_a_third_of_the_cold_import_wherever_the_package_is_unpacked(
    package: tuple[Path, bytes], python312: str
) -> None:
    _, zipped = package
    with_bytecode, without = measure_cold_import(python312, zipped, rounds=7)
    assert min(without) / min(with_bytecode) >= 1.5, summary(with_bytecode, without)


def test_the_measured_folders_differ_in_bytecode_only(tmp_path: Path) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("a.py", "b/c.py", "__pycache__/a.cpython-312.pyc", "b/__pycache__/c.cpython-312.pyc"):
            archive.writestr(name, "")
    with_bytecode, without = unpack_twice(buffer.getvalue(), tmp_path)
    assert len(names(with_bytecode)) == 4
    assert names(without) == ["a.py", "b/c.py"]
    assert {path.stat().st_mtime for path in tmp_path.rglob("*")} == {INSTANT_EPOCH}


def test_this_interpreter_is_no_substitute_for_the_target() -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    if version != "3.12":
        with pytest.raises(PackagingError, match="is not a CPython"):
            find_python(sys.executable, {})
    else:
        assert find_python(sys.executable, {}) == sys.executable
