"""Which files the function consists of, and which packages they import."""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from function.config.profiles import PROFILES_TOML
from ops.deploy.callers import CALLERS_TOML, NO_CALLERS, SEVERAL, own_entries, pointed_to
from ops.deploy.profile_lines import NO_PROFILES
from ops.deploy.s_yaml import functions, mapping, read_s_yaml
from ops.terminal.language import Failure, Text

MODULES = ("handler.py", "bytecode.py", "sts_credentials.py")
PACKAGE = "function"
# Optional.
HOOKS = "hooks.py"
REQUIREMENTS = "requirements.txt"
REDIS_REQUIREMENTS = "requirements/redis.txt"
# They work on the operator's machine; a function that imports them would not start in the cloud.
NOT_FOR_THE_FUNCTION = frozenset({"manage", "ops", "deploy", "local", "tests", "quality"})


class PackagingError(Failure):
    """Raised when no usable package can be made; its sentence says what to change."""

    exit_code = 1


@dataclass(frozen=True)
class Extra:
    """
    What a package holds beyond the plain one, for deployments that ask for it.

    Args:
        modules: files below the project's root that lie beside ``handler.py`` in the package.
        requirements: the file that pins what they import.
        packages: what the function itself imports, by import name, in such a deployment alone.
        data_files: of the project's root, with folders.
        more_bytes: that the zip may have for it, over the plain one's budget.
        mode: of the data files.
    """

    modules: tuple[str, ...]
    requirements: str
    packages: tuple[str, ...] = ()
    data_files: tuple[str, ...] = ()
    more_bytes: int = 0
    mode: int = 0o644


# s.burst.yaml starts a server of our own.
BURST = Extra(("deploy/burst/burst_server.py",), "requirements/burst.txt")
# QUOTA_URL names a Redis.
REDIS = Extra((), REDIS_REQUIREMENTS, ("redis",), more_bytes=1_800_000)


@dataclass(frozen=True)
class FunctionFiles:
    """
    Args:
        files: each with its path in the package, sorted by it.
        packages: what they import from others, by import name, each with the first file that does.
    """

    files: dict[str, Path]
    packages: dict[str, str]


def find_function_files(root: Path, *extras: Extra) -> FunctionFiles:
    """
    The modules, all of ``function/``, ``profiles.toml``, ``hooks.py`` if there is one; each extra's modules.

    Raises:
        PackagingError: when a file is missing, is not Python, or imports what stays behind.
    """
    data_files = (PROFILES_TOML, *(name for extra in extras for name in extra.data_files))
    beside_handler = [root / name for extra in extras for name in extra.modules]
    top = [*(root / name for name in (*MODULES, *data_files)), *beside_handler]
    # Beside the project, nothing of it would be where the function looks.
    if missing := [name for name in data_files if not (root / name).resolve().is_relative_to(root.resolve())]:
        names = ", ".join(missing)
        raise PackagingError(Text(f"{names} is not in {root}", f"{names} 不在 {root} 里"))
    if missing := [_below(root, path) for path in top if not path.is_file()]:
        names = ", ".join(missing)
        lacking = Text(f"{names} is missing in {root}", f"{root} 里缺少 {names}")
        unmade = {PROFILES_TOML: NO_PROFILES, CALLERS_TOML: NO_CALLERS}
        raise PackagingError(unmade.get(names, lacking))
    hooks = [path for path in [root / HOOKS] if path.is_file()]
    paths = [*top, *hooks, *(root / PACKAGE).rglob("*.py")]
    files = {path.name if path in beside_handler else _below(root, path): path for path in paths}
    ours = {PACKAGE, *(name.removesuffix(".py") for name in files)}
    left_out = set(REDIS.packages) - {name for extra in extras for name in extra.packages}
    packages: dict[str, str] = {}
    for path in sorted(paths):
        name = _below(root, path)
        # The function imports none of these without its extra; hooks would.
        known = ours if path in hooks else ours | left_out
        imported = _packages_of(path, name, known) if path.suffix == ".py" else []
        packages = {**dict.fromkeys(imported, name), **packages}
    return FunctionFiles(dict(sorted(files.items())), packages)


def callers_extra(root: Path, environ: Mapping[str, str]) -> tuple[Extra, ...]:
    """
    What several callers add: their file, and the files of the project that it names.

    Only the user that the function runs as may read them: root, unless a NAS block names another.

    Raises:
        PackagingError: git tracks one of them.
    """
    if environ.get("CALLER_AUTH", "").strip() != SEVERAL:
        return ()
    found = [
        props.get("nasConfig", {"userId": 0}) for _, props in functions(read_s_yaml(root / "s.yaml").content)
    ]
    mode = 0o600 if all(mapping(each).get("userId") == 0 for each in found) else 0o644
    return (Extra((), REQUIREMENTS, data_files=callers_files(root), mode=mode),)


def callers_files(root: Path) -> tuple[str, ...]:
    """Names of ``callers.toml`` and the files that it names; raise ``PackagingError`` if git tracks one."""
    named = pointed_to("file", *own_entries(root / CALLERS_TOML).values())
    names = [CALLERS_TOML, *dict.fromkeys(name for name in named if not Path(name).is_absolute())]
    # A link in the project is packed as what it leads to.
    there = [(root / name).resolve() for name in names]
    targets = [str(path) for path in there if root.resolve() in path.parents]
    command, tracked = ["git", "--literal-pathspecs", "ls-files", "-z", "--", *names, *targets], ""
    # Where there is no git, nothing is tracked.
    with suppress(OSError):
        tracked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    if listed := " ".join(tracked.split("\0")[:-1]):
        raise PackagingError(
            Text(
                f"git tracks {listed}: whoever clones the project has it. Run: `git rm --cached {listed}`",
                f"git 里有 {listed}，克隆项目的人都能拿到。请运行：`git rm --cached {listed}`",
            )
        )
    return tuple(names)


def extras_of(quota_url: str) -> tuple[Extra, ...]:
    """What a deployment with this ``QUOTA_URL``, which may be empty or wrong, asks for beyond the package."""
    if not quota_url.startswith(("redis:", "rediss:")):
        return ()
    try:
        given = parse_qs(urlsplit(quota_url).query).get("ssl_ca_certs", [])
    except ValueError:
        given = []
    return (replace(REDIS, data_files=tuple(given)),)


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _packages_of(path: Path, name: str, ours: Collection[str]) -> list[str]:
    """Return what the file imports beside ``ours``; raise ``PackagingError`` for what stays behind."""
    imported = sorted(set(_imported_names(path, name)) - sys.stdlib_module_names - set(ours))
    for package in imported:
        if package in NOT_FOR_THE_FUNCTION:
            raise PackagingError(
                Text(
                    f"{name} imports {package}, which is not part of the function",
                    f"{name} 导入了 {package}，而它不属于函数",
                )
            )
    return imported


def _imported_names(path: Path, name: str) -> Iterator[str]:
    """Yield the first part of every imported name; raise ``PackagingError`` if the file is not Python."""
    # Bytes, as the interpreter reads them: Notepad puts a mark in front.
    try:
        tree = ast.parse(path.read_bytes(), name)
    except (SyntaxError, ValueError) as error:
        raise PackagingError(
            Text(f"{name} is not Python: {error}", f"{name} 不是 Python：“{error}”")
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise PackagingError(
                    Text(
                        f"{name}:{node.lineno} imports relatively; name the whole module",
                        f"{name}:{node.lineno} 用了相对导入，请写完整的模块名",
                    )
                )
            yield (node.module or "").partition(".")[0]
