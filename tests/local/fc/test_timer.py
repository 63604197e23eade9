"""The timer trigger: its event, its attempts, and both forms in which a function gets it."""

import json
import threading

import pytest
import responses

from local.fc.timer import ATTEMPTS, Timer, custom_runtime
from tests.local.fc.conftest import NOW, Recorder, gateway


class Failing:
    """A function that raises so many times, whatever is raised."""

    def __init__(self, times, error):
        self.times, self.error, self.calls = times, error, []

    def __call__(self, event, context):
        self.calls.append((event, context.request_id))
        if len(self.calls) <= self.times:
            raise self.error


@pytest.mark.parametrize("payload", ["", '{"job":"sweep"}'])
def test_the_event_is_bytes_with_the_time_the_name_and_the_payload_as_text(payload):
    function = Recorder({"statusCode": 500})
    with gateway(function) as running:
        assert Timer(running.invoke, lambda: NOW, payload, "sweep").tick()
    [event] = function.events
    assert type(event) is bytes
    assert json.loads(event) == {
        "triggerTime": "2030-01-01T00:00:00Z",
        "triggerName": "sweep",
        "payload": payload,
    }


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(1)])
@pytest.mark.parametrize(("times", "calls", "is_well"), [(1, 2, True), (ATTEMPTS, 4, False), (9, 4, False)])
def test_an_exception_is_repeated_with_the_same_event_and_id(times, calls, is_well, error, caplog):
    function = Failing(times, error)
    with gateway(function) as running:
        assert Timer(running.invoke, lambda: NOW).tick() is is_well
    assert (len(function.calls), len(set(function.calls))) == (calls, 1)


def test_an_instance_is_initialized_before_its_first_tick():
    order = []
    with gateway(lambda *_: order.append("tick"), lambda _: order.append("initialize")) as running:
        Timer(running.invoke, lambda: NOW).tick()
    assert order == ["initialize", "tick"]


@pytest.mark.parametrize(("status", "calls"), [(200, 1), (500, ATTEMPTS), (404, ATTEMPTS)])
@responses.activate
def test_a_custom_runtime_gets_a_post_and_is_called_again_unless_it_answers_200(status, calls, caplog):
    responses.post("http://127.0.0.1:9/invoke", status=status)
    assert Timer(custom_runtime("http://127.0.0.1:9"), lambda: NOW).tick() is (status == 200)
    requests = [call.request for call in responses.calls]
    assert {request.headers["x-fc-control-path"] for request in requests} == {"/invoke"}
    assert [json.loads(request.body)["triggerName"] for request in requests] == ["timer"] * calls


class Minutes:
    """So many minutes pass at once, then the timer is stopped."""

    def __init__(self, count):
        self.left = count

    def wait(self, seconds):
        assert seconds == 60
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("count", [0, 2])
def test_a_timer_ticks_each_minute_whatever_the_last_tick_does(count):
    all_are_in, calls = threading.Barrier(count + 1, timeout=60), []
    running = Timer(lambda *call: calls.append(call) or all_are_in.wait(), lambda: NOW)
    running._ended = Minutes(count)
    running._run()
    all_are_in.wait()
    assert len(calls) == count
