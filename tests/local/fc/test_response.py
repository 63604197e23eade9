"""The response that a client gets of what a function returns."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tests.local.fc.conftest import Recorder, ask, gateway
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        *table_beside(__file__)["RESULTS"],
        (["statusCode"], 200, "application/json", b'[\n    "statusCode"\n]'),
        ({"b": Decimal("1.5")}, 200, "application/json", b'{\n    "b": 1.5\n}'),
        ([date(2030, 1, 2)], 200, "application/json", b'[\n    "2030-01-02"\n]'),
    ],
)
def test_a_result_becomes_the_documented_response(result, status, content_type, body, answer_to):
    seen_status, headers, seen_body = answer_to(result)
    assert (seen_status, headers["Content-Type"], seen_body) == (status, content_type, body)
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-Fc-Request-Id"].startswith("1-")


def test_an_object_s_to_json_is_used(answer_to):
    class Answer:
        def to_json(self):
            return {"n": 1}

    assert answer_to({"answer": Answer()})[2] == b'{\n    "answer": {\n        "n": 1\n    }\n}'


def test_reserved_response_headers_are_dropped(answer_to):
    reserved = "X-Fc-Request-Id x-fc-status Connection content-length Date Keep-Alive Server"
    reserved += " Content-Disposition Upgrade Transfer-Encoding"
    headers = dict.fromkeys(reserved.split(), "forged") | {"X-Kept": "中"}
    result = {"statusCode": 200, "headers": headers, "body": "ok"}
    status, headers, body = answer_to(result)
    assert (status, body) == (200, b"ok")
    assert "forged" not in str(headers)
    assert headers["X-Kept"].encode("iso-8859-1").decode() == "中"


def test_the_default_domain_forces_a_download_and_a_custom_one_does_not(answer_to):
    result = {"statusCode": 200, "headers": {"Content-Type": "text/html"}}
    with gateway(Recorder(result), default_domain=True) as running:
        assert ask(running)[1]["Content-Disposition"] == "attachment"
    assert answer_to(result)[1]["Content-Disposition"] is None


def test_a_204_has_neither_body_nor_length(answer_to):
    status, headers, body = answer_to({"statusCode": 204, "body": "ignored"})
    assert (status, headers["Content-Length"], body) == (204, None, b"")


@cases("result")
def test_an_answer_that_cannot_be_sent_is_502_bad_response(result, caplog, answer_to):
    status, _, body = answer_to(result)
    assert (status, json.loads(body)["Code"]) == (502, "BadResponse")
    assert "BadResponse" in caplog.text


def test_headers_of_8_kb_pass_and_a_result_that_is_no_json_does_not(caplog, answer_to):
    headers = {"X": "a" * (8192 - len("XContent-Typeapplication/json")), "Content-Type": "application/json"}
    assert answer_to({"statusCode": 200, "headers": headers})[0] == 200
    assert answer_to({"statusCode": 200, "body": object()})[0] == 502


@pytest.mark.parametrize("failure", [RuntimeError("boom"), SystemExit(3)], ids=["exception", "exit"])
def test_a_failing_function_is_502_without_detail_and_the_traceback_is_logged(failure, caplog):
    def handler(event, context):
        raise failure

    with gateway(handler) as running:
        status, headers, body = ask(running)
    assert (status, body) == (502, b"Internal Server Error")
    assert headers["X-Fc-Request-Id"]
    assert "Traceback" in caplog.text
