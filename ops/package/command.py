"""
Make build/function: the modules, profiles.toml and the runtime dependencies, as the cloud runs them.

Beside it build/function-burst, the same with the server of s.burst.yaml. The results depend on the sources,
the pins and the compiling Python 3.12, not on this machine.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.package.authorities import PACKAGE as AUTHORITIES
from ops.package.authorities import hash_authorities
from ops.package.bytecode import bundle, compile_folder, find_python
from ops.package.function_files import (
    BURST,
    REQUIREMENTS,
    Extra,
    PackagingError,
    callers_extra,
    extras_of,
    find_function_files,
)
from ops.package.libraries import strip_libraries
from ops.package.profiles import prepare_profiles
from ops.package.sbom import write_sbom
from ops.package.vendoring import TARGET_VERSION, check_packages, forget_metadata, prune, vendor
from ops.package.zip_file import files_of, normalise, zip_folder
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text(
    "make build/function and build/function-burst, the folders that are deployed",
    "生成 build/function 与 build/function-burst，即要部署的目录",
)
ABOUT = Text(
    __doc__,
    "生成 build/function：各模块、profiles.toml 与运行依赖，与云端运行的一样。\n\n"
    "旁边的 build/function-burst 与它相同，另有 s.burst.yaml 的服务器。"
    "结果只取决于源码、锁定的版本和编译用的 Python 3.12，与这台机器无关。",
)
PYTHON = Text(
    f"the Python {TARGET_VERSION} that compiles the modules", f"用来编译各模块的 Python {TARGET_VERSION}"
)
NO_BYTECODE = Text(
    f"NO BYTECODE: no Python {TARGET_VERSION} that runs was found. Every cold start will compile all modules"
    f" anew\nand take more than twice as long. Install Python {TARGET_VERSION}, or name one:"
    " python3 manage.py package --python PATH",
    f"没有字节码：没有找到能运行的 Python {TARGET_VERSION}。每次冷启动都要重新编译所有模块，\n"
    f"时间会多一倍以上。请安装 Python {TARGET_VERSION}，或指定一个：python3 manage.py package --python PATH",
)
PRIVATE = Text(
    "packed for several callers, mode {mode}: {names}. Whoever may read the package (fc:GetFunctionCode)"
    " has them",
    "为多个调用者打包，权限 {mode}：{names}。能读取代码包（fc:GetFunctionCode）的人都能拿到",
)
DEPENDENCIES = Text(
    f"  dependencies of {{names}}, for Python {TARGET_VERSION} on Linux x86_64",
    f"  {{names}} 的依赖，用于 Linux x86_64 上的 Python {TARGET_VERSION}",
)
BYTECODE = Text(
    "  bytecode by {python}, of {count} modules in one file",
    "  字节码由 {python} 生成，其中 {count} 个模块在同一个文件里",
)
MADE = Text(
    "{name}: {count} files, {megabytes:.2f} MB zipped (budget {budget:g} MB); versions and licences are in"
    " {name}.cdx.json",
    "{name}：{count} 个文件，压缩后 {megabytes:.2f} MB（上限 {budget:g} MB）；版本和许可证见 {name}.cdx.json",
)
TOO_LARGE = Text(
    "the package has {size:,} bytes zipped; the budget is {budget:,}. A large package starts slowly: remove a"
    " dependency, or raise BUDGET_BYTES in ops/package/command.py",
    "包压缩后有 {size:,} 字节，上限是 {budget:,}。包大则启动慢："
    "请去掉一个依赖，或调大 ops/package/command.py 里的 BUDGET_BYTES",
)
Say = Callable[[Text], None]
ROOT = Path(__file__).resolve().parents[2]
BUDGET_BYTES = 8_000_000


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--python", metavar="PATH", help=PYTHON.say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    python = find_python(args.python, os.environ)
    environ = operator_environment(args.env_file, os.environ)
    callers = callers_extra(ROOT, environ)
    asked = (*extras_of(environ.get("QUOTA_URL", "")), *callers)
    build(ROOT, ROOT / "build" / "function", python, *asked, language=language)
    build(ROOT, ROOT / "build" / "function-burst", python, BURST, *asked, language=language)
    for extra in callers:
        names = ", ".join(extra.data_files)
        Screen().warn(PRIVATE.say(language, names=names, mode=f"{extra.mode:04o}"))
    return 0


def build(
    root: Path,
    target: Path,
    python: str | None,
    *extras: Extra,
    budget_bytes: int = BUDGET_BYTES,
    language: str = "en",
) -> bytes:
    """
    Build beside ``target`` and put the result in its place only when all went well.

    Args:
        python: the interpreter that compiles; None leaves the package without bytecode, and says so.
        extras: what is in it beyond the function.
        budget_bytes: the largest zip that passes, but for what the extras may add.

    Returns:
        the package as a zip file.

    Raises:
        PackagingError: with what to change; ``target`` is then as it was.
    """
    screen = Screen()

    def say(text: Text) -> None:
        screen.line(text.say(language))

    budget_bytes += sum(extra.more_bytes for extra in extras)
    if python is None:
        Screen(sys.stderr).line(f"{'!' * 100}\n{NO_BYTECODE.say(language)}\n{'!' * 100}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".function-", dir=target.parent) as name:
        folder = Path(name) / "function"
        folder.mkdir()
        bill = Path(name) / "bill.json"
        _fill(root, folder, python, bill, say, extras)
        zipped = zip_folder(folder)
        budget, count = budget_bytes / 1e6, len(files_of(folder))
        shown = f"{target.parent.name}/{target.name}"
        say(MADE.filled(name=shown, count=count, megabytes=len(zipped) / 1e6, budget=budget))
        if len(zipped) > budget_bytes:
            raise PackagingError(TOO_LARGE.filled(size=len(zipped), budget=budget_bytes))
        if target.exists():
            target.replace(Path(name) / "previous")
        folder.replace(target)
        bill.replace(target.with_name(f"{target.name}.cdx.json"))
    return zipped


def _fill(
    root: Path, folder: Path, python: str | None, bill: Path, say: Say, extras: tuple[Extra, ...]
) -> None:
    function = find_function_files(root, *extras)
    pinned = [*dict.fromkeys([REQUIREMENTS, *(extra.requirements for extra in extras)])]
    say(DEPENDENCIES.filled(names=", ".join(pinned)))
    vendor(folder, root, pinned)
    check_packages(function.packages, folder, pinned)
    prune(folder, function.packages)
    write_sbom(folder, bill, root / "pyproject.toml")
    forget_metadata(folder)
    strip_libraries(folder)
    for name, path in function.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    # What every cold start would do.
    prepare_profiles(folder)
    if (folder / AUTHORITIES).is_dir():
        hash_authorities(folder)
    if python:
        compile_folder(python, folder)
        say(BYTECODE.filled(python=python, count=bundle(folder)))
    normalise(folder)
    for path, mode in ((folder / name, extra.mode) for extra in extras for name in extra.data_files):
        path.chmod(mode)
