"""Delayed delivery: each item at its time, or at once on request."""

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime

from local.common.clock import Clock
from local.common.running import Running

LOOKS_EVERY_SECONDS = 0.02
# More would have this machine do nothing else, when thousands are due at once.
MOST_AT_ONCE = 16

Task = Callable[[], object]
Entry = tuple[datetime, int, Task]


class Delivery:
    """
    Tasks and when they are due, each done in a thread of its own.

    Args:
        now: timezone-aware UTC; a clock that a test moves makes tasks due.

    Attributes:
        running: what waits or is being done; others may share it.
    """

    def __init__(self, now: Clock) -> None:
        self.stopping = threading.Event()
        self.running = Running()
        self._now = now
        self._waiting: list[Entry] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._thread: threading.Thread | None = None

    def put(self, due: datetime, task: Task) -> None:
        with self._lock:
            entry = due, next(self._order), task
            self.running.add(entry)
            heapq.heappush(self._waiting, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()

    def waiting(self) -> int:
        with self._lock:
            return len(self._waiting)

    def release(self) -> int:
        """Do all that waits, now; how many that were."""
        with self._lock:
            entries = sorted(self._waiting)
            self._waiting.clear()
        self._begin(entries)
        return len(entries)

    def forget(self) -> None:
        """Let nothing that waits be done."""
        with self._lock:
            self.running.difference_update(self._waiting)
            self._waiting.clear()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self.stopping.wait(LOOKS_EVERY_SECONDS):
            now, due = self._now(), list[Entry]()
            with self._lock:
                while self._waiting and self._waiting[0][0] <= now:
                    due.append(heapq.heappop(self._waiting))
            self._begin(due)

    def _begin(self, entries: list[Entry]) -> None:
        for entry in entries:
            threading.Thread(target=self._do, args=(entry,), daemon=True).start()

    def _do(self, entry: Entry) -> None:
        _, _, task = entry
        try:
            with self._places:
                task()
        finally:
            # What it leaves to be done later is counted by now.
            self.running.discard(entry)
