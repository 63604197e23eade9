"""
What one request costs the function as one thing grows: profiles, files, the security token, distinct callers.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from array import array
from functools import partial
from pathlib import Path

from memory import resident_mb
from requests_of_clients import CONTEXT, event
from runtime import BENCH
from timing import microseconds

import handler
from function.app import Function, load_settings
from function.context import Dependencies
from function.request_log import to_standard_output

PROFILE = (
    '[{name}]\nkey = "uploads/{{owner}}/{{id}}{{ext}}"\nmax_size = "10MiB"\ncontent_types = ["image/*"]\n'
)
STRETCH = 10_000
PLACE_OF_ADDRESS = "203.0.113.255"


def profiles(numbers: list[int]) -> None:
    """Per request with the last of so many profiles, and for reading them once."""
    requests, readings = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            path = Path(folder) / f"{number}.toml"
            path.write_text(
                "".join(PROFILE.format(name=f"profile{index}") for index in range(number)), "utf-8"
            )
            environ = {**os.environ, "PROFILES_FILE": str(path)}
            requests[number] = _request(environ, event(profile=f"profile{number - 1}"))
            readings[number] = partial(load_settings, environ)
        _tell({"request": _points(requests), "reading": _points(readings)})


def files(numbers: list[int]) -> None:
    """Per request for so many files."""
    _tell({"request": _points({number: _request(os.environ, event(number)) for number in numbers})})


def tokens(numbers: list[int]) -> None:
    """Per request with a token of so many characters; the stand-in reads their number in the role's name."""
    role = os.environ["STS_ROLE_ARN"]
    requests = {
        number: _request({**os.environ, "STS_ROLE_ARN": f"{role}-{number}"}, event()) for number in numbers
    }
    _tell({"request": _points(requests)})


def callers(most: int) -> None:
    """One request each from ever more callers: what it costs by then, and what memory has grown."""
    function = Function(Dependencies(os.environ, write_line=to_standard_output))
    template = event(source_ip=PLACE_OF_ADDRESS)
    handler.serve(function, template, CONTEXT)
    seconds = array("d", [0.0] * STRETCH)
    before = resident_mb()
    points, served, wanted = [], 0, 1
    while served < most:
        wanted = min(wanted, most)
        for number in range(served, wanted):
            # Taken by turns, so that the room for them is there from the start.
            seconds[number % STRETCH] = _serve_caller(function, template, number)
        points.append([wanted, statistics.median(seconds[: wanted - served]) * 1e6, resident_mb() - before])
        served, wanted = wanted, wanted * 10 if wanted < STRETCH else wanted + STRETCH
    _tell({"callers": points})


def _serve_caller(function: Function, template: bytes, number: int) -> float:
    """How many seconds it takes; the event is not kept, so that it does not count as memory."""
    asked = template.replace(PLACE_OF_ADDRESS.encode(), _address(number))
    started = time.perf_counter()
    response = handler.serve(function, asked, CONTEXT)
    seconds = time.perf_counter() - started
    if response["statusCode"] != 200:
        raise SystemExit(response["body"])
    return seconds


def _address(number: int) -> bytes:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}".encode()


def _request(environ, asked: bytes):
    function = Function(Dependencies(environ, write_line=to_standard_output))
    answer = handler.serve(function, asked, CONTEXT)
    if answer["statusCode"] != 200:
        raise SystemExit(answer["body"])
    return lambda: handler.serve(function, asked, CONTEXT)


def _points(calls: dict[int, object]) -> list[tuple[int, float]]:
    return list(microseconds(calls).items())


def _tell(figures: dict[str, object]) -> None:
    print(json.dumps(figures), file=BENCH, flush=True)
    sys.stdin.read()
