"""
Microseconds of calls, taken inside the process that makes them, in short slices.

Of processor time: the calls wait for nothing, and what else the machine does must not count.
"""

import sys
import time
from collections.abc import Callable

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


def serve(call: Call) -> None:
    """Let the bench take turns between processes: for each line read, print the microseconds of a slice."""
    one = Slice(call)
    for _ in sys.stdin:
        print(one.microseconds(), file=BENCH, flush=True)
