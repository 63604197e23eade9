"""Time limit of outgoing calls: a slow upstream costs the others nothing."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from function.http.client import send
from function.time_limit import MAX_OVERDUE, ExchangeFailed, with_timeout

PATIENCE_SECONDS = 60
UPSTREAM = "https://slow.example"
FULL = "too many overdue calls"


@contextmanager
def left_behind(upstream, calls):
    """Time out this many calls of one upstream, which go on waiting inside the block."""
    over, ended = threading.Event(), []
    before = set(threading.enumerate())

    def hang():
        over.wait(PATIENCE_SECONDS)
        ended.append(1)

    for _ in range(calls):
        with pytest.raises(ExchangeFailed, match="timed out"):
            with_timeout(0, upstream, hang)
    try:
        yield over
    finally:
        over.set()
        for thread in set(threading.enumerate()) - before:
            thread.join(PATIENCE_SECONDS)
    assert len(ended) == calls


def test_a_call_left_behind_does_not_keep_the_process_alive():
    assert with_timeout(5, UPSTREAM, lambda: threading.current_thread().daemon)


def test_after_64_overdue_calls_of_one_upstream_the_next_fails_at_once():
    with left_behind(UPSTREAM, MAX_OVERDUE):
        threads = threading.active_count()
        with pytest.raises(ExchangeFailed, match=FULL):
            with_timeout(5, UPSTREAM, lambda: pytest.fail("called"))
        assert threading.active_count() == threads
        assert with_timeout(5, "https://other.example", lambda: "called") == "called"
    assert MAX_OVERDUE == 64
    assert with_timeout(5, UPSTREAM, lambda: "called again") == "called again"


def test_calls_that_are_in_time_are_not_limited():
    all_at_once = threading.Barrier(100)
    with ThreadPoolExecutor(100) as pool:
        calls = [
            pool.submit(with_timeout, 9, UPSTREAM, lambda: all_at_once.wait(PATIENCE_SECONDS))
            for _ in range(100)
        ]
        assert sorted(call.result() for call in calls) == list(range(100))


@pytest.mark.parametrize("fails", [False, True])
def test_a_late_result_is_closed(fails):
    over, closed = threading.Event(), []

    def late():
        over.wait(PATIENCE_SECONDS)
        if fails:
            raise ValueError
        return "a connection"

    before = set(threading.enumerate())
    with pytest.raises(ExchangeFailed, match="timed out"):
        with_timeout(0, UPSTREAM, late, closed.append)
    over.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
    assert closed == ([] if fails else ["a connection"])
    assert with_timeout(5, UPSTREAM, lambda: "in time", closed.append) == "in time"
    assert len(closed) <= 1


def test_without_a_thread_the_call_fails_and_is_not_counted(no_threads):
    with no_threads():
        for _ in range(MAX_OVERDUE + 1):
            with pytest.raises(ExchangeFailed, match="cannot start a thread") as raised:
                with_timeout(5, UPSTREAM, lambda: pytest.fail("called"))
            assert raised.value.__cause__ is None
    assert with_timeout(5, UPSTREAM, lambda: "called") == "called"


@pytest.mark.parametrize("path", ["", "/", "/other?x=1"])
def test_all_urls_of_one_origin_are_one_upstream(path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with left_behind(origin, MAX_OVERDUE), pytest.raises(ExchangeFailed) as raised:
            send("GET", f"{origin}{path}", budget_seconds=0.05)
        assert raised.value.kind == FULL
