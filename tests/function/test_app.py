"""Routing, errors, CORS and the set-up of an instance."""

import json
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from function import VERSION
from function.app import Function
from function.context import Dependencies
from function.routes import ROUTES
from handler import serve
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"
EVENTS = sorted((Path(__file__).parents[1] / "events").glob("*.json"))


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_each_event_file_gets_its_expected_response(instance, good_sts, path, profiles_file, legacy_profiles):
    case = json.loads(path.read_text("utf-8", errors="surrogatepass"))
    answer = instance(PROFILES_FILE=profiles_file(legacy_profiles)).ask(json.dumps(case["event"]).encode())
    assert answer.status == case["expected"]["status"], answer.text
    if case["expected"]["code"]:
        assert set(answer.json) == {"error"}
        limits = {"limits"} if case["expected"].get("limits") else set()
        assert set(answer.json["error"]) == {"code", "message", "requestId", *limits}
        assert answer.code == case["expected"]["code"]


@cases("path", "method", "status")
def test_the_last_path_segment_names_the_route(instance, good_sts, path, method, status):
    answer = instance().ask(body={"filename": "a.png"}, method=method, path=path or "/")
    assert answer.status == status
    if status == 405:
        assert "OPTIONS" in answer.headers["Allow"]


ALLOWED_METHODS = {
    "upload-params": "GET, POST, OPTIONS",
    "login": "POST, OPTIONS",
    "callback": "POST, OPTIONS",
    "health": "GET, OPTIONS",
}


@pytest.mark.parametrize("route", ALLOWED_METHODS)
def test_each_route_lists_its_methods(instance, route):
    function = instance()
    answer = function.ask(method="OPTIONS", path=f"/{route}")
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers == {"Allow": ALLOWED_METHODS[route], "Server-Timing": "cold"}
    answer = function.ask(method="PUT", path=f"/{route}")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == ALLOWED_METHODS[route]


@pytest.mark.parametrize("route", [name for name, route in ROUTES.items() if route.feature])
def test_a_route_without_its_feature_is_not_found(instance, sts, route):
    """Neither a profile nor the caller kind has the feature; methods are checked first, bodies never read."""
    function = instance()
    for method in ROUTES[route].methods:
        for body in ({}, "no JSON"):
            answer = function.ask(method=method, path=f"/{route}", body=body)
            assert (answer.status, answer.code) == (404, "not_found")
    assert function.ask(method="DELETE", path=f"/{route}").status == 405
    assert instance(OSS_BUCKET=None).ask(method="POST", path=f"/{route}").code == "misconfigured"
    assert not sts.calls


def test_an_unknown_path_is_answered_with_the_list_of_routes(instance):
    answer = instance().ask(method="GET", path="/nope")
    assert (answer.status, answer.code) == (404, "not_found")
    assert all(name in answer.json["error"]["message"] for name in ROUTES)


def test_a_path_without_a_slash_names_a_route(instance):
    assert instance().ask(method="GET", path="health").status == 200


def test_health_needs_no_settings(instance):
    function = instance(OSS_BUCKET=None, CALLER_AUTH=None)
    assert function.ask(method="GET", path="/health").json == {"status": "ok"}


def test_a_misconfiguration_is_described_in_the_log_only(instance, log_lines):
    answer = instance(OSS_BUCKET=None, STS_ROLE_ARN="nonsense").ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "misconfigured")
    assert "OSS_BUCKET" not in answer.text
    assert "nonsense" not in answer.text
    (line,) = log_lines()
    assert "OSS_BUCKET" in line["reason"]
    assert "STS_ROLE_ARN" in line["reason"]


def test_a_missing_role_is_described_in_the_log(instance, log_lines):
    answer = instance(ALIBABA_CLOUD_ACCESS_KEY_ID=None).ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "misconfigured")
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in log_lines()[-1]["reason"]


@cases("stub", "status", "code")
def test_sts_failures_have_their_documented_codes(instance, sts, log_lines, stub, status, code):
    sts.post(STS_URL, **stub)
    answer = instance().ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (status, code)
    assert ("Retry-After" in answer.headers) is (status == 503)
    assert re.fullmatch(r"[1-9]\d*", answer.headers.get("Retry-After", "1"))
    assert log_lines()[-1]["reason"]
    assert len(sts.calls) == 1


def test_responses_are_compact_json(instance, good_sts):
    answer = instance().ask(body={"filename": "a.png"})
    assert answer.text == json.dumps(answer.json, separators=(",", ":"))


def test_an_unexpected_error_is_an_internal_error_that_hides_its_text(instance, good_sts, log_lines):
    function = instance()
    function.clock.instant = None
    answer = function.ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "internal_error")
    assert answer.json["error"]["requestId"] == "1-65f0-abc"
    (line,) = log_lines()
    assert line["requestId"] == "1-65f0-abc"
    assert re.fullmatch(r"AttributeError at \w+\.py:\d+( < \w+\.py:\d+)*", line["reason"])


