"""
Figures of the structure, each with its cap: ``make house``; ``tests/test_house.py`` holds them as well.

``--over`` prints those over their cap alone, ``--all`` each item too; ``--floors``, ``--options`` and
``--files``: ``quality.architecture``.
"""

import ast
import io
import json
import os
import re
import site
import subprocess
import sys
import tokenize
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
MODES = ("anonymous", "wechat")
SMALL = 30
LONG_FUNCTION = 45
LARGE = 200
NOT_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}
OPENERS = re.compile(r"\s*(Of what|What|Whether|Who|Whoever|Whom|Whose|Which|How|Nobody|Nothing)\b")
# Tracked and not kept by hand: locked, recorded, drawn, or made by a program and compared by a test.
NOT_BY_HAND = re.compile(
    r"(^|/)package-lock\.json$|(^|/)requirements[^/]*(/[\w-]+)?\.txt$|^tests/(vectors/|events\.json$)|recorded\.txt$"
    r"|\.(png|svg)$|/oss-direct-upload/\w+\.(mjs|d\.mts)$|^llms(-full)?\.txt$|^docs/oss-open-points\.md$"
    r"|^deploy/monitoring/(log|metrics)\.json$"
)
# Caps of each folder: lines kept by hand, and tracked files. The last takes what no other has. CONTRIBUTING
# says when one rises; all together they may be exceeded by the slack.
FOLDERS = {
    "function/, handler.py, bytecode.py, sts_credentials.py": (20_450, 157),
    "ops/": (15_718, 133),
    "local/": (15_008, 148),
    "quality/": (12_784, 109),
    "tests/": (63_591, 497),
    "miniprogram/": (14_256, 190),
    (REST := "docs/, deploy/, root"): (11_999, 120),
}
SLACK = (300, 1)
# Where OSS's field names may stand beside ``oss/`` and one module of ``config/``.
X_OSS = ("function/oss/", "function/sts/session_policy.py")


class Figure(NamedTuple):
    """
    One figure.

    Args:
        found: the items that are counted; the figure is how many there are, or the number itself.

        shows: whether a report lists the items.
    """

    name: str
    cap: int
    found: Callable[[], Sequence[str] | int]
    shows: bool = True

    def value(self) -> int:
        counted = self.found()
        return counted if isinstance(counted, int) else len(counted)


@cache
def modules() -> dict[str, str]:
    """The text of each module of ``function/``, by its path."""
    paths = sorted((ROOT / "function").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


@cache
def nodes(path: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(modules()[path])))


@cache
def docstrings(path: str) -> list[tuple[int, int, str]]:
    """First line, last line and text of each."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = [(node.body[0], ast.get_docstring(node)) for node in nodes(path) if isinstance(node, kinds)]
    return [(first.lineno, first.end_lineno or first.lineno, text) for first, text in documented if text]


def lines_between(first: int, last: int | None) -> set[int]:
    return set(range(first, (last or first) + 1))


@cache
def code_lines(path: str) -> int:
    """Lines that hold a token other than a comment or a docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(modules()[path]).readline)
    code = [lines_between(token.start[0], token.end[0]) for token in tokens if token.type not in NOT_CODE]
    documented = [lines_between(first, last) for first, last, _ in docstrings(path)]
    return len(set().union(*code) - set().union(*documented))


