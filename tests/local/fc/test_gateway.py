import base64
import contextlib
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from wsgiref.validate import validator

import fc2
import pytest

from local.fc.gateway import BODY_LIMIT_BYTES, FcGateway

NOW = datetime(2030, 1, 1, 0, 0, 0, tzinfo=UTC)
KEYS = {"access_key_id": "ID", "access_key_secret": "SECRET", "security_token": "TOKEN"}
TYPED = {"Content-Type": "application/json"}


@contextlib.contextmanager
def gateway(handler, initialize=None, **options):
    running = FcGateway(handler, initialize, now=lambda: NOW, environ={}, **options).start()
    try:
        yield running
    finally:
        running.stop()


class Recorder:
    """A function that keeps what it was called with and returns what it was told to."""

    def __init__(self, result=None):
        self.result = result
        self.events = []
        self.contexts = []

    def __call__(self, event, context):
        self.events.append(event)
        self.contexts.append(context)
        return self.result


def address(running):
    host, port = running.origin.removeprefix("http://").split(":")
    return host, int(port)


def ask(running, method="GET", target="/", headers=(), body=None):
    """One request with exactly these headers (and Content-Length); repeated names allowed."""
    connection = http.client.HTTPConnection(*address(running), timeout=5)
    with contextlib.closing(connection):
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in dict(headers).items() if isinstance(headers, dict) else headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def say(running, text):
    """Send raw bytes and read until the gateway closes."""
    with socket.create_connection(address(running), timeout=5) as connection:
        connection.sendall(text)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


@pytest.fixture(scope="module")
def front():
    """One gateway for the many tests that need no options of their own; set its ``function``."""

    class Front:
        function = None

    with gateway(lambda event, context: Front.function(event, context)) as running:
        Front.gateway = running
        yield Front


@pytest.fixture
def event_of(front):
    """Send one request and read the event that the function got."""

    def event_of(method="GET", target="/", headers=(), body=None):
        front.function = staticmethod(Recorder({"statusCode": 200}))
        status, _, _ = ask(front.gateway, method, target, headers, body)
        assert status == 200
        assert type(front.function.events[0]) is bytes
        return json.loads(front.function.events[0])

    return event_of


@pytest.fixture
def answer_to(front):
    """Let the function return this and see what the client gets."""

    def answer_to(result, method="GET"):
        front.function = staticmethod(Recorder(result))
        return ask(front.gateway, method)

    return answer_to


# ---- request -> event ---------------------------------------------------------------------------


def test_an_event_has_the_documented_shape(event_of):
    event = event_of(
        "POST",
        "/sign%20it/%E4%B8%AD?q=1&multi=a&multi=b&plus=a+b%2Bc&empty=",
        [("content-type", "application/json"), ("x-multi", "a"), ("X-MULTI", "b"), ("user-agent", "tests")],
        b'{"n":1}',
    )
    host = event["headers"].pop("Host")
    domain = event["requestContext"]
    request_id = domain.pop("requestId")
    assert event == {
        "version": "v1",
        "rawPath": "/sign%20it/%E4%B8%AD",
        "body": '{"n":1}',
        "isBase64Encoded": False,
        "headers": {
            "Content-Type": "application/json",
            "X-Multi": "a,b",
            "User-Agent": "tests",
            "Content-Length": "7",
        },
        "queryParameters": {"q": "1", "multi": "a,b", "plus": "a b+c", "empty": ""},
        "requestContext": {
            "accountId": domain["accountId"],
            "domainName": "127.0.0.1",
            "domainPrefix": "127",
            "time": "2030-01-01T00:00:00Z",
            "timeEpoch": "1893456000000",
            "http": {
                "method": "POST",
                "path": "/sign it/中",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "tests",
            },
        },
    }
    assert host.startswith("127.0.0.1:")
    assert request_id.startswith("1-70dbd880-")
    assert domain["accountId"].isdigit()


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("text/plain", True),
        ("text/anything", True),
        ("TEXT/HTML", True),
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/ld+json", True),
        ("application/xhtml+xml", True),
        ("application/xml", True),
        ("application/atom+xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/octet-stream", False),
        ("application/vnd.api+json", False),
        ("image/png", False),
        ("", False),
        (None, False),
    ],
)
def test_a_body_is_text_only_for_the_documented_types(content_type, is_text, event_of):
    headers = {} if content_type is None else {"Content-Type": content_type}
    event = event_of("POST", "/", headers, "a=中".encode())
    assert event["isBase64Encoded"] is not is_text
    expected = "a=中" if is_text else base64.b64encode("a=中".encode()).decode()
    assert event["body"] == expected


