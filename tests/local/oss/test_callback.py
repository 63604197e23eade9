"""Upload callbacks: the field, the signed request, what the application server may answer, and the 203."""

import base64
import contextlib
import json
import socket
import time
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from local.common.http_server import Handler, Server
from local.oss.crc64 import crc64_of
from tests.local.oss.conftest import content_md5
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY = "u/42/a.jpg"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0\x08\x02\0\0\0"
VARIABLES = (
    "bucket object etag size mimeType imageInfo.height imageInfo.width imageInfo.format crc64 contentMd5 "
    "vpcId clientIp reqId operation x:my_var1 x:none unknown"
).split()


def answering(body, content_type="application/json"):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.fixture
def application(started):
    """An application server that remembers what it was asked and answers what it is told to."""
    application = SimpleNamespace(requests=[], pause=0, answer=answering(b'{"Status":"OK"}'))

    class Asked(Handler):
        has_any_name = True

        def do_POST(self):
            application.requests.append((self.path, self.headers, self.read_body(1 << 20)))
            self.close_connection = True
            step = 8 if application.pause else 1 << 20
            # OSS may have lost its patience.
            with contextlib.suppress(OSError):
                for at in range(0, len(application.answer), step):
                    self.wfile.write(application.answer[at : at + step])
                    time.sleep(application.pause)

    application.origin = started(Server(Asked)).origin
    return application


def encoded(**wanted):
    return base64.b64encode(json.dumps(wanted).encode()).decode()


@pytest.fixture
def post(oss_client, application):
    """Post a form with a callback to the application, with these changes."""

    def post(callback=None, fields=None, content=b"picture", content_type="image/jpeg", **changes):
        callback = callback or encoded(**{"callbackUrl": application.origin, "callbackBody": "a", **changes})
        form = oss_client.v4_form({"callback": callback, **(fields or {})})
        return oss_client.post(form, content, content_type=content_type)

    return post


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_form_callback_carries_every_variable_url_encoded(oss, post, application):
    template = "&".join(f"{name}=${{{name}}}" for name in VARIABLES)
    fields = {"key": "u/图 &=.png", "x:my_var1": "a+b c&d", "success_action_status": "201"}
    url = f"{application.origin}/callback"
    answer = post(None, fields, PNG, "image/png", callbackUrl=url, callbackBody=template)
    # Whatever status was set.
    assert (answer.status, answer.body) == (200, b'{"Status":"OK"}')
    assert answer.headers["Content-Type"] == "application/json"
    stored = oss.objects["u/图 &=.png"]
    assert answer.headers["ETag"] == f'"{stored.etag}"'
    ((target, headers, body),) = application.requests
    told = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    request = {"clientIp": "127.0.0.1", "reqId": answer.headers["x-oss-request-id"]}
    place = {"bucket": "examplebucket", "object": "u/图 &=.png", "operation": "PostObject"}
    content = {"etag": stored.etag, "contentMd5": content_md5(PNG), "crc64": str(crc64_of(stored.path))}
    picture = {"imageInfo.height": "480", "imageInfo.width": "640", "imageInfo.format": "png"}
    facts = {**content, **picture, "size": str(len(PNG)), "mimeType": "image/png"}
    nothing = dict.fromkeys(("vpcId", "x:none", "unknown"), "")
    assert told == {**request, **place, **facts, **nothing, "x:my_var1": "a+b c&d"}
    assert b"object=u%2F%E5%9B%BE%20%26%3D.png&" in body
    assert target == "/callback"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["User-Agent"] == "http-client/0.0.1"
    assert headers["Host"] == application.origin.removeprefix("http://")


@pytest.mark.parametrize("picture", [True, False])
def test_a_json_callback_gets_json_values(post, application, picture):
    names = ["object", "size", "mimeType", "imageInfo.height", "x:note"]
    template = "{" + ",".join(f'"{name}":${{{name}}}' for name in names) + "}"
    kind = {"callbackBody": template, "callbackBodyType": "application/json"}
    content, note = PNG if picture else b"text", '"引号"\\'
    assert post(None, {"x:note": note}, content, "a/b", **kind).status == 200
    _, headers, body = application.requests[0]
    assert headers["Content-Type"] == "application/json"
    values = ["u/42/a.jpg", len(content), "a/b", 480 if picture else "", note]
    assert json.loads(body) == dict(zip(names, values, strict=True))


