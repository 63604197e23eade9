"""
Point: a question to a cloud, and what was seen there.

A *contract* is what the function relies on: its answer is yes, and a no is a failure. An *open point* may be
read in two ways, and its answer is reported. The words of each stand in ``questions.toml``, under the name of
the function that asks; one with ``relies`` is a contract.
"""

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import requests

from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules
from ops.doctor.evidence import evidence, text_in
from ops.doctor.proof.sandbox import Sandbox
from ops.terminal.language import Text

WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))
# The switches of the local services, each with the reading that they begin with.
RULES: dict[str, bool] = {
    rule.name: rule.default
    for kind in (OssRules, WechatRules, GreenRules)
    for rule in fields(kind)
    if isinstance(rule.default, bool)
}


class Seen(NamedTuple):
    """
    Args:
        answer: of a question with two answers; ``None`` of any other.

        said: what was seen, as a short sentence.

        evidence: status, code, EC or header that shows it.
    """

    answer: bool | None
    said: Text
    evidence: str


class Point(NamedTuple):
    """
    Args:
        name: that of the rule of the local cloud where there is one, so that it can be made to do the same.

        relies: of a contract, what of the function goes wrong where the answer is no; ``None`` of an open
            point.

        calls: how many requests it takes at most, its clearing up left out.

        cny: what it costs beside its requests, by list price.
    """

    name: str
    question: Text
    relies: Text | None
    calls: int
    cny: float
    tries: Callable[[Sandbox], Seen]

    @property
    def is_rule(self) -> bool:
        return self.name in RULES


def points(*questions: Callable[[Sandbox], Seen]) -> tuple[Point, ...]:
    """
    Return the points that these functions ask.

    Raises:
        KeyError: one has no words.
    """
    return tuple(_point(tries.__name__, tries) for tries in questions)


def _point(name: str, tries: Callable[[Sandbox], Seen]) -> Point:
    words = WORDS[name]
    relies = Text(*words["relies"]) if "relies" in words else None
    return Point(
        name, Text(words["en"], words["zh"]), relies, words["calls"], float(words.get("cny", 0)), tries
    )


YES, NO = Text("yes", "是"), Text("no", "否")


def told(answer: bool, seen: str) -> Seen:
    return Seen(answer, YES if answer else NO, seen)


def is_taken(answer: requests.Response) -> Seen:
    """Yes where it was taken, no where OSS refused it."""
    return told(answer.status_code in (200, 204), evidence(answer))


def is_refused(answer: requests.Response, *codes: str) -> Seen:
    """Yes where OSS refused it, with one of these codes if any are named."""
    refused = answer.status_code not in (200, 204) and (not codes or text_in(answer, "Code") in codes)
    return told(refused, evidence(answer))


def are_all(seen: Iterable[Seen]) -> Seen:
    """Yes where all are; no with the evidence of the first that is not, and nothing after it is tried."""
    last = told(False, "")
    for last in seen:
        if last.answer is not True:
            break
    return last