def test_a_plain_get_has_an_empty_body_and_the_base64_flag(event_of):
    event = event_of()
    assert (event["body"], event["isBase64Encoded"]) == ("", True)


def test_a_text_body_that_is_not_utf8_still_makes_an_event(event_of):
    assert event_of("POST", "/", TYPED, b"\xff{")["body"] == "�{"


def test_what_a_client_may_not_send_does_not_reach_the_function(event_of):
    event = event_of(
        headers=[
            ("X-Fc-Request-Id", "forged"),
            ("x-fc-account-id", "forged"),
            ("Connection", "keep-alive"),
            ("Keep-Alive", "timeout=5"),
            ("X-Kept", "yes"),
        ]
    )
    assert set(event["headers"]) == {"Host", "X-Kept"}
    assert "forged" not in json.dumps(event)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])
def test_every_method_reaches_the_function(method):
    function = Recorder({"statusCode": 202, "body": "seen"})
    with gateway(function) as running:
        status, headers, body = ask(running, method)
    assert json.loads(function.events[0])["requestContext"]["http"]["method"] == method
    assert status == 202
    assert headers["Content-Length"] == "4"
    assert body == (b"" if method == "HEAD" else b"seen")


def test_stray_bytes_of_a_path_are_percent_encoded():
    function = Recorder({"statusCode": 200})
    with gateway(function) as running:
        say(running, b"GET /\xe4\xb8\xad?q=\xe4\xb8\xad HTTP/1.0\r\n\r\n")
    event = json.loads(function.events[0])
    assert event["rawPath"] == "/%E4%B8%AD"
    assert event["requestContext"]["http"]["path"] == "/中"
    assert event["queryParameters"] == {"q": "中"}


def test_an_absolute_request_target_loses_its_origin():
    function = Recorder({"statusCode": 200})
    with gateway(function) as running:
        say(running, b"GET http://example.com/a?b=1 HTTP/1.0\r\n\r\n")
    assert json.loads(function.events[0])["rawPath"] == "/a"


def test_a_header_value_is_read_as_utf8(event_of):
    assert event_of(headers={"X-Name": "中".encode()})["headers"]["X-Name"] == "中"


def test_a_chunked_body_arrives_whole_and_the_connection_stays_usable():
    function = Recorder({"statusCode": 200, "body": "ok"})
    request = (
        b"POST / HTTP/1.1\r\nHost: [::1]\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;note=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
        b"GET /second HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n"
    )
    with gateway(function) as running:
        received = say(running, request)
    assert received.count(b"HTTP/1.1 200") == 2
    assert json.loads(function.events[0])["body"] == "abcde"
    assert "Transfer-Encoding" not in json.loads(function.events[0])["headers"]
    assert json.loads(function.events[1])["rawPath"] == "/second"


# ---- limits -------------------------------------------------------------------------------------


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
    with socket.create_connection(address(front.gateway), timeout=5) as connection:
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
    with gateway(function) as running, socket.create_connection(address(running), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert function.events == []


# ---- result -> response -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ({"statusCode": 201, "body": "made"}, 201, "application/json", b"made"),
        ('{"statusCode": 201, "body": "made"}', 201, "application/json", b"made"),
        (b'{"statusCode": 201, "body": "made"}', 201, "application/json", b"made"),
        ({"statusCode": 200, "headers": {"content-TYPE": "text/x"}, "body": ""}, 200, "text/x", b""),
        ({"statusCode": 200, "headers": None, "body": None}, 200, "application/json", b""),
        ({"statusCode": 200}, 200, "application/json", b""),
        ({"statusCode": 200, "body": {"a": "中"}}, 200, "application/json", '{"a": "中"}'.encode()),
        ({"statusCode": 200, "body": "中"}, 200, "application/json", "中".encode()),
        ({"statusCode": 200, "isBase64Encoded": True, "body": "AAH/"}, 200, "application/json", b"\0\1\xff"),
        ({"statusCode": 200, "isBase64Encoded": True, "body": "no!"}, 200, "application/json", b"no!"),
        ({"statusCode": 200, "isBase64Encoded": False, "body": "AAH/"}, 200, "application/json", b"AAH/"),
        ({"message": "hi"}, 200, "application/json", b'{\n    "message": "hi"\n}'),
        ('{"message":"hi"}', 200, "application/json", b'{"message":"hi"}'),
        ("not json", 200, "application/json", b"not json"),
        (b"\xff\xfe", 200, "application/json", b"\xff\xfe"),
        ("", 200, "application/json", b""),
        (None, 200, "application/json", b"null"),
        (["statusCode"], 200, "application/json", b'[\n    "statusCode"\n]'),
        ({"b": Decimal("1.5")}, 200, "application/json", b'{\n    "b": 1.5\n}'),
        ([date(2030, 1, 2)], 200, "application/json", b'[\n    "2030-01-02"\n]'),
        ({"b": 1, "a": 2}, 200, "application/json", b'{\n    "a": 2,\n    "b": 1\n}'),
    ],
)  # fmt: skip
def test_a_result_becomes_the_documented_response(result, status, content_type, body, answer_to):
    seen_status, headers, seen_body = answer_to(result)
    assert (seen_status, headers["Content-Type"], seen_body) == (status, content_type, body)
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-Fc-Request-Id"].startswith("1-")


