"""auth: who may ask for a form, in the three modes, through both contracts of Function Compute."""

import hmac
import json
import re
import sys
from base64 import b32encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.app import load_settings
from function.auth import CallerKinds, identify, owner_of
from function.auth.signed_tokens import MAX_TOKEN_CHARACTERS, SESSION, issue_token
from function.errors import Unauthorized
from function.http.client import HttpResponse
from tests.support import stage
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
OTHER_SECRET = "another-functions-secret-0123456789-x"
WECHAT = {
    "CALLER_AUTH": "wechat",
    "TOKEN_SECRET": TOKEN_SECRET,
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "wechat-secret-canary",
}
JWT = {
    "CALLER_AUTH": "jwt",
    "TOKEN_SECRET": TOKEN_SECRET,
    "JWT_KEY": OTHER_SECRET,
    "JWT_ALGORITHM": "HS256",
}
OPENID = "oOpenIdCanary_0123456789-xyz"
HOUR = timedelta(hours=1)


def session(clock, **changes):
    """A session token made by hand."""
    claims = {"sub": OPENID, "app": WECHAT["WECHAT_APPID"], "bucket": "my-bucket", **changes}
    return issue_token(claims, audience=SESSION, secrets=[TOKEN_SECRET], now=clock(), life=HOUR)


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def form(function, token="", **asked):
    return function.ask(**{"body": {"filename": "a.png"}, "headers": bearer(token), **asked})


def carrying(good, headers):
    parts = {"good": good, "head": good[:-1], "tail": good[1:]}
    return {name: value.format(**parts) for name, value in headers.items()}


def wechat_says(openid):
    return lambda *_, **__: HttpResponse(200, json.dumps({"openid": openid, "session_key": "s"}).encode())


def ask_wsgi(function, *, body, headers, **asked):
    return stage.ask(function.function, body, **asked, **headers)


@pytest.mark.parametrize("form", [form, ask_wsgi], ids=["event", "WSGI"])
@pytest.mark.parametrize(
    ("mode", "subject"), [("wechat", OPENID), ("jwt", "42"), ("anonymous", "public")], ids=lambda value: value
)
def test_each_mode_gives_its_callers_folders_through_both_contracts(
    instance, good_sts, clock, form, mode, subject
):
    function = instance(wechat_says(OPENID), **{"wechat": WECHAT, "jwt": JWT}.get(mode, {}))
    token, folder = "", "public" if mode == "anonymous" else owner_of(subject, TOKEN_SECRET)
    if mode == "wechat":
        token = form(function, path="/login", body={"code": "c"}, headers={}).json["token"]
    if mode == "jwt":
        token = issue_token({"sub": "42"}, audience="x", secrets=[OTHER_SECRET], now=clock(), life=HOUR)
    answer = form(function, body={"filename": "a.png"}, headers=bearer(token))
    assert answer.status == 200
    assert answer.json["key"].startswith(f"uploads/{folder}/2026/11/24/")


@pytest.mark.parametrize("changes", [{}, JWT], ids=["anonymous", "jwt"])
def test_only_wechat_has_a_login(instance, changes):
    answer = instance(wechat_says(OPENID), **changes).ask(body={"code": "c"}, path="/login")
    assert answer.outcome == (404, "not_found")


@cases("headers")
def test_refuses_a_header_that_does_not_carry_one_good_token(instance, sts, clock, headers):
    answer = form(instance(**WECHAT), headers=carrying(session(clock), headers))
    assert answer.outcome == (401, "unauthorized")


@pytest.mark.parametrize("query", ["token", "access_token", "Authorization"])
def test_a_token_in_the_query_is_none(instance, sts, clock, query):
    assert instance(**WECHAT).ask(method="GET", query={query: session(clock)}).status == 401


@cases("headers")
def test_takes_the_token_in_odd_case_and_beside_a_signed_trigger_s_header(instance, good_sts, clock, headers):
    assert form(instance(**WECHAT), headers=carrying(session(clock), headers)).status == 200


@pytest.mark.parametrize(
    "other", [{"WECHAT_APPID": "wxfedcba9876543210"}, {"OSS_BUCKET": "other-bucket"}], ids=str
)
def test_a_login_at_one_app_or_bucket_is_unauthorized_at_another(instance, good_sts, log_lines, other):
    """Functions of several mini-programs may share a secret."""
    send = wechat_says(OPENID)
    token = instance(send, **WECHAT).ask(body={"code": "c"}, path="/login").json["token"]
    assert form(instance(send, **WECHAT), token).status == 200
    assert form(instance(send, **{**WECHAT, **other}), token).status == 401
    assert log_lines()[-1]["reason"] == "for another app or bucket"


def test_a_session_expires_after_token_seconds(instance, good_sts, clock):
    function = instance(wechat_says(OPENID), **WECHAT, TOKEN_SECONDS="60")
    login = function.ask(body={"code": "c"}, path="/login").json
    assert login["expiresIn"] == 60
    clock.tick(seconds=59)
    assert form(function, login["token"]).status == 200
    clock.tick(seconds=1)
    assert form(function, login["token"]).status == 401


