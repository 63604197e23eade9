"""Hostile requests through both contracts of Function Compute: each a clear 4xx, none of them a 500."""

import gzip
import io
import json
from base64 import b64encode

import pytest

from function.http.gateway import MAX_BODY_BYTES, MAX_HEADERS_BYTES
from handler import serve

GOOD = b'{"filename": "a.png"}'
CONTRACTS = ["event", "wsgi"]


@pytest.fixture(params=CONTRACTS)
def send(request, instance, good_sts, event):
    function = instance()

    def through_event(body, headers, environ):
        return function.ask(base64=b64encode(body).decode(), headers=headers)

    def through_wsgi(body, headers, environ):
        names = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
        given = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **names, **environ}
        return function.ask_wsgi(**given)

    send = {"event": through_event, "wsgi": through_wsgi}[request.param]
    return lambda body=GOOD, headers=None, **environ: send(body, headers or {}, environ)


def code(answer):
    assert answer.json["error"]["message"]
    return answer.status, answer.code


def test_a_plain_request_is_answered(send):
    assert send().status == 200


HOSTILE_BODIES = {
    "deep JSON": b"[" * 60_000,
    "deep objects": b'{"a":' * 12_000,
    "a duplicate key": b'{"size": 1, "size": 2}',
    "a duplicate key further in": b'{"filename": "a.png", "x": {"a": 1, "a": 2}}',
    "NaN": b'{"filename": "a.png", "x": NaN}',
    "Infinity as size": b'{"filename": "a.png", "size": Infinity}',
    "a number over every float": b'{"filename": "a.png", "size": 1e999}',
    "a number of 60,000 digits": b'{"filename": "a.png", "size": ' + b"9" * 60_000 + b"}",
    "a lone surrogate in filename": b'{"filename": "\\ud800.png"}',
    "a lone surrogate in profile": b'{"profile": "\\udfff"}',
    "a lone surrogate in contentType": b'{"contentType": "image/\\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "bytes that are no UTF-8": b'{"filename": "\xff.png"}',
    "an overlong NUL": b'{"filename": "\xc0\x80.png"}',
    "a NUL": b'{"filename": "a\x00.png"}',
    "gzip without a header": gzip.compress(GOOD),
    "trailing text": GOOD + b"x",
    "two documents": GOOD + GOOD,
    "a comment": b"/**/" + GOOD,
    "single quotes": GOOD.replace(b'"', b"'"),
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
def test_a_hostile_body_is_a_bad_request(send, body):
    status, name = code(send(body))
    assert (status, name) in [(400, "bad_request"), (400, "unknown_profile")]


@pytest.mark.parametrize("value", ["gzip", "deflate", "br", "gzip, identity", "GZIP", "x"])
def test_a_compressed_body_is_refused(send, value):
    assert code(send(headers={"Content-Encoding": value})) == (415, "unsupported_type")
    assert code(send(gzip.compress(GOOD), {"Content-Encoding": value})) == (415, "unsupported_type")


@pytest.mark.parametrize("value", ["identity", "Identity", ""])
def test_an_identity_encoded_body_is_accepted(send, value):
    assert send(headers={"Content-Encoding": value}).status == 200


def test_a_body_over_64_kb_is_too_large(send):
    limit = GOOD + b" " * (MAX_BODY_BYTES - len(GOOD))
    assert send(limit).status == 200
    assert code(send(limit + b" ")) == (413, "too_large")


@pytest.mark.parametrize(
    "headers", [{"X-Long": "x" * MAX_HEADERS_BYTES}, {f"X-{n}": "x" * 90 for n in range(90)}]
)
def test_headers_over_8_kb_are_refused(send, headers):
    assert code(send(headers=headers)) == (400, "bad_request")


def test_headers_of_the_runtime_do_not_count(send):
    assert send(headers={"X-Fc-Security-Token": "x" * MAX_HEADERS_BYTES}).status == 200
    assert send(headers={"X-Long": "x" * (MAX_HEADERS_BYTES - 100)}).status == 200


@pytest.fixture
def wsgi(instance, good_sts):
    """What only the WSGI form can be given, for there the server in front may be any."""
    function = instance()
    return lambda body=GOOD, **environ: function.ask_wsgi(**{"wsgi.input": io.BytesIO(body), **environ})


@pytest.mark.parametrize(("length", "status"), [(MAX_HEADERS_BYTES, 200), (MAX_HEADERS_BYTES + 1, 400)])
def test_a_query_over_8_kb_is_refused(instance, wsgi, event, length, status):
    name, value = "x" * 100, "x" * (length - 101)
    assert wsgi(CONTENT_LENGTH=str(len(GOOD)), QUERY_STRING=f"{name}={value}").status == status
    raw = event(GOOD.decode(), query={name: f"{value}x"})
    assert instance().ask(raw).status == status


def test_a_chunked_body_that_the_server_did_not_decode_is_refused(instance, good_sts, profiles_file):
    path = profiles_file('[default]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\n')
    function = instance(PROFILES_FILE=path)
    # An empty body suffices here, so what is refused is the chunks.
    assert function.ask_wsgi().status == 200
    assert code(function.ask_wsgi(HTTP_TRANSFER_ENCODING="chunked")) == (400, "bad_request")


def test_a_chunked_body_that_the_server_decoded_is_accepted(wsgi):
    answer = wsgi(**{"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True})
    assert answer.status == 200


def test_an_endless_chunked_body_is_too_large(wsgi):
    long = b" " * (MAX_BODY_BYTES + 10)
    answer = wsgi(long, **{"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True})
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "+5", "5 ", "٣", "1" * 19, "5,5"])
def test_an_invalid_content_length_is_a_bad_request(wsgi, length):
    assert code(wsgi(CONTENT_LENGTH=length)) == (400, "bad_request")


def test_an_incomplete_body_is_a_bad_request(wsgi):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionResetError

    assert code(wsgi(**{"CONTENT_LENGTH": "5", "wsgi.input": Broken()})) == (400, "bad_request")


def test_a_path_outside_latin_1_is_not_found(wsgi):
    assert code(wsgi(PATH_INFO="/文件")) == (404, "not_found")


HOSTILE_EVENTS = {
    "nothing": b"",
    "no JSON": b"{",
    "deep JSON": b"[" * 100_000,
    "not UTF-8": b"\xff",
    "a number": b"5",
    "no request in it": b"{}",
    "a request of another type": b'{"requestContext": {"http": []}}',
    "a context of another type": b'{"requestContext": 5}',
}


@pytest.mark.parametrize("event", HOSTILE_EVENTS.values(), ids=HOSTILE_EVENTS)
def test_a_hostile_event_is_a_bad_request(instance, event):
    answer = serve(instance().function, event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["code"] == "bad_request"


HEADERS = {
    "headers of another type": {"headers": [1]},
    "a header of another type": {"headers": {"authorization": {"a": 1}}},
    "a query of another type": {"queryParameters": "x"},
    "a path of another type": {"rawPath": 5},
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_an_event_with_odd_types_never_gets_a_500(instance, good_sts, event, change):
    raw = json.dumps({**json.loads(event({"filename": "a.png"})), **change}).encode()
    assert serve(instance().function, raw, None)["statusCode"] < 500