def test_an_object_with_to_json_is_asked_for_it(answer_to):
    class Answer:
        def to_json(self):
            return {"n": 1}

    assert answer_to({"answer": Answer()})[2] == b'{\n    "answer": {\n        "n": 1\n    }\n}'


def test_reserved_response_headers_are_dropped(answer_to):
    reserved = [
        "X-Fc-Request-Id",
        "x-fc-status",
        "Connection",
        "content-length",
        "Date",
        "Keep-Alive",
        "Server",
    ]
    reserved += ["Content-Disposition", "Upgrade", "Transfer-Encoding"]
    result = {
        "statusCode": 200,
        "headers": dict.fromkeys(reserved, "forged") | {"X-Kept": "中"},
        "body": "ok",
    }
    status, headers, body = answer_to(result)
    assert (status, body) == (200, b"ok")
    assert "forged" not in str(headers)
    assert headers["X-Kept"].encode("iso-8859-1").decode() == "中"


def test_the_request_id_of_the_response_is_that_of_event_and_context():
    function = Recorder({"statusCode": 200})
    with gateway(function) as running:
        _, headers, _ = ask(running)
    assert headers["X-Fc-Request-Id"] == function.contexts[0].request_id
    assert headers["X-Fc-Request-Id"] == json.loads(function.events[0])["requestContext"]["requestId"]


def test_the_default_domain_forces_a_download_and_a_custom_one_does_not(answer_to):
    result = {"statusCode": 200, "headers": {"Content-Type": "text/html"}}
    with gateway(Recorder(result), default_domain=True) as running:
        assert ask(running)[1]["Content-Disposition"] == "attachment"
    assert answer_to(result)[1]["Content-Disposition"] is None


def test_a_204_has_neither_body_nor_length(answer_to):
    status, headers, body = answer_to({"statusCode": 204, "body": "ignored"})
    assert (status, headers["Content-Length"], body) == (204, None, b"")


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"statusCode": 200, "headers": {"X": "a" * 8192}}, id="headers over 8 KB"),
        pytest.param(
            {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b"}}, id="line break in a header"
        ),
        pytest.param({"statusCode": 200, "headers": {"X: y": "a"}}, id="header name that is none"),
        pytest.param({"statusCode": 200, "headers": {"X": 1}}, id="number as header value"),
        pytest.param({"statusCode": 200, "headers": ["X"]}, id="headers as a list"),
        pytest.param({"statusCode": "200"}, id="status as text"),
        pytest.param({"statusCode": True}, id="status as boolean"),
        pytest.param({"statusCode": 99}, id="status out of range"),
        pytest.param({"statusCode": 200, "isBase64Encoded": "true"}, id="flag as text"),
    ],
)
def test_an_answer_that_cannot_be_sent_is_502_bad_response(result, caplog, answer_to):
    status, _, body = answer_to(result)
    assert (status, json.loads(body)["Code"]) == (502, "BadResponse")
    assert "BadResponse" in caplog.text


def test_headers_of_8_kb_pass(answer_to):
    value = "a" * (8192 - len("X" + "Content-Type" + "application/json"))
    assert (
        answer_to({"statusCode": 200, "headers": {"X": value, "Content-Type": "application/json"}})[0] == 200
    )


