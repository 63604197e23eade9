"""
Microseconds and memory of one call, taken inside the process that makes it.
"""

import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping

LOOP_SECONDS = 0.02
LOOPS = 9


def microseconds(call: Callable[[], object], loop_seconds: float = LOOP_SECONDS, loops: int = LOOPS) -> float:
    """Median over ``loops`` loops, each of them about ``loop_seconds`` long."""
    call()
    number = 1
    while (seconds := _loop(call, number)) < loop_seconds / 4:
        number *= 2
    number = max(1, int(number * loop_seconds / seconds))
    return statistics.median(_loop(call, number) for _ in range(loops)) / number * 1e6


def allocated_kb(call: Callable[[], object]) -> float:
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


def report(calls: Mapping[str, Callable[[], object]]) -> None:
    """Print one line for the bench, then wait to be ended: ``{name: {"us": …, "allocated_kb": …}}``."""
    figures = {name: {"us": microseconds(call)} for name, call in calls.items()}
    for name, call in calls.items():
        figures[name]["allocated_kb"] = allocated_kb(call)
    print(json.dumps(figures), flush=True)
    sys.stdin.read()


def _loop(call: Callable[[], object], number: int) -> float:
    numbers = range(number)
    started = time.perf_counter()
    for _ in numbers:
        call()
    return time.perf_counter() - started
