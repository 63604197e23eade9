"""Time limit of calls that may hang."""

import threading
from collections.abc import Callable
from functools import cache

from function.annotations import TypeVar

# Per upstream. An instance may have 1,024 threads, of which a server takes up to 200.
MAX_OVERDUE = 64
# Kinds of failure that callers tell apart.
TIMED_OUT, OVERDUE, TRICKLED = "timed out", "too many overdue calls", "response too slow"

T = TypeVar("T")


class ExchangeFailed(Exception):
    """
    Raised when no complete response arrived within the bounds.

    Args:
        kind: a word or two for the log; never the library's text, which may hold the URL and its query.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def with_timeout(
    seconds: float,
    upstream: str,
    call: Callable[[], T],
    close: Callable[[T], object] = lambda _result: None,
    max_overdue: int = MAX_OVERDUE,
) -> T:
    """
    Run a call and wait for it this long at most.

    No socket timeout ends a name lookup, or headers that arrive byte by byte. Such a call is left behind in a
    thread of its own, which ends when its connection does. While ``max_overdue`` are, no other call of the
    upstream starts, so that a slow service takes no threads from another. Calls in time are not counted.

    Args:
        upstream: origin of the service, or another name of what may hang.
        close: disposes of a result that came too late.

    Raises:
        ExchangeFailed: it took longer, or could not start; else whatever ``call`` raises.
    """
    overdue = _overdue(upstream)
    if len(overdue) >= max_overdue:
        raise ExchangeFailed(OVERDUE)
    lock, done = threading.Lock(), threading.Event()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:  # noqa: BLE001 - raised again below, in the waiting thread
            failure.append(error)
        with lock:
            done.set()
            late = outcome if done in overdue else []
            overdue.discard(done)
        for result in late:
            close(result)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:
        raise ExchangeFailed("cannot start a thread") from None
    done.wait(seconds)
    with lock:
        if not done.is_set():
            overdue.add(done)
            raise ExchangeFailed(TIMED_OUT)
    if failure:
        raise failure[0]
    return outcome[0]


# There are few: the origins in the settings, and the hooks of a process.
@cache
def _overdue(_upstream: str) -> set[threading.Event]:
    """Return the calls that are still running, though nobody waits for them any more."""
    return set()
