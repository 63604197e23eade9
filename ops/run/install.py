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

from ops.run.own_python import python_in
from ops.terminal.language import Text, chosen_language
from ops.terminal.screen import Screen

SLOW_SECONDS = 40
LAST_LINES = 5
UNREACHED = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|MaxRetryError"
    r"|Connection(?:Reset|Refused)Error|from versions: none"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT"
)

# None at all, one older than 22.3, or one that a distribution took apart.
NO_PIP = re.compile(r"No module named|no such option: --python|ImportError")


@dataclass(frozen=True)
class Source:
    """A registry, a mirror of it, and the variable that names a mirror; the hashes hold there too."""

    name: str
    mirror: Text
    variable: str


PYPI = Source("PyPI", Text("Alibaba Cloud's PyPI mirror", "阿里云 PyPI 镜像"), "PIP_INDEX_URL")
NPM = Source("npm", Text("npmmirror", " npmmirror"), "NPM_CONFIG_REGISTRY")
NO_VENV = Text(
    "This Python makes no virtual environments. On Debian and Ubuntu: apt install python3-venv",
    "这个 Python 不能创建虚拟环境。Debian 和 Ubuntu 上请运行：apt install python3-venv",
)


def main(arguments: list[str]) -> int:
    """``FOLDER REQUIREMENTS [--fresh]`` for a virtual environment, ``node [FOLDER]`` for node_modules."""
    if arguments[0] == "node":
        place = Path(*arguments[1:])
        modules = place / "node_modules"
        _announce(Text(f"installing {modules} (once) ...", f"正在安装 {modules}（只需一次）……"))
        npm = ["npm", "ci", "--prefix", str(place)]
        return install([*npm, "--no-audit", "--no-fund", "--loglevel=error"], NPM)
    folder, requirements, *fresh = arguments
    _announce(
        Text(
            f"setting up {folder} with {requirements} (once) ...",
            f"正在按 {requirements} 准备 {folder}（只需一次）……",
        )
    )
    own_python = str(python_in(Path(folder)))
    own_pip = pip = [own_python, "-m", "pip"]
    if fresh:
        if code := make_environment([sys.executable, "-m", "venv", "--clear", "--without-pip", folder]):
            return code
        # A pip of its own is half of the seconds and half of the megabytes; that of this Python does as well.
        pip = [sys.executable, "-m", "pip", "--python", own_python]
    # What is imported is compiled then; most of it never is.
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    what = ["install", *options, "-r", requirements]
    code, said = attempt([*pip, *what], PYPI)
    if code and NO_PIP.search(said):
        if code := make_environment([own_python, "-m", "ensurepip", "--upgrade", "--default-pip"]):
            return code
        return install([*own_pip, *what], PYPI)
    return explained(code, said, [*pip, *what], PYPI)


def make_environment(command: list[str]) -> int:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ensurepip" in done.stdout + done.stderr:
        _complain(NO_VENV)
    elif done.returncode:
        _complain_of(command, done.stdout + done.stderr)
    return done.returncode


def install(command: list[str], source: Source, slow_seconds: float = SLOW_SECONDS) -> int:
    """Run an installer in silence; what it would say of a network that is not there becomes a sentence."""
    return explained(*attempt(command, source, slow_seconds), command, source)


def attempt(command: list[str], source: Source, slow_seconds: float = SLOW_SECONDS) -> tuple[int, str]:
    """Its exit code, and all that it said."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
            try:
                process.wait(slow_seconds)
            except subprocess.TimeoutExpired:
                hint = _mirror_hint(source)
                _complain(Text(f"still installing ... {hint.en}", f"还在安装……{hint.zh}"))
            code = process.wait()
        log.seek(0)
        return code, log.read()


def explained(code: int, said: str, command: list[str], source: Source) -> int:
    """The exit code, after a sentence where it is none of success."""
    if code and UNREACHED.search(said):
        hint = _mirror_hint(source)
        _complain(
            Text(
                f"{source.name} cannot be reached from here, and nothing was installed: check the network"
                f" (HTTPS_PROXY). {hint.en}",
                f"这里连不上 {source.name}，什么都没有安装：请检查网络（HTTPS_PROXY）。{hint.zh}",
            )
        )
    elif code:
        _complain_of(command[:4], said)
    return code


def _mirror_hint(source: Source) -> Text:
    how = f"{source.variable}=ADDRESS make ..."
    return Text(
        f"In the mainland of China name a mirror, such as {source.mirror.en}: {how} (docs/local-cloud.md)",
        f"国内请用镜像，如{source.mirror.zh}：{how}（docs/local-cloud.zh-CN.md）",
    )


def _announce(text: Text) -> None:
    Screen().line(text.say(chosen_language(None)))


def _complain(text: Text) -> None:
    Screen(sys.stderr).line(text.say(chosen_language(None)))


def _complain_of(command: list[str], said: str) -> None:
    """Print the failed command and the end of its output."""
    line = " ".join(command)
    _complain(Text(f"{line} failed:", f"{line} 失败："))
    for last in said.strip().splitlines()[-LAST_LINES:]:
        Screen(sys.stderr).line(f"  {last}")


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
