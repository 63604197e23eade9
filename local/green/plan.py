"""
Plan of the next answers: verdicts, shapes and codes asked for by a person or a test, instead of by file name.
"""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from local.green.request import ACTIONS, RESULTS

CHOICES: dict[str, tuple[str, ...]] = {
    # by_name is as the file is called.
    "verdict": ("by_name", "pass", "low", "review", "risky", "white_list", "silent"),
    "on": ("", *ACTIONS),
    # Fields of other types, missing ones, and ones that contradict.
    "shape": (
        *("usual", "message", "other_data_id", "no_data_id", "no_data", "null_data", "text_code"),
        *("no_level", "unknown_level", "null_level", "no_result", "empty_result", "null_result"),
        *("list_result", "number_label", "null_confidence", "text_confidence", "confidence_over_100"),
        *("no_confidence", "two_labels", "lower_own_level", "manual_task", "long", "too_long"),
        *("no_frames", "no_sound", "no_parts", "risky_sound"),
    ),
}
LONGEST_DELAY = 600
CODES = (100, 999)


@dataclass(frozen=True)
class PlannedAnswer:
    """
    Args:
        verdict, shape: one of ``CHOICES`` each.

        on: the action that it is for; empty for whatever is not a result.

        label: in place of the verdict's own; empty for that.

        code: a number that is answered without a look at the file; 0 for the usual.

        delay: seconds until the answer; ``None`` for the usual.

        times: for how many calls, then it is gone; ``None`` for all that come.
    """

    verdict: str = "by_name"
    shape: str = "usual"
    on: str = ""
    label: str = ""
    code: int = 0
    delay: float | None = None
    times: int | None = None


USUAL = PlannedAnswer()


def read_planned_answer(wanted: Any) -> PlannedAnswer:
    """
    Args:
        wanted: decoded JSON.

    Raises:
        ValueError: no object, no such member, or no such value of it.
    """
    if not isinstance(wanted, Mapping):
        raise ValueError("a planned answer is a JSON object")  # noqa: TRY004
    if unknown := set(wanted) - set(asdict(USUAL)):
        raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(asdict(USUAL))}")
    for name, known in CHOICES.items():
        if wanted.get(name, known[0]) not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}")
    if not isinstance(wanted.get("label", ""), str):
        raise ValueError("label is a text")  # noqa: TRY004
    code, delay, times = wanted.get("code", 0), wanted.get("delay"), wanted.get("times")
    if not (type(code) is int and (code == 0 or CODES[0] <= code <= CODES[1])):
        raise ValueError(f"code is a whole number from {CODES[0]} to {CODES[1]}, or 0 for the usual")
    if not (delay is None or (type(delay) in (int, float) and 0 <= delay <= LONGEST_DELAY)):
        raise ValueError(f"delay is a number of seconds from 0 to {LONGEST_DELAY}, or null")
    if not (times is None or (type(times) is int and times >= 1)):
        raise ValueError("times is a whole number from 1, or null for until forgotten")
    return PlannedAnswer(**wanted)


class AnswerPlan:
    """Planned answers of the next calls, one each; thread-safe."""

    def __init__(self) -> None:
        self._planned: list[PlannedAnswer] = []
        self._lock = threading.Lock()

    def add(self, planned: PlannedAnswer) -> None:
        with self._lock:
            self._planned.append(planned)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def planned(self) -> list[PlannedAnswer]:
        with self._lock:
            return list(self._planned)

    def take(self, action: str) -> PlannedAnswer:
        """Take the first planned answer of an action: one use of it is spent."""
        with self._lock:
            for index, planned in enumerate(self._planned):
                if planned.on == action or (not planned.on and action not in RESULTS):
                    if planned.times is not None:
                        rest = [replace(planned, times=planned.times - 1)] if planned.times > 1 else []
                        self._planned[index : index + 1] = rest
                    return planned
            return USUAL
