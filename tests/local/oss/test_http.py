"""The local OSS as clients meet it: curl, requests, browsers' manners, large and broken bodies, faults."""

import http.client
import json
import shutil
import socket
import subprocess
import threading
import tracemalloc
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.cases import cases_beside

cases = cases_beside(__file__)

MIB = 1024 * 1024


def _connect(oss):
    parts = urlsplit(oss.origin)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def _received(connection):
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def _head(oss_client, length, *more):
    lines = [
        "POST / HTTP/1.1",
        "Host: anything.example.com",
        f"Content-Type: multipart/form-data; boundary={oss_client.boundary}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _whole_body(oss_client, form, content=b"picture"):
    return oss_client.body([*oss_client.field_parts(form), oss_client.part("file", content, "a.jpg")])


def _curl(origin, form, file):
    fields = [part for name, value in form.items() for part in ("-F", f"{name}={value}")]
    command = [*"curl -sS --noproxy * -w %{http_code}".split(), *fields, "-F", f"file=@{file}", origin]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl (apt install curl)")
@pytest.mark.parametrize("size", [7, 3 * MIB])
def test_curl_can_upload(oss, oss_client, tmp_path, size):
    file = tmp_path / "猫.jpg"
    file.write_bytes(b"x" * size)
    assert _curl(oss.origin, oss_client.v4_form(), file) == "204"
    assert oss.objects["u/42/a.jpg"].size == size
    assert oss.objects["u/42/a.jpg"].content_type == "image/jpeg"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl (apt install curl)")
def test_curl_reads_the_refusal_of_a_body_it_is_still_sending(oss, oss_client, tmp_path):
    file = tmp_path / "large.bin"
    file.write_bytes(b"x" * (20 * MIB))
    form = oss_client.v4_form(None, [["content-length-range", 0, 10]])
    assert "<Code>EntityTooLarge</Code>" in _curl(oss.origin, form, file)
    assert len(oss.objects) == 0


@pytest.mark.parametrize("filename", ["a.jpg", '猫 "1".jpg', "a;b=c.jpg"])
def test_requests_can_upload(oss, oss_client, filename):
    form = oss_client.v1_form({"key": "u/${filename}"}, [["eq", "$key", "u/${filename}"]])
    files = {"file": (filename, b"picture", "image/jpeg")}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(oss.origin, data=form, files=files, timeout=60)
    assert answer.status_code == 204
    (stored,) = oss.objects.values()
    assert stored.key in (f"u/{filename}", f"u/{filename}".replace('"', "%22"))  # as HTML forms write quotes


def test_a_body_that_arrives_byte_by_byte_is_the_same_body(oss, oss_client):
    body = _whole_body(
        oss_client, oss_client.v4_form(), b"\r\n--" + oss_client.boundary.encode()[:-1] + b"\r\n"
    )
    with _connect(oss) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_head(oss_client, len(body), "Connection: close"))
        for at in range(len(body)):
            connection.sendall(body[at : at + 1])
        assert _received(connection).startswith(b"HTTP/1.1 204 ")
    expected = b"\r\n--" + oss_client.boundary.encode()[:-1] + b"\r\n"
    assert oss.objects["u/42/a.jpg"].path.read_bytes() == expected


def test_a_connection_serves_upload_after_upload_refused_or_not(oss, oss_client):
    good, bad = oss_client.v4_form(), {**oss_client.v4_form(), "key": "u/other"}
    connection = http.client.HTTPConnection(urlsplit(oss.origin).netloc, timeout=60)
    content_type = {"Content-Type": f"multipart/form-data; boundary={oss_client.boundary}"}
    statuses = []
    for form in (good, bad, good, bad):
        connection.request("POST", "/", _whole_body(oss_client, form, b"x" * MIB), content_type)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [204, 403, 204, 403]


