"""Upload callbacks: the field, the signed request, what the application server may answer, and the 203."""

import base64
import hashlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTOR = json.loads(Path(__file__).parents[2].joinpath("vectors/post_policy.json").read_text("utf-8"))[
    "callback"
][0]
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + b"\x08\x02\0\0\0"
)
EVERYTHING = (
    "bucket object etag size mimeType imageInfo.height imageInfo.width imageInfo.format crc64 contentMd5 "
    "vpcId clientIp reqId operation"
).split()


@dataclass
class Application:
    """An application server that remembers what it was asked and answers what it is told to."""

    origin: str
    requests: list = field(default_factory=list)
    answer: bytes = (
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"Status":"OK"}'
    )
    pause: float = 0


@pytest.fixture(scope="module")
def running_application():
    application = Application("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            application.requests.append((self.path, self.headers, body))
            self.close_connection = True
            try:
                for at in range(0, len(application.answer), 8 if application.pause else 1 << 20):
                    self.wfile.write(application.answer[at : at + (8 if application.pause else 1 << 20)])
                    time.sleep(application.pause)
            except OSError:
                pass  # OSS has lost its patience

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    application.origin = f"http://127.0.0.1:{server.server_address[1]}"
    yield application
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def application(running_application):
    running_application.requests.clear()
    running_application.answer, running_application.pause = Application.answer, 0
    return running_application


def _encoded(**wanted):
    return base64.b64encode(json.dumps(wanted).encode()).decode()


def _json_answer(body, status="200 OK", content_type="application/json"):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _post(oss_client, callback, fields=None, **options):
    return oss_client.post(oss_client.v4_form({"callback": callback, **(fields or {})}), **options)


def _verify(public_pem, target, headers, body):
    path, mark, query = target.partition("?")
    signed = unquote(path).encode() + (mark + query).encode() + b"\n" + body
    key = serialization.load_pem_public_key(public_pem)
    key.verify(base64.b64decode(headers["authorization"]), signed, padding.PKCS1v15(), hashes.MD5())


def _closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_the_verification_used_here_accepts_the_published_example_and_no_other_body():
    pem, target = VECTOR["public_key_pem"].encode(), VECTOR["request_target"]
    _verify(pem, target, VECTOR["headers"], VECTOR["body"].encode())
    with pytest.raises(InvalidSignature):
        _verify(pem, target, VECTOR["headers"], VECTOR["body"].encode() + b"&")


def test_a_form_callback_carries_every_variable_url_encoded(oss, oss_client, application):
    template = "&".join(f"{name}=${{{name}}}" for name in [*EVERYTHING, "x:my_var1", "x:none", "unknown"])
    answer = _post(
        oss_client,
        _encoded(callbackUrl=f"{application.origin}/callback", callbackBody=template),
        {"key": "u/图 &=.png", "x:my_var1": "a+b c&d", "success_action_status": "200"},
        content=PNG,
        content_type="image/png",
    )
    assert (answer.status, answer.body) == (200, b'{"Status":"OK"}')
    assert answer.headers["Content-Type"] == "application/json"
    stored = oss.objects["u/图 &=.png"]
    assert answer.headers["ETag"] == f'"{stored.etag}"'
    ((target, headers, body),) = application.requests
    assert target == "/callback"
    told = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    assert told.pop("crc64").isdecimal()
    assert told == {
        "bucket": "examplebucket",
        "object": "u/图 &=.png",
        "etag": stored.etag,
        "size": str(len(PNG)),
        "mimeType": "image/png",
        "imageInfo.height": "480",
        "imageInfo.width": "640",
        "imageInfo.format": "png",
        "contentMd5": base64.b64encode(hashlib.md5(PNG).digest()).decode(),
        "vpcId": "",
        "clientIp": "127.0.0.1",
        "reqId": answer.headers["x-oss-request-id"],
        "operation": "PostObject",
        "x:my_var1": "a+b c&d",
        "x:none": "",
        "unknown": "",
    }
    assert b"object=u%2F%E5%9B%BE%20%26%3D.png&" in body
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["User-Agent"] == "http-client/0.0.1"
    assert headers["Host"] == application.origin.removeprefix("http://")


@pytest.mark.parametrize(
    ("content", "crc"),
    [(b"123456789", 0x995DC9BBDF1939FA), (b"", 0)],  # the check value of CRC-64/XZ
)
def test_crc64_is_the_one_of_ecma_182(oss, oss_client, application, content, crc):
    callback = _encoded(callbackUrl=application.origin, callbackBody="${crc64}")
    assert _post(oss_client, callback, content=content).status == 200
    assert application.requests[0][2] == str(crc).encode()


@pytest.mark.parametrize("picture", [True, False])
def test_a_json_callback_gets_json_values(oss, oss_client, application, picture):
    names = ["object", "size", "mimeType", "imageInfo.height", "x:note"]
    template = "{" + ",".join(f'"{name}":${{{name}}}' for name in names) + "}"
    callback = _encoded(
        callbackUrl=application.origin, callbackBody=template, callbackBodyType="application/json"
    )
    content = PNG if picture else b"text"
    assert (
        _post(oss_client, callback, {"x:note": '"引号"\\'}, content=content, content_type="a/b").status == 200
    )
    _, headers, body = application.requests[0]
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "object": "u/42/a.jpg",
        "size": len(content),
        "mimeType": "a/b",
        "imageInfo.height": 480 if picture else "",
        "x:note": '"引号"\\',
    }


