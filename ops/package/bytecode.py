"""
``.pyc`` files that are valid wherever and whenever the package is unpacked, from a Python that really runs.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops.package.function_files import PackagingError
from ops.package.vendoring import TARGET_VERSION
from ops.terminal.language import Text

# What a traceback shows; Function Compute unpacks the code there.
CODE_FOLDER = "/code"
PROBE = "import sys, zlib, ssl; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def find_python(named: str | None, environ: Mapping[str, str]) -> str | None:
    """
    A CPython of the target's version, tried by running it: a launcher may exist and not work.

    Args:
        named: the only candidate, when given.

    Raises:
        PackagingError: when ``named`` is no such Python.
    """
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
    for folder_of_version in sorted(kept, key=_patch_level, reverse=True):
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

    Raises:
        PackagingError: with what did not compile.

    Source: https://docs.python.org/3/library/compileall.html
    """
    command = [python, "-s", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", CODE_FOLDER, str(folder)]
    # An empty environment: PYTHONOPTIMIZE and its like would change the result.
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    if done.returncode:
        words = (done.stdout + done.stderr).strip()[-1000:]
        raise PackagingError(Text(f"compiling failed:\n{words}", f"编译失败：\n“{words}”"))


def _patch_level(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.name))
