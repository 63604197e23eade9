"""A function called by the proxy path of FC 2.0, which is WSGI, and by the timer."""

import json
import threading
from wsgiref.validate import validator

import pytest
import responses

from local.fc.timer import ATTEMPTS, Timer, custom_runtime
from tests.local.fc.conftest import KEYS, NOW, ask, gateway


class WsgiFunction:
    """A WSGI function that keeps a copy of its environ."""

    def __init__(self, status="200 OK", headers=(("Content-Type", "text/plain"),), body=(b"ok",)):
        self.status, self.headers, self.body, self.environ = status, list(headers), body, None

    def __call__(self, environ, start_response):
        self.environ = {**environ, "body": environ["wsgi.input"].read()}
        start_response(self.status, self.headers)
        return list(self.body)


PROXY = "/2016-08-15/proxy/my-service/my-function"


def test_the_proxy_path_calls_the_function_by_wsgi():
    function, target = WsgiFunction("201 Created", [("X-A", "1")], [b"a", b"b"]), "/a%20b/%E4%B8%AD?q=1&q=2"
    headers = {"Content-Type": "application/json", "X-Upload-Token": "t", "X-Fc-Account-Id": "forged"}
    with gateway(function) as running:
        status, sent, body = ask(running, "POST", PROXY + target, headers, b'{"n":1}')
        assert (status, sent["X-A"], body) == (201, "1", b"ab")
        environ = function.environ
        for tail in ("", "/"):
            assert ask(running, "GET", PROXY + tail)[0] == 201
            assert function.environ["PATH_INFO"] == "/"
    of_http = {"HTTP_X_UPLOAD_TOKEN": "t", "REMOTE_ADDR": "127.0.0.1", "fc.request_uri": PROXY + target}
    of_body = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "7", "body": b'{"n":1}'}
    expected = {"REQUEST_METHOD": "POST", "QUERY_STRING": "q=1&q=2", **of_http, **of_body}
    assert environ.items() >= expected.items() and "forged" not in str(environ)
    assert environ["PATH_INFO"].encode("iso-8859-1").decode() == "/a b/中"
    assert environ["fc.context"].request_id and sent["X-Fc-Request-Id"] == environ["fc.context"].request_id


def test_the_wsgi_call_keeps_the_rules_of_pep_3333():
    def application(environ, start_response):
        environ["wsgi.input"].read(1)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"valid"]

    with gateway(validator(application)) as running:
        headers = {"Content-Type": "text/plain", "X-Name": "中".encode()}
        assert ask(running, "POST", PROXY + "/x", headers, b"abc")[2] == b"valid"
        assert ask(running, "GET", PROXY + "/x?a=b")[2] == b"valid"


def test_an_fc_2_context_has_credentials_from_the_gateway_else_from_the_environment():
    function = WsgiFunction()
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "E", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "S"}
    known = {"access_key_id": "E", "access_key_secret": "S", "security_token": ""}
    for given, expected in (({"credentials": KEYS}, KEYS), ({"environ": environ}, known)):
        with gateway(function, **given) as running:
            ask(running, "GET", PROXY + "/x")
        assert vars(function.environ["fc.context"].credentials) == expected


BROKEN = {
    "no start_response": lambda environ, start_response: [b"?"],
    "twice": lambda environ, start_response: [start_response("200 OK", []), start_response("200 OK", [])],
    "no status": WsgiFunction("fine", []),
    "headers over 8 KB": WsgiFunction("200 OK", [("X", "a" * 8192)]),
    "line break": WsgiFunction("200 OK", [("X", "a\nb")]),
}


@pytest.mark.parametrize("function", BROKEN.values(), ids=BROKEN)
def test_a_broken_wsgi_answer_is_502_bad_response(function, caplog):
    with gateway(function) as running:
        status, _, body = ask(running, "GET", PROXY + "/x")
    assert (status, json.loads(body)["Code"]) == (502, "BadResponse")


class Failing:
    """A function that raises so many times, whatever is raised."""

    def __init__(self, times, error):
        self.times, self.error, self.calls = times, error, []

    def __call__(self, event, context):
        self.calls.append((event, context.request_id))
        if len(self.calls) <= self.times:
            raise self.error


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(1)])
@pytest.mark.parametrize(("times", "calls", "is_well"), [(1, 2, True), (ATTEMPTS, 4, False), (9, 4, False)])
def test_an_exception_is_repeated_with_the_same_event_and_id(times, calls, is_well, error, caplog):
    function = Failing(times, error)
    with gateway(function) as running:
        assert Timer(running.invoke, lambda: NOW).tick() is is_well
    assert (len(function.calls), len(set(function.calls))) == (calls, 1)


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
