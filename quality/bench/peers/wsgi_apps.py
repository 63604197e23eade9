"""
WSGI applications for the same server: a bare greeting, the floor, plain and tuned, and the function.

Each also answers ``/bench/usage`` with the processor time and memory of its process.
"""

import json
import os
import time
from datetime import UTC, datetime, timedelta

import floor
import tuned_floor
from memory import resident_mb
from runtime import LOG

import handler
from function.app import Function
from function.context import Dependencies
from function.request_log import to_standard_output

GREETING = b'{"status":"ok"}'
CLOCK_SPEED = float(os.environ.get("BENCH_CLOCK_SPEED", "1"))
CLOCK_START = float(os.environ.get("BENCH_CLOCK_START", "0"))


def fast_clock() -> datetime:
    """A clock that runs faster, so that a minute sees many refreshes."""
    start = datetime.fromtimestamp(CLOCK_START, UTC)
    return start + timedelta(seconds=(time.time() - CLOCK_START) * CLOCK_SPEED)


def with_usage(application):
    def wrapped(environ, start_response):
        if environ["PATH_INFO"] != "/bench/usage":
            return application(environ, start_response)
        usage = json.dumps({"cpu_seconds": time.process_time(), "rss_mb": resident_mb()}).encode()
        return respond(usage, start_response)

    return wrapped


def respond(body, start_response):
    headers = [*floor.HEADERS.items(), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def greet(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return respond(GREETING, start_response)


def answer_with(answer):
    def application(environ, start_response):
        wanted = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return respond(answer(wanted, "bench", LOG).encode(), start_response)

    return application


def answer_with_function():
    if CLOCK_SPEED == 1:
        return handler.handler
    function = Function(Dependencies(os.environ, now=fast_clock, write_line=to_standard_output))
    return lambda environ, start_response: handler.serve(function, environ, start_response)


hello = with_usage(greet)
inline = with_usage(answer_with(floor.answer))
tuned = with_usage(answer_with(tuned_floor.answer))
function = with_usage(answer_with_function())
