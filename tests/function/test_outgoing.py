"""Time limit of outgoing calls: a slow upstream costs the others nothing."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from function.http.client import send
from function.outgoing import MAX_IN_FLIGHT, ExchangeFailed, with_timeout

PATIENCE_SECONDS = 5
UPSTREAM = "https://slow.example"
FULL = "too many calls in flight"


@contextmanager
def left_behind(upstream, calls):
    """Time out this many calls of one upstream, which go on waiting inside the block."""
    over, ended = threading.Event(), []
    before = threading.active_count()

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
        until = time.monotonic() + PATIENCE_SECONDS
        while threading.active_count() > before and time.monotonic() < until:
            time.sleep(0.001)
    assert len(ended) == calls


def failing(kind):
    def fail():
        raise kind("of the call")

    return fail


@pytest.mark.parametrize("kind", [TimeoutError, RuntimeError, ValueError])
def test_an_error_of_the_call_itself_is_raised(kind):
    with pytest.raises(kind, match="of the call"):
        with_timeout(5, UPSTREAM, failing(kind))


def test_a_call_left_behind_does_not_keep_the_process_alive():
    assert with_timeout(5, UPSTREAM, lambda: threading.current_thread().daemon)


def test_64_calls_of_one_upstream_wait_and_the_next_fails_at_once():
    with left_behind(UPSTREAM, MAX_IN_FLIGHT):
        threads = threading.active_count()
        started = time.perf_counter()
        with pytest.raises(ExchangeFailed, match=FULL):
            with_timeout(5, UPSTREAM, lambda: pytest.fail("called"))
        assert time.perf_counter() - started < 0.5
        assert threading.active_count() == threads
        assert with_timeout(5, "https://other.example", lambda: "called") == "called"
    assert MAX_IN_FLIGHT == 64
    assert with_timeout(5, UPSTREAM, lambda: "called again") == "called again"


def test_the_last_free_slot_can_be_used_again_and_again():
    with left_behind(UPSTREAM, MAX_IN_FLIGHT - 1):
        for _ in range(3):
            assert with_timeout(5, UPSTREAM, lambda: "called") == "called"
            with pytest.raises(ValueError, match="of the call"):
                with_timeout(5, UPSTREAM, failing(ValueError))


def test_without_a_thread_the_call_fails_and_frees_its_slot(no_threads):
    with no_threads():
        for _ in range(MAX_IN_FLIGHT + 1):
            with pytest.raises(ExchangeFailed, match="cannot start a thread") as raised:
                with_timeout(5, UPSTREAM, lambda: pytest.fail("called"))
            assert raised.value.__cause__ is None
    assert with_timeout(5, UPSTREAM, lambda: "called") == "called"


@pytest.mark.parametrize("path", ["", "/", "/other?x=1"])
def test_all_urls_of_one_origin_are_one_upstream(path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with left_behind(origin, MAX_IN_FLIGHT), pytest.raises(ExchangeFailed) as raised:
            send("GET", f"{origin}{path}", budget_seconds=0.05)
        assert raised.value.kind == FULL
