"""Both HTTP contracts of Function Compute, with exact bounds."""

import io
import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from function.errors import BadRequest, TooLarge
from function.http.gateway import (
    Request,
    Response,
    request_from_event,
    request_from_wsgi,
    request_id_of,
    response_to_event,
    response_to_wsgi,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

MAX_BODY, MAX_HEADERS = 64 * 1024, 8 * 1024
CONTEXT = SimpleNamespace(request_id="1-context")


def read_event(**changes):
    """Return the request of a changed minimal event; ``http`` is merged."""
    fields = {"requestContext": {"http": changes.pop("http", {})}, **changes}
    return request_from_event(json.dumps(fields), None)


def read_wsgi(body=b"", **environ):
    given = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    return request_from_wsgi(
        {name: value for name, value in {**given, **environ}.items() if value is not None}
    )


def test_an_event_becomes_a_request(event):
    headers = {"X-A": "1", "authorization": "t"}
    raw = event("猫", method="put", path="/a/b", headers=headers, query={"q": "a b"})
    read, ids = {"x-a": "1", "authorization": "t"}, ("203.0.113.7", "1-context")
    expected = Request("PUT", "/a/b", {"q": "a b"}, "q=a+b", read, "猫".encode(), *ids, CONTEXT)
    assert request_from_event(raw, CONTEXT) == expected


def test_a_minimal_event_requests_the_root():
    assert read_event() == Request("GET", "/", {}, "", {}, b"", "", "", None)


@cases("fields", "path")
def test_the_path_falls_back_to_the_raw_path(fields, path):
    assert read_event(**fields).path == path


def test_a_query_with_lone_surrogates_is_kept():
    request = read_event(queryParameters={"q": "\ud800"})
    assert (request.query, request.raw_query) == ({"q": "\ud800"}, "q=%ED%A0%80")


def test_an_event_s_body_is_text_base64_or_absent(event):
    assert read_event(body=None).body == b""
    assert read_event(body="e30=", isBase64Encoded=False).body == b"e30="
    assert read_event(body="e30=", isBase64Encoded=True).body == b"{}"
    assert read_event(body="x" * MAX_BODY).body == b"x" * MAX_BODY


@cases("body", "is_base64")
def test_a_body_that_cannot_be_decoded_is_a_bad_request(body, is_base64):
    with pytest.raises(BadRequest):
        read_event(body=body, isBase64Encoded=is_base64)


@pytest.mark.parametrize(
    ("length", "error"), [(MAX_BODY * 4 // 3 + 4, BadRequest), (MAX_BODY * 4 // 3 + 5, TooLarge)]
)
def test_base64_over_the_limit_is_refused_before_decoding(length, error):
    with pytest.raises(error):
        read_event(body="!" * length, isBase64Encoded=True)


def test_a_wsgi_environment_becomes_a_request():
    query, context, ip = "a=1&b=&a=2&c=%E7%8C%AB", SimpleNamespace(), "203.0.113.7"
    environ = {"REQUEST_METHOD": "post", "PATH_INFO": "/\xe7\x8c\xab", "QUERY_STRING": query}
    environ |= {"REMOTE_ADDR": ip, "CONTENT_TYPE": "application/json", "HTTP_X_UPLOAD_TOKEN": "t"}
    environ |= {"HTTP_X_FC_REQUEST_ID": "1-header", "fc.context": context}
    read = {"a": "1,2", "b": "", "c": "猫"}
    headers = {"content-type": "application/json", "x-upload-token": "t", "x-fc-request-id": "1-header"}
    expected = Request("POST", "/猫", read, query, headers, b"{}", ip, "1-header", context)
    assert read_wsgi(b"{}", **environ) == expected


def test_a_minimal_wsgi_environment_requests_the_root():
    expected = Request("GET", "/", {}, "", {"content-type": ""}, b"", "", "", None)
    assert request_from_wsgi({"REQUEST_METHOD": "GET"}) == expected


def test_the_request_id_of_the_context_comes_before_that_of_the_headers():
    assert read_wsgi(**{"fc.context": CONTEXT, "HTTP_X_FC_REQUEST_ID": "1-header"}).request_id == "1-context"


class Body(io.BytesIO):
    """A body that records the calls of read."""

    def __init__(self, content=b""):
        super().__init__(content)
        self.asked = []

    def read(self, size=-1):
        self.asked.append(size)
        return super().read(size)


@cases("environ", "content", "asked", "expected")
def test_the_content_length_or_the_limit_bounds_reading(environ, content, asked, expected):
    body = Body(content)
    environ = {"CONTENT_LENGTH": None, "wsgi.input": body, **environ}
    with nullcontext() if isinstance(expected, bytes) else pytest.raises(TooLarge):
        assert read_wsgi(**environ).body == expected
    assert tuple(body.asked) == asked


@pytest.mark.parametrize("read", ["event", "wsgi"])
def test_the_headers_limit_is_8_kib(read):
    # The one header that a WSGI request always has counts as well.
    others = 0 if read == "event" else len("content-type")

    def take(length):
        value = "x" * (length - others - len("x-long"))
        return read_event(headers={"X-Long": value}) if read == "event" else read_wsgi(HTTP_X_LONG=value)

    assert take(MAX_HEADERS)
    with pytest.raises(BadRequest):
        take(MAX_HEADERS + 1)


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ((), ""),
        ((None, ""), ""),
        ((CONTEXT, "1-later"), "1-context"),
        ((None, "1-later"), "1-later"),
        (("x" * 64,), "x" * 64),
        (("x" * 65,), ""),
        (('x"', "a b", "a\n", 5), ""),
    ],
)
def test_the_first_loggable_request_id_is_taken(sources, found):
    assert request_id_of(*sources) == found


@cases("status", "text", "headers", "wsgi_status", "wsgi_headers")
def test_a_response_in_both_contracts(status, text, headers, wsgi_status, wsgi_headers):
    response = Response(status, text, headers)
    event = {"statusCode": status, "headers": headers, "isBase64Encoded": False, "body": text}
    assert response_to_event(response) == event
    started = []
    body = response_to_wsgi(response, lambda status, pairs: started.append((status, tuple(pairs))))
    assert (started, body) == ([(wsgi_status, wsgi_headers)], [text.encode()])


def test_bytes_travel_as_they_are_in_both_contracts():
    response = Response(200, b"\xff\xd8\0", {"Content-Type": "image/jpeg"})
    event = {"statusCode": 200, "headers": response.headers, "isBase64Encoded": True, "body": "/9gA"}
    assert response_to_event(response) == event
    started = []
    body = response_to_wsgi(response, lambda status, pairs: started.append((status, tuple(pairs))))
    assert body == [b"\xff\xd8\0"]
    assert started == [("200 OK", (("Content-Type", "image/jpeg"), ("Content-Length", "3")))]


def test_the_repr_of_a_request_hides_headers_and_context():
    request = Request("POST", "/login", {"q": "canary"}, "q=canary", {"x": "canary"}, b"canary", "canary")
    assert repr(request) == "Request(POST /login)"
    assert request[-2:] == ("", None)
