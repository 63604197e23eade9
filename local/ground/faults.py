"""
Faults an emulator is told to play: a few times, or at a rate.
"""

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Fault:
    """
    One planned fault.

    Args:
        kind: one of the names the emulator knows.

        times: how many requests it strikes, then it is gone; ``None`` means until cleared.

        rate: probability from 0 to 1 that it strikes a request it could strike.

        seconds: how long a slow kind waits.
    """

    kind: str
    times: int | None = None
    rate: float = 1.0
    seconds: float = 0.0


class Faults:
    """
    The faults planned for one emulator, taken one a request.

    Args:
        known: the kinds this emulator can play; planning another one is a ``ValueError``.

        seed: makes rates repeatable.
    """

    def __init__(self, known: Iterable[str], seed: int = 0) -> None:
        self.known = frozenset(known)
        self._planned: list[Fault] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def plan(self, kind: str, times: int | None = None, rate: float = 1.0, seconds: float = 0.0) -> None:
        if kind not in self.known:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(sorted(self.known))}")
        if times is not None and times < 1:
            raise ValueError("times is a whole number from 1, or null for until cleared")
        if not 0 <= rate <= 1:
            raise ValueError("rate is a probability from 0 to 1")
        if not 0 <= seconds <= LONGEST_SECONDS:
            raise ValueError(f"seconds is a number from 0 to {LONGEST_SECONDS}")
        with self._lock:
            self._planned.append(Fault(kind, times, rate, seconds))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self) -> Fault | None:
        """The fault that strikes this request, or ``None``."""
        with self._lock:
            for index, fault in enumerate(self._planned):
                if self._random.random() >= fault.rate:
                    continue
                if fault.times is not None:
                    left = fault.times - 1
                    if left:
                        self._planned[index] = Fault(fault.kind, left, fault.rate, fault.seconds)
                    else:
                        del self._planned[index]
                return fault
            return None

    def plan_from(self, wanted: Mapping[str, Any]) -> None:
        """Plan what a JSON object says: ``kind`` and any of ``times``, ``rate``, ``seconds``."""
        unknown = set(wanted) - {"kind", "times", "rate", "seconds"}
        if unknown or not isinstance(wanted.get("kind"), str):
            raise ValueError("a fault is {kind, times?, rate?, seconds?}")
        times = wanted.get("times")
        self.plan(
            wanted["kind"],
            times=None if times is None else int(times),
            rate=float(wanted.get("rate", 1.0)),
            seconds=float(wanted.get("seconds", 0.0)),
        )
