"""What a wrong version of callers.py would get away with otherwise; mostly what the operator's log says."""

import json
from base64 import b32encode
from datetime import timedelta

import jwt
import pytest

from function.callers import identify, owner_of
from function.callers.business_jwt import read_business_token
from function.callers.wechat import log_in, openid_of
from function.errors import BadRequest, Misconfigured, Unauthorized, WechatRejected, WechatUnavailable
from function.outgoing import Answer
from function.settings import WechatApp, read_settings
from function.tokens import MAX_TOKEN_CHARACTERS, SESSION, issue_token

APP = WechatApp("wx", "secret", "https://api.weixin.qq.com")
SECRET = "token-secret-0123456789abcdefghijklmn"
JWT_KEY = "jwt-key-0123456789abcdefghijklmnopqr"


@pytest.fixture
def wechat_settings(environment):
    return read_settings(
        {
            **environment,
            "CALLER_AUTH": "wechat",
            "WECHAT_APPID": "wx",
            "WECHAT_SECRET": "s",
            "TOKEN_SECRET": SECRET,
        }
    )


@pytest.fixture
def business(environment):
    changes = {
        "CALLER_AUTH": "jwt",
        "JWT_ALGORITHM": "HS256",
        "JWT_KEY": JWT_KEY,
        "TOKEN_SECRET": SECRET,
    }
    return read_settings({**environment, **changes})


def reason(settings, clock, token):
    with pytest.raises(Unauthorized) as raised:
        identify({"authorization": f"Bearer {token}"}, settings, clock())
    return raised.value.reason


@pytest.mark.parametrize("token", ["", "a,b", "a b", "a\tb", "é", "x" * (MAX_TOKEN_CHARACTERS + 1)])
def test_a_malformed_header_is_named_in_the_log_before_any_token_is_read(wechat_settings, clock, token):
    assert reason(wechat_settings, clock, token) == "bearer token malformed"


def test_the_longest_token_allowed_is_read(wechat_settings, clock):
    assert reason(wechat_settings, clock, "x" * MAX_TOKEN_CHARACTERS) == "no token of ours"


def test_a_token_of_exactly_that_length_is_good(wechat_settings, clock):
    def token(padding):
        return issue_token(
            {"sub": "o", "x": "y" * padding},
            audience=SESSION,
            secrets=[SECRET],
            now=clock(),
            life=timedelta(hours=1),
        )

    paddings = (n for n in range(2500, 3200) if len(token(n)) == MAX_TOKEN_CHARACTERS)
    header = {"authorization": f"Bearer {token(next(paddings))}"}
    assert identify(header, wechat_settings, clock()).subject == "o"


@pytest.mark.parametrize(("status", "error"), [(500, WechatUnavailable), (499, WechatRejected)])
def test_wechat_s_500_is_worth_another_try_and_its_499_is_not(status, error):
    asked = []

    def exchange(*_arguments, **_options):
        asked.append(status)
        return Answer(status, b"<html>")

    with pytest.raises(error):
        openid_of("code", APP, exchange)
    assert len(asked) == (2 if status == 500 else 1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "code2Session did not answer with JSON"),
        (b"{}", "code2Session without openid"),
        (b'{"errcode": "12345678901234567890"}', "code2Session errcode 1234567890123456"),
    ],
)
def test_the_log_says_what_was_wrong_with_wechat_s_answer(body, why):
    with pytest.raises(WechatRejected) as raised:
        openid_of("code", APP, lambda *_, **__: Answer(200, body))
    assert raised.value.reason == why


@pytest.mark.parametrize(
    ("errcode", "problem"),
    [
        (40013, "WECHAT_APPID is not what WeChat knows (code2Session errcode 40013)"),
        (40125, "WECHAT_SECRET does not belong to WECHAT_APPID (code2Session errcode 40125)"),
    ],
)
def test_a_wrong_app_is_named_whole(errcode, problem):
    with pytest.raises(Misconfigured) as raised:
        openid_of("code", APP, lambda *_, **__: Answer(200, json.dumps({"errcode": errcode}).encode()))
    assert [found.sentence for found in raised.value.problems] == [problem]


@pytest.mark.parametrize(("code", "says"), [(None, "missing"), ("", "missing"), (5, "text")])
def test_a_code_that_is_missing_is_told_from_one_of_another_type(wechat_settings, clock, code, says):
    with pytest.raises(BadRequest, match=says):
        log_in(code, wechat_settings, lambda *_, **__: pytest.fail("asked"))


def test_a_malformed_code_is_named_in_the_log(wechat_settings, clock):
    with pytest.raises(Unauthorized) as raised:
        log_in("a b", wechat_settings, lambda *_, **__: pytest.fail("asked"))
    assert raised.value.reason == "code malformed"


def test_an_owner_is_the_same_for_ever():
    """A change of this value moves every caller to a new folder."""
    assert owner_of("oUser", SECRET) == "convg3ypclmiiqnho4d27bzux4"
    assert set(owner_of("oOther", SECRET)) <= set(b32encode(bytes(range(256))).decode().lower()) - {"="}


@pytest.mark.parametrize("error", [ValueError, TypeError, RecursionError])
def test_an_untyped_error_of_the_jwt_library_is_a_bad_token(business, clock, monkeypatch, error):
    def decode(*_arguments, **_options):
        raise error

    monkeypatch.setattr(jwt, "decode", decode)
    with pytest.raises(Unauthorized) as raised:
        read_business_token("x.y.z", business.jwt, clock())
    assert raised.value.reason == error.__name__


def test_a_business_token_without_an_end_is_refused_by_name(business, clock):
    token = jwt.encode({"sub": "u"}, JWT_KEY, algorithm="HS256")
    assert reason(business, clock, token) == "MissingRequiredClaimError"