@pytest.mark.parametrize("failure", [RuntimeError("boom"), SystemExit(3)], ids=["exception", "exit"])
def test_a_failing_function_is_502_without_detail_and_the_traceback_is_logged(failure, caplog):
    def handler(event, context):
        raise failure

    with gateway(handler) as running:
        status, headers, body = ask(running)
    assert (status, body) == (502, b"Internal Server Error")
    assert headers["X-Fc-Request-Id"]
    assert "Traceback" in caplog.text


def test_a_result_that_is_no_json_is_502(caplog, answer_to):
    assert answer_to({"statusCode": 200, "body": object()})[0] == 502


# ---- context ------------------------------------------------------------------------------------


def context_of(**options):
    function = Recorder({"statusCode": 200})
    with gateway(function, **options) as running:
        ask(running)
    return function.contexts[0]


def test_a_context_of_python_3_12_has_no_credentials_and_no_service():
    context = context_of()
    assert set(vars(context)) == {
        "request_id", "function", "logger", "log_project", "log_store", "region", "account_id",
    }  # fmt: skip
    assert set(vars(context.function)) == {"name", "handler", "memory", "timeout", "version_id", "qualifier"}
    assert context.region == "cn-hangzhou"


def test_a_context_of_python_3_10_has_credentials_and_service():
    context = context_of(credentials=KEYS)
    assert set(vars(context)) == {"request_id", "credentials", "function", "service", "region", "account_id"}
    assert vars(context.credentials) == KEYS
    assert set(vars(context.function)) == {"name", "handler", "memory", "timeout"}
    assert set(vars(context.service)) == {"log_project", "log_store", "qualifier", "version_id"}
    assert "SECRET" not in repr(context) + repr(context.credentials)


def test_a_context_is_not_callable_unless_asked_for():
    assert not callable(context_of())
    assert callable(context_of(callable_context=True))


# ---- initialize ---------------------------------------------------------------------------------


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
    both_are_in = threading.Barrier(2, timeout=5)

    def handler(event, context):
        both_are_in.wait()
        return {"statusCode": 200}

    with gateway(handler) as running, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: ask(running)[0], range(2))) == [200, 200]


# ---- FC 2.0 -------------------------------------------------------------------------------------


class WsgiFunction:
    """A WSGI function that keeps a copy of its environ."""

    def __init__(self, status="200 OK", headers=(("Content-Type", "text/plain"),), body=(b"ok",)):
        self.status = status
        self.headers = list(headers)
        self.body = body
        self.environ = None

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
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"].encode("iso-8859-1").decode() == "/a b/中"
    assert environ["QUERY_STRING"] == "q=1&q=2"
    assert environ["CONTENT_TYPE"] == "application/json"
    assert environ["CONTENT_LENGTH"] == "7"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_X_UPLOAD_TOKEN"] == "t"
    assert environ["body"] == b'{"n":1}'
    assert environ["fc.request_uri"] == PROXY + "/a%20b/%E4%B8%AD?q=1&q=2"
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
        assert (
            ask(
                running, "POST", PROXY + "/x", {"Content-Type": "text/plain", "X-Name": "中".encode()}, b"abc"
            )[2]
            == b"valid"
        )
        assert ask(running, "GET", PROXY + "/x?a=b")[2] == b"valid"


def test_an_fc_2_context_has_credentials_from_the_gateway_else_from_the_environment():
    function = WsgiFunction()
    with gateway(function, credentials=KEYS) as running:
        ask(running, "GET", PROXY + "/x")
    assert vars(function.environ["fc.context"].credentials) == KEYS
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "E", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "S"}
    running = FcGateway(function, environ=environ).start()
    try:
        ask(running, "GET", PROXY + "/x")
    finally:
        running.stop()
    assert vars(function.environ["fc.context"].credentials) == {
        "access_key_id": "E", "access_key_secret": "S", "security_token": "",
    }  # fmt: skip


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
        answer = client.do_http_request(
            "POST",
            "my-service",
            "my-function",
            "/upload-params",
            headers={"X-Upload-Token": "t"},
            params={"profile": "avatar"},
            body=b'{"filename": "a.png"}',
        )
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert function.environ["PATH_INFO"] == "/upload-params"
    assert function.environ["QUERY_STRING"] == "profile=avatar"
    assert function.environ["CONTENT_TYPE"] == "application/json"
    assert function.environ["HTTP_X_UPLOAD_TOKEN"] == "t"
    assert function.environ["HTTP_AUTHORIZATION"].startswith("FC ID:")
    assert "HTTP_X_FC_SECURITY_TOKEN" not in function.environ
    assert function.environ["body"] == b'{"filename": "a.png"}'
