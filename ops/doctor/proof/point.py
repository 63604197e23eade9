"""
Point: a question to a cloud, and what was seen there.

A *contract* is what the function relies on: its answer is yes, and a no is a failure. An *open point* may be
read in two ways, and its answer is reported. ``questions.toml`` has the words of each, below the module with
the function of that name, which asks it, or with a form; one with ``relies`` is a contract.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import requests

from function.errors import AlreadyExists
from ops.doctor.evidence import evidence, reason_of, text_in
from ops.doctor.proof.sandbox import Sandbox
from ops.run.rules import KINDS
from ops.terminal.language import Text

NOBODY = "nobody"
QUESTIONS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("questions.toml").read_text("utf-8")
)
# The switches of the local services, each with the reading that they begin with.
RULES: dict[str, bool] = {
    rule.name: rule.default
    for kind in KINDS.values()
    for rule in fields(kind)
    if isinstance(rule.default, bool)
}


class Seen(NamedTuple):
    """
    Args:
        answer: of a question with two answers; ``None`` of any other.
        said: what was seen, in a few words.
        evidence: status, code, EC or header that shows it.
        remedy: where the answer is no and its cause is known.
    """

    answer: bool | None
    said: str
    evidence: str
    remedy: Text | None = None


class Point(NamedTuple):
    """
    Args:
        name: that of the rule of the local cloud where there is one, so that it can be made to do the same.
        relies: of a contract, what of the function goes wrong where the answer is no; empty of an open point.
        cny: what it costs beside its requests, by list price.
    """

    name: str
    tries: Callable[[Sandbox], Seen]
    asks: str
    relies: str = ""
    cny: float = 0


def points(*modules: str) -> tuple[Point, ...]:
    """Return the points of these modules, all by default; raise ``AttributeError`` if nobody asks one."""
    return tuple(
        _point(import_module(f"ops.doctor.proof.{module}"), name, words)
        for module in modules or [name for name in QUESTIONS if name != NOBODY]
        for name, words in QUESTIONS[module].items()
    )


def _point(module: ModuleType, name: str, words: Mapping[str, Any]) -> Point:
    form = {each: words[each] for each in ("refused", "taken") if each in words}
    tries = partial(module.is_form_answered, **form) if form else getattr(module, name)
    return Point(name, tries, **{each: words[each] for each in words if each not in form})


def told(answer: bool, seen: str) -> Seen:
    return Seen(answer, "yes" if answer else "no", seen)


def is_taken(answer: requests.Response) -> Seen:
    """Yes where it was taken, no where OSS refused it."""
    return told(answer.status_code in (200, 204), evidence(answer))


def is_refused(answer: requests.Response, *codes: str) -> Seen:
    """Yes where OSS refused it, with one of these codes if any are named."""
    refused = answer.status_code not in (200, 204) and (not codes or text_in(answer, "Code") in codes)
    return told(refused, evidence(answer))


def is_stored_already(tries: Callable[[], object]) -> Seen:
    """Yes where the call is refused because the name is taken."""
    try:
        tries()
    except AlreadyExists as error:
        return told(True, reason_of(error))
    return told(False, "HTTP 200")


def are_all(seen: Iterable[Seen]) -> Seen:
    """Yes where all are; no with the evidence of the first that is not, and nothing after it is tried."""
    last = told(False, "")
    for last in seen:
        if last.answer is not True:
            break
    return last