def test_a_new_secret_in_front_keeps_sessions_and_folders(instance, good_sts, clock):
    rotated = {**WECHAT, "TOKEN_SECRET": f"{OTHER_SECRET},{TOKEN_SECRET}"}
    before, after = (form(instance(**settings), session(clock)) for settings in (WECHAT, rotated))
    assert before.json["key"].split("/")[:2] == after.json["key"].split("/")[:2]


@cases("body")
@pytest.mark.parametrize("profile", ["default", "avatar"])
def test_a_requested_foreign_key_is_replaced_by_one_in_the_own_folder(
    instance, good_sts, clock, body, profile
):
    wanted = {"contentType": "image/png", "profile": profile, **body}
    answer = form(instance(**WECHAT), session(clock), body=wanted)
    folder = {"default": "uploads", "avatar": "avatars"}[profile]
    own = re.escape(f"{folder}/{owner_of(OPENID, TOKEN_SECRET)}/")
    assert re.fullmatch(own + r"(2026/11/24/)?[A-Za-z0-9_-]{22}(\.png)?", answer.json["key"])
    assert "victim" not in answer.text


def test_owner_secret_decides_the_folder_when_it_is_set(instance, good_sts, clock):
    key = form(instance(**WECHAT, OWNER_SECRET=OTHER_SECRET), session(clock)).json["key"]
    assert key.startswith(f"uploads/{owner_of(OPENID, OTHER_SECRET)}/")


def test_over_the_rate_limit_the_caller_gets_retry_after_and_no_sts_call(instance, good_sts, clock):
    """A second login is no second allowance."""
    function = instance(**WECHAT, CALLER_RATE="3/min")
    answers = [form(function, session(clock, jti=str(number))) for number in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    calls = len(good_sts.calls)
    answer = form(function, session(clock))
    assert (answer.code, answer.headers["Retry-After"]) == ("too_many_requests", "60")
    assert len(good_sts.calls) == calls
    assert form(function, session(clock, sub="other")).status == 200
    clock.tick(seconds=60)
    assert form(function, session(clock)).status == 200


def test_many_files_count_as_many(instance, good_sts, clock):
    function = instance(**WECHAT, CALLER_RATE="5/min")
    three = {"files": [{"filename": "a.png"}] * 3}
    assert [form(function, session(clock), body=three).status for _ in range(2)] == [200, 429]


def test_anyone_is_limited_by_address_whatever_the_forwarded_headers_say(instance, good_sts):
    function = instance(CALLER_RATE="2/min")
    said = [dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), f"198.51.100.{number}") for number in range(3)]
    assert [form(function, headers=headers).status for headers in said] == [200, 200, 429]
    assert form(function, source_ip="203.0.113.8").status == 200


@cases("body")
def test_malformed_requests_count_against_no_rate(instance, good_sts, body):
    function = instance(CALLER_RATE="1/min")
    assert [function.ask(body=body).status for _ in range(3)] == [400] * 3
    assert form(function).status == 200


@pytest.mark.parametrize("token", ["", "a,b", "a b", "a\tb", "é", "x" * (MAX_TOKEN_CHARACTERS + 1)])
def test_a_malformed_header_is_named_in_the_log_before_any_token_is_read(environment, clock, token):
    assert reason(environment, clock, token) == "bearer token malformed"


def test_the_longest_token_allowed_is_read(environment, clock):
    assert reason(environment, clock, "x" * MAX_TOKEN_CHARACTERS) == "unknown header"


def reason(environment, clock, token):
    with pytest.raises(Unauthorized) as raised:
        identify({"authorization": f"Bearer {token}"}, load_settings(environment | WECHAT), clock())
    return raised.value.reason


def test_caller_kinds_are_found_by_the_name_of_their_module():
    kinds = CallerKinds()
    assert set(kinds) == {"alipay", "anonymous", "douyin", "jwt", "several", "wechat"}
    assert len(kinds) == 6
    for name in ("", "nobody", "tokens", "login_code", "a.b"):
        assert name not in kinds


def test_a_missing_package_is_not_an_unknown_caller_kind(monkeypatch):
    monkeypatch.delitem(sys.modules, "function.auth.jwt", raising=False)
    monkeypatch.setitem(sys.modules, "function.auth.signed_tokens", None)
    with pytest.raises(ModuleNotFoundError):
        CallerKinds()["jwt"]


@effort(max_examples=200)
@given(subject=st.text(min_size=1, max_size=50), secret=st.sampled_from([TOKEN_SECRET, OTHER_SECRET]))
@pytest.mark.not_for_coverage
def test_a_folder_is_the_library_s_base_32_of_the_hash_s_first_128_bits(subject, secret):
    named = b"owner\n" + subject.encode("utf-8", "surrogatepass")
    digest = hmac.digest(secret.encode(), named, "sha256")
    assert owner_of(subject, secret) == b32encode(digest[:16]).decode().rstrip("=").lower()
