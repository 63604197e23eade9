"""The local OSS as clients meet it: curl, requests, browsers' manners, large and broken bodies, faults."""

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from local.oss.connection import Connection
from tests.local.oss.conftest import UNSIGNED
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, MIB = "u/42/a.jpg", 1024 * 1024
HOST = "examplebucket.oss-cn-hangzhou.aliyuncs.com"
LOST = (http.client.RemoteDisconnected, ConnectionError)


@pytest.fixture
def raw(oss):
    """Send bytes as they are, and read until the server ends the connection."""
    place = urlsplit(oss.origin)

    def raw(data, half_close=False):
        with socket.create_connection((place.hostname, place.port), 60) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    return raw


def form_head(oss_client, length):
    kind = f"Content-Type: multipart/form-data; boundary={oss_client.boundary}"
    lines = ["POST / HTTP/1.1", "Host: anything.example.com", kind, f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def put_head(oss_client, *more):
    lines = [f"PUT {oss_client.presigned('PUT', KEY)} HTTP/1.1", "Host: 127.0.0.1", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def whole_body(oss_client, form=None, content=b"picture"):
    return oss_client.body(oss_client.part("file", content, "a.jpg"), form=form)


def test_a_connection_serves_call_after_call_refused_or_not(oss, oss_client):
    good, bad = (
        whole_body(oss_client, oss_client.v4_form() | more, b"x" * MIB) for more in ({}, {"key": "u/b"})
    )
    form = {"Content-Type": f"multipart/form-data; boundary={oss_client.boundary}"}
    absent = oss_client.presigned("GET", "none")
    connection = http.client.HTTPConnection(urlsplit(oss.origin).netloc, timeout=60)
    for method, target, body, headers, status in (
        *(("POST", "/", good, form, 204), ("POST", "/", bad, form, 403)) * 2,
        *(("PUT", f"/{KEY}", b"x" * 100_000, {}, 403),) * 2,
        ("GET", absent, b"a body that nobody asked for", {}, 404),
        ("GET", absent, None, {}, 404),
    ):
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        assert (response.status, response.read().count(b"<Code>")) == (status, status != 204)
    connection.close()


def test_a_form_that_ends_early_stores_nothing_and_gets_an_error(oss, oss_client, raw):
    for change, said in (({}, b"400 0006-00000104"), ({"key": "u/b"}, b"403 0006-00000227")):
        body = whole_body(oss_client, oss_client.v4_form() | change, b"x" * MIB)
        answer = raw(form_head(oss_client, len(body)) + body[: MIB // 2], half_close=True)
        assert answer.startswith(b"HTTP/1.1 %b" % said[:4]) and b"<EC>%b</EC>" % said[4:] in answer
    assert len(oss.objects) == 0


def test_a_body_that_is_shorter_or_longer_than_its_length(oss, oss_client, raw, monkeypatch):
    monkeypatch.setattr(Connection, "timeout", 0.2)
    for half_close in (False, True):
        answer = raw(put_head(oss_client, "Content-Length: 9") + b"abc", half_close)
        assert answer.startswith(b"HTTP/1.1 400 ") and b"<Code>RequestTimeout</Code>" in answer
    assert KEY not in oss.objects
    answer = raw(put_head(oss_client, "Content-Length: 3") + b"abcGET / HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert oss.objects[KEY].path.read_bytes() == b"abc"


CHUNKED = "Transfer-Encoding: chunked"


@cases("length")
def test_a_body_of_unknown_length_is_refused(oss_client, raw, length):
    form = f"POST / HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode()
    # Two lengths have two readings.
    put = put_head(oss_client, length, "Connection: close", *["Content-Length: 9"] * (length == CHUNKED))
    for request in (form, put + b"1\r\na\r\n0\r\n\r\n"):
        answer = raw(request, half_close=request is form)
        assert answer.startswith(b"HTTP/1.1 411 ") and b"<Code>MissingContentLength</Code>" in answer


@cases("body", "content")
def test_a_chunked_body_is_read_to_its_last_chunk_or_not_stored(oss, oss_client, raw, body, content):
    answer = raw(put_head(oss_client, CHUNKED, "Connection: close") + body.encode(), half_close=True)
    assert answer.startswith(b"HTTP/1.1 %d " % (400 if content is None else 200))
    assert (b"<Code>RequestTimeout</Code>" in answer) is (content is None)
    kept = [stored.path.read_text() for stored in oss.objects.values()]
    assert kept == ([] if content is None else [content])


def test_a_connection_goes_on_after_a_chunked_body_that_no_call_reads(oss, oss_client, rules, raw):
    chunks = b"3\r\nabc\r\n0\r\n\r\n"
    absent = f"GET {oss_client.presigned('GET', KEY)} HTTP/1.1\r\nHost: x\r\n"
    again = f"{absent}Connection: close\r\n\r\n".encode()
    oss_client.call("PUT", KEY, b"x")
    answer = raw(f"{absent}{CHUNKED}\r\n\r\n".encode() + chunks + again)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    rules(max_body_bytes=2)
    answer = raw(put_head(oss_client, CHUNKED) + chunks)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"<Code>EntityTooLarge</Code>" in answer
    assert oss.objects[KEY].size == 1


def test_at_an_ip_address_the_path_may_begin_with_the_bucket(oss_client, stored):
    stored(KEY, "examplebuckets")

    def found(prefix, host="127.0.0.1", name=KEY, **query):
        url = oss_client.presigned("GET", name, **query)
        return oss_client.request("GET", f"{prefix}{url}", headers={"Host": host}).status

    assert [found(""), found("/examplebucket"), found("/another")] == [200, 200, 403]
    # A name is one of the bucket's: there the whole path is the object's.
    assert found("/examplebucket", "localhost") == found("/examplebucket", HOST) == 403
    assert found("", name="examplebuckets") == found("/examplebucket", name="", **{"list-type": "2"}) == 200
    for path in ("/examplebucket", "/examplebucket?list-type=2"):
        assert oss_client.request("GET", path, headers={"Host": "127.0.0.1:9001"}).said == UNSIGNED


def test_a_body_over_the_limit_is_refused_unread(oss, oss_client, rules, raw):
    answer = raw(form_head(oss_client, 5 * 1024 * MIB + 1) + b"x" * MIB)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"<Code>EntityTooLarge</Code>" in answer
    body = whole_body(oss_client)
    rules(max_body_bytes=len(body))
    assert oss_client.send(body).status == 204
    rules(max_body_bytes=len(body) - 1)
    assert oss_client.send(body).said == "400 EntityTooLarge 0006-00000003"
    assert oss_client.call("PUT", KEY, body).said.startswith("400 EntityTooLarge")


def test_two_uploads_to_one_key_that_forbid_overwriting_leave_one_object(oss_client):
    form = oss_client.v4_form({"x-oss-forbid-overwrite": "true"})
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: oss_client.post(form).status, range(8)))
    assert sorted(statuses) == [204] + [409] * 7


@cases("origin", "status")
def test_no_page_of_another_origin_deletes_even_with_a_signed_url(oss_client, stored, begin, origin, status):
    stored(KEY)
    for query in ({}, {"uploadId": begin(KEY).id}):
        url = oss_client.presigned("DELETE", KEY, **query)
        assert oss_client.request("DELETE", url, headers={"Origin": origin}).status == status
    assert stored() == ([KEY] if status == 403 else [])


def test_a_page_of_any_origin_may_post_and_put_and_read_the_answer(oss_client):
    page = {"Origin": "http://localhost:8000"}
    asked = {**page, "Access-Control-Request-Headers": "content-type,x-requested-with"}
    preflight = oss_client.request("OPTIONS", f"/{KEY}?partNumber=1", headers=asked)
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT"
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type,x-requested-with"
    answers = oss_client.post(oss_client.v4_form()), oss_client.post({"key": "u/a"})
    for answer in (preflight, *answers, oss_client.call("PUT", KEY, b"x", headers=page)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "x-oss-request-id"} <= {*exposed}


@cases("host", "is_default")
def test_any_name_will_do_unless_the_default_host_is_forbidden_to_every_call(
    oss_client, rules, host, is_default
):
    headers = {"Host": host}
    for switch in (False, True):
        rules(public_endpoint_forbidden=switch)
        answers = [oss_client.call(method, KEY, b"", headers=headers) for method in ("PUT", "GET", "DELETE")]
        for answer in (oss_client.post(oss_client.v4_form(), headers=headers), *answers):
            is_refused = answer.said == "400 PublicEndpointForbidden 0048-00000401"
            assert is_refused is (switch and is_default)
    rules(public_endpoint_forbidden=False, default_host_downloads=True)
    oss_client.call("PUT", KEY, b"x")
    read = oss_client.call("GET", KEY, headers=headers, **{"response-content-disposition": "inline"}).headers
    told = [read[name] for name in ("x-oss-force-download", "Content-Disposition", "x-oss-ec")]
    assert told == (["true", "attachment", "0048-00000113"] if is_default else [None, "inline", None])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize(("kind", "is_done"), [("drop", False), ("answer_lost", True)])
def test_a_lost_call_was_done_or_not(kind, is_done, method, oss, oss_client):
    oss_client.call("PUT", KEY, b"old")
    oss.faults.plan(kind, times=1)
    with pytest.raises(LOST):
        if method == "POST":
            oss_client.post(oss_client.v4_form(), b"new")
        else:
            oss_client.call(method, KEY, b"new" if method == "PUT" else None)
    content = oss.objects[KEY].path.read_bytes() if KEY in oss.objects else None
    done = {"PUT": b"new", "POST": b"new", "DELETE": None}.get(method, b"old")
    assert content == (done if is_done else b"old")


@cases("kind", "on", "said")
def test_a_planned_refusal_changes_nothing(kind, on, said, oss, oss_client):
    oss.faults.plan(kind, times=2)
    if on == "POST":
        answers = [oss_client.post(oss_client.v4_form(), b"x" * MIB) for _ in range(2)]
        assert {answer.said[: len(said)] for answer in answers} == {said}
    else:
        assert oss_client.call("PUT", KEY, b"x" * 300_000).said.startswith(said)
        head = oss_client.call("HEAD", KEY)
        assert (head.status, head.body, head.headers["x-oss-err"] is None) == (int(said[:3]), b"", False)
    assert len(oss.objects) == 0
    assert oss_client.call("PUT", KEY, b"x").status == 200


def test_a_planned_callback_failure_keeps_the_object_and_strikes_forms_alone(oss, oss_client):
    oss.faults.plan("callback_fails", times=1)
    oss.faults.plan("slow", times=1, seconds=0.01)
    assert oss_client.call("PUT", "u/b", b"x").status == 200
    answer = oss_client.post(oss_client.v4_form())
    assert answer.said == "203 CallbackFailed 0007-00000203"
    assert answer.headers["ETag"] == f'"{oss.objects[KEY].etag}"'
    with pytest.raises(ValueError, match="strikes PostObject"):
        oss.faults.plan("callback_fails", on=["GetObject"])


def test_faults_are_planned_over_http_for_some_calls_or_all(oss_client):
    def plan(headers=None, **wanted):
        body = json.dumps({"kind": "status_500", "times": 1, **wanted})
        return oss_client.request("PUT", "/-/faults", body, headers).status

    assert plan(on=["HeadObject"]) == 200
    assert [oss_client.call(method, KEY).status for method in ("GET", "HEAD", "HEAD")] == [404, 500, 404]
    for wrong in ({"on": ["Meteor"]}, {"on": "HeadObject"}, {"on": [1]}, {"kind": "meteor"}):
        assert plan(**wrong) == 400
    assert plan({"Host": "evil.example"}) == plan({"Origin": "https://evil.example"}) == 403
    known = json.loads(oss_client.request("GET", "/-/faults").body)
    assert {"PostObject", "UploadPart"} <= set(known["calls"]) and {"drop", "slow"} <= set(known["kinds"])
    assert plan() == 200
    assert [oss_client.request(method, "/-/faults").status for method in ("DELETE", "POST")] == [200, 200]
    assert oss_client.post(oss_client.v4_form()).status == 204