@pytest.mark.parametrize("target", ["/%E5%9B%9E%E8%B0%83/a%20b", "/callback?id=1&name=%2F", "/?", "/"])
def test_the_request_is_signed_over_the_decoded_path_and_the_raw_query(oss_client, post, application, target):
    assert post(callbackUrl=application.origin + target, callbackBody="size=${size}").status == 200
    sent, headers, body = application.requests[0]
    assert sent == target.removesuffix("?")
    key_url = base64.b64decode(headers["x-oss-pub-key-url"]).decode()
    assert key_url == "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
    key = serialization.load_pem_public_key(oss_client.request("GET", "/callback_pub_key_v1.pem").body)
    path, mark, query = sent.partition("?")
    signed = unquote(path).encode() + (mark + query).encode() + b"\n" + body
    signature = base64.b64decode(headers["authorization"]), hashes.MD5()
    assert key.key_size == 2048
    key.verify(signature[0], signed, padding.PKCS1v15(), signature[1])
    with pytest.raises(InvalidSignature):
        key.verify(signature[0], signed + b"\n", padding.PKCS1v15(), signature[1])


def test_up_to_five_urls_are_tried_in_order_and_one_without_a_scheme_is_http(oss, post, application):
    dead, where = f"http://127.0.0.1:{closed_port()}", application.origin.removeprefix("http://")
    wanted = ";".join([dead, dead, dead, f"{where}/fourth", f"{application.origin}/fifth"])
    assert post(callbackUrl=wanted, callbackHost="app.example.com:8080").status == 200
    [(target, headers, _)] = application.requests
    assert (target, headers["Host"]) == ("/fourth", "app.example.com:8080")
    assert post(callbackUrl=dead).said == "203 CallbackFailed 0007-00000202"
    assert KEY in oss.objects


@cases("answer", "message")
def test_a_callback_that_answers_badly_is_203_and_the_object_stays(oss, post, application, answer, message):
    application.answer = answer.encode("latin-1")
    refused = post()
    assert refused.said == f"203 CallbackFailed {message[-13:]}"
    assert refused.element("Message") == message[:-14]
    assert refused.headers["x-oss-ec"] == message[-13:]
    assert refused.headers["ETag"] == f'"{oss.objects[KEY].etag}"'
    assert oss.objects[KEY].path.read_bytes() == b"picture"


def test_an_answer_of_one_megabyte_is_taken_and_no_more_and_its_type_can_be_waived(rules, post, application):
    application.answer = answering(b'"' + b"x" * ((1 << 20) - 2) + b'"')
    answer = post()
    assert (answer.status, len(answer.body)) == (200, 1 << 20)
    application.answer = answering(b" " * (1 << 20) + b"1")
    assert post().said == "203 CallbackFailed 0007-00000205"
    rules(callback_needs_json_type=False)
    application.answer = answering(b"{}", content_type="text/plain")
    assert post().status == 200


@pytest.mark.parametrize("urls", [1, 2])
def test_a_trickling_answer_ends_at_the_deadline_for_all_urls_together(oss, rules, post, application, urls):
    rules(callback_timeout=timedelta(seconds=0.1))
    application.pause = 0.02
    application.answer = answering(b'"' + b"x" * 1000 + b'"')
    answer = post(callbackUrl=";".join([application.origin] * urls))
    # To its end it would be taken.
    assert answer.said == "203 CallbackFailed 0007-00000202"
    assert "reply timeout, cost:100ms, timeout:100ms" in answer.element("Message")
    assert (len(application.requests), KEY in oss.objects) == (1, True)


@pytest.mark.parametrize("sni", [True, False])
def test_https_to_a_server_without_tls_is_203(post, application, sni):
    answer = post(callbackUrl=application.origin.replace("http:", "https:"), callbackSNI=sni)
    assert answer.said.startswith("203 CallbackFailed")
    assert application.requests == []


def test_a_form_with_a_lost_response_was_called_back(oss, post, application):
    for answer in (application.answer, b""):
        application.answer = answer
        oss.faults.plan("answer_lost", times=1)
        with pytest.raises(OSError):
            post()
    assert len(application.requests) == 2


@cases("callback", "message")
def test_a_bad_callback_field_is_refused_before_anything_is_stored(oss, oss_client, callback, message):
    field = callback if isinstance(callback, str) else encoded(**callback)
    answer = oss_client.post(oss_client.v4_form({"callback": field}))
    assert answer.said.startswith("400 InvalidArgument")
    assert (answer.element("ArgumentName"), answer.element("Message")) == ("callback", message)
    assert len(oss.objects) == 0