def test_an_unexpected_error_while_reading_a_request_has_a_request_id(instance, log_lines):
    answer = instance().ask_wsgi(REQUEST_METHOD=5)
    assert (answer.status, answer.code) == (500, "internal_error")
    request_id = answer.json["error"]["requestId"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert log_lines()[-1]["requestId"] == request_id


def test_only_the_first_response_of_an_instance_is_marked_cold(instance, good_sts):
    """Errors, preflights and invalid events count as well."""
    firsts = (
        lambda function: function.ask(body={"filename": "a.png"}),
        lambda function: function.ask(method="OPTIONS"),
        lambda function: function.ask(b"[]"),
        lambda function: function.ask_wsgi(REQUEST_METHOD=5),
    )
    for first in firsts:
        function = instance()
        assert first(function).headers["Server-Timing"] == "cold"
        assert "Server-Timing" not in function.ask(method="GET", path="/health").headers


def test_exactly_one_of_many_concurrent_first_requests_is_cold(instance):
    function = instance()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: function.ask(method="GET", path="/health"), range(64)))
    assert ["Server-Timing" in answer.headers for answer in answers].count(True) == 1


def test_the_request_id_of_fc_is_found_in_every_place(instance, good_sts):
    function = instance()
    assert function.ask(method="GET", path="/nope").json["error"]["requestId"] == "1-65f0-abc"
    context = SimpleNamespace(request_id="1-ctx")
    assert function.ask(method="GET", path="/nope", context=context).json["error"]["requestId"] == "1-ctx"
    assert function.ask(b"[]", context=context).json["error"]["requestId"] == "1-ctx"
    hostile = SimpleNamespace(request_id='x"\n')
    assert (
        function.ask(method="GET", path="/nope", context=hostile).json["error"]["requestId"] == "1-65f0-abc"
    )


WITHOUT_ID = b'{"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}'


@pytest.mark.parametrize("event", [b"[]", WITHOUT_ID], ids=["no event", "a good event"])
def test_a_request_without_an_id_gets_a_new_one(instance, log_lines, event):
    function, other_instance = instance(), instance()
    for asked in (function, function, other_instance):
        asked.ask(event)
    ids = [line["requestId"] for line in log_lines()]
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in ids)
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    "event", [b"", b"\xff", b"null", b"5", b"[]", b"{}", b'"x"', b"[" * 100_000, "{}", b"NaN"]
)
def test_an_invalid_event_is_a_bad_request(instance, event):
    assert instance().ask(event).code == "bad_request"


def cors(answer):
    return {
        name: value for name, value in answer.headers.items() if name.startswith(("Access-Control", "Vary"))
    }


def test_without_allowed_origins_there_are_no_cors_headers(instance, good_sts):
    answer = instance().ask(body={"filename": "a.png"}, headers={"Origin": "https://h5.example"})
    assert not cors(answer)


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_an_allowed_origin_gets_cors_headers_on_every_response(instance, good_sts, method):
    function = instance(ALLOWED_ORIGINS="https://h5.example,http://localhost:5173")
    for body in ({"filename": "a.png"}, "["):
        answer = function.ask(body=body, method=method, headers={"Origin": "https://h5.example"})
        assert cors(answer) == {
            "Access-Control-Allow-Origin": "https://h5.example",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Upload-Token, traceparent",
            "Access-Control-Expose-Headers": "Retry-After",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }
        own = {"Allow"} if method == "OPTIONS" else {"Content-Type", "Cache-Control"}
        assert set(answer.headers) - {"Server-Timing"} == {*cors(answer), *own}


def test_a_request_without_an_origin_gets_no_cors_headers(instance, good_sts):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    assert not cors(function.ask(body={"filename": "a.png"}))


def test_there_are_no_cors_headers_before_the_settings_are_read(instance):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(method="GET", path="/nope", headers={"Origin": "https://h5.example"})
    assert answer.status == 404
    assert not cors(answer)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://h5.example.evil", "null", "https://H5.example"]
)
def test_other_origins_get_no_cors_headers(instance, good_sts, origin):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(body={"filename": "a.png"}, headers={"origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_a_preflight_on_a_cold_instance_gets_cors_headers(instance):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(method="OPTIONS", headers={"Origin": "https://h5.example"})
    assert answer.status == 204
    assert cors(answer)["Access-Control-Allow-Origin"] == "https://h5.example"


def test_initialize_warms_the_instance(instance, good_sts, caplog):
    caplog.set_level("INFO", logger="oss_direct_upload")
    function = instance()
    function.function.initialize(None)
    assert f"initialize: ready (version {VERSION})" in caplog.text
    assert len(good_sts.calls) == 1
    function.ask(body={"profile": "video", "filename": "a.mp4"})
    assert len(good_sts.calls) == 1


def test_a_failed_initialize_is_logged_and_retried_by_the_first_request(instance, caplog):
    function = instance(OSS_BUCKET=None)
    function.function.initialize(None)
    assert "OSS_BUCKET is missing" in caplog.text
    assert function.ask(body={"filename": "a.png"}).code == "misconfigured"


@pytest.mark.parametrize("module", ["function.routes.upload_params", "function.auth.jwt"])
def test_initialize_imports_the_modules_of_the_first_request(instance, good_sts, monkeypatch, module):
    function = instance(
        CALLER_AUTH="jwt", TOKEN_SECRET="0123456789abcdef" * 2, JWT_KEY="k" * 32, JWT_ALGORITHM="HS256"
    )
    monkeypatch.delitem(sys.modules, module, raising=False)
    function.function.initialize(None)
    assert module in sys.modules


def test_concurrent_first_requests_read_the_settings_once(environment, clock, event):
    reads = []

    class SlowEnvironment(dict):
        def get(self, name, default=None):
            if name == "OSS_BUCKET":
                reads.append(name)
                time.sleep(0.1)  # in which the other request gets as far
            return super().get(name, default)

    function = Function(Dependencies(SlowEnvironment(environment), now=clock))

    def ask():
        assert serve(function, event(method="OPTIONS"), None)["statusCode"] == 204

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
