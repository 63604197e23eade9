"""The front door: limits, the event and context of a request, the response of what a function returns."""

import base64
import json
from datetime import date
from decimal import Decimal

import pytest

from local.fc.gateway import BODY_LIMIT_BYTES
from tests.local.fc.conftest import Recorder, ask, gateway, say
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)


@cases("request_text")
def test_a_request_over_a_limit_is_400_invalid_argument_and_never_reaches_the_function(front, request_text):
    front.function = staticmethod(Recorder({"statusCode": 200}))
    head, _, body = say(front.gateway, request_text.encode()).partition(b"\r\n\r\n")
    assert (head.split(b" ")[1], json.loads(body)["Code"]) == (b"400", "InvalidArgument")
    assert front.function.events == []


@pytest.mark.parametrize(("target", "headers"), [("/" + "a" * 4095, {}), ("/", {"X": "a" * 8100})])
def test_a_request_at_a_limit_passes(target, headers, event_of):
    assert event_of("GET", target, headers)["rawPath"] == target


def test_a_client_that_sends_too_large_a_body_sees_the_400_and_one_cut_short_is_dropped(front):
    front.function = staticmethod(Recorder({"statusCode": 200}))
    status, _, body = ask(front.gateway, "POST", "/", {}, bytes(BODY_LIMIT_BYTES + 1))
    assert (status, json.loads(body)["Code"]) == (400, "InvalidArgument")
    assert say(front.gateway, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert front.function.events == []


def test_a_failed_initialize_fails_its_request_and_is_tried_again(caplog):
    outcomes, function = [0, 1], Recorder({"statusCode": 200})
    with gateway(function, lambda context: 1 / outcomes.pop(0)) as running:
        assert (ask(running)[0], function.events) == (502, [])
        assert [ask(running)[0] for _ in range(2)] == [200, 200]
    assert outcomes == []


def test_an_event_has_the_documented_shape(event_of):
    headers = [
        ("content-type", "application/json"),
        ("x-multi", "a"),
        ("X-MULTI", "b"),
        ("user-agent", "tests"),
    ]
    target = "/sign%20it/%E4%B8%AD?q=1&multi=a&multi=b&plus=a+b%2Bc&empty="
    event = event_of("POST", target, headers, b'{"n":1}')
    host, about = event["headers"].pop("Host"), event["requestContext"]
    request_id, account = about.pop("requestId"), about.pop("accountId")
    assert event == table_beside(__file__)["EVENT"]
    assert host.startswith("127.0.0.1:") and request_id.startswith("1-70dbd880-") and account.isdigit()


@cases("content_type", "is_text")
def test_a_body_is_text_only_for_the_documented_types(content_type, is_text, event_of):
    headers = {} if content_type is None else {"Content-Type": content_type}
    event = event_of("POST", "/", headers, "a=中".encode())
    assert event["isBase64Encoded"] is not is_text
    expected = "a=中" if is_text else base64.b64encode("a=中".encode()).decode()
    assert event["body"] == expected


def test_a_plain_get_has_no_body_and_text_that_is_not_utf8_still_makes_an_event(event_of):
    event = event_of()
    assert (event["body"], event["isBase64Encoded"]) == ("", True)
    event = event_of("POST", "/", {"Content-Type": "text/x", "X-Name": "中".encode()}, b"\xff{")
    assert (event["body"], event["headers"]["X-Name"]) == ("�{", "中")


def test_reserved_headers_do_not_reach_the_function(event_of):
    forged = {"X-Fc-Request-Id": "forged", "x-fc-account-id": "forged", "X-Kept": "yes"}
    event = event_of(headers={**forged, "Connection": "keep-alive", "Keep-Alive": "timeout=5"})
    assert set(event["headers"]) == {"Host", "X-Kept"} and "forged" not in json.dumps(event)


def said(request):
    """The event of a request that is sent as it is."""
    function = Recorder({"statusCode": 200})
    with gateway(function) as running:
        say(running, request)
    return json.loads(function.events[0])


def test_stray_bytes_of_a_path_are_percent_encoded_and_an_origin_is_dropped():
    event = said(b"GET /\xe4\xb8\xad?q=\xe4\xb8\xad HTTP/1.0\r\n\r\n")
    assert (event["rawPath"], event["requestContext"]["http"]["path"]) == ("/%E4%B8%AD", "/中")
    assert event["queryParameters"] == {"q": "中"}
    assert said(b"GET http://example.com/a?b=1 HTTP/1.0\r\n\r\n")["rawPath"] == "/a"


def test_a_chunked_body_arrives_whole_and_the_connection_stays_usable():
    function = Recorder({"statusCode": 200, "body": "ok"})
    request = (
        b"POST / HTTP/1.1\r\nHost: [::1]\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;note=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
        b"GET /second HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n"
    )
    with gateway(function) as running:
        received = say(running, request)
    assert received.count(b"HTTP/1.1 200") == 2
    assert json.loads(function.events[0])["body"] == "abcde"
    assert "Transfer-Encoding" not in json.loads(function.events[0])["headers"]
    assert json.loads(function.events[1])["rawPath"] == "/second"


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


def test_headers_of_8_kb_pass_to_json_is_used_and_a_result_that_is_no_json_does_not_pass(caplog, answer_to):
    headers = {"X": "a" * (8192 - len("XContent-Typeapplication/json")), "Content-Type": "application/json"}
    assert answer_to({"statusCode": 200, "headers": headers})[0] == 200
    assert answer_to({"statusCode": 200, "body": object()})[0] == 502
    answer = type("Answer", (), {"to_json": lambda _: {"n": 1}})()
    assert answer_to({"answer": answer})[2] == b'{\n    "answer": {\n        "n": 1\n    }\n}'


def test_the_default_domain_forces_a_download_and_a_204_has_neither_body_nor_length(answer_to):
    result = {"statusCode": 200, "headers": {"Content-Type": "text/html"}}
    with gateway(Recorder(result), default_domain=True) as running:
        assert ask(running)[1]["Content-Disposition"] == "attachment"
    assert answer_to(result)[1]["Content-Disposition"] is None
    status, headers, body = answer_to({"statusCode": 204, "body": "ignored"})
    assert (status, headers["Content-Length"], body) == (204, None, b"")


@cases("result")
def test_an_answer_that_cannot_be_sent_is_502_bad_response(result, caplog, answer_to):
    status, _, body = answer_to(result)
    assert (status, json.loads(body)["Code"]) == (502, "BadResponse")
    assert "BadResponse" in caplog.text


@pytest.mark.parametrize("failure", [RuntimeError("boom"), SystemExit(3)], ids=["exception", "exit"])
def test_a_failing_function_is_502_without_detail_and_the_traceback_is_logged(failure, caplog):
    def handler(event, context):
        raise failure

    with gateway(handler) as running:
        status, headers, body = ask(running)
    assert (status, body) == (502, b"Internal Server Error")
    assert headers["X-Fc-Request-Id"]
    assert "Traceback" in caplog.text
