"""The front door: limits, the initializer, requests at once."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.fc.gateway import BODY_LIMIT_BYTES
from tests.local.fc.conftest import Recorder, ask, gateway, say
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("request_text")
def test_a_request_over_a_limit_is_400_invalid_argument_and_never_reaches_the_function(front, request_text):
    front.function = staticmethod(Recorder({"statusCode": 200}))
    head, _, body = say(front.gateway, request_text.encode()).partition(b"\r\n\r\n")
    assert (head.split(b" ")[1], json.loads(body)["Code"]) == (b"400", "InvalidArgument")
    assert front.function.events == []


@pytest.mark.parametrize(("target", "headers"), [("/" + "a" * 4095, {}), ("/", {"X": "a" * 8100})])
def test_a_request_at_a_limit_passes(target, headers, event_of):
    assert event_of("GET", target, headers)["rawPath"] == target


def test_a_client_that_sends_too_large_a_body_sees_the_400_and_one_cut_short_is_dropped(front):
    front.function = staticmethod(Recorder({"statusCode": 200}))
    status, _, body = ask(front.gateway, "POST", "/", {}, bytes(BODY_LIMIT_BYTES + 1))
    assert (status, json.loads(body)["Code"]) == (400, "InvalidArgument")
    assert say(front.gateway, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert front.function.events == []


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
    outcomes, function = [1, 0], Recorder({"statusCode": 200})
    with gateway(function, lambda context: 1 / (not outcomes.pop())) as running:
        outcomes.reverse()
        assert (ask(running)[0], function.events) == (502, [])
        assert [ask(running)[0] for _ in range(2)] == [200, 200]
    assert outcomes == []


def test_requests_run_side_by_side():
    both_are_in = threading.Barrier(2, timeout=60)

    def handler(event, context):
        both_are_in.wait()
        return {"statusCode": 200}

    with gateway(handler) as running, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: ask(running)[0], range(2))) == [200, 200]
