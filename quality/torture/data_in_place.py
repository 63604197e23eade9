"""
Mutants of what a module makes when it is imported, tried in place: its data, and the defaults of its
functions, are exchanged wherever they are bound.

A value of whose name anything else is made while modules are imported or tests collected is left to a run of
the whole: what was made would not be the mutant's.
"""

import ast
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from re import Pattern
from types import FunctionType
from typing import Any

from quality.suite import FUNCTION
from quality.torture.mutants import Mutant
from quality.torture.mutation_table import ROOT

READ = (*FUNCTION, "function", "deploy/burst", "handler.py", "tests/conftest.py", "tests/support")
PLAIN = (str, bytes, int, float, type(None), timedelta, Pattern)
DEFAULTS = ("__defaults__", "__kwdefaults__")


def exchange(mutant: Mutant, module: str, path: Path) -> bool:
    """Put in what the mutant makes instead; return whether that is all that it changes."""
    before = vars(sys.modules[module])
    after = {name: value for name, value in before.items() if name.startswith("__")}
    try:
        exec(compile(mutant.tree(), str(path), "exec"), after)
    except Exception:  # noqa: BLE001 - a run of the whole sees the import fail
        return False
    changes = list(_changes(before, after, module))
    if not changes or not read_outside_bodies().isdisjoint(name for name, *_ in changes):
        return False
    for name, owner, attribute, value in changes:
        if owner is None:
            _bind(name, before[name], value)
        else:
            setattr(owner, attribute, value)
    return True


def _bind(name: str, before: object, after: object) -> None:
    for each in [*sys.modules.values()]:
        if getattr(each, "__dict__", {}).get(name, ...) is before:
            setattr(each, name, after)


Change = tuple[str, Any, str, Any]


def _changes(before: dict[str, Any], after: dict[str, Any], module: str) -> Iterator[Change]:
    """Name in the module, then the object and attribute to set (none: the name itself), and the value."""
    for name, old in before.items():
        new = after.get(name)
        if name.startswith("__") or name not in after:
            continue
        if _is_plain(old) and _is_plain(new):
            if _differ(old, new):
                yield name, None, "", new
        elif isinstance(old, FunctionType) and isinstance(new, FunctionType):
            yield from _of_function(name, old, new)
        elif isinstance(old, type) and isinstance(new, type) and old.__module__ == module:
            yield from _of_class(name, old, new)


def _of_class(name: str, old: type, new: type) -> Iterator[Change]:
    for member, value in vars(old).items():
        other = vars(new).get(member)
        value, other = (getattr(one, "__func__", one) for one in (value, other))
        if isinstance(value, FunctionType) and isinstance(other, FunctionType):
            yield from _of_function(name, value, other)
        elif not member.startswith("__") and _is_plain(value) and _is_plain(other) and _differ(value, other):
            yield name, old, member, other


def _of_function(name: str, old: FunctionType, new: FunctionType) -> Iterator[Change]:
    for each in DEFAULTS:
        value, other = getattr(old, each), getattr(new, each)
        if _is_plain(value) and _is_plain(other) and _differ(value, other):
            yield name, old, each, other


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if type(value) in (tuple, list, set, frozenset):
        return all(map(_is_plain, value))  # type: ignore[call-overload]
    return type(value) in PLAIN or type(value) is bool


def _differ(old: object, new: object) -> bool:
    return type(old) is not type(new) or old != new or list(_order(old)) != list(_order(new))


def _order(value: object) -> Iterator[object]:
    return iter(value if isinstance(value, dict) else ())


@cache
def read_outside_bodies() -> set[str]:
    """Return the names that statements outside function bodies read, in the function and its tests."""
    files = [
        path for each in READ for path in ((ROOT / each).rglob("*.py") if "." not in each else [ROOT / each])
    ]
    return {name for path in files for name in _names_read(ast.parse(path.read_text("utf-8")))}


def _names_read(node: ast.AST) -> Iterator[str]:
    for field, value in ast.iter_fields(node):
        is_later = field == "body" and isinstance(node, (ast.FunctionDef, ast.Lambda))
        if is_later or field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
                yield child.id
            elif isinstance(child, ast.Attribute):
                yield child.attr
            if isinstance(child, ast.AST):
                yield from _names_read(child)