@pytest.mark.parametrize(
    "target", ["/callback", "/%E5%9B%9E%E8%B0%83/a%20b", "/callback?id=1&name=%2F", "/?", "/"]
)
def test_the_request_is_signed_over_the_decoded_path_and_the_raw_query(oss, oss_client, application, target):
    callback = _encoded(callbackUrl=application.origin + target, callbackBody="size=${size}")
    assert _post(oss_client, callback).status == 200
    sent, headers, body = application.requests[0]
    assert sent == target.removesuffix("?")
    key_url = base64.b64decode(headers["x-oss-pub-key-url"]).decode()
    assert key_url == "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
    public = oss_client.request("GET", "/callback_pub_key_v1.pem").body
    assert serialization.load_pem_public_key(public).key_size == 2048
    _verify(public, sent, headers, body)
    for wrong in ((sent + "x", body), (sent, body + b"\n")):
        with pytest.raises(InvalidSignature):
            _verify(public, wrong[0], headers, wrong[1])


def test_a_callback_without_a_scheme_is_http_and_its_host_can_be_replaced(oss, oss_client, application):
    callback = _encoded(
        callbackUrl=application.origin.removeprefix("http://"),
        callbackBody="a",
        callbackHost="app.example.com:8080",
    )
    assert _post(oss_client, callback).status == 200
    target, headers, _ = application.requests[0]
    assert (target, headers["Host"]) == ("/", "app.example.com:8080")


def test_up_to_five_urls_are_tried_in_order_until_one_succeeds(oss, oss_client, application):
    dead = f"http://127.0.0.1:{_closed_port()}"
    urls = ";".join([dead, dead, dead, f"{application.origin}/fourth", f"{application.origin}/fifth"])
    assert _post(oss_client, _encoded(callbackUrl=urls, callbackBody="a")).status == 200
    assert [target for target, _, _ in application.requests] == ["/fourth"]


@pytest.mark.parametrize("status", ["201", "204"])
def test_a_callback_response_is_200_whatever_success_status_was_set(oss, oss_client, application, status):
    callback = _encoded(callbackUrl=application.origin, callbackBody="a")
    answer = _post(oss_client, callback, {"success_action_status": status})
    assert (answer.status, answer.body) == (200, b'{"Status":"OK"}')


@cases("answer", "message", "ec")
def test_a_callback_that_answers_badly_is_203_and_the_object_stays(
    oss, oss_client, application, answer, message, ec
):
    application.answer = answer
    refused = _post(oss_client, _encoded(callbackUrl=application.origin, callbackBody="a"))
    assert refused.refusal == (203, "CallbackFailed", ec)
    assert refused.element("Message") == message
    assert refused.headers["x-oss-ec"] == ec
    stored = oss.objects["u/42/a.jpg"]
    assert refused.headers["ETag"] == f'"{stored.etag}"'
    assert stored.path.read_bytes() == b"picture"


