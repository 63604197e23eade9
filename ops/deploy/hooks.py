"""Problems of ``hooks.py`` that would show only in the deployed function."""

from collections.abc import Iterator
from inspect import signature
from pathlib import Path

from function.context import HOOKS_FILE
from function.errors import Misconfigured
from function.uploads.before_sign_hook import Hooks
from ops.deploy.s_yaml import Problem
from ops.terminal.language import Text
from ops.terminal.messages import in_both

WRONG_SIGNATURE = Text("before_sign must take three arguments", "before_sign 应接受三个参数")


def hooks_problems(folder: Path) -> Iterator[Problem]:
    """Import the file as the function will; packaging holds its imports against the requirements."""
    path = folder / HOOKS_FILE.name
    if not path.is_file():
        return
    try:
        hooks = Hooks(path)
    except Misconfigured as error:
        for problem in error.problems:
            yield Problem((HOOKS_FILE.name,), in_both(problem.sentence), names_itself=True)
        return
    try:
        signature(hooks.before_sign).bind(None, None, None)
    except (TypeError, ValueError):
        yield Problem((HOOKS_FILE.name,), WRONG_SIGNATURE)
