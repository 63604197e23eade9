"""The event and the context that a function gets of a request."""

import base64
import json

import pytest

from tests.local.fc.conftest import KEYS, Recorder, ask, gateway, say
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


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


@cases("content_type", "is_text")
def test_a_body_is_text_only_for_the_documented_types(content_type, is_text, event_of):
    headers = {} if content_type is None else {"Content-Type": content_type}
    event = event_of("POST", "/", headers, "a=中".encode())
    assert event["isBase64Encoded"] is not is_text
    expected = "a=中" if is_text else base64.b64encode("a=中".encode()).decode()
    assert event["body"] == expected


def test_a_plain_get_has_no_body_and_text_that_is_not_utf8_still_makes_an_event(event_of):
    event = event_of()
    assert (event["body"], event["isBase64Encoded"]) == ("", True)
    event = event_of("POST", "/", {"Content-Type": "text/x", "X-Name": "中".encode()}, b"\xff{")
    assert (event["body"], event["headers"]["X-Name"]) == ("�{", "中")


def test_reserved_headers_do_not_reach_the_function(event_of):
    forged = {"X-Fc-Request-Id": "forged", "x-fc-account-id": "forged"}
    event = event_of(
        headers={**forged, "Connection": "keep-alive", "Keep-Alive": "timeout=5", "X-Kept": "yes"}
    )
    assert set(event["headers"]) == {"Host", "X-Kept"}
    assert "forged" not in json.dumps(event)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])
def test_every_method_reaches_the_function(method, front, answer_to):
    status, headers, body = answer_to({"statusCode": 202, "body": "seen"}, method)
    assert json.loads(front.function.events[0])["requestContext"]["http"]["method"] == method
    assert (status, headers["Content-Length"], body) == (202, "4", b"" if method == "HEAD" else b"seen")


def said(request):
    """The event of a request that is sent as it is."""
    function = Recorder({"statusCode": 200})
    with gateway(function) as running:
        say(running, request)
    return json.loads(function.events[0])


def test_stray_bytes_of_a_path_are_percent_encoded_and_an_origin_is_dropped():
    event = said(b"GET /\xe4\xb8\xad?q=\xe4\xb8\xad HTTP/1.0\r\n\r\n")
    assert (event["rawPath"], event["requestContext"]["http"]["path"]) == ("/%E4%B8%AD", "/中")
    assert event["queryParameters"] == {"q": "中"}
    assert said(b"GET http://example.com/a?b=1 HTTP/1.0\r\n\r\n")["rawPath"] == "/a"


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


def context_of(**options):
    function = Recorder({"statusCode": 200})
    with gateway(function, **options) as running:
        headers = ask(running)[1]
    context, event = function.contexts[0], json.loads(function.events[0])
    assert headers["X-Fc-Request-Id"] == context.request_id == event["requestContext"]["requestId"]
    return context


def test_a_context_of_python_3_12_has_no_credentials_and_no_service():
    context = context_of()
    names = {"request_id", "function", "logger", "log_project", "log_store", "region", "account_id"}
    assert (set(vars(context)), context.region, callable(context)) == (names, "cn-hangzhou", False)
    assert set(vars(context.function)) == {"name", "handler", "memory", "timeout", "version_id", "qualifier"}
    assert callable(context_of(callable_context=True))


def test_a_context_of_python_3_10_has_credentials_and_service():
    context = context_of(credentials=KEYS)
    assert set(vars(context)) == {"request_id", "credentials", "function", "service", "region", "account_id"}
    assert vars(context.credentials) == KEYS
    assert set(vars(context.function)) == {"name", "handler", "memory", "timeout"}
    assert set(vars(context.service)) == {"log_project", "log_store", "qualifier", "version_id"}
    assert "SECRET" not in repr(context) + repr(context.credentials)
