"""
Install what is pinned, and say in one sentence why that failed: ``python -m ops.run.install``.

Runs before any package is there, so it needs nothing but the standard library.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SLOW_SECONDS = 40
LAST_LINES = 5
UNREACHED = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|MaxRetryError"
    r"|Connection(?:Reset|Refused)Error|from versions: none"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT"
)


@dataclass(frozen=True)
class Source:
    """A registry, a mirror of it, and the variable that names a mirror; the hashes hold there too."""

    name: str
    mirror: str
    variable: str


PYPI = Source("PyPI", "阿里云 PyPI 镜像", "PIP_INDEX_URL")
NPM = Source("npm", "npmmirror", "NPM_CONFIG_REGISTRY")


def main(arguments: list[str]) -> int:
    """``FOLDER REQUIREMENTS [--fresh]`` for a virtual environment, ``node [FOLDER]`` for node_modules."""
    if arguments[0] == "node":
        place = Path(*arguments[1:])
        print(f"installing {place / 'node_modules'} (once) ...", flush=True)
        npm = ["npm", "ci", "--prefix", str(place)]
        return install([*npm, "--no-audit", "--no-fund", "--loglevel=error"], NPM)
    folder, requirements, *fresh = arguments
    print(f"setting up {folder} with {requirements} (once) ...", flush=True)
    own_python = str(Path(folder, "bin", "python"))
    pip = [own_python, "-m", "pip"]
    if fresh:
        if code := make_environment([sys.executable, "-m", "venv", "--clear", "--without-pip", folder]):
            return code
        # A pip of its own is half of the seconds and half of the megabytes; that of this Python does as well.
        pip = [sys.executable, "-m", "pip", "--python", own_python]
    if not _runs(pip):
        pip = [own_python, "-m", "pip"]
        if code := make_environment([own_python, "-m", "ensurepip", "--upgrade", "--default-pip"]):
            return code
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]
    return install([*pip, "install", *options, "-r", requirements], PYPI)


def make_environment(command: list[str]) -> int:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ensurepip" in done.stdout + done.stderr:
        _complain("This Python makes no virtual environments. On Debian and Ubuntu: apt install python3-venv")
    elif done.returncode:
        _complain(f"{' '.join(command)} failed:", *_last_lines(done.stdout + done.stderr))
    return done.returncode


def _runs(pip: list[str]) -> bool:
    """``--python`` wants pip 22.3 or newer."""
    return subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0


def install(command: list[str], source: Source, slow_seconds: float = SLOW_SECONDS) -> int:
    """Run an installer in silence; what it would say of a network that is not there becomes a sentence."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
            try:
                process.wait(slow_seconds)
            except subprocess.TimeoutExpired:
                _complain(f"still installing ... {_mirror_hint(source)}")
            code = process.wait()
        log.seek(0)
        said = log.read()
    if code and UNREACHED.search(said):
        _complain(
            f"{source.name} cannot be reached from here, and nothing was installed: check the network"
            f" (HTTPS_PROXY). {_mirror_hint(source)}"
        )
    elif code:
        _complain(f"{' '.join(command[:4])} failed:", *_last_lines(said))
    return code


def _mirror_hint(source: Source) -> str:
    return (
        f"国内请用镜像，如{source.mirror}: in the mainland of China name a mirror,"
        f" {source.variable}=ADDRESS make ... (docs/local-cloud.md)"
    )


def _last_lines(said: str) -> list[str]:
    return [f"  {line}" for line in said.strip().splitlines()[-LAST_LINES:]]


def _complain(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
