"""
The stored table of mutation: for each module what was tried at which source, and which mutants survive.

Outcomes of a module that is not finished wait in a file of its own, which git ignores; a run continues there.
"""

import ast
import fcntl
import hashlib
import json
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "quality" / "torture" / "mutation_table.toml"
UNFINISHED = ROOT / "build" / "mutation"
HEAD = """\
# What mutation found, one line a module: `python -m quality.torture --only mutation` writes it, and
# `python -m quality.torture --mutation-report` shows it. A module whose line is deleted is tried again whole.
"""
KILLED, SURVIVED, OPEN, BROKEN = "killed", "survived", "open", "broken"
SHOWN = 12
COLUMNS = "{:<36} {:>7} {:>7} {:>10} {:>9}  {:<12} {:<10}  {}"


@dataclass(frozen=True)
class Row:
    """
    Args:
        source: digest of the module's code, without what changes no mutant: comments, docstrings, imports.

        tests: fingerprint of the tests that ran last.

        at: the commit at which they ran.

        surviving: names of the mutants that no test notices and no reason excuses.
    """

    source: str
    tests: str
    at: str
    on: date
    mutants: int
    killed: int
    equivalent: int
    surviving: tuple[str, ...]

    def line(self, module: str) -> str:
        fields = [f"{name} = {json.dumps(getattr(self, name))}" for name in ("source", "tests", "at")]
        fields += [f"on = {self.on}"]
        fields += [f"{name} = {getattr(self, name)}" for name in ("mutants", "killed", "equivalent")]
        names = json.dumps(self.surviving, ensure_ascii=False)
        return f'"{module}" = {{ {", ".join(fields)}, surviving = {names} }}\n'


def source_of(path: Path) -> str:
    """The first digits of git's name of a file."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()[:SHOWN]


class _Code(ast.NodeTransformer):
    """Of a module without its imports and docstrings."""

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        del node

    visit_ImportFrom = visit_Import

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


def code_of(text: str) -> str:
    """The first digits of a digest of a module's code."""
    return hashlib.sha1(ast.unparse(_Code().visit(ast.parse(text))).encode()).hexdigest()[:SHOWN]


def fingerprint_of(tests: Iterable[str]) -> str:
    """Of the tests at these paths, and of what stands beside all tests."""
    paths: set[Path] = set()
    for name in ("tests/conftest.py", "tests/support", *tests):
        path = ROOT / name
        paths |= set(path.rglob("*.py")) if path.is_dir() else {path, path.parent / "conftest.py"}
    digest = hashlib.sha1()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(f"{path.relative_to(ROOT)} {source_of(path)}\n".encode())
    return digest.hexdigest()[:SHOWN]


def rows() -> dict[str, Row]:
    if not TABLE.exists():
        return {}
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return {module: Row(**{**row, "surviving": tuple(row["surviving"])}) for module, row in table.items()}


def store(module: str, row: Row) -> None:
    """Put in one row; other processes may do so meanwhile."""
    with _alone():
        table = rows() | {module: row}
        text = HEAD + "".join(row.line(name) for name, row in sorted(table.items()))
        TABLE.write_text(text, "utf-8")


@contextmanager
def _alone() -> Iterator[None]:
    UNFINISHED.mkdir(parents=True, exist_ok=True)
    with (UNFINISHED / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Unfinished:
    """Outcomes of one module so far, by the mutant's name; other tests may notice what survived before."""

    def __init__(self, module: str, source: str, tests: str) -> None:
        UNFINISHED.mkdir(parents=True, exist_ok=True)
        self._path = UNFINISHED / f"{module}.jsonl"
        self._first = [source, tests]
        self.outcomes: dict[str, str] = {}
        lines = self._path.read_text("utf-8").split("\n")[:-1] if self._path.exists() else []
        first, *rest = map(json.loads, lines or ["[0, 0]"])
        if first[0] == source:
            has_changed = first[1] != tests
            self.outcomes = {name: said for name, said in rest if not (has_changed and said == SURVIVED)}
        if first != self._first:
            text = "".join(json.dumps(line) + "\n" for line in (self._first, *self.outcomes.items()))
            self._path.write_text(text, "utf-8")

    def add(self, name: str, outcome: str) -> None:
        self.outcomes[name] = outcome
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, outcome]) + "\n")

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def commit() -> str:
    asked = ["git", "rev-parse", f"--short={SHOWN}", "HEAD"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def report(present: dict[str, tuple[str, str]]) -> str:
    """
    The whole table for a reader.

    Args:
        present: source and fingerprint of the tests of each module as they are now.
    """
    table = rows()
    lines = [COLUMNS.format("module", "mutants", "killed", "equivalent", "surviving", "commit", "date", "")]
    for module, (source, tests) in sorted(present.items()):
        row = table.get(module)
        if row is None:
            lines.append(COLUMNS.format(module, "", "", "", "", "", "", "never ran"))
            continue
        state = "stale: its source changed" if row.source != source else ""
        state = state or ("its tests changed" if row.tests != tests else "")
        counts = (row.mutants, row.killed, row.equivalent, len(row.surviving))
        lines.append(COLUMNS.format(module, *counts, row.at, str(row.on), state).rstrip())
    current = {name: row for name, row in table.items() if name in present and row.source == present[name][0]}
    stale = len(set(table) & set(present)) - len(current)
    fields = ("mutants", "killed", "equivalent")
    sums = (sum(getattr(row, field) for row in current.values()) for field in fields)
    surviving = [f"{name}: {mutant}" for name, row in sorted(current.items()) for mutant in row.surviving]
    total = f"{len(current)} modules at their present source"
    lines += ["", COLUMNS.format(total, *sums, len(surviving), "", "", "").rstrip()]
    lines += [f"{stale} stale, {len(set(present) - set(table))} never ran"]
    return "\n".join([*lines, *(f"survives: {one}" for one in surviving)])
