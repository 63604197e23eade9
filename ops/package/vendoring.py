"""
The runtime dependencies for the machine that Function Compute runs, without what only an installer needs.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from ops.package.function_files import PackagingError
from ops.terminal.language import Text

TARGET_VERSION = "3.12"
# The python3.12 runtime is x86_64 on Debian 11, glibc 2.31. manylinux2014 asks for 2.17 at most, which every
# runtime has. Source: https://help.aliyun.com/zh/functioncompute/fc/python/
TARGET = (
    "--only-binary=:all:",
    "--platform=manylinux2014_x86_64",
    "--implementation=cp",
    f"--python-version={TARGET_VERSION}",
)

METADATA_MODULE = re.compile(r"\b(importlib\.metadata|importlib_metadata|pkg_resources)\b")

# Tests ask the finished package for forms with every kind of key, import every module that it
# holds, and find nothing in it that names what is not in it.
SDK, CARRIED = "aliyunsdkcore", "aliyunsdkcore/vendored/requests"
UNREACHED = (
    # For building extensions; built ones need _cffi_backend only.
    *("cffi", "pycparser"),
    # The SDK's client, and what only that imports: where a service is, when to try again, what signs with
    # other kinds of keys. function/sts/aliyun_sdk.py has a request sign itself, and sends it.
    *(f"{SDK}/{name}" for name in ("client.py", "data", "endpoint", "profile", "retry")),
    *(f"{SDK}/auth/{name}" for name in ("credentials.py", "algorithm/sha_hmac256.py", "signers", "utils")),
    *(f"{SDK}/{name}" for name in ("http/http_request.py", "http/http_response.py", "utils/validation.py")),
    "jmespath",
    # Guesses the encoding of a text; an answer of STS is JSON, read as bytes. function/sts/aliyun_sdk.py puts
    # a stand-in in its place.
    f"{CARRIED}/packages/chardet",
    # For reports of bugs; a module that the folder beside it hides.
    *(f"{CARRIED}/{name}" for name in ("help.py", "packages.py")),
    # For other systems, another library of TLS, old Pythons, and proxies; of those that are tried,
    # function/sts/aliyun_sdk.py says that they are not there.
    *(f"{CARRIED}/packages/urllib3/contrib/{name}" for name in ("_securetransport", "appengine.py")),
    *(f"{CARRIED}/packages/urllib3/contrib/{name}" for name in ("ntlmpool.py", "pyopenssl.py")),
    *(f"{CARRIED}/packages/urllib3/contrib/{name}" for name in ("securetransport.py", "socks.py")),
    *(f"{CARRIED}/packages/urllib3/packages/{name}" for name in ("backports", "ordered_dict.py", "socks.py")),
    f"{CARRIED}/packages/urllib3/util/selectors.py",
)
# Certificates of years ago; every connection is checked with those of the package certifi.
STALE_AUTHORITIES = f"{CARRIED}/packages/certifi/cacert.pem"
DROPPED_FOLDERS = frozenset({"bin", "tests", "test", "testing", "__pycache__"})
DROPPED_SUFFIXES = frozenset({".pyi", ".pyc", ".typed", ".h", ".c", ".pyx", ".pxd", ".js"})


def vendor(folder: Path, root: Path, requirements: Sequence[str]) -> None:
    """Install the pinned packages into ``folder``; raise ``PackagingError`` with pip's last words."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--no-compile", *TARGET, "--target", str(folder)]
    command += [f"--requirement={root / path}" for path in requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        names = ", ".join(requirements)
        raise PackagingError(
            Text(
                f"pip could not install {names} for Python {TARGET_VERSION}:\n{words}",
                f"pip 无法为 Python {TARGET_VERSION} 安装 {names}：\n“{words}”",
            )
        )


def prune(folder: Path, imported: Collection[str] = ()) -> None:
    """Remove what no import reaches: tests, stubs, C sources, the SDK's client; what is imported stays."""
    for name in (*(name for name in UNREACHED if name not in imported), STALE_AUTHORITIES):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*")):
        if not path.exists():
            continue  # went with its folder
        if path.is_dir():
            if path.name in DROPPED_FOLDERS:
                shutil.rmtree(path)
        elif path.suffix in DROPPED_SUFFIXES:
            path.unlink()


def forget_metadata(folder: Path) -> None:
    """Remove what the installer noted about each distribution, unless something in the folder reads any."""
    if any(METADATA_MODULE.search(path.read_text("utf-8")) for path in folder.rglob("*.py")):
        return
    for path in [*folder.rglob("*.dist-info"), *folder.rglob("*.egg-info")]:
        shutil.rmtree(path)


def check_packages(packages: dict[str, str], folder: Path, pinned: Sequence[str]) -> None:
    """Raise ``PackagingError`` for every package that the function imports and ``folder`` lacks."""
    there = {path.name.partition(".")[0] for path in folder.iterdir()}
    names = ", ".join(pinned)
    missing = [
        Text(
            f"{file} imports {package}, which {names} does not bring; add and pin it",
            f"{file} 导入了 {package}，而 {names} 里没有；请加上并锁定版本",
        )
        for package, file in sorted(packages.items())
        if package not in there
    ]
    if missing:
        raise PackagingError(*missing)
