"""The front door: limits, the initializer, requests at once."""

import contextlib
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.fc.gateway import BODY_LIMIT_BYTES
from tests.local.fc.running import Recorder, address, ask, gateway


@pytest.mark.parametrize(
    "request_text",
    [
        pytest.param(b"GET /%b HTTP/1.1\r\nHost: [::1]\r\n\r\n" % (b"a" * 4096), id="path of 4097"),
        pytest.param(
            b"GET /?%b HTTP/1.1\r\nHost: [::1]\r\n\r\n" % (b"a" * 4095), id="path and query of 4097"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nX: %b\r\n\r\n" % (b"a" * 8192), id="headers of 8193"),
        pytest.param(b"GET /%b HTTP/1.1\r\nHost: [::1]\r\n\r\n" % (b"a" * 70000), id="endless request line"),
        pytest.param(b"GET / HTTP/1.1\r\n%b\r\n" % (b"A: b\r\n" * 500), id="500 headers"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", id="length is no number"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: %b\r\n\r\n" % (b"9" * 5000), id="5000 digits"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 33554433\r\n\r\n", id="body of 32 MB and 1"),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="chunk size is no number"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2000001\r\n", id="chunk over 32 MB"
        ),
        pytest.param(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", id="negative chunk"),
    ],
)
def test_a_request_over_a_limit_is_400_invalid_argument_and_never_reaches_the_function(front, request_text):
    front.function = staticmethod(Recorder({"statusCode": 200}))
    with socket.create_connection(address(front.gateway), timeout=60) as connection:
        connection.sendall(request_text)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"400"
    assert json.loads(body)["Code"] == "InvalidArgument"
    assert front.function.events == []


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/" + "a" * 4095, {}), ("/", {"X": "a" * 8100})],
    ids=["path of 4096", "headers under 8 KB"],
)
def test_a_request_at_a_limit_passes(target, headers, event_of):
    assert event_of("GET", target, headers)["rawPath"] == target


def test_a_client_that_sends_too_large_a_body_sees_the_400():
    function = Recorder({"statusCode": 200})
    with gateway(function) as running:
        status, _, body = ask(running, "POST", "/", {}, bytes(BODY_LIMIT_BYTES + 1))
    assert (status, json.loads(body)["Code"]) == (400, "InvalidArgument")
    assert function.events == []


def test_a_body_cut_short_does_not_reach_the_function():
    function = Recorder({"statusCode": 200})
    with gateway(function) as running, socket.create_connection(address(running), timeout=60) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert function.events == []


def test_initialize_runs_once_before_the_first_of_many_requests_at_once():
    order = []

    def initialize(context):
        time.sleep(0.05)
        order.append(context.request_id)

    def handler(event, context):
        order.append("handler")
        return {"statusCode": 200}

    with gateway(handler, initialize) as running, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: ask(running)[0], range(8)))
    assert statuses == [200] * 8
    assert order[0].startswith("1-")
    assert order[1:] == ["handler"] * 8


def test_a_failed_initialize_fails_its_request_and_is_tried_again(caplog):
    outcomes = [RuntimeError("not yet"), None]
    function = Recorder({"statusCode": 200})

    def initialize(context):
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    with gateway(function, initialize) as running:
        assert ask(running)[0] == 502
        assert function.events == []
        assert ask(running)[0] == 200
        assert ask(running)[0] == 200
    assert outcomes == []


def test_requests_run_side_by_side():
    both_are_in = threading.Barrier(2, timeout=60)

    def handler(event, context):
        both_are_in.wait()
        return {"statusCode": 200}

    with gateway(handler) as running, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: ask(running)[0], range(2))) == [200, 200]
