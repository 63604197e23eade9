"""auth.douyin: the login, its errors, and what is kept of Douyin's answer."""

import json
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.app import load_settings
from function.auth import owner_of
from function.auth.douyin import KIND, DouyinApp, openid_of
from function.errors import LoginRejected, Misconfigured, UploadError
from function.http.client import ExchangeFailed, HttpResponse
from tests.conftest import TEST_INSTANT
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
SETTINGS = {
    "CALLER_AUTH": "douyin",
    "TOKEN_SECRET": TOKEN_SECRET,
    "DOUYIN_APPID": "tt0000000000000001",
    "DOUYIN_SECRET": "douyin-secret-canary",
}
APP = DouyinApp("tt0000000000000001", "douyin-secret-canary", "https://developer.toutiao.com")
CODE = "fb93de745eMuM8q4QQLeD"
OPENID = "_000openid-canary"


def says(err_no=0, status=200, sent=None, **data):
    """Douyin with one answer to every request."""
    data = {"session_key": "session-key-canary", "openid": OPENID, "anonymous_openid": "", **data}
    answer = {"err_no": err_no, "err_tips": "tips-canary", "data": data}

    def send(method, url, **options):
        if sent is not None:
            sent.append((method, url, options))
        return HttpResponse(status, json.dumps(answer).encode())

    return send


def answers(body, status=200):
    return lambda *_, **__: HttpResponse(status, body)


def refusal(send):
    with pytest.raises(UploadError) as raised:
        openid_of(CODE, APP, send, TEST_INSTANT)
    assert "canary" not in f"{raised.value} {raised.value.reason}" and CODE not in raised.value.reason
    return raised.value


def test_the_code_goes_alone_and_only_the_openid_is_kept(instance, good_sts, log_lines, caplog):
    sent = []
    function = instance(says(sent=sent, unionid="union-canary"), **SETTINGS)
    login = function.ask(body={"code": CODE}, path="/login")
    ((method, url, options),) = sent
    assert (method, url) == ("POST", "https://developer.toutiao.com/api/apps/v2/jscode2session")
    assert json.loads(options["body"]) == {"appid": APP.appid, "secret": APP.secret, "code": CODE}
    assert options["headers"] == {"Content-Type": "application/json"}
    payload = login.json["token"].split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["sub"], claims["app"]) == (OPENID, APP.appid)
    shown = login.text + caplog.text + json.dumps(log_lines()) + json.dumps(claims) + repr(APP)
    assert "canary" not in shown.replace(OPENID, "")
    assert log_lines()[-1]["owner"] == owner_of(OPENID, TOKEN_SECRET)
    assert repr(APP) == "DouyinApp(tt0000000000000001)"
    # Its session opens the function.
    headers = {"Authorization": f"Bearer {login.json['token']}"}
    key = function.ask(body={"filename": "a.png"}, headers=headers).json["key"]
    assert key.startswith(f"uploads/{owner_of(OPENID, TOKEN_SECRET)}/")


@pytest.mark.parametrize("openid", ["", None, 5, "x" * 256], ids=repr)
def test_an_anonymous_openid_is_no_login(openid):
    """It names a phone: whoever has it next would be the same owner."""
    error = refusal(says(openid=openid, anonymous_openid="phone-canary"))
    assert type(error) is LoginRejected and error.reason.endswith("without openid")


@cases("err_no", "name", "setting")
def test_an_error_with_an_openid_and_http_200_is_no_login(instance, log_lines, err_no, name, setting):
    error = refusal(says(err_no))
    assert (type(error).__name__, error.upstream) == (name, str(err_no))
    assert str(err_no) in error.reason
    assert [each.setting for each in getattr(error, "problems", ())] == [setting] * bool(setting)
    login = instance(says(err_no), **SETTINGS).ask(body={"code": CODE}, path="/login")
    assert login.code == error.code
    assert setting in log_lines()[-1]["reason"] and "DOUYIN" not in login.text


@pytest.mark.parametrize("err_no", [None, False, "0", 0.0], ids=repr)
def test_an_err_no_that_is_not_the_number_zero_is_no_login(err_no):
    error = refusal(says(err_no))
    assert (error.reason, error.upstream) == ("jscode2session without err_no", "")
    assert refusal(says(10**16)).upstream == str(10**15)


@cases("body")
def test_an_answer_that_cannot_be_read_is_refused(body):
    assert type(refusal(answers(body))) is LoginRejected


@pytest.mark.parametrize(
    ("failure", "calls"), [("timed out", 1), ("ConnectionResetError", 1), (500, 1), ("gaierror", 2)]
)
def test_a_code_that_may_be_spent_is_not_sent_again(failure, calls):
    sent = []

    def send(*_, **__):
        sent.append(failure)
        if isinstance(failure, int):
            return HttpResponse(failure, b"")
        raise ExchangeFailed(failure)

    error = refusal(send)
    assert str(failure) in error.reason and error.upstream == ""
    assert len(sent) == calls


@effort(max_examples=40)
@given(
    answer=st.binary(max_size=30)
    | st.builds(
        lambda err_no, data: json.dumps({"err_no": err_no, "data": data}).encode(),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        st.none() | st.integers() | st.builds(lambda openid: {"openid": openid}, st.none() | st.integers()),
    ),
    status=st.sampled_from([200, 204, 302, 404, 429, 500, 503]),
)
def test_whatever_douyin_says_the_answer_is_documented(instance, answer, status):
    function = instance(answers(answer, status), **SETTINGS, LOGIN_RATE="1000000/s")
    assert function.ask(path="/login", body={"code": "c"}).code in (
        *("unauthorized", "misconfigured", "login_rejected", "login_unavailable"),
    )


def test_settings_have_a_default_address_and_are_needed(environment):
    assert load_settings(environment | SETTINGS).only.settings == APP
    with pytest.raises(Misconfigured) as raised:
        load_settings(environment | {"CALLER_AUTH": "douyin", "TOKEN_SECRET": TOKEN_SECRET})
    assert [problem.setting for problem in raised.value.problems] == ["DOUYIN_APPID", "DOUYIN_SECRET"]
    assert [row.name for row in KIND.settings if row.is_secret] == ["DOUYIN_SECRET"]
