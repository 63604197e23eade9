"""FC 2.0: a function called by WSGI."""

import json
from wsgiref.validate import validator

import fc2
import pytest

from tests.local.fc.conftest import KEYS, ask, gateway


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
    function = WsgiFunction("201 Created", [("Content-Type", "text/x"), ("X-A", "1")], [b"a", b"b"])
    headers = {"Content-Type": "application/json", "X-Upload-Token": "t", "X-Fc-Account-Id": "forged"}
    with gateway(function) as running:
        status, sent, body = ask(running, "POST", PROXY + "/a%20b/%E4%B8%AD?q=1&q=2", headers, b'{"n":1}')
    assert (status, sent["Content-Type"], sent["X-A"], body) == (201, "text/x", "1", b"ab")
    environ = function.environ
    assert environ["PATH_INFO"].encode("iso-8859-1").decode() == "/a b/中"
    assert (
        environ.items()
        >= {
            "REQUEST_METHOD": "POST",
            "QUERY_STRING": "q=1&q=2",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "7",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_X_UPLOAD_TOKEN": "t",
            "body": b'{"n":1}',
            "fc.request_uri": PROXY + "/a%20b/%E4%B8%AD?q=1&q=2",
        }.items()
    )
    assert environ["fc.context"].request_id == sent["X-Fc-Request-Id"]
    assert "forged" not in str(environ)


@pytest.mark.parametrize("tail", ["", "/"])
def test_the_proxy_path_without_more_is_the_root(tail):
    function = WsgiFunction()
    with gateway(function) as running:
        assert ask(running, "GET", PROXY + tail)[0] == 200
    assert function.environ["PATH_INFO"] == "/"


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
    with gateway(function, credentials=KEYS) as running:
        ask(running, "GET", PROXY + "/x")
    assert vars(function.environ["fc.context"].credentials) == KEYS
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "E", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "S"}
    with gateway(function, environ=environ) as running:
        ask(running, "GET", PROXY + "/x")
    known = {"access_key_id": "E", "access_key_secret": "S", "security_token": ""}
    assert vars(function.environ["fc.context"].credentials) == known


def test_the_write_callable_and_close_are_honoured():
    closed = []

    class Pieces(list):
        def close(self):
            closed.append(True)

    def application(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"first,")
        return Pieces([b"second"])

    with gateway(application) as running:
        assert ask(running, "GET", PROXY + "/x")[2] == b"first,second"
    assert closed == [True]


def test_a_generator_may_start_its_response_late():
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"late"

    with gateway(application) as running:
        assert ask(running, "GET", PROXY + "/x")[2] == b"late"


def no_start_response(environ, start_response):
    return [b"?"]


def start_response_twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return [b""]


@pytest.mark.parametrize(
    "function",
    [
        no_start_response,
        start_response_twice,
        WsgiFunction("fine", []),
        WsgiFunction("200 OK", [("X", "a" * 8192)]),
        WsgiFunction("200 OK", [("X", "a\nb")]),
    ],
    ids=["no start_response", "twice", "no status", "headers over 8 KB", "line break"],
)
def test_a_broken_wsgi_answer_is_502_bad_response(function, caplog):
    with gateway(function) as running:
        status, _, body = ask(running, "GET", PROXY + "/x")
    assert (status, json.loads(body)["Code"]) == (502, "BadResponse")


def test_a_failing_wsgi_function_is_502_without_detail(caplog):
    def application(environ, start_response):
        raise RuntimeError("boom")

    with gateway(application) as running:
        status, _, body = ask(running, "GET", PROXY + "/x")
    assert (status, body) == (502, b"Internal Server Error")
    assert "boom" in caplog.text


def test_the_fc2_client_reaches_the_function(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    function = WsgiFunction("200 OK", [("Content-Type", "application/json")], [b'{"ok": true}'])
    with gateway(function) as running:
        client = fc2.Client(
            endpoint=running.origin, accessKeyID="ID", accessKeySecret="SECRET", securityToken="TOKEN"
        )
        more = {"headers": {"X-Upload-Token": "t"}, "params": {"profile": "avatar"}, "body": b"{}"}
        answer = client.do_http_request("POST", "my-service", "my-function", "/upload-params", **more)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    environ = function.environ
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/upload-params", "profile=avatar")
    assert (environ["CONTENT_TYPE"], environ["HTTP_X_UPLOAD_TOKEN"]) == ("application/json", "t")
    assert environ["HTTP_AUTHORIZATION"].startswith("FC ID:") and environ["body"] == b"{}"
    assert "HTTP_X_FC_SECURITY_TOKEN" not in environ
