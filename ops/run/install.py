"""
Install what is pinned, and say what may help where that failed: ``python -m ops.run.install``.

Runs before any package is there, so it needs nothing but the standard library.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ops.run.own_python import python_in
from ops.terminal.language import Text, chosen_language
from ops.terminal.screen import Screen

SLOW_SECONDS = 40


@dataclass(frozen=True)
class Source:
    """A registry, a mirror of it, and the variable that names a mirror; the hashes hold there too."""

    name: str
    mirror: Text
    variable: str


PYPI = Source("PyPI", Text("Alibaba Cloud's PyPI mirror", "阿里云 PyPI 镜像"), "PIP_INDEX_URL")
NPM = Source("npm", Text("npmmirror", " npmmirror"), "NPM_CONFIG_REGISTRY")
NO_VENV = Text(
    "This Python makes no virtual environment. On Debian and Ubuntu: apt install python3-venv",
    "这个 Python 没能创建虚拟环境。Debian 和 Ubuntu 上请运行：apt install python3-venv",
)
SLOW = Text("still installing ...", "还在安装……")
FAILED = Text(
    "Not everything was installed. If {source} cannot be reached, check the network (HTTPS_PROXY).",
    "没有装全。如果这里连不上 {source}，请检查网络（HTTPS_PROXY）。",
)
MIRROR = Text(
    "In the mainland of China name a mirror, such as {mirror}: {variable}=ADDRESS make ..."
    " (docs/local-cloud.md)",
    "国内请用镜像，如{mirror}：{variable}=ADDRESS make ...（docs/local-cloud.zh-CN.md）",
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
    # None at all, one older than 22.3, or one that a distribution took apart.
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        if code := make_environment([own_python, "-m", "ensurepip", "--upgrade", "--default-pip"]):
            return code
        pip = own_pip
    # What is imported is compiled then; most of it never is.
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    return install([*pip, "install", *options, "-r", requirements], PYPI)


def make_environment(command: list[str]) -> int:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        Screen(sys.stderr).line(done.stdout + done.stderr)
        _complain(NO_VENV)
    return done.returncode


def install(command: list[str], source: Source, slow_seconds: float = SLOW_SECONDS) -> int:
    """Run an installer; add to its own words what may help where it is slow or fails."""
    hint = MIRROR.filled(mirror=source.mirror, variable=source.variable)
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        try:
            code = process.wait(slow_seconds)
        except subprocess.TimeoutExpired:
            _complain(SLOW, hint)
            code = process.wait()
    if code:
        _complain(FAILED.filled(source=source.name), hint)
    return code


def _announce(text: Text) -> None:
    Screen().line(text.say(chosen_language(None)))


def _complain(*texts: Text) -> None:
    language = chosen_language(None)
    Screen(sys.stderr).line(" ".join(text.say(language) for text in texts))


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