def test_an_answer_of_one_megabyte_is_still_taken_and_no_more(oss, oss_client, application):
    application.answer = _json_answer(b'"' + b"x" * ((1 << 20) - 2) + b'"')
    answer = _post(oss_client, _encoded(callbackUrl=application.origin, callbackBody="a"))
    assert (answer.status, len(answer.body)) == (200, 1 << 20)
    application.answer = _json_answer(b" " * (1 << 20) + b"1")
    refused = _post(oss_client, _encoded(callbackUrl=application.origin, callbackBody="a"))
    assert refused.refusal == (203, "CallbackFailed", "0007-00000205")


def test_the_json_type_of_the_answer_can_be_waived(oss, oss_client, application):
    oss.bucket.rules = replace(oss.bucket.rules, callback_needs_json_type=False)
    application.answer = _json_answer(b"{}", content_type="text/plain")
    assert _post(oss_client, _encoded(callbackUrl=application.origin, callbackBody="a")).status == 200


@pytest.mark.parametrize("urls", [1, 2])
def test_a_trickling_answer_ends_at_the_deadline_for_all_urls_together(oss, oss_client, application, urls):
    oss.bucket.rules = replace(oss.bucket.rules, callback_timeout=timedelta(seconds=0.1))
    application.pause = 0.02
    application.answer = _json_answer(b'"' + b"x" * 1000 + b'"')
    answer = _post(oss_client, _encoded(callbackUrl=";".join([application.origin] * urls), callbackBody="a"))
    # To its end it would be taken.
    assert answer.refusal == (203, "CallbackFailed", "0007-00000202")
    assert "reply timeout, cost:100ms, timeout:100ms" in answer.element("Message")
    assert len(application.requests) == 1
    assert "u/42/a.jpg" in oss.objects


def test_an_unreachable_callback_is_203_and_the_object_stays(oss, oss_client):
    answer = _post(oss_client, _encoded(callbackUrl=f"127.0.0.1:{_closed_port()}", callbackBody="a"))
    assert answer.refusal == (203, "CallbackFailed", "0007-00000202")
    assert "u/42/a.jpg" in oss.objects


@pytest.mark.parametrize("sni", [True, False])
def test_https_to_a_server_without_tls_is_203(oss, oss_client, application, sni):
    url = application.origin.replace("http:", "https:")
    answer = _post(oss_client, _encoded(callbackUrl=url, callbackBody="a", callbackSNI=sni))
    assert answer.refusal[:2] == (203, "CallbackFailed")
    assert application.requests == []


def test_a_refused_form_sends_no_callback(oss, oss_client, application):
    form = oss_client.v4_form({"callback": _encoded(callbackUrl=application.origin, callbackBody="a")})
    assert oss_client.post({**form, "key": "u/other"}).status == 403
    assert application.requests == []


def test_a_form_with_a_lost_response_was_called_back(oss, oss_client, application):
    oss.faults.plan("answer_lost", times=1)
    with pytest.raises(OSError):
        _post(oss_client, _encoded(callbackUrl=application.origin, callbackBody="a"))
    assert len(application.requests) == 1
    application.answer = b""
    oss.faults.plan("answer_lost", times=1)
    with pytest.raises(OSError):
        _post(oss_client, _encoded(callbackUrl=application.origin, callbackBody="a"))


def test_an_unpinned_callback_is_the_clients_to_choose_and_a_pinned_one_is_not(oss, oss_client, application):
    mine = _encoded(callbackUrl=application.origin, callbackBody="mine")
    evil = _encoded(callbackUrl=f"{application.origin}/evil", callbackBody="evil")
    assert oss_client.post(oss_client.v1_form({"callback": evil})).status == 200
    pinned = oss_client.v4_form({"callback": mine})
    assert oss_client.post({**pinned, "callback": evil}).element("EC") == "0006-00000227"
    del pinned["callback"]
    assert oss_client.post(pinned).element("EC") == "0006-00000226"


@cases("callback", "message")
def test_a_bad_callback_field_is_refused_before_anything_is_stored(oss, oss_client, callback, message):
    field = callback if isinstance(callback, str) else _encoded(**callback)
    answer = _post(oss_client, field)
    assert answer.refusal[:2] == (400, "InvalidArgument")
    assert answer.element("ArgumentName") == "callback"
    assert answer.element("Message") == message
    assert len(oss.objects) == 0
