"""
One instance of a built-in runtime: it does what its standard input says, one thing at a time, and times it.
"""

import json
import sys
import time
from collections.abc import Callable

from requests_of_clients import CONTEXT, event, token_of_caller
from runtime import BENCH


def tell(started: float) -> None:
    print(
        json.dumps({"seconds": time.perf_counter() - started, "cpu": time.process_time()}),
        file=BENCH,
        flush=True,
    )


def serve(actions: dict[str, Callable[[], object]]) -> None:
    """Tell that it is there; then one line in, one action, one line out."""
    tell(time.perf_counter())
    for line in sys.stdin:
        started = time.perf_counter()
        actions[line.strip()]()
        tell(started)


def serve_function() -> None:
    import handler

    session = {"token": ""}

    def log_in() -> None:
        session["token"] = token_of_caller(lambda asked: handler.handler(asked, CONTEXT))

    def ask_for_form() -> None:
        answer = handler.handler(event(token=session["token"]), CONTEXT)
        assert answer["statusCode"] == 200, answer

    serve({"initialize": lambda: handler.initialize(CONTEXT), "login": log_in, "form": ask_for_form})


def serve_sample() -> None:
    from sample_server import ask

    def ask_for_form() -> None:
        assert ask().status_code == 200

    serve({"form": ask_for_form})
