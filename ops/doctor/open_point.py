"""
Open point: a question no official page answers, and what the bucket showed.
"""

from collections.abc import Callable
from typing import NamedTuple

import requests

from ops.doctor.evidence import evidence
from ops.doctor.sandbox import Sandbox
from ops.terminal.language import Text


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
        name: that of the rule of the local OSS where there is one, so that it can be made to do the same.

        is_rule: whether there is.

        calls: how many requests it takes at most, its clearing up left out.
    """

    name: str
    question: Text
    is_rule: bool
    calls: int
    tries: Callable[[Sandbox], Seen]


YES, NO = Text("yes", "是"), Text("no", "否")


def told(answer: bool, seen: str) -> Seen:
    return Seen(answer, YES if answer else NO, seen)


def is_taken(answer: requests.Response) -> Seen:
    """Yes where it was taken, no where OSS refused it."""
    return told(answer.status_code in (200, 204), evidence(answer))


def is_refused(answer: requests.Response) -> Seen:
    return told(answer.status_code not in (200, 204), evidence(answer))
