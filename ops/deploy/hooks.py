"""Problems of ``hooks.py`` that would show only in the deployed function."""

from collections.abc import Iterator
from inspect import signature
from pathlib import Path

from function.context import HOOKS_FILE
from function.errors import Misconfigured
from function.uploads.before_sign_hook import Hooks
from ops.deploy.imports import imported_names, missing_packages, packages_of, pinned_modules, requirements_for
from ops.deploy.s_yaml import Problem
from ops.terminal.language import Failure, Text
from ops.terminal.messages import in_both

WRONG_SIGNATURE = Text("before_sign must take three arguments", "before_sign 应接受三个参数")
OF_THE_FUNCTION = ("function", "bytecode", "handler", "sts_credentials")
REGULAR_EXPRESSIONS = Text(
    "hooks.py imports re: while a regular expression is matched, every request of the instance waits, and"
    " nothing bounds that; use no nested repetition such as (a+)+ on what a phone sends",
    "hooks.py 导入了 re：匹配一个正则时，实例里的所有请求都要等，而且无法限制；"
    "不要用 (a+)+ 这样嵌套的重复去匹配手机发来的内容",
)


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


def hooks_hints(folder: Path) -> Iterator[Text]:
    """Yield a hint if the file may hold the interpreter with a regular expression."""
    path = folder / HOOKS_FILE.name
    try:
        if path.is_file() and {"re", "regex"} & set(imported_names(path, path.name)):
            yield REGULAR_EXPRESSIONS
    except Failure:
        return


def _problem(sentence: Text) -> Problem:
    return Problem((HOOKS_FILE.name,), sentence, names_itself=True)