def tracked(*folders: str) -> list[str]:
    command = ["git", "ls-files", "-z", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split("\0")[:-1]


@cache
def weights() -> dict[str, tuple[int, int]]:
    """Return the lines kept by hand and the tracked files of each folder."""
    found = dict.fromkeys(FOLDERS, (0, 0))
    for path in filter(lambda path: (ROOT / path).is_file(), tracked()):
        folder = next(each for each in FOLDERS if each == REST or path.startswith(tuple(each.split(", "))))
        by_hand = 0 if NOT_BY_HAND.search(path) else (ROOT / path).read_bytes().count(b"\n")
        found[folder] = found[folder][0] + by_hand, found[folder][1] + 1
    return found


def over_the_caps(kind: int) -> int:
    """Return the lines (0) or files (1) over the caps of their folders, all together."""
    return sum(max(0, weighed[kind] - FOLDERS[folder][kind]) for folder, weighed in weights().items())


def weight_table() -> str:
    rows = [(folder, *weighed, *FOLDERS[folder]) for folder, weighed in weights().items()]
    _, *totals = zip(*rows, strict=True)
    return "".join(
        f"{lines:>9,} of {most_lines:>7,} lines {files:>6,} of {most_files:>5,} files  {folder}\n"
        for folder, lines, files, most_lines, most_files in (*rows, ("all", *map(sum, totals)))
    )


def top_level() -> list[str]:
    """The tracked entries at the top, those included that are hidden or for Git alone."""
    return sorted({path.partition("/")[0] for path in tracked()})


def not_init() -> list[str]:
    return [path for path in modules() if not path.endswith("/__init__.py")]


def loose_files() -> list[str]:
    return [path for path in not_init() if path.count("/") == 1]


def large_modules() -> list[str]:
    return [f"{path} {code_lines(path)}" for path in modules() if code_lines(path) > LARGE]


def small_modules() -> list[str]:
    return [f"{path} {code_lines(path)}" for path in not_init() if code_lines(path) < SMALL]


def readers_by_string_key() -> list[str]:
    return [path for path in modules() if any(map(_reads_a_claim, nodes(path)))]


def _reads_a_claim(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(slice=ast.Constant(value="jti" | "owner"), ctx=ast.Load()):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="jti" | "owner"), *_]):
            return True
    return False


def x_oss_elsewhere() -> list[str]:
    """Modules with ``x-oss-`` outside ``X_OSS``; one of them may be in ``config/``."""
    return [path for path, text in modules().items() if "x-oss-" in text and not path.startswith(X_OSS)]


def docstrings_to_rewrite() -> list[str]:
    return [
        f"{path}:{line} {text.split()[0]}"
        for path in modules()
        for line, _, text in docstrings(path)
        if OPENERS.match(text)
    ]


def long_functions() -> list[str]:
    """Functions that fill more than a screen without their docstring."""
    found = []
    for path in modules():
        documented = {first: last for first, last, _ in docstrings(path)}
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0].lineno
                docstring = lines_between(first, documented[first]) if first in documented else ()
                length = len(lines_between(node.lineno, node.end_lineno)) - len(docstring)
                if length > LONG_FUNCTION:
                    found.append(f"{path}:{node.lineno} {node.name} {length}")
    return found


def classes_named(pattern: str, *folders: str) -> list[str]:
    """Classes with such a name; those in ``tests/local/`` are clients of the emulator, not stand-ins."""
    return [
        f"{path.relative_to(ROOT).as_posix()} {name}"
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.is_relative_to(ROOT / "tests" / "local")
        for name in re.findall(r"^\s*class (\w+)", path.read_text("utf-8"), re.MULTILINE)
        if re.search(pattern, name)
    ]


class Warm(NamedTuple):
    """
    One warm form, as ``sys.setprofile`` sees it.

    Args:
        files: of ``function/`` that are entered.

        reentries: into a file of ``function/`` that was entered before, other than the one that ran last.

        calls: of Python functions, the library's too, and the call of the handler itself.
    """

    files: int
    reentries: int
    calls: int


