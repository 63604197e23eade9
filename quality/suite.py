"""
The tests by target, two runners side by side: ``python -m quality.suite fast|test|rest|function``.

The closing lines of each runner are printed when it ends, and its whole output where it failed.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AT_A_TIME = 2
SECONDS_BETWEEN_LINES = 20.0
MODULES = (
    *("tests/test_bytecode.py", "tests/test_handler.py", "tests/test_sts_credentials.py"),
    "tests/deploy/test_burst_server.py",
)
FUNCTION = ("tests/function", *MODULES)
# Two halves of about the same length.
FIRST_HALF = ("tests/function/limits", "tests/function/holding")
# What needs another language or minutes; the rest of tests/ is for everybody.
ONLY_IN_REST = (
    "tests/ops/package",
    "tests/docs/test_held_objects.py",
    "tests/docs/test_receipts.py",
    "tests/docs/test_from_php.py",
    "quality/tests",
)
# Rows of progress, and what node prints of each test that passed.
NOISE = re.compile(
    r"[.sxF]+ +\[ *\d+%\]|TAP version .*|# (suites|cancelled|todo|duration_ms) .*|"
    r" *(?!ok .*# SKIP)(ok |---|\.\.\.|[a-z_]+: |# Subtest: |\d+\.\.\d).*"
)
CLOSING_LINES = 14


@dataclass(frozen=True)
class Tool:
    """A program that some tests need, and the Debian packages that bring it."""

    name: str
    programs: tuple[str, ...]
    packages: str


REDIS = Tool("Redis", ("redis-server",), "redis-server")
CHROMIUM = Tool(
    "Chromium",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "chromium fonts-noto-cjk",
)
OPENSSL = Tool("OpenSSL", ("openssl",), "openssl")
LANGUAGES = (
    Tool("PHP", ("php",), "php-cli"),
    Tool("Go", ("go",), "golang-go"),
    Tool("Java", ("javac",), "default-jdk-headless libjose4j-java"),
)


@dataclass(frozen=True)
class Runner:
    """A command of one process, or of several one after the other; the tools are those its tests need."""

    name: str
    commands: tuple[Sequence[str], ...]
    tools: tuple[Tool, ...] = ()


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", *arguments]


def _ignoring(*paths: str) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def node(script: str) -> list[str]:
    return ["npm", "run", "--silent", script]


TERRAFORM = Path(".venv-terraform", "bin", "python")
# The longest first, so that both processes end together.
TARGETS = {
    "fast": (
        Runner(
            "function, other half, and house",
            (pytest("tests/function", *_ignoring(*FIRST_HALF), *MODULES, "tests/test_house.py"),),
            (REDIS,),
        ),
        Runner("function, one half", (pytest(*FIRST_HALF),), (REDIS,)),
    ),
    "function": (Runner("function", (pytest(*FUNCTION),), (REDIS,)),),
    "test": (
        Runner(
            "function, every branch",
            (
                [sys.executable, "-m", "coverage", "run", "-m", *pytest(*FUNCTION)[2:]],
                [sys.executable, "-m", "coverage", "report"],
            ),
            (REDIS,),
        ),
        Runner(
            "local cloud, end to end, commands, documents",
            (pytest("tests", *_ignoring(*FUNCTION, *ONLY_IN_REST)),),
            (REDIS,),
        ),
        Runner("client", (node("test:client"),)),
    ),
    "rest": (
        Runner("playground", (node("test:playground"),), (CHROMIUM,)),
        Runner(
            "torture in small, packages, backends", (pytest(*ONLY_IN_REST),), (REDIS, OPENSSL, *LANGUAGES)
        ),
        Runner("frameworks", (node("test:examples"),)),
        Runner("deployment tool", (node("test:deploy"),)),
        Runner("generated clients", (pytest("tests/end_to_end/real_clients.py"),)),
        Runner(
            "Terraform",
            ([str(TERRAFORM), "-m", "pytest", "-q", "--noconftest", "tests/deploy/real/real_terraform.py"],),
        ),
    ),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.suite", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--room", help="fast: the tests of one folder of function/, such as holding")
    parser.add_argument("--changed", metavar="COMMIT", help="fast: tests of what changed since COMMIT")
    parser.add_argument("--order", metavar="SEED", help="shuffle the tests by a seed; random draws one")
    args = parser.parse_args(arguments)
    os.chdir(ROOT)
    if args.order:
        seed = str(random.randrange(1_000_000)) if args.order == "random" else args.order
        os.environ["ORDER_SEED"] = seed
        print(f"tests in random order; the same order again: SEED={seed}", flush=True)
    runners: tuple[Runner, ...] = TARGETS[args.target]
    if args.room or args.changed:
        paths = (
            [f"tests/function/{args.room}"] if args.room else sorted(tests_of(changed_since(args.changed)))
        )
        runners = (Runner(" ".join(paths), (pytest(*paths, "tests/test_house.py"),), (REDIS,)),)
    if not TERRAFORM.exists() and args.target == "rest":
        print("no Terraform for this machine on PyPI: deploy/terraform is NOT VALIDATED here", flush=True)
        runners = tuple(runner for runner in runners if runner.name != "Terraform")
    started = time.monotonic()
    failed = run(runners)
    end = f"{', '.join(failed)} FAILED" if failed else "passed"
    print(f"{missing_tools(runners)}{args.target}: {end} in {time.monotonic() - started:.0f} s", flush=True)
    return 1 if failed else 0


def changed_since(commit: str) -> list[str]:
    """Paths of tracked and new files that differ from a commit."""
    listings = (["git", "diff", "--name-only", commit], ["git", "ls-files", "--others", "--exclude-standard"])
    return [path for one in listings for path in subprocess.check_output(one, text=True).splitlines()]


def tests_of(paths: Iterable[str]) -> set[str]:
    """The tests of changed files: those that find a wrong version of a module, else those of its folder."""
    from quality.torture.mutation import TESTS

    found = set()
    for path in map(Path, paths):
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__").removeprefix("deploy.burst.")
        folder = path.parent if path.parts[0] == "tests" else Path("tests") / path.parent
        if path.suffix == ".py" and path.name.startswith("test_") and path.exists():
            found.add(str(path))
        elif path.suffix == ".py" and module in TESTS:
            found.update(TESTS[module])
        elif folder != Path("tests") and folder.is_dir():
            found.add(str(folder))
    return found


def missing_tools(runners: Iterable[Runner]) -> str:
    """Return a line that names the tools without which tests were left out; empty where all are here."""
    tools = dict.fromkeys(tool for runner in runners for tool in runner.tools)
    missing = [tool for tool in tools if not any(map(shutil.which, tool.programs))]
    if not missing:
        return ""
    names, packages = ", ".join(tool.name for tool in missing), " ".join(tool.packages for tool in missing)
    return f"without {names} some tests were left out; to run them: apt install {packages}\n"


def run(runners: Sequence[Runner]) -> list[str]:
    """Run all of them, two at a time, and return the names of those that failed."""
    failed = []
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        running = {pool.submit(_run, runner): runner.name for runner in runners}
        while running:
            done, _ = wait(running, SECONDS_BETWEEN_LINES, FIRST_COMPLETED)
            if not done:
                print(
                    f"   running: {'; '.join(name for one, name in running.items() if one.running())}",
                    flush=True,
                )
            for one in done:
                name = running.pop(one)
                is_well, lines = one.result()
                failed += [] if is_well else [name]
                print(*lines, sep="\n   ", flush=True)
    return failed


def _run(runner: Runner) -> tuple[bool, list[str]]:
    """Run the commands up to the first that fails; return whether all passed, and the lines to print."""
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
    if is_well:
        lines = [line for line in lines if not NOISE.fullmatch(line)][-CLOSING_LINES:]
    end = f"{'passed' if is_well else 'FAILED'} in {time.monotonic() - started:.0f} s"
    return is_well, [f"== {runner.name}: {end}", *lines]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
