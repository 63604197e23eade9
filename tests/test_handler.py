"""The entry points of Function Compute, in both contracts."""

import io
import json
from types import SimpleNamespace
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import handler
from handler import serve

FORM_FIELDS = {
    *("key", "policy", "success_action_status", "x-oss-content-type", "x-oss-forbid-overwrite"),
    *("x-oss-object-acl", "x-oss-signature-version", "x-oss-credential", "x-oss-date"),
    *("x-oss-signature", "x-oss-security-token", "x-oss-storage-class", "Content-Disposition"),
}


def test_an_unreadable_request_keeps_the_request_id_of_fc_2(instance):
    context = SimpleNamespace(request_id="1-fc2")
    answer = instance().ask_wsgi(CONTENT_LENGTH="x", **{"fc.context": context})
    assert (answer.status, answer.json["error"]["requestId"]) == (400, "1-fc2")


def test_a_callable_context_does_not_make_an_event_a_wsgi_call(instance, good_sts, event):
    class Context:
        request_id = "1-x"

        def __call__(self, *_):
            raise AssertionError("called")

    response = serve(instance().function, event({"filename": "a.png"}), Context())
    assert response["statusCode"] == 200


def test_credentials_of_the_runtime_context_are_used(instance, good_sts):
    context = SimpleNamespace(
        request_id="1-x",
        credentials=SimpleNamespace(access_key_id="STS.ctx", access_key_secret="s", security_token="t"),
    )
    instance().ask(body={"filename": "a.png"}, context=context)
    assert "AccessKeyId=STS.ctx" in good_sts.calls[0].request.url


def call_wsgi(function, method="POST", path="/upload-params", query="", body=b"", **environ):
    values = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    setup_testing_defaults(values)
    started = {}

    def start_response(status, headers, exc_info=None):
        started.update(status=int(status[:3]), headers=dict(headers))
        return lambda _data: None

    # WSGI's own validator checks both sides of the call.
    application = validator(lambda env, start: serve(function, env, start))
    result = application(values, start_response)
    text = b"".join(result).decode()
    result.close()
    return started["status"], started["headers"], text


def test_wsgi_and_events_get_the_same_response(instance, good_sts):
    function = instance().function
    status, headers, text = call_wsgi(function, body=b'{"filename":"a.png"}')
    assert status == 200
    assert set(json.loads(text)["formData"]) == FORM_FIELDS
    assert int(headers["Content-Length"]) == len(text.encode())


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"method": "GET", "query": "filename=a.png&size=5"}, 200),
        ({"method": "GET", "query": "filename=%E7%8C%AB.png"}, 200),
        ({"method": "GET", "query": "profile=avatar&profile=default"}, 400),
        ({"method": "GET", "path": "/health"}, 200),
        ({"method": "OPTIONS"}, 204),
        ({"body": b"["}, 400),
        ({"body": b'{"filename":"' + b"a" * 66000 + b'"}'}, 413),
        ({"path": "/\xe7\x8c\xab"}, 404),
        ({"path": "/\xff"}, 404),
        ({"path": ""}, 400),
    ],
)
def test_wsgi_refusals_have_the_same_status(instance, good_sts, fields, status):
    assert call_wsgi(instance().function, **fields)[0] == status


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "9" * 30])
def test_an_invalid_content_length_is_refused_unread(instance, length):
    answer = instance().ask_wsgi(CONTENT_LENGTH=length)
    assert (answer.status, answer.code) in ((400, "bad_request"), (413, "too_large"))


def test_a_body_of_unknown_length_is_read_up_to_the_limit(instance, good_sts):
    function = instance()
    good = io.BytesIO(b'{"filename":"a.png"}')
    assert function.ask_wsgi(**{"wsgi.input": good, "wsgi.input_terminated": True}).status == 200
    endless = SimpleNamespace(read=lambda size: b"a" * size)
    assert function.ask_wsgi(**{"wsgi.input": endless, "wsgi.input_terminated": True}).status == 413


def test_the_context_of_fc_2_is_read_from_the_environ(instance, good_sts):
    context = SimpleNamespace(
        request_id="1-fc2",
        credentials=SimpleNamespace(access_key_id="STS.fc2", access_key_secret="s", security_token="t"),
    )
    body = io.BytesIO(b'{"filename":"a.png"}')
    answer = instance().ask_wsgi(CONTENT_LENGTH="20", **{"wsgi.input": body, "fc.context": context})
    assert answer.status == 200
    assert "AccessKeyId=STS.fc2" in good_sts.calls[0].request.url


def test_the_module_s_handler_reads_the_process_environment(monkeypatch, environment, event, caplog):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OSS_BUCKET")
    assert handler.handler(event(method="GET", path="/health"), None)["statusCode"] == 200
    assert handler.handler(event({"filename": "a.png"}), None)["statusCode"] == 500
    caplog.clear()
    handler.initialize(None)
    assert "initialize: OSS_BUCKET is missing" in caplog.text
