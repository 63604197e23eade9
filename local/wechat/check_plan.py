"""Plan of the next media checks: outcomes asked for by a person or a test, instead of by file name."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

CHOICES: dict[str, tuple[str, ...]] = {
    # by_name is as the file is called; contradictory says pass over a detail that says risky; pass_unseen is
    # for what was never looked at.
    "verdict": (
        *("by_name", "pass", "review", "risky", "contradictory"),
        *("unreadable", "no_permission", "pass_unseen"),
    ),
    # text_label has its labels as text and no errcode; v1 is what a call without version gets.
    "shape": ("usual", "text_label", "v1"),
    "timing": ("usual", "never", "late", "twice", "early"),
    "push": ("secure", "compatible", "plain", "wrong_appid", "bad_signature", "unknown_trace"),
    "format": ("json", "xml"),
}
LONGEST_DELAY = 3600


@dataclass(frozen=True)
class PlannedCheck:
    """
    Args:
        verdict, shape, timing, push, format: one of ``CHOICES`` each.

        delay: seconds until the push; ``None`` for a few, as observed.

        times: for how many checks, then it is gone; ``None`` for all that come.
    """

    verdict: str = "by_name"
    shape: str = "usual"
    timing: str = "usual"
    push: str = "secure"
    format: str = "json"
    delay: float | None = None
    times: int | None = None


USUAL = PlannedCheck()


def read_planned_check(wanted: Mapping[str, Any]) -> PlannedCheck:
    """
    Raises:
        ValueError: no such member, or no such value of it.
    """
    if unknown := set(wanted) - set(asdict(USUAL)):
        raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(asdict(USUAL))}")
    for name, known in CHOICES.items():
        if wanted.get(name, known[0]) not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}")
    delay, times = wanted.get("delay"), wanted.get("times")
    if not (delay is None or (type(delay) in (int, float) and 0 <= delay <= LONGEST_DELAY)):
        raise ValueError(f"delay is a number of seconds from 0 to {LONGEST_DELAY}, or null")
    if not (times is None or (type(times) is int and times >= 1)):
        raise ValueError("times is a whole number from 1, or null for until forgotten")
    return PlannedCheck(**wanted)


class CheckPlan:
    """Planned outcomes of the next checks, one each; thread-safe."""

    def __init__(self) -> None:
        self._planned: list[PlannedCheck] = []
        self._lock = threading.Lock()

    def add(self, planned: PlannedCheck) -> None:
        with self._lock:
            self._planned.append(planned)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def planned(self) -> list[PlannedCheck]:
        with self._lock:
            return list(self._planned)

    def take(self) -> PlannedCheck:
        """Take the first planned check: one use of it is spent."""
        with self._lock:
            if not self._planned:
                return USUAL
            planned = self._planned[0]
            if planned.times is not None:
                rest = [replace(planned, times=planned.times - 1)] if planned.times > 1 else []
                self._planned[:1] = rest
            return planned
