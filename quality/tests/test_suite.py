"""Each test belongs to one runner of ``make test`` or ``make test-all``; what fails there is shown whole."""

import json
import re
import sys

import pytest

from quality import suite
from tests import conftest

RUNNERS = (*suite.TARGETS["test"], *suite.REST)
HALVES = suite.TARGETS["test"][1:3]
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


def test_the_deployed_python_runs_all_tests_of_the_function_and_another_a_few_that_exist():
    assert set(suite.FUNCTION) <= set(suite.on(".venv-3.12").commands[0])
    other = suite.on(".venv-3.13").commands[0]
    assert other[:3] == [".venv-3.13/bin/python", "-m", "pytest"] and other[4:] == [*suite.ON_ANOTHER]
    assert [path for path in suite.ON_ANOTHER if not (suite.ROOT / path).exists()] == []


def test_the_report_of_branches_has_what_both_halves_measured():
    measured = [word for half in HALVES for word in half.commands[0] if word.startswith("--data-file=")]
    combine, report = suite.EVERY_BRANCH.commands
    assert [f"--data-file={name}" for name in combine[4:]] == measured
    assert report[3:] == ["report"]


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


def test_tests_begin_once_the_packages_that_they_need_are_installed(tmp_path):
    made, needed = tmp_path / "made", tmp_path / "needed"
    slowly = f"import pathlib; sum(range(10**7)); pathlib.Path({str(made)!r}).touch()"
    looks = f"import pathlib; exit(not pathlib.Path({str(made)!r}).exists())"
    needs = suite.Runner("needs", (python(looks),), is_installed_later=True)
    others = suite.Runner("others", (python(f"import pathlib; pathlib.Path({str(needed)!r}).touch()"),))
    assert suite.run((needs, others), suite.Runner("installs", (python(slowly),)))[0] == []
    assert needed.exists()
    assert suite.run((needs,), suite.Runner("installs", (python("exit(3)"),)))[0] == ["installs"]


def test_the_exit_code_tells_that_a_runner_failed(monkeypatch, capfd):
    for code in (0, 1):
        monkeypatch.setitem(suite.TARGETS, "fast", (suite.Runner("one", (python(f"exit({code})"),)),))
        assert suite.main(["fast"]) == code


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
    assert named > {"redis-server", "chromium"}
    assert [name for name in named - {"python3.12"} if name not in text.split()] == []
