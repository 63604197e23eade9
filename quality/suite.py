"""
The tests by target, three or four runners side by side: ``python -m quality.suite fast|function|test|all``.

The closing lines of each runner are printed when it ends, and its whole output where it failed.
"""

import argparse
import os
import platform
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Two more than two processors can run: the tests of the client wait for half of their time, others at times.
AT_A_TIME = 4
DEPLOYED = "3.12"
SECONDS_BETWEEN_LINES = 20.0
MODULES = (
    *("tests/test_bytecode.py", "tests/test_handler.py", "tests/function/sts/test_assume_role.py"),
    "tests/deploy/test_burst_server.py",
)
FUNCTION = ("tests/function", *MODULES)
# What another Python could change: bytecode, annotations, audited hooks, the SDK; each route and code once.
ON_ANOTHER = (
    *MODULES[:3],
    *("tests/function/test_annotations.py", "tests/function/test_app.py"),
    *("tests/function/uploads/test_hooks.py", "tests/function/routes"),
    "tests/end_to_end/test_recorded_exchanges.py",
)
# Two halves of about the same length.
FIRST_HALF = ("tests/function/limits", "tests/function/holding", "tests/function/owners")
# While you work, no test that repeats at length what others cover.
BRIEFLY = ("-m", "not not_for_coverage")
# What needs another language or minutes; the rest of tests/ is for everybody.
ONLY_IN_REST = (
    "tests/ops/package",
    "tests/docs/test_backends.py",
    "tests/docs/test_from_php.py",
    "quality/tests",
)
# Rows of progress, and what node prints of each test that passed.
NOISE = re.compile(
    r"[.sxF]+ +\[ *\d+%\]|TAP version .*|# (suites|cancelled|todo|duration_ms) .*|"
    r" *(?!ok .*# SKIP)(ok |---|\.\.\.|[a-z_]+: |# Subtest: |\d+\.\.\d).*"
)
CLOSING_LINES = 14
# How pytest and node end, and the reason by which a test says what it needs.
SKIPPED = re.compile(r"(?:^|, )(\d+) skipped\b.* in [\d.]+s|^(?:#|ℹ) skipped (\d+)$")
NEEDS = re.compile(r"needs ([^()]+) \(apt install ([\w. -]+)\)")


@dataclass(frozen=True)
class Runner:
    """A command of one process, or of several one after the other; some need what is installed meanwhile."""

    name: str
    commands: tuple[Sequence[str], ...]
    is_installed_later: bool = False


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", *arguments]


def _ignoring(*paths: str) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def measured(half: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "coverage", "run", f"--data-file={half}", "-m", *pytest(*arguments)[2:]]


def node(script: str) -> list[str]:
    return ["npm", "run", "--silent", script]


# What each half of the function's tests has measured.
HALVES = (".coverage.half", ".coverage.other")

TERRAFORM = Path(".venv-terraform", "bin", "python")
# The longest first, so that all end together.
TARGETS = {
    "fast": (
        Runner(
            "function, other half, and house",
            (pytest(*BRIEFLY, "tests/function", *_ignoring(*FIRST_HALF), *MODULES, "tests/test_house.py"),),
        ),
        Runner("function, one half", (pytest(*BRIEFLY, *FIRST_HALF),)),
    ),
    "function": (Runner("function", (pytest(*FUNCTION),)),),
    "test": (
        Runner(
            "local cloud, end to end, commands, documents",
            (pytest("tests", *_ignoring(*FUNCTION, *ONLY_IN_REST)),),
        ),
        Runner("function, one half", (measured(HALVES[0], *FIRST_HALF),)),
        Runner("function, other half", (measured(HALVES[1], *FUNCTION, *_ignoring(*FIRST_HALF)),)),
        Runner("client", (node("test:client"),)),
    ),
}
# Once both halves are through.
EVERY_BRANCH = Runner(
    "every branch of the function",
    tuple([sys.executable, "-m", "coverage", *words] for words in (("combine", *HALVES), ("report",))),
)
INSTALLS = Runner("installing for the others", (("make", "ready-for-all"),))
# What only make test-all has.
REST = (
    Runner("torture in small, packages, backends", (pytest(*ONLY_IN_REST),)),
    Runner("playground", (node("test:playground"),)),
    Runner("deployment tool", (node("test:deploy"),)),
    Runner("frameworks", (node("test:examples"),), is_installed_later=True),
    Runner("generated clients", (pytest("tests/end_to_end/real_clients.py"),), is_installed_later=True),
    Runner("lint", (("make", "lint"),)),
    Runner(
        "Terraform",
        ([str(TERRAFORM), "-m", "pytest", "-q", "--noconftest", "tests/deploy/real/real_terraform.py"],),
        is_installed_later=True,
    ),
)


