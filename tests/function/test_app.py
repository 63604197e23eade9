"""Routing, errors, CORS and the set-up of an instance."""

import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest

from function import VERSION
from function.app import Function
from function.auth.signed_tokens import RECEIPT, issue_token
from function.context import Dependencies
from function.moderation.wechat_verdict import EVENT
from function.routes import ROUTES
from handler import serve
from tests.conftest import TOKEN_SECRET as SECRET
from tests.support.cases import cases_beside
from tests.support.wechat import Wechat

cases = cases_beside(__file__)

EVENTS = json.loads((Path(__file__).parents[1] / "events.json").read_text("utf-8"))


@pytest.mark.parametrize("case", EVENTS.values(), ids=EVENTS)
def test_each_recorded_event_gets_its_response(instance, good_sts, case, profiles_file, legacy_profiles):
    answer = instance(PROFILES_FILE=profiles_file(legacy_profiles)).ask(json.dumps(case["event"]).encode())
    assert answer.status == case["expected"]["status"], answer.text
    if case["expected"]["code"]:
        assert set(answer.json) == {"error"}
        limits = {"limits"} if case["expected"].get("limits") else set()
        assert set(answer.json["error"]) == {"code", "message", "requestId", *limits}
        assert answer.code == case["expected"]["code"]


@cases("path", "expected")
def test_the_last_path_segment_names_the_route(instance, good_sts, path, expected):
    method, status = expected.split()
    answer = instance().ask(body={"filename": "a.png"}, method=method, path=path or "/")
    assert answer.status == int(status)
    if status == "405":
        assert "OPTIONS" in answer.headers["Allow"]


@cases("route", "methods")
def test_each_route_lists_its_methods(instance, route, methods):
    function = instance()
    answer = function.ask(method="OPTIONS", path=f"/{route}")
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers == {"Allow": methods, "Server-Timing": "cold"}
    answer = function.ask(method="PUT", path=f"/{route}")
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method_not_allowed", methods)


def valid_receipt(now):
    """Return a receipt of a held upload, as a deployment that holds uploads would have issued it."""
    claims = {"key": "uploads/o/a.png", "size": 1, "etag": "E7", "mimeType": "image/png", "seen": True}
    claims |= {"bucket": "my-bucket", "profile": "default", "sub": "o", "owner": "o", "jti": "A" * 22}
    return issue_token(
        {**claims, "held": True}, audience=RECEIPT, secrets=[SECRET], now=now, life=timedelta(days=4)
    )


@pytest.mark.parametrize("route", [name for name, route in ROUTES.items() if route.feature])
def test_a_route_without_its_feature_is_not_found(instance, sts, clock, route):
    """Neither a profile nor the caller kind has the feature; methods are checked first, bodies never read."""
    function = instance(TOKEN_SECRET=SECRET)
    query, push = Wechat(token="t", aes_key="k" * 43, appid="wx0123456789abcdef").push({"Event": EVENT})
    sent = ({}, {}), ({}, "no JSON"), ({}, {"receipt": valid_receipt(clock())}), (query, push.decode())
    for method, (query, body) in product(ROUTES[route].methods, sent):
        answer = function.ask(method=method, path=f"/{route}", query={**query, "echostr": "1"}, body=body)
        assert (answer.status, answer.code) == (404, "not_found")
    assert function.ask(method="DELETE", path=f"/{route}").status == 405
    method = ROUTES[route].methods[-1]
    assert instance(OSS_BUCKET=None).ask(method=method, path=f"/{route}").code == "misconfigured"
    assert not sts.calls


def test_health_needs_no_settings(instance):
    function = instance(OSS_BUCKET=None, CALLER_AUTH=None)
    assert function.ask(method="GET", path="/health").json == {"status": "ok", "version": VERSION}


@cases("attributes", "changes", "added")
def test_health_names_the_version_and_the_qualifier_that_fc_gives(instance, attributes, changes, added):
    context = SimpleNamespace(request_id="1-a", function=SimpleNamespace(**attributes))
    answer = instance(**changes).ask(method="GET", path="/health", event=None, context=context)
    assert answer.json == {"status": "ok", "version": VERSION, **added}


@cases("changes", "settings")
def test_a_misconfiguration_is_described_in_the_log_only(instance, log_lines, changes, settings):
    answer = instance(**changes).ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "misconfigured")
    (line,) = log_lines()
    for setting in settings:
        assert setting in line["reason"]
        assert setting not in answer.text
    assert "nonsense" not in answer.text


def test_an_unexpected_error_is_an_internal_error_that_hides_its_text(instance, good_sts, log_lines):
    function = instance()
    function.clock.instant = None
    answer = function.ask(body={"filename": "a.png"})
    assert (answer.status, answer.code) == (500, "internal_error")
    assert answer.json["error"]["requestId"] == "1-65f0-abc"
    (line,) = log_lines()
    assert line["requestId"] == "1-65f0-abc"
    assert re.fullmatch(r"AttributeError at \w+\.py:\d+( < \w+\.py:\d+)*", line["reason"])


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


WITHOUT_ID = b'{"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}'


@pytest.mark.parametrize("event", [b"[]", WITHOUT_ID], ids=["no event", "a good event"])
def test_a_request_without_an_id_gets_a_new_one(instance, log_lines, event):
    function, other_instance = instance(), instance()
    for asked in (function, function, other_instance):
        asked.ask(event)
    ids = [line["requestId"] for line in log_lines()]
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in ids)
    assert len(set(ids)) == 3


def cors(answer):
    return {
        name: value for name, value in answer.headers.items() if name.startswith(("Access-Control", "Vary"))
    }


@cases("changes", "fields")
def test_there_are_no_cors_headers(instance, good_sts, changes, fields):
    assert not cors(instance(**changes).ask(**fields))


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


@cases("origin")
def test_other_origins_get_no_cors_headers(instance, good_sts, origin):
    function = instance(ALLOWED_ORIGINS="https://h5.example")
    answer = function.ask(body={"filename": "a.png"}, headers={"origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_initialize_warms_the_instance(instance, good_sts, caplog):
    caplog.set_level("INFO", logger="oss_direct_upload")
    function = instance()
    function.function.initialize(None)
    assert f"initialize: ready (version {VERSION})" in caplog.text
    assert len(good_sts.calls) == 1
    function.ask(body={"profile": "video", "filename": "a.mp4"})
    assert len(good_sts.calls) == 1


@pytest.mark.parametrize("module", ["function.routes.upload_params", "function.auth.jwt", "jwt"])
def test_initialize_imports_the_modules_of_the_first_request(instance, good_sts, monkeypatch, module):
    function = instance(CALLER_AUTH="jwt", TOKEN_SECRET=SECRET, JWT_KEY="k" * 32, JWT_ALGORITHM="HS256")
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
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: serve(function, event(method="OPTIONS"), None), range(2)))
    assert [answer["statusCode"] for answer in answers] == [204, 204]
    assert len(reads) == 1
