"""
Make build/template.zip: this project as `s init` hands it out.

Everything in it is from the last commit of this repository: nothing is kept twice.
"""

import argparse
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from function import VERSION
from ops.package.function_files import PackagingError, callers_files
from ops.package.zip_file import normalise, zip_folder
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text("make build/template.zip, which s init takes", "生成 build/template.zip，供 `s init` 使用")
ABOUT = Text(
    __doc__,
    "生成 build/template.zip：`s init` 从中创建新项目。\n\n"
    "里面的一切都来自本仓库的最后一次提交，没有另存一份。",
)
MADE = Text(
    "{path}: {files} files, {kilobytes:,.0f} KB. Put it where `s init NAME --uri https://…` can fetch it;"
    " a local zip is removed by the tool when it has been read.",
    "{path}：{files} 个文件，{kilobytes:,.0f} KB。放到 `s init NAME --uri https://…` 能下载的地方；"
    "如果给的是本机的 zip，工具读完会把它删掉。",
)
OUTPUT = Text("where to write it (default: build/template.zip)", "写到哪里（默认：build/template.zip）")
ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "build" / "template.zip"
# What the tool asks, its hook, and the page of its registry; the project itself goes into src.
ABOUT_THE_PROJECT, PROJECT = "deploy/template", "src"
# Benchmarks and proofs of this repository, and the tests that need them, or a clone.
LEFT_OUT = (
    *(".ci/", "quality/", "tests/test_house.py", "tests/ops/package/test_pins.py"),
    *(f"tests/docs/test_{name}.py" for name in ("attacks", "names", "speed")),
    "tests/ops/deploy/template.test.js",
)
# `make test`, and the figures that the pages show.
CARRIED = ("quality/__init__.py", "quality/suite.py", "quality/bench/results/")
VERSION_LINE = "Version: 0.0.0"


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--output", type=Path, default=TARGET, metavar="FILE", help=OUTPUT.say(language))
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    files = build(ROOT, args.output)
    kilobytes = args.output.stat().st_size / 1000
    language = chosen_language(args.lang)
    Screen().line(MADE.say(language, path=args.output, files=files, kilobytes=kilobytes))
    return 0


def build(root: Path, target: Path) -> int:
    """Write the zip of what was committed; return its files. Raise ``PackagingError`` if this is no clone."""
    callers_files(root)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, content in _project_files(root):
            _write(folder / PROJECT / path, content)
            if Path(path).is_relative_to(ABOUT_THE_PROJECT):
                _write(folder / Path(path).relative_to(ABOUT_THE_PROJECT), content)
        publish = folder / "publish.yaml"
        publish.write_text(publish.read_text("utf-8").replace(VERSION_LINE, f"Version: {VERSION}"), "utf-8")
        shutil.copy2(folder / PROJECT / "CHANGELOG.md", folder / "version.md")
        normalise(folder)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(zip_folder(folder))
        return sum(path.is_file() for path in folder.rglob("*"))


def _project_files(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file of the last commit that a project has, with its content."""
    try:
        packed = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise PackagingError(
            Text(
                "git has no commit of this folder; the template is made in a clone of the repository",
                "git 里没有这个目录的提交；模板要在仓库的克隆里生成",
            )
        ) from None
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        # A link may lead to what is not tracked.
        for entry in filter(tarfile.TarInfo.isfile, archive):
            content = archive.extractfile(entry)
            if content and (entry.name.startswith(CARRIED) or not entry.name.startswith(LEFT_OUT)):
                yield entry.name, content.read()


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
