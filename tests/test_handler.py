"""The entry points of Function Compute, in both contracts."""

import gc
import io
import json
from types import SimpleNamespace
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import handler
from handler import serve
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
# As the import of the handler left it.
COLLECTS_GARBAGE = gc.isenabled()
OWN = SimpleNamespace(access_key_id="STS.own", access_key_secret="s", security_token="t")


def test_credentials_of_the_runtime_context_are_used_in_both_contracts(instance, good_sts):
    context = SimpleNamespace(request_id="1-x", credentials=OWN)
    assert instance().ask(body={"filename": "a.png"}, context=context).status == 200
    body = io.BytesIO(b'{"filename":"a.png"}')
    answer = instance().ask_wsgi(CONTENT_LENGTH="20", **{"wsgi.input": body, "fc.context": context})
    assert answer.status == 200
    assert ["AccessKeyId=STS.own" in call.request.url for call in good_sts.calls] == [True, True]


@pytest.mark.parametrize("content_length", ["", "x"])
def test_head_is_answered_without_a_body_which_would_open_the_next_response(instance, content_length):
    started = []
    environ = {"REQUEST_METHOD": "HEAD", "PATH_INFO": "/health", "CONTENT_LENGTH": content_length}
    assert b"".join(serve(instance().function, environ, lambda *given: started.append(given))) == b""
    ((status, headers),) = started
    assert (status[:3], int(dict(headers)["Content-Length"]) > 0) == (
        "400" if content_length else "405",
        True,
    )


@cases("fields", "status")
def test_wsgi_requests_have_the_same_status(instance, good_sts, fields, status):
    body, started = fields.get("body", b""), []
    environ = {
        "REQUEST_METHOD": fields.get("method", "POST"),
        "SCRIPT_NAME": "",
        "PATH_INFO": fields.get("path", "/upload-params"),
        "QUERY_STRING": fields.get("query", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)

    def start_response(status, _headers, _error=None):
        started.append(int(status[:3]))
        return lambda _data: None

    # WSGI's own validator checks both sides of the call.
    result = validator(lambda given, start: serve(instance().function, given, start))(environ, start_response)
    b"".join(result)
    result.close()
    assert started == [status]


def test_the_module_s_handler_reads_the_process_environment(monkeypatch, environment, event, caplog, capsys):
    caplog.set_level("INFO", logger="oss_direct_upload")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OSS_BUCKET")
    assert handler.handler(event(method="GET", path="/health"), None)["statusCode"] == 200
    assert handler.handler(event({"filename": "a.png"}), None)["statusCode"] == 500
    assert " [INFO] " in capsys.readouterr().out
    caplog.clear()
    handler.initialize(None)
    assert "initialize: OSS_BUCKET is missing" in caplog.text
    assert COLLECTS_GARBAGE and gc.isenabled()


@cases("profiles", "changes", "logged")
def test_nothing_escapes_from_initialize(
    monkeypatch, environment, profiles_file, event, caplog, profiles, changes, logged
):
    for name, value in {**environment, **changes}.items():
        monkeypatch.setenv(name, value)
    if profiles:
        monkeypatch.setenv("PROFILES_FILE", profiles_file(profiles))
    handler.initialize(None)
    (record,) = caplog.records
    assert (record.levelname, logged in record.getMessage()) == ("ERROR", True)
    assert handler.handler(event(method="GET", path="/health"), None)["statusCode"] == 200
    answer = handler.handler(event({"filename": "a.png"}), None)
    assert json.loads(answer["body"])["error"]["code"] == "misconfigured"


def test_an_unreadable_request_keeps_the_request_id_of_fc_2(instance):
    context = SimpleNamespace(request_id="1-fc2")
    answer = instance().ask_wsgi(CONTENT_LENGTH="x", **{"fc.context": context})
    assert (answer.status, answer.json["error"]["requestId"]) == (400, "1-fc2")
