"""auth.wechat: the login, its errors, and what is kept of WeChat's answer."""

import json
from base64 import urlsafe_b64decode

import pytest
import requests
import responses
from responses.matchers import query_param_matcher

from function.auth.wechat import CODE2SESSION_BUDGETS_SECONDS, openid_of
from function.errors import (
    BadRequest,
    LoginRejected,
    UploadError,
)
from function.http.client import ExchangeFailed, HttpResponse, send
from function.routes.login import code_of
from function.wechat import WechatApp
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)

CODE2SESSION = "https://api.weixin.qq.com/sns/jscode2session"
SETTINGS = {
    "CALLER_AUTH": "wechat",
    "TOKEN_SECRET": "token-secret-canary-0123456789abcdef",
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "wechat-secret-canary",
}
OPENID = "oOpenIdCanary_0123456789-xyz"
SESSION_KEY = "session-key-canary=="
CODE = "0a1B2c3D4e5F6g7H8i9J"
ASKED = query_param_matcher(
    {
        "appid": SETTINGS["WECHAT_APPID"],
        "secret": SETTINGS["WECHAT_SECRET"],
        "js_code": CODE,
        "grant_type": "authorization_code",
    },
    strict_match=True,
)


@pytest.fixture
def wechat():
    """code2Session with nothing registered; every registered answer must be asked for."""
    with responses.RequestsMock() as stub:
        yield stub


def says(wechat, answer, **options):
    body = answer if isinstance(answer, str | bytes | Exception) else json.dumps(answer)
    return wechat.add("GET", CODE2SESSION, body=body, match=[ASKED], **options)


def identity(**changes):
    answer = {"openid": OPENID, "session_key": SESSION_KEY, "unionid": "union-canary", **changes}
    return {name: value for name, value in answer.items() if value is not ...}


@pytest.fixture
def log_in(instance):
    """Log in at one and the same instance."""
    function = instance(**SETTINGS)

    def ask(body=..., **fields):
        return function.ask(body={"code": CODE} if body is ... else body, path="/login", **fields)

    return ask


@pytest.mark.parametrize("answer", [identity(), identity(errcode=0, errmsg="ok"), identity(unionid=...)])
def test_a_code_becomes_a_token_with_subject_and_scope_only(log_in, wechat, caplog, log_lines, answer):
    stub = says(wechat, answer, content_type="text/plain")
    login = log_in()
    assert login.status == 200
    assert set(login.json) == {"token", "expiresIn"}
    assert login.json["expiresIn"] == 7200
    payload = login.json["token"].split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert set(claims) == {"sub", "app", "bucket", "aud", "iat", "exp"}
    assert (claims["sub"], claims["app"], claims["bucket"]) == (OPENID, SETTINGS["WECHAT_APPID"], "my-bucket")
    assert stub.call_count == 1
    assert len(log_lines()[-1]["owner"]) == 26
    shown = login.text + caplog.text
    for secret in (OPENID, SESSION_KEY, "union-canary", SETTINGS["WECHAT_SECRET"], CODE):
        assert secret not in shown


APP = WechatApp("wx", "secret", "https://api.weixin.qq.com")
ERRORS = table_beside(__file__)["ERRORS"]


@pytest.mark.parametrize(
    ("errcode", "calls", "status", "code", "setting"), ERRORS, ids=lambda value: str(value)
)
def test_each_errcode_of_wechat_has_its_status(
    log_in, wechat, log_lines, errcode, calls, status, code, setting
):
    stub = says(wechat, {"errcode": errcode, "errmsg": "errmsg-canary, rid: 65f0"})
    answer = log_in()
    assert answer.outcome == (status, code)
    assert stub.call_count == calls
    assert (int(answer.headers.get("Retry-After", 0)) > 0) == (status in (429, 503))
    assert "canary" not in answer.text + json.dumps(log_lines())
    assert str(errcode) in log_lines()[-1]["reason"]
    assert setting in log_lines()[-1]["reason"] and "WECHAT" not in answer.text
    with pytest.raises(UploadError) as raised:
        openid_of("code", APP, lambda *_, **__: HttpResponse(200, json.dumps({"errcode": errcode}).encode()))
    assert raised.value.upstream == str(errcode)
    assert [each.setting for each in getattr(raised.value, "problems", ())] == [setting] * bool(setting)


def test_an_errcode_beside_an_openid_is_an_error(log_in, wechat):
    says(wechat, identity(errcode=40029))
    assert log_in().status == 401


