"""
Microseconds and memory of calls, taken inside the process that makes them, in short slices.

Microseconds of processor time: the calls wait for nothing, and what else the machine does must not count.
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping

from runtime import BENCH

SLICE_SECONDS = 0.03

Call = Callable[[], object]


class Slice:
    """A number of calls that takes about ``SLICE_SECONDS``."""

    def __init__(self, call: Call) -> None:
        self._call = call
        call()
        self._number = 1
        while (seconds := self._seconds()) < SLICE_SECONDS / 4:
            self._number *= 2
        self._number = max(1, int(self._number * SLICE_SECONDS / seconds))

    def microseconds(self) -> float:
        """Of one call, averaged over the slice."""
        return self._seconds() / self._number * 1e6

    def _seconds(self) -> float:
        call, numbers = self._call, range(self._number)
        started = time.process_time()
        for _ in numbers:
            call()
        return time.process_time() - started


def allocated_kb(call: Call) -> float:
    """The most memory that one call holds at once, in KB of 1000 bytes."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        call()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        call()
        return (tracemalloc.get_traced_memory()[1] - before) / 1e3
    finally:
        tracemalloc.stop()


def serve(calls: Mapping[str, Call]) -> None:
    """
    Let the bench take turns between processes.

    The first line tells each call's ``allocated_kb``; then each line read names a call, and the line
    printed for it is the microseconds of a slice.
    """
    slices = {name: Slice(call) for name, call in calls.items()}
    _tell({name: allocated_kb(call) for name, call in calls.items()})
    for line in sys.stdin:
        _tell(slices[line.strip()].microseconds())


def _tell(value: object) -> None:
    print(json.dumps(value), file=BENCH, flush=True)
