"""
Bytecode that is valid wherever and whenever the package is unpacked, from a Python that really runs.

``.pyc`` files, and one file in the place of those that every cold start reads.
"""

import marshal
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from bytecode import FILE, HEADER_BYTES, MAGIC_BYTES
from ops.package.function_files import PackagingError
from ops.package.vendoring import TARGET_VERSION
from ops.terminal.language import Text

# What a traceback shows; Function Compute unpacks the code there.
CODE_FOLDER = "/code"
# What ``handler`` imports; a server that starts earlier imports others.
BUNDLED = ("function", "sts_credentials", "aliyunsdkcore", "aliyunsdksts", "jwt", "cryptography")
PYC_HEADER_BYTES = 16
# This Python writes the index, and that of the target reads it.
MARSHAL_VERSION = 4
# Nothing reads the docstrings of what is bundled; they take 7 % of the code, and a cold start a moment. It
# writes the .pyc files anew, for the sources named on its standard input, with the hashes that they have.
WITHOUT_DOCSTRINGS = """
import ast, marshal, sys
from pathlib import Path
for line in sys.stdin:
    source, shown = map(Path, line.rstrip("\\n").split("\\t"))
    (compiled,) = (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")
    tree = ast.parse(source.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body[:1] = [] if node.body[1:] else [ast.Pass(lineno=node.body[0].lineno, col_offset=0)]
    code = compile(tree, shown.as_posix(), "exec", dont_inherit=True)
    compiled.write_bytes(compiled.read_bytes()[:16] + marshal.dumps(code))
"""
PROBE = "import sys, zlib, ssl; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def find_python(named: str | None, environ: Mapping[str, str]) -> str | None:
    """Return a CPython of the target's version that runs; raise ``PackagingError`` if the named is none."""
    if named:
        if not runs(named):
            raise PackagingError(
                Text(
                    f"{named} is not a CPython {TARGET_VERSION} that runs",
                    f"{named} 不是能运行的 CPython {TARGET_VERSION}",
                )
            )
        return named
    return next((path for path in candidates(environ) if runs(path)), None)


def candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Places where a Python of the target's version is usually kept, most likely first."""
    name = f"python{TARGET_VERSION}"
    for folder in environ.get("PATH", "").split(os.pathsep):
        if folder and (found := shutil.which(name, path=folder)):
            yield found
    home = Path(environ.get("HOME", "/nonexistent"))
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    kept = [*pyenv.glob(f"{TARGET_VERSION}.*"), *uv.glob(f"cpython-{TARGET_VERSION}.*")]
    for folder_of_version in sorted(
        kept, key=lambda path: [*map(int, re.findall(r"\d+", path.name))], reverse=True
    ):
        yield str(folder_of_version / "bin" / name)
    yield from (f"/opt/homebrew/bin/{name}", f"/usr/local/bin/{name}")


def runs(python: str) -> bool:
    try:
        done = subprocess.run(
            [python, "-I", "-c", PROBE], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.split() == [TARGET_VERSION, "cpython"]


def compile_folder(python: str, folder: Path) -> None:
    """
    Compile everything once; the result is never compared with its source, and names no path of this machine.

    What is bundled loses its docstrings, and keeps its asserts.

    Raises:
        PackagingError: with what did not compile.

    Source: https://docs.python.org/3/library/compileall.html
    """
    command = [python, "-s", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", CODE_FOLDER, str(folder)]
    sources = "\n".join(f"{path}\t{CODE_FOLDER}/{path.relative_to(folder)}" for path in _bundled(folder))
    for step, given in ((command, ""), ([python, "-s", "-S", "-c", WITHOUT_DOCSTRINGS], sources)):
        # An empty environment: PYTHONOPTIMIZE and its like would change the result.
        done = subprocess.run(step, capture_output=True, text=True, env={}, input=given, check=False)
        if done.returncode:
            words = (done.stdout + done.stderr).strip()[-1000:]
            raise PackagingError(Text(f"compiling failed:\n{words}", f"编译失败：\n“{words}”"))


def _bundled(folder: Path) -> list[Path]:
    """Return the sources of ``BUNDLED`` in a folder, sorted."""
    paths = [path for name in BUNDLED for path in (folder / f"{name}.py", *(folder / name).rglob("*.py"))]
    return sorted(path for path in paths if path.is_file())


def bundle(folder: Path) -> int:
    """Move the ``.pyc`` files of ``BUNDLED`` into one file, as ``bytecode.py`` reads it; return how many."""
    index: dict[str, tuple[str, int, str, int, int]] = {}
    magic, code = b"", bytearray(HEADER_BYTES)
    for source in _bundled(folder):
        (compiled,) = (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")
        content = compiled.read_bytes()
        compiled.unlink()
        magic, body = content[:MAGIC_BYTES], content[PYC_HEADER_BYTES:]
        path = source.relative_to(folder)
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        # With an unchecked hash, a .pyc file has that of its source in its header.
        digest = content[HEADER_BYTES:PYC_HEADER_BYTES].hex()
        index[name] = (path.as_posix(), source.stat().st_size, digest, len(code), len(body))
        code += body
    code[:HEADER_BYTES] = magic + len(code).to_bytes(HEADER_BYTES - MAGIC_BYTES, "little")
    (folder / FILE).write_bytes(code + marshal.dumps(index, MARSHAL_VERSION))
    for cache in list(folder.rglob("__pycache__")):
        if not any(cache.iterdir()):
            cache.rmdir()
    return len(index)


def sources_in_one_file(folder: Path) -> set[str]:
    """Paths of the sources whose code ``bundle`` moved, below the folder."""
    content = (folder / FILE).read_bytes()
    start = int.from_bytes(content[MAGIC_BYTES:HEADER_BYTES], "little")
    return {path for path, *_ in marshal.loads(content[start:]).values()}
