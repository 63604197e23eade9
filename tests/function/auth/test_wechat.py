"""auth.wechat: the login, its errors, and what is kept of WeChat's answer."""

import json
from base64 import b64encode, urlsafe_b64decode

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from responses.matchers import query_param_matcher

from function.app import load_settings
from function.auth.wechat import CODE2SESSION_BUDGETS_SECONDS, openid_of
from function.errors import (
    BadRequest,
    LoginRejected,
    LoginUnavailable,
    Misconfigured,
    Problem,
    Unauthorized,
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
def test_a_code_becomes_a_token_with_subject_and_scope_only(log_in, wechat, answer):
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


def test_only_the_openid_of_wechat_s_response_is_kept(log_in, wechat, caplog, log_lines):
    says(wechat, identity())
    login = log_in()
    shown = login.text + caplog.text + urlsafe_b64decode(login.json["token"].split(".")[1] + "==").decode()
    for secret in (SESSION_KEY, "union-canary", SETTINGS["WECHAT_SECRET"], CODE):
        assert secret not in shown
    assert OPENID not in login.text + caplog.text
    assert len(log_lines()[-1]["owner"]) == 26


ERRORS = table_beside(__file__)["ERRORS"]


@pytest.mark.parametrize(("errcode", "calls", "status", "code"), ERRORS, ids=lambda value: str(value))
def test_each_errcode_of_wechat_has_its_status(log_in, wechat, log_lines, errcode, calls, status, code):
    stub = says(wechat, {"errcode": errcode, "errmsg": "errmsg-canary, rid: 65f0"})
    answer = log_in()
    assert answer.outcome == (status, code)
    assert stub.call_count == calls
    assert (int(answer.headers.get("Retry-After", 0)) > 0) == (status in (429, 503))
    assert "canary" not in answer.text + json.dumps(log_lines())
    assert str(errcode) in log_lines()[-1]["reason"]


@pytest.mark.parametrize(("errcode", "name"), [(40013, "WECHAT_APPID"), (40125, "WECHAT_SECRET")])
def test_an_operator_s_mistake_is_named_in_the_log_and_not_to_the_caller(
    log_in, wechat, log_lines, errcode, name
):
    says(wechat, {"errcode": errcode, "errmsg": "invalid"})
    answer = log_in()
    assert name in log_lines()[-1]["reason"]
    assert "WECHAT" not in answer.text


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


@pytest.mark.parametrize("first", [{"errcode": -1}, requests.ConnectionError(), "HTTP 502"], ids=str)
def test_a_passing_failure_is_overcome_by_the_second_try(log_in, wechat, first):
    failed = says(wechat, "busy", status=502) if first == "HTTP 502" else says(wechat, first)
    good = says(wechat, identity())
    assert log_in().status == 200
    assert (failed.call_count, good.call_count) == (1, 1)


def test_a_response_over_the_size_limit_is_dropped(log_in, wechat):
    stub = says(wechat, json.dumps(identity()) + " " * 65536)
    assert log_in().code == "login_unavailable"
    assert stub.call_count == 2


def test_a_redirect_is_not_followed(log_in, wechat):
    stub = says(wechat, "", status=302, headers={"Location": "https://evil.example/"})
    assert log_in().code == "login_rejected"
    assert stub.call_count == 1


def test_the_code_used_up_by_a_first_try_that_got_lost_asks_for_a_new_one(log_in, wechat):
    says(wechat, requests.ReadTimeout())
    says(wechat, {"errcode": 40163})
    assert log_in().status == 401


def test_a_replayed_code_is_refused(log_in, wechat):
    says(wechat, identity())
    says(wechat, {"errcode": 40163, "errmsg": "code been used"})
    assert [log_in().status for _ in range(2)] == [200, 401]


def test_all_tries_together_keep_to_the_budget(instance):
    budgets = []

    def silent(_method, _url, *, budget_seconds, **_options):
        budgets.append(budget_seconds)
        raise ExchangeFailed("ReadTimeout")

    assert instance(silent, **SETTINGS).ask(body={"code": CODE}, path="/login").status == 503
    assert tuple(budgets) == CODE2SESSION_BUDGETS_SECONDS
    assert sum(budgets) <= 5


def test_wechat_endpoint_is_used(instance):
    asked = []

    def send(method, url, **_options):
        asked.append((method, url))
        return HttpResponse(200, json.dumps(identity()).encode())

    function = instance(send, **SETTINGS, WECHAT_ENDPOINT="http://127.0.0.1:9003")
    assert function.ask(body={"code": "local-alice"}, path="/login").status == 200
    assert asked == [("GET", "http://127.0.0.1:9003/sns/jscode2session")]


@cases("body", "status")
def test_malformed_codes_are_not_sent_to_wechat(log_in, wechat, body, status):
    assert log_in(body).status == status
    assert len(wechat.calls) == 0


def test_a_body_in_base64_is_read(log_in, wechat):
    says(wechat, identity())
    assert log_in(None, base64=b64encode(json.dumps({"code": CODE}).encode()).decode()).status == 200
    assert log_in(None, base64="%%%").status == 400
    assert log_in(None, base64=b64encode(b"\xff\xfe").decode()).status == 400


def test_a_code_in_the_query_is_none(log_in, wechat):
    assert log_in(None, query={"code": CODE}).status == 400
    assert log_in(None, method="GET", query={"code": CODE}).status == 405


def test_one_identity_keeps_one_owner(log_in, wechat, log_lines):
    says(wechat, identity())
    assert [log_in().status for _ in range(2)] == [200, 200]
    first, second = log_lines()
    assert first["owner"] == second["owner"]


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


JUNK = table_beside(__file__)["JUNK"]


def test_malformed_logins_do_not_count_against_the_client_ip(instance, wechat):
    """What can be no login is refused before it is counted, so a carrier's NAT stays open to the honest."""
    stub = says(wechat, identity())
    function = instance(**SETTINGS, LOGIN_RATE="2/min")
    for body, status in JUNK * 5:
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


@effort(max_examples=40)
@given(
    body=st.one_of(
        st.binary(max_size=30),
        st.builds(
            lambda value: json.dumps({"code": value}).encode(),
            st.none() | st.booleans() | st.floats() | st.text(max_size=12) | st.lists(st.text(), max_size=2),
        ),
    ),
    answer=st.one_of(
        st.binary(max_size=30),
        st.builds(
            lambda errcode, openid: json.dumps({"errcode": errcode, "openid": openid}).encode(),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            st.none() | st.integers() | st.text(max_size=5),
        ),
    ),
    status=st.sampled_from([200, 204, 302, 404, 429, 500, 503]),
)
def test_whatever_is_sent_and_whatever_wechat_says_the_answer_is_documented(instance, body, answer, status):
    function = instance(lambda *_, **__: HttpResponse(status, answer), **SETTINGS, LOGIN_RATE="1000000/s")
    login = function.ask(path="/login", base64=b64encode(body).decode())
    if login.status == 200:
        assert set(login.json) == {"token", "expiresIn"}
    else:
        assert login.code in (
            *("bad_request", "unauthorized", "forbidden", "too_many_requests"),
            *("misconfigured", "login_rejected", "login_unavailable"),
        )


APP = WechatApp("wx", "secret", "https://api.weixin.qq.com")
SECRET = "token-secret-0123456789abcdefghijklmn"


@pytest.fixture
def wechat_settings(environment):
    return load_settings(
        {
            **environment,
            "CALLER_AUTH": "wechat",
            "WECHAT_APPID": "wx",
            "WECHAT_SECRET": "s",
            "TOKEN_SECRET": SECRET,
        }
    )


@pytest.mark.parametrize(("status", "error"), [(500, LoginUnavailable), (499, LoginRejected)])
def test_wechat_s_500_is_worth_another_try_and_its_499_is_not(status, error):
    asked = []

    def send(*_arguments, **_options):
        asked.append(status)
        return HttpResponse(status, b"<html>")

    with pytest.raises(error):
        openid_of("code", APP, send)
    assert len(asked) == (2 if status == 500 else 1)


@cases("body", "why")
def test_the_log_has_the_reason_of_an_invalid_response_of_wechat(body, why):
    with pytest.raises(LoginRejected) as raised:
        openid_of("code", APP, lambda *_, **__: HttpResponse(200, body))
    assert raised.value.reason == why


@cases("errcode", "setting", "sentence")
def test_a_wrong_app_is_named_whole(errcode, setting, sentence):
    with pytest.raises(Misconfigured) as raised:
        openid_of("code", APP, lambda *_, **__: HttpResponse(200, json.dumps({"errcode": errcode}).encode()))
    assert raised.value.problems == (Problem(setting, sentence),)


@pytest.mark.parametrize("errcode", [40029, 40163, 41008, 40226, 45011, -1, 40013, 41002, 40125, 41004, 77])
def test_wechat_s_own_code_is_there_for_programs(errcode):
    with pytest.raises(UploadError) as raised:
        openid_of("code", APP, lambda *_, **__: HttpResponse(200, json.dumps({"errcode": errcode}).encode()))
    assert raised.value.upstream == str(errcode)


@pytest.mark.parametrize(("code", "says"), [(None, "missing"), ("", "missing"), (5, "string")])
def test_a_missing_code_and_one_of_another_type_differ(code, says):
    with pytest.raises(BadRequest, match=says):
        code_of({"code": code})


def test_a_malformed_code_is_named_in_the_log():
    with pytest.raises(Unauthorized) as raised:
        code_of({"code": "a b"})
    assert raised.value.reason == "code malformed"