def test_a_large_upload_stays_out_of_memory(oss, oss_client):
    size, chunk = 64 * MIB, b"\r\n-" * (MIB // 4) + b"x" * (MIB // 4)
    form = oss_client.v4_form()
    start = b"".join(oss_client.field_parts(form)) + oss_client.part("file", b"")[:-2]
    end = f"\r\n--{oss_client.boundary}--\r\n".encode()
    tracemalloc.start()
    try:
        with _connect(oss) as connection:
            connection.sendall(_head(oss_client, len(start) + size + len(end), "Connection: close") + start)
            for _ in range(size // len(chunk)):
                connection.sendall(chunk)
            connection.sendall(end)
            assert _received(connection).startswith(b"HTTP/1.1 204 ")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    stored = oss.objects["u/42/a.jpg"]
    assert stored.size == stored.path.stat().st_size == size
    assert peak < 8 * MIB


def test_expect_100_continue_is_answered_before_the_body(oss, oss_client):
    body = _whole_body(oss_client, oss_client.v4_form())
    with _connect(oss) as connection:
        connection.sendall(_head(oss_client, len(body), "Expect: 100-continue", "Connection: close"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert _received(connection).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize(
    ("change", "status", "ec"), [({}, 400, b"0006-00000104"), ({"key": "u/other"}, 403, b"0006-00000227")]
)
def test_a_body_that_ends_early_stores_nothing_and_gets_an_error(oss, oss_client, change, status, ec):
    body = _whole_body(oss_client, {**oss_client.v4_form(), **change}, b"x" * MIB)
    with _connect(oss) as connection:
        connection.sendall(_head(oss_client, len(body)) + body[: MIB // 2])
        connection.shutdown(socket.SHUT_WR)
        answer = _received(connection)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"<EC>" + ec + b"</EC>" in answer
    assert len(oss.objects) == 0


def test_a_body_over_five_gigabytes_is_refused_unread(oss, oss_client):
    with _connect(oss) as connection:
        connection.sendall(_head(oss_client, 5 * 1024 * MIB + 1) + b"x" * MIB)
        answer = _received(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>EntityTooLarge</Code>" in answer


@pytest.mark.parametrize(
    "length", ["", "Content-Length: -1", "Content-Length: 1e3", "Transfer-Encoding: chunked"]
)
def test_a_body_of_unknown_length_is_refused(oss, length):
    with _connect(oss) as connection:
        connection.sendall(
            f"POST / HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".replace("\r\n\r\n\r\n", "\r\n\r\n").encode()
        )
        connection.shutdown(socket.SHUT_WR)
        answer = _received(connection)
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"<Code>MissingContentLength</Code>" in answer


def test_two_uploads_to_one_key_that_forbid_overwriting_leave_one_object(oss, oss_client):
    form = oss_client.v4_form({"x-oss-forbid-overwrite": "true"})
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(oss_client.post(form).status)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [204] + [409] * 7


def test_an_object_is_read_back_with_its_headers(oss, oss_client):
    fields = {
        "key": "u/图片 1+2.jpg",
        "Cache-Control": "max-age=60",
        "Content-Disposition": "attachment; filename=猫.jpg",
        "x-oss-meta-my_note": "1",
        "x-oss-storage-class": "IA",
    }
    posted = oss_client.post(oss_client.v4_form(fields))
    url = oss_client.presigned("GET", fields["key"], key="account")
    answer = oss_client.request("GET", url, headers={"Host": "any"})
    assert (answer.status, answer.body) == (200, b"picture")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["ETag"] == posted.headers["ETag"]
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert answer.headers["Content-Disposition"].encode("latin-1").decode() == "attachment; filename=猫.jpg"
    assert answer.headers["x-oss-meta-my_note"] == "1"
    assert answer.headers["x-oss-storage-class"] == "IA"
    assert answer.headers["Last-Modified"] == "Tue, 24 Nov 2026 14:00:00 GMT"
    head = oss_client.request("HEAD", oss_client.presigned("HEAD", fields["key"], key="account"))
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "7")


@pytest.mark.parametrize("name", ["none", "../../etc/passwd", "u/42"])
def test_a_missing_object_is_no_such_key(oss, oss_client, name):
    oss_client.post(oss_client.v4_form())
    url = oss_client.presigned("GET", name, key="account")
    assert oss_client.request("GET", url).refusal == (404, "NoSuchKey", "0026-00000001")


def test_a_path_that_is_no_utf8_is_no_object_name(oss, oss_client):
    for method in ("GET", "DELETE"):
        assert oss_client.request(method, "/%ff").refusal[:2] == (400, "InvalidObjectName")


@pytest.fixture
def delete(oss_client):
    def send(key="account", **headers):
        return oss_client.request(
            "DELETE", oss_client.presigned("DELETE", "u/42/a.jpg", key=key), headers=headers
        )

    return send


def test_an_object_can_be_deleted_once_or_twice(oss, oss_client, delete):
    oss_client.post(oss_client.v4_form())
    path = oss.objects["u/42/a.jpg"].path
    assert [delete().status for _ in range(2)] == [204, 204]
    assert not path.exists()
    assert "u/42/a.jpg" not in oss.objects


@pytest.mark.parametrize("reads_need_signature", [True, False])
def test_a_delete_needs_a_signature_with_permission(oss, oss_client, delete, reads_need_signature):
    oss.bucket.rules = replace(oss.bucket.rules, private_reads_need_signature=reads_need_signature)
    oss_client.post(oss_client.v4_form())
    assert oss_client.request("DELETE", "/u/42/a.jpg").refusal == (403, "AccessDenied", "0003-00000001")
    to_read = oss_client.presigned("GET", "u/42/a.jpg", key="account")
    assert oss_client.request("DELETE", to_read).refusal[:2] == (403, "SignatureDoesNotMatch")
    assert delete(key="sts").refusal == (403, "AccessDenied", "0003-00000301")
    assert "u/42/a.jpg" in oss.objects


def test_a_page_of_any_origin_may_post_and_read_the_answer(oss, oss_client):
    asked = {
        "Origin": "http://localhost:8000",
        "Access-Control-Request-Headers": "content-type,x-requested-with",
    }
    preflight = oss_client.request("OPTIONS", "/", headers=asked)
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT"
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type,x-requested-with"
    good, bad = oss_client.post(oss_client.v4_form()), oss_client.post({"key": "u/a"})
    for answer in (preflight, good, bad):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert {"ETag", "x-oss-request-id"} <= set(
            answer.headers["Access-Control-Expose-Headers"].split(", ")
        )


@cases("origin", "status")
def test_no_page_of_another_origin_deletes_even_with_a_signed_url(oss, oss_client, delete, origin, status):
    oss_client.post(oss_client.v4_form())
    assert delete(**({"Origin": origin} if origin else {})).status == status
    assert ("u/42/a.jpg" in oss.objects) is (status == 403)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_no_page_of_another_origin_plans_faults(oss, oss_client, headers):
    fault = json.dumps({"kind": "status_503"})
    assert oss_client.request("PUT", "/-/faults", fault, headers).status == 403
    assert oss_client.post(oss_client.v4_form()).status == 204


@pytest.mark.parametrize(
    "host", ["evil.example", "examplebucket.oss-cn-hangzhou.aliyuncs.com", "img.example.com"]
)
def test_a_form_is_taken_under_any_name(oss, oss_client, host):
    assert oss_client.post(oss_client.v4_form(), headers={"Host": host}).status == 204


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9000", "examplebucket.oss-cn-hangzhou.aliyuncs.com"]
)
def test_the_default_host_can_be_forbidden(oss, oss_client, host):
    oss.bucket.rules = replace(oss.bucket.rules, public_endpoint_forbidden=True)
    answer = oss_client.post(oss_client.v4_form(), headers={"Host": host})
    assert answer.refusal == (400, "PublicEndpointForbidden", "0048-00000401")
    for method in ("GET", "DELETE"):
        url = oss_client.presigned(method, "u/42/a.jpg", key="account")
        assert oss_client.request(method, url, headers={"Host": host}).refusal == answer.refusal
    assert len(oss.objects) == 0


@pytest.mark.parametrize(
    "host", ["localhost:9000", "img.example.com", "examplebucket.oss-cn-hangzhou-internal.aliyuncs.com"]
)
def test_a_bound_domain_and_the_internal_host_are_not_forbidden(oss, oss_client, host):
    oss.bucket.rules = replace(oss.bucket.rules, public_endpoint_forbidden=True)
    assert oss_client.post(oss_client.v4_form(), headers={"Host": host}).status == 204


def test_a_dropped_upload_is_not_stored_and_a_lost_answer_is(oss, oss_client):
    form = oss_client.v4_form()
    for kind, stored in (("drop", False), ("answer_lost", True)):
        oss.faults.plan(kind, times=1)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            oss_client.post(form)
        assert ("u/42/a.jpg" in oss.objects) is stored
    assert oss_client.post(form).status == 204


@cases("kind", "status", "code")
def test_a_planned_refusal_of_a_form_happens_once_and_stores_nothing(oss, oss_client, kind, status, code):
    oss.faults.plan(kind, times=1)
    assert oss_client.post(oss_client.v4_form(), b"x" * MIB).refusal[:2] == (status, code)
    assert len(oss.objects) == 0
    assert oss_client.post(oss_client.v4_form()).status == 204


def test_a_planned_callback_failure_keeps_the_object(oss, oss_client):
    oss.faults.plan("callback_fails", times=1)
    answer = oss_client.post(oss_client.v4_form())
    assert answer.refusal == (203, "CallbackFailed", "0007-00000203")
    assert answer.headers["ETag"] == f'"{oss.objects["u/42/a.jpg"].etag}"'


def test_a_slow_server_answers_in_the_end(oss, oss_client):
    oss.faults.plan("slow", times=1, seconds=0.01)
    assert oss_client.post(oss_client.v4_form()).status == 204


def test_faults_are_planned_over_http(oss, oss_client):
    fault = json.dumps({"kind": "status_503", "times": 1})
    assert oss_client.request("PUT", "/-/faults", fault).status == 200
    assert oss_client.post(oss_client.v4_form()).status == 503
    assert oss_client.request("PUT", "/-/faults", '{"kind": "meteor"}').status == 400
    assert oss_client.request("PUT", "/-/faults", fault).status == 200
    assert oss_client.request("DELETE", "/-/faults").status == 200
    assert oss_client.post(oss_client.v4_form()).status == 204


def test_rules_can_be_replaced_while_it_runs(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, v1_retired=True)
    assert oss_client.post(oss_client.v1_form()).status == 403
    oss.bucket.rules = replace(oss.bucket.rules, v1_retired=False)
    assert oss_client.post(oss_client.v1_form()).status == 204