@cases("answer")
def test_a_response_without_openid_is_rejected_without_a_retry(log_in, wechat, answer):
    stub = says(wechat, answer)
    assert log_in().outcome == (502, "login_rejected")
    assert stub.call_count == 1


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError("https://api.weixin.qq.com/?secret=wechat-secret-canary"),
        requests.ConnectTimeout("secret=wechat-secret-canary"),
        requests.ReadTimeout("secret=wechat-secret-canary"),
        requests.exceptions.SSLError("secret=wechat-secret-canary"),
        OSError("secret=wechat-secret-canary"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_wechat_is_retried_once_and_the_error_does_not_reveal_its_url(
    log_in, wechat, caplog, log_lines, failure
):
    stub = says(wechat, failure)
    login = log_in()
    assert login.outcome == (503, "login_unavailable")
    assert int(login.headers["Retry-After"]) > 0
    assert stub.call_count == 2
    assert "canary" not in login.text + caplog.text
    assert log_lines()[-1]["reason"] == f"code2Session: {type(failure).__name__}"


@pytest.mark.parametrize("first", [{"errcode": -1}, requests.ConnectionError(), "HTTP 500"], ids=str)
def test_a_passing_failure_is_overcome_by_the_second_try(log_in, wechat, first):
    failed = says(wechat, "busy", status=500) if first == "HTTP 500" else says(wechat, first)
    good = says(wechat, identity())
    assert log_in().status == 200
    assert (failed.call_count, good.call_count) == (1, 1)


def test_the_code_used_up_by_a_first_try_that_got_lost_asks_for_a_new_one(log_in, wechat):
    says(wechat, requests.ReadTimeout())
    says(wechat, {"errcode": 40163})
    assert log_in().status == 401


def test_wechat_endpoint_gets_two_calls_within_the_budget(instance):
    """All tries together keep to the budget."""
    asked = []

    def silent(method, url, *, budget_seconds, **_options):
        asked.append((method, url, budget_seconds))
        raise ExchangeFailed("ReadTimeout")

    function = instance(silent, **SETTINGS, WECHAT_ENDPOINT="http://127.0.0.1:9003")
    assert function.ask(body={"code": "local-alice"}, path="/login").status == 503
    url = "http://127.0.0.1:9003/sns/jscode2session"
    assert asked == [("GET", url, seconds) for seconds in CODE2SESSION_BUDGETS_SECONDS]
    assert sum(CODE2SESSION_BUDGETS_SECONDS) <= 5


@cases("body", "status")
def test_malformed_codes_are_not_sent_to_wechat(log_in, wechat, log_lines, body, status):
    assert log_in(body).status == status
    assert len(wechat.calls) == 0
    assert status != 401 or log_lines()[-1]["reason"] == "code malformed"


def test_a_flood_of_logins_from_one_address_does_not_reach_wechat(instance, wechat, clock):
    stub = says(wechat, identity())
    function = instance(**SETTINGS, LOGIN_RATE="3/min")

    def log_in(number, source_ip="203.0.113.7"):
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        return function.ask(body={"code": CODE}, path="/login", headers=headers, source_ip=source_ip)

    answers = [log_in(number) for number in range(10)]
    assert [answer.status for answer in answers] == [200] * 3 + [429] * 7
    assert answers[-1].headers["Retry-After"] == "60"
    assert stub.call_count == 3
    assert log_in(0, "203.0.113.8").status == 200
    clock.tick(minutes=1)
    assert log_in(0).status == 200


def test_malformed_logins_do_not_count_against_the_client_ip(instance, wechat):
    """What can be no login is refused before it is counted, so a carrier's NAT stays open to the honest."""
    stub = says(wechat, identity())
    function = instance(**SETTINGS, LOGIN_RATE="2/min")
    for body, status in table_beside(__file__)["test_malformed_codes_are_not_sent_to_wechat"]:
        assert function.ask(body=body, path="/login").status == status
    assert [function.ask(body={"code": CODE}, path="/login").status for _ in range(3)] == [200, 200, 429]
    assert stub.call_count == 2


def test_a_code_that_wechat_refuses_does_count(instance, wechat):
    says(wechat, {"errcode": 40029})
    function = instance(**SETTINGS, LOGIN_RATE="2/min")
    assert [function.ask(body={"code": CODE}, path="/login").status for _ in range(3)] == [401, 401, 429]


@pytest.mark.parametrize(
    ("changes", "statuses"),
    [({}, [200, 429, 429, 429]), ({"CLIENT_ADDRESS_HEADER": "Ali-Cdn-Real-Ip"}, [200, 200, 200, 429])],
    ids=["no proxy is trusted", "one is"],
)
def test_behind_a_trusted_proxy_its_header_names_the_client_ip(instance, wechat, changes, statuses):
    says(wechat, identity())
    function = instance(**SETTINGS, LOGIN_RATE="1/min", **changes)
    callers = ["198.51.100.1", "198.51.100.2", "198.51.100.1, 198.51.100.3", "203.0.113.9, 198.51.100.3"]
    answers = [
        function.ask(body={"code": CODE}, path="/login", headers={"ali-cdn-real-ip": caller})
        for caller in callers
    ]
    assert [answer.status for answer in answers] == statuses


def test_a_login_for_which_no_thread_can_start_is_to_be_tried_again(instance, no_threads, log_lines):
    with no_threads():
        answer = instance(send, **SETTINGS).ask(body={"code": CODE}, path="/login")
    assert answer.outcome == (503, "login_unavailable")
    assert log_lines()[-1]["reason"] == "code2Session: cannot start a thread"


@cases("body", "why")
def test_the_log_has_the_reason_of_an_invalid_response_of_wechat(body, why):
    with pytest.raises(LoginRejected) as raised:
        openid_of("code", APP, lambda *_, **__: HttpResponse(200, body))
    assert raised.value.reason == why


@pytest.mark.parametrize(("code", "says"), [(None, "missing"), ("", "missing"), (5, "string")])
def test_a_missing_code_and_one_of_another_type_differ(code, says):
    with pytest.raises(BadRequest, match=says):
        code_of({"code": code})
