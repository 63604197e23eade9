"""Hostile requests through both contracts of Function Compute: each a clear 4xx, none of them a 500."""

import gzip
import io
import json
from base64 import b64encode

import pytest

from function.http.gateway import MAX_BODY_BYTES, MAX_HEADERS_BYTES
from handler import serve
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
GOOD = b'{"filename": "a.png"}'


@pytest.fixture(params=["event", "wsgi"])
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


@cases("body")
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
    limit = GOOD + b" " * (64 * 1024 - len(GOOD))
    assert send(limit).status == 200
    assert code(send(limit + b" ")) == (413, "too_large")


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


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (MAX_BODY_BYTES + 10, 413)])
def test_a_chunked_body_that_the_server_decoded_is_read_up_to_the_limit(wsgi, extra, status):
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert wsgi(GOOD + b" " * extra, **chunked).status == status


@pytest.mark.parametrize("length", ["x", "-1", "+5", "5 ", "٣", "1" * 19, "5,5"])
def test_an_invalid_content_length_is_a_bad_request(wsgi, length):
    assert code(wsgi(CONTENT_LENGTH=length)) == (400, "bad_request")


def test_an_incomplete_body_is_a_bad_request(wsgi):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionResetError

    assert code(wsgi(**{"CONTENT_LENGTH": "5", "wsgi.input": Broken()})) == (400, "bad_request")


@cases("event")
def test_a_hostile_event_is_a_bad_request(instance, event):
    answer = serve(instance().function, event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["code"] == "bad_request"


@cases("change")
def test_an_event_with_odd_types_never_gets_a_500(instance, good_sts, event, change):
    raw = json.dumps({**json.loads(event({"filename": "a.png"})), **change}).encode()
    assert serve(instance().function, raw, None)["statusCode"] < 500


def test_a_path_outside_latin_1_is_not_found(wsgi):
    assert code(wsgi(PATH_INFO="/文件")) == (404, "not_found")