def on(environment: str) -> Runner:
    """The function's tests in a virtual environment of another Python; all of them on the deployed one."""
    python = str(Path(environment, "bin", "python"))
    chosen = FUNCTION if environment.endswith(DEPLOYED) else ON_ANOTHER
    return Runner(f"function in {environment}", ([python, *pytest(*chosen)[1:]],))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.suite", description=__doc__)
    parser.add_argument("target", choices=(*TARGETS, "all"))
    parser.add_argument("--room", help="fast: the tests of one folder of function/, such as holding")
    parser.add_argument("--changed", metavar="COMMIT", help="fast: tests of what changed since COMMIT")
    parser.add_argument("--also", metavar="VENV", action="append", default=[], help="all: the function there")
    parser.add_argument("--order", metavar="SEED", help="shuffle the tests by a seed; random draws one")
    args = parser.parse_args(arguments)
    os.chdir(ROOT)
    if args.order:
        seed = str(random.randrange(1_000_000)) if args.order == "random" else args.order
        os.environ["ORDER_SEED"] = seed
        print(f"tests in random order; the same order again: SEED={seed}", flush=True)
    others = tuple(map(on, args.also))
    runners: tuple[Runner, ...] = TARGETS.get(args.target) or (*TARGETS["test"], *REST, *others)
    if args.room or args.changed:
        paths = (
            [f"tests/function/{args.room}"] if args.room else sorted(tests_of(changed_since(args.changed)))
        )
        runners = (Runner(" ".join(paths), (pytest(*paths, "tests/test_house.py"),)),)
    if (platform.system(), platform.machine()) == ("Linux", "aarch64") and args.target == "all":
        print("no Terraform for this machine on PyPI: deploy/terraform is NOT VALIDATED here", flush=True)
        runners = tuple(runner for runner in runners if runner.name != "Terraform")
    started = time.monotonic()
    failed, lines = run(runners, INSTALLS if args.target == "all" else None)
    if args.target in ("test", "all"):
        failed += run((EVERY_BRANCH,))[0]
    end = f"{', '.join(failed)} FAILED" if failed else "passed"
    more = f"; make test-all has besides: {'; '.join(one.name for one in REST)}"
    print(
        f"{args.target}: {end} in {time.monotonic() - started:.0f} s; {left_out(lines)}",
        more if args.target == "test" else "",
        sep="",
        flush=True,
    )
    return 1 if failed else 0


def changed_since(commit: str) -> list[str]:
    """Paths of tracked and new files that differ from a commit."""
    listings = (["git", "diff", "--name-only", commit], ["git", "ls-files", "--others", "--exclude-standard"])
    return [path for one in listings for path in subprocess.check_output(one, text=True).splitlines()]


def tests_of(paths: Iterable[str]) -> set[str]:
    """The tests of changed files: those that reach a module, else those of its folder."""
    from quality.torture.traces import tests

    found = set()
    for path in map(Path, paths):
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__").removeprefix("deploy.burst.")
        folder = path.parent if path.parts[0] == "tests" else Path("tests") / path.parent
        if path.suffix == ".py" and path.name.startswith("test_") and path.exists():
            found.add(str(path))
        elif path.suffix == ".py" and module in tests():
            found.update(tests()[module])
        elif folder != Path("tests") and folder.is_dir():
            found.add(str(folder))
    return found


def left_out(lines: Iterable[str]) -> str:
    """Return how many tests were left out, without which tools, and the command that installs these."""
    count, needs = 0, dict[str, str]()
    for line in lines:
        if found := SKIPPED.search(line):
            count += int(found[1] or found[2])
        needs |= NEEDS.findall(line)
    if not needs:
        return f"tests left out: {count}"
    packages = dict.fromkeys(" ".join(needs.values()).split())
    return f"tests left out: {count} without {', '.join(needs)} (apt install {' '.join(packages)})"


def run(runners: Sequence[Runner], installs: Runner | None = None) -> tuple[list[str], list[str]]:
    """
    Run all of them, four at a time, or three and installs beside them.

    Returns: the names of those that failed, and what all of them printed.
    """
    failed, printed = list[str](), list[str]()
    with ThreadPoolExecutor(AT_A_TIME - bool(installs)) as pool, ThreadPoolExecutor(1) as aside:
        installed = aside.submit(_run, installs) if installs else None
        running = {installed: installs.name} if installed and installs else {}
        running |= {pool.submit(_run, runner, installed): runner.name for runner in runners}
        while running:
            done, _ = wait(running, SECONDS_BETWEEN_LINES, FIRST_COMPLETED)
            if not done:
                print(
                    f"   running: {'; '.join(name for one, name in running.items() if one.running())}",
                    flush=True,
                )
            for one in done:
                name = running.pop(one)
                is_well, seconds, lines = one.result()
                failed += [] if is_well else [name]
                printed += lines
                end = f"{'passed' if is_well else 'FAILED'} in {seconds:.0f} s"
                shown = [line for line in lines if not NOISE.fullmatch(line)][-CLOSING_LINES:]
                print(f"== {name}: {end}", *(shown if is_well else lines), sep="\n   ", flush=True)
    return failed, printed


Ended = tuple[bool, float, list[str]]


def _run(runner: Runner, installed: Future[Ended] | None = None) -> Ended:
    """Run the commands up to the first that fails; return whether all passed, seconds, and their lines."""
    if runner.is_installed_later and installed:
        wait([installed])
    started, lines, is_well = time.monotonic(), list[str](), True
    for command in runner.commands:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHON": sys.executable},
            check=False,
        )
        lines += done.stdout.splitlines()
        is_well = done.returncode == 0
        if not is_well:
            break
    return is_well, time.monotonic() - started, lines


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
