"""What goes wrong around a call: faults, bodies that break off or run over, connections that stay in step."""

import http.client
import json
import socket
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from local.oss.connection import Connection
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY = "u/42/a.jpg"


def raw(oss, data, half_close=False):
    """Send bytes as they are and read until the server ends the connection."""
    with socket.create_connection((urlsplit(oss.origin).hostname, urlsplit(oss.origin).port), 5) as sock:
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        received = b""
        while piece := sock.recv(65536):
            received += piece
    return received


def put_request(oss_client, length, body):
    head = f"PUT {oss_client.presigned('PUT', KEY, 'account')} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n"
    return head.encode() + body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize(("kind", "is_done"), [("drop", False), ("answer_lost", True)])
def test_a_lost_call_was_done_or_not(kind, is_done, method, oss, oss_client):
    oss_client.call("PUT", KEY, b"old")
    oss.faults.plan(kind, times=1)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        oss_client.call(method, KEY, b"new" if method == "PUT" else None)
    content = oss.objects[KEY].path.read_bytes() if KEY in oss.objects else None
    done = {"PUT": b"new", "DELETE": None}.get(method, b"old")
    assert content == (done if is_done else b"old")


@cases("kind", "status", "code")
def test_a_planned_refusal_of_a_call_changes_nothing(kind, status, code, oss, oss_client):
    oss.faults.plan(kind, times=2)
    assert oss_client.call("PUT", KEY, b"x" * 300_000).refusal[:2] == (status, code)
    head = oss_client.call("HEAD", KEY)
    assert (head.status, head.body, head.headers["x-oss-err"] is None) == (status, b"", False)
    assert KEY not in oss.objects
    assert oss_client.call("PUT", KEY, b"x").status == 200


def test_a_fault_may_be_planned_on_some_calls(oss, oss_client):
    oss.faults.plan("status_500", on=["HeadObject"])
    assert oss_client.call("PUT", KEY, b"x").status == oss_client.call("GET", KEY).status == 200
    assert oss_client.post(oss_client.v4_form()).status == 204
    assert oss_client.call("HEAD", KEY).status == 500


def test_faults_on_some_calls_are_planned_over_http(oss, oss_client):
    fault = {"kind": "status_500", "times": 1, "on": ["HeadObject"]}
    assert oss_client.request("PUT", "/-/faults", json.dumps(fault)).status == 200
    assert oss_client.call("GET", KEY).status == 404
    assert oss_client.call("HEAD", KEY).status == 500
    for wrong in ({"on": ["Meteor"]}, {"on": "HeadObject"}, {"on": [1]}):
        assert oss_client.request("PUT", "/-/faults", json.dumps(fault | wrong)).status == 400
    known = json.loads(oss_client.request("GET", "/-/faults").body)
    assert {"PostObject", "UploadPart", "CompleteMultipartUpload", "CopyObject"} <= set(known["calls"])
    assert {"drop", "answer_lost", "status_500", "slow", "expired_url"} <= set(known["kinds"])
    assert oss_client.request("POST", "/-/faults").status == 200


def test_a_page_sends_parts_and_reads_their_etags(oss, oss_client):
    origin = {"Origin": "https://page.example"}
    preflight = oss_client.request("OPTIONS", f"/{KEY}?partNumber=1", headers=origin)
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    answer = oss_client.call("PUT", KEY, b"x", headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"].split(", ")


def test_faults_of_forms_do_not_affect_other_calls(oss, oss_client):
    oss.faults.plan("expired_form")
    oss.faults.plan("callback_fails")
    assert oss_client.call("PUT", KEY, b"x").status == 200
    with pytest.raises(ValueError, match="strikes PostObject"):
        oss.faults.plan("callback_fails", on=["GetObject"])
    with pytest.raises(ValueError, match="GetObject"):
        oss.faults.plan("slow", on=["Meteor"])


def test_a_slow_call_is_answered_in_the_end(oss, oss_client):
    oss.faults.plan("slow", times=1, seconds=0.01)
    assert oss_client.call("PUT", KEY, b"x").status == 200


def test_bytes_beyond_content_length_are_dropped_and_start_no_request(oss, oss_client):
    answer = raw(oss, put_request(oss_client, "Content-Length: 3\r\n", b"abcGET / HTTP/1.1\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert oss.objects[KEY].path.read_bytes() == b"abc"


def test_a_body_shorter_than_content_length_times_out(oss, oss_client, monkeypatch):
    monkeypatch.setattr(Connection, "timeout", 0.2)
    for half_close in (False, True):
        answer = raw(oss, put_request(oss_client, "Content-Length: 9\r\n", b"abc"), half_close)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"<Code>RequestTimeout</Code>" in answer
    assert KEY not in oss.objects


@pytest.mark.parametrize("length", ["", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n"])
def test_a_body_of_unknown_length_is_refused(length, oss, oss_client):
    answer = raw(oss, put_request(oss_client, length + "Connection: close\r\n", b"1\r\na\r\n0\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"<Code>MissingContentLength</Code>" in answer


def test_a_body_over_the_limit_is_refused(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, max_body_bytes=10)
    answer = raw(oss, put_request(oss_client, "Content-Length: 11\r\nConnection: close\r\n", b"x" * 11))
    assert b"<Code>EntityTooLarge</Code>" in answer


def test_a_refused_body_leaves_the_connection_in_step(oss, oss_client):
    connection = http.client.HTTPConnection(urlsplit(oss.origin).netloc, timeout=60)
    for _ in range(2):
        connection.request("PUT", "/u/42/a.jpg", b"x" * 100_000)
        response = connection.getresponse()
        assert (response.status, b"AccessDenied" in response.read()) == (403, True)
    connection.request("GET", oss_client.presigned("GET", "none", "account"), b"a body that nobody asked for")
    response = connection.getresponse()
    assert (response.status, b"NoSuchKey" in response.read()) == (404, True)
    connection.request("GET", oss_client.presigned("GET", "none", "account"))
    assert connection.getresponse().read().count(b"NoSuchKey") == 1
    connection.close()


def test_the_default_host_may_be_forbidden_to_every_call(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, public_endpoint_forbidden=True)
    for method in ("GET", "PUT", "DELETE"):
        answer = oss_client.call(method, KEY, b"x" if method == "PUT" else None)
        assert answer.refusal == (400, "PublicEndpointForbidden", "0048-00000401")
        bound = oss_client.call(method, KEY, b"x" if method == "PUT" else None, headers={"Host": "localhost"})
        assert bound.status in (200, 204, 404)
