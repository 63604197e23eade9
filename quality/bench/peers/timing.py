"""
Microseconds of calls, taken inside the process that makes them, in short slices.

Of processor time: the calls wait for nothing, and what else the machine does must not count.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping

from runtime import BENCH

SLICE_SECONDS = 0.03
FORM, READ_1, READ_50 = "warm form, us", "warm read of 1 key, us", "warm read of 50 keys, us"

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


def serve(calls: Mapping[str, Call]) -> None:
    """
    Let the bench take turns between processes.

    The first line names the calls; then each line read names one, and the line printed for it is the
    microseconds of a slice.
    """
    slices = {name: Slice(call) for name, call in calls.items()}
    _tell(list(slices))
    for line in sys.stdin:
        _tell(slices[line.strip()].microseconds())


def _tell(value: object) -> None:
    print(json.dumps(value), file=BENCH, flush=True)
