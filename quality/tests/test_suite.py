"""Each test belongs to one runner of ``make test`` or ``make test-all``; what fails there is shown whole."""

import json
import re
import sys
from pathlib import Path

import pytest

from quality import suite
from quality.torture import mutation
from tests import conftest

RUNNERS = (*suite.TARGETS["test"], *suite.TARGETS["rest"])
SCRIPTS = json.loads((suite.ROOT / "package.json").read_text("utf-8"))["scripts"]


def files_of(runner):
    """The files of tests that a runner's first command runs."""
    command = runner.commands[0]
    if command[0] == "npm":
        script = SCRIPTS[command[-1]].replace("tests/playground/run.js", "tests/playground/*.test.js")
        return {path for word in script.split() for path in suite.ROOT.glob(word)} if "*" in script else set()
    words = [word for word in command if re.match(r"(--ignore=)?(tests|quality)\b", word)]
    left_out = tuple(word.removeprefix("--ignore=") for word in words if word.startswith("--ignore="))
    found = set()
    for path in (suite.ROOT / word for word in words if not word.startswith("--")):
        found |= {path} if path.is_file() else {*path.rglob("test_*.py")}
    return {path for path in found if not path.relative_to(suite.ROOT).as_posix().startswith(left_out)}


def test_every_file_of_tests_belongs_to_one_runner():
    python = ("tests/**/test_*.py", "tests/**/real_*.py", "quality/tests/**/test_*.py")
    patterns = (
        *python,
        *(f"{folder}/**/*.test.js" for folder in ("tests", "miniprogram/test", "miniprogram/examples/test")),
    )
    every = sorted(
        path for pattern in patterns for path in suite.ROOT.glob(pattern) if "node_modules" not in path.parts
    )
    ran = sorted(path for runner in RUNNERS for path in files_of(runner))
    assert len(every) > 300
    assert ran == every


def test_the_fast_runners_run_the_function_and_the_house():
    ran = [path for runner in suite.TARGETS["fast"] for path in files_of(runner)]
    whole = files_of(suite.TARGETS["function"][0])
    assert sorted(ran) == sorted(whole | {suite.ROOT / "tests/test_house.py"})


def python(code):
    return [sys.executable, "-c", code]


def test_a_failed_command_ends_its_runner_and_is_shown_whole(capfd):
    runners = (
        suite.Runner("bad", (python("print('all of it\\n' * 99); exit(3)"), python("print('never')"))),
        suite.Runner("good", (python("print('.... [ 50%]')"), python("print('noise\\n' * 99 + 'closing')"))),
    )
    assert suite.run(runners)[0] == ["bad"]
    printed = capfd.readouterr().out
    assert printed.count("all of it") == 99
    assert printed.count("noise") < 20
    assert "closing" in printed and "never" not in printed and "50%" not in printed


def test_the_exit_code_tells_that_a_runner_failed(monkeypatch, capfd):
    for code in (0, 1):
        monkeypatch.setitem(suite.TARGETS, "fast", (suite.Runner("one", (python(f"exit({code})"),)),))
        assert suite.main(["fast"]) == code


@pytest.mark.parametrize("order", ["7", "random"])
def test_the_seed_of_the_order_is_printed_and_reaches_the_tests(monkeypatch, capfd, order):
    monkeypatch.setenv("ORDER_SEED", "")
    tells = python("import os; print('order', os.environ['ORDER_SEED'])")
    monkeypatch.setitem(suite.TARGETS, "fast", (suite.Runner("one", (tells,)),))
    assert suite.main(["fast", "--order", order]) == 0
    printed = capfd.readouterr().out
    (seed,) = re.findall(r"SEED=(\d+)", printed)
    assert f"order {seed}\n" in printed and order in (seed, "random")


def test_tests_that_were_left_out_are_counted_with_their_tools(tmp_path, capfd, monkeypatch):
    """As this machine's pytest and node count them."""
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "test_a.py").write_text(
        "import pytest\n@pytest.mark.skipif(True, reason='needs a b (apt install b c)')\n"
        "@pytest.mark.parametrize('n', range(3))\ndef test_a(n): pass\ndef test_b(): pass\n"
    )
    skips = "{ skip: 'needs d (apt install c e)' }"
    (tmp_path / "a.test.js").write_text(f"require('node:test').test('a', {skips}, () => {{}})")
    commands = (
        suite.pytest("-ra", "--noconftest", str(tmp_path)),
        ["node", "--test", f"{tmp_path}/a.test.js"],
    )
    monkeypatch.setitem(suite.TARGETS, "test", (suite.Runner("one", commands),))
    assert suite.main(["test"]) == 0
    last = capfd.readouterr().out.splitlines()[-1]
    assert "; tests left out: 4 without a b, d (apt install b c e);" in last
    assert all(runner.name in last for runner in suite.TARGETS["rest"])


@pytest.mark.parametrize(
    ("package", "environ", "fails"),
    [
        ("curl", {}, False),
        ("curl", {"CI": "1"}, True),
        ("python3.12", {"CI": "1"}, False),
        ("python3.12", {"CI": "1", "REQUIRE_PYTHONS": "3.12 3.13"}, True),
    ],
)
def test_a_missing_tool_fails_in_ci(package, environ, fails):
    assert conftest.must_run(f"Skipped: needs it (apt install {package})", environ) is fails
    assert not conftest.must_run("Skipped: no other loopback address", environ)


def test_ci_installs_every_package_that_a_test_names():
    """But Python 3.12, which not every system has."""
    text = (suite.ROOT / ".ci/run").read_text("utf-8")
    files = [*(suite.ROOT / "tests").rglob("*.py"), *(suite.ROOT / "tests/playground").glob("*.js")]
    named = {
        word
        for file in files
        for _, words in suite.NEEDS.findall(file.read_text("utf-8"))
        for word in words.split()
    }
    assert named > {"curl", "redis-server", "chromium"}
    assert [name for name in named - {"python3.12"} if name not in text.split()] == []


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("function/oss/errors.py", {*mutation.tests()["function.oss.errors"]}),
        ("tests/function/oss/test_presign.py", {"tests/function/oss/test_presign.py"}),
        ("local/oss/signature.py", {"tests/local/oss"}),
        ("tests/function/auth/conftest.py", {"tests/function/auth"}),
        ("README.md", set()),
    ],
)
def test_a_change_leads_to_its_tests(changed, tests):
    assert suite.tests_of([changed]) == tests


def test_changes_are_listed_from_the_work_tree():
    assert all(Path(path).name for path in suite.changed_since("HEAD"))