@cache
def python_3_12() -> str | None:
    """The interpreter whose calls are counted: others inline less, or more."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (sys.executable, "python3.12", *map(str, pyenv.glob("3.12.*/bin/python"))):
        # A command of that name may exist and not run.
        script = "import sys; sys.exit(sys.version_info[:2] != (3, 12))"
        with suppress(OSError):
            if not subprocess.run([candidate, "-c", script], capture_output=True, check=False).returncode:
                return candidate
    return None


@cache
def warm(mode: str) -> Warm:
    """Measure a warm form in a process of its own, on Python 3.12 where there is one."""
    shown = subprocess.run(
        [python_3_12() or sys.executable, "-m", "quality.house", "--warm", mode],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()])},
        capture_output=True,
        text=True,
        check=True,
    )
    return Warm(**json.loads(shown.stdout.splitlines()[-1]))


def _measure(mode: str) -> Warm:
    sys.path.insert(0, str(ROOT / "quality" / "bench" / "peers"))
    from requests_of_clients import CONTEXT, event  # type: ignore[import-not-found]  # by the path above

    import handler
    from function.app import Function
    from function.auth.session import SessionToken
    from function.context import Dependencies
    from function.request_log import to_standard_output
    from tests.support.memory_oss import MemoryOss

    environ = {
        "OSS_BUCKET": "my-bucket",
        "OSS_REGION": "cn-hangzhou",
        "STS_ROLE_ARN": "acs:ram::1234567890123456:role/upload",
        "CALLER_AUTH": mode,
        "PROFILES_FILE": str(ROOT / "tests" / "support" / "plain_profiles.toml"),
        "CALLER_RATE": "1000000/min",
        "WECHAT_APPID": "wx0123456789abcdef",
        "WECHAT_SECRET": "s",
        "TOKEN_SECRET": "0123456789abcdef" * 2,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "i",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s",
    }
    function = handler.served = Function(
        Dependencies(environ, hooks_file=Path("none"), write_line=to_standard_output)
    )
    now, settings = datetime.now(UTC), function.ready().settings
    MemoryOss("my-bucket", "cn-hangzhou", lambda: now).give_sessions(function)
    token = SessionToken.issue("o", settings.callers[0], settings, now) if mode == "wechat" else ""
    sent = event(token=token)
    for _ in range(3):
        if (response := handler.handler(sent, CONTEXT))["statusCode"] != 200:
            raise RuntimeError(response["body"])
    entered: list[str] = []

    def profile(frame: Any, what: str, _argument: Any) -> None:
        if what == "call":
            entered.append(frame.f_code.co_filename)

    def request() -> None:
        handler.handler(sent, CONTEXT)

    sys.setprofile(profile)
    request()
    sys.setprofile(None)
    ours = [name for name in entered if name.startswith(f"{ROOT}{os.sep}function{os.sep}")]
    changes = [name for before, name in zip(["", *ours], ours, strict=False) if name != before]
    files = len(set(ours))
    return Warm(files, len(changes) - files, len(entered))


def _architecture() -> Any:
    return import_module("quality.architecture")


FIGURES = (
    Figure("lines over the caps of their folders", SLACK[0], lambda: over_the_caps(0)),
    Figure("files over the caps of their folders", SLACK[1], lambda: over_the_caps(1)),
    Figure("modules over 200 code lines", 0, large_modules),
    Figure("modules under 30 code lines", 8, small_modules),
    Figure("functions over 45 lines", 0, long_functions),
    Figure("modules in a circle of imports", 0, lambda: _architecture().circles(_architecture().imports())),
    Figure("imports upwards", 0, lambda: _architecture().upward()),
    Figure("files beside the rooms", 10, loose_files),
    Figure("tracked entries at the top", 33, top_level, shows=False),
    Figure("modules that read jti or owner by a string key", 3, readers_by_string_key),
    Figure("modules with x-oss- elsewhere than oss/ and session_policy", 1, x_oss_elsewhere),
    Figure("docstrings that open with a question word", 0, docstrings_to_rewrite),
    Figure("stand-ins of OSS", 3, lambda: classes_named("Oss|Bucket", "tests")),
    Figure("stand-ins of WeChat", 1, lambda: classes_named("Wechat$", "tests")),
    Figure("classes named World", 1, lambda: classes_named("^World$", "tests", "quality")),
)


def _warm_figure(name: str, field: str, mode: str, cap: int) -> Figure:
    return Figure(f"{name} of a warm form, {mode}", cap, lambda: int(getattr(warm(mode), field)))


WARM_FIGURES = tuple(
    _warm_figure(name, field, mode, cap)
    for name, field, caps in (
        ("files", "files", (18, 20)),
        ("re-entries", "reentries", (24, 27)),
        ("Python calls", "calls", (107, 112)),
    )
    for mode, cap in zip(MODES, caps, strict=True)
)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; 1 where one is over its cap."""
    if arguments[:1] == ["--warm"]:
        sys.stdout.write(json.dumps(_measure(arguments[1])._asdict()))
        return 0
    if arguments[:1] in (["--floors"], ["--options"], ["--files"]):
        sys.stdout.write(import_module("quality.architecture").printed(*arguments) + "\n")
        return 0
    if "--over" not in arguments:
        sys.stdout.write(weight_table())
    over = 0
    for figure in (*FIGURES, *WARM_FIGURES):
        counted, value = figure.found(), figure.value()
        is_over = value > figure.cap
        over += is_over
        if is_over or "--over" not in arguments:
            sys.stdout.write(f"{'!' if is_over else ' '} {value:>7,} of {figure.cap:>7,}  {figure.name}\n")
        if not isinstance(counted, int) and figure.shows and (is_over or "--all" in arguments):
            sys.stdout.write("".join(f"{'':24}{item}\n" for item in counted))
    if python_3_12() is None and "--over" not in arguments:
        sys.stdout.write("  without Python 3.12 the calls of a warm form are not comparable\n")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
