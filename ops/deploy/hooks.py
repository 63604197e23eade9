"""Problems of ``hooks.py`` that would show only in the deployed function."""

from collections.abc import Iterator
from inspect import signature
from pathlib import Path

from function.context import HOOKS_FILE
from function.errors import Misconfigured
from function.uploads.before_sign_hook import Hooks
from ops.deploy.imports import missing_packages, packages_of, pinned_modules, requirements_for
from ops.deploy.s_yaml import Problem
from ops.terminal.language import Failure, Text
from ops.terminal.messages import in_both

WRONG_SIGNATURE = Text("before_sign must take three arguments", "before_sign 应接受三个参数")
OF_THE_FUNCTION = ("function", "bytecode", "handler", "sts_credentials")


def hooks_problems(folder: Path, quota_url: str = "") -> Iterator[Problem]:
    """Import the file as the function will, and hold its imports against the requirements of the package."""
    path = folder / HOOKS_FILE.name
    if not path.is_file():
        return
    try:
        hooks = Hooks(path)
    except Misconfigured as error:
        for problem in error.problems:
            yield _problem(in_both(problem.sentence))
        return
    try:
        signature(hooks.before_sign).bind(None, None, None)
    except (TypeError, ValueError):
        yield Problem((HOOKS_FILE.name,), WRONG_SIGNATURE)
    pinned = requirements_for(quota_url)
    try:
        packages = dict.fromkeys(packages_of(path, path.name, OF_THE_FUNCTION), path.name)
    except Failure as failure:
        yield _problem(failure.said)
        return
    for sentence in missing_packages(packages, pinned_modules(folder, pinned), pinned) if packages else ():
        yield _problem(sentence)


def _problem(sentence: Text) -> Problem:
    return Problem((HOOKS_FILE.name,), sentence, names_itself=True)
