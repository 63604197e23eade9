"""function_output: log lines, tokens, codes and openids that ``explain`` reads."""

import base64
import json
import re
from datetime import timedelta

import pytest

from function.auth import owner_of, signed_tokens
from ops.explain.advice import find_advice
from ops.explain.function_output import NONE, secrets_of
from tests.docs.markdown import ROOT
from tests.ops.explain.pastes import NOW, said

SECRET, OTHER = "0123456789abcdefghijklmnopqrstuv", "vutsrqponmlkjihgfedcba9876543210"
OPENID = "o" + "A" * 27
ENV = {"TOKEN_SECRET": SECRET}
LINE = {"requestId": "1-a", "route": "commit", "status": 502, "code": "oss_rejected", "key": None}
REASON = "PutObject: HTTP 403 AccessDenied EC 0003-00000301 request 12"


def advice_in(code, text, ec="", language="en"):
    advice = find_advice(code, "", ec)
    return advice.meaning.say(language) in text and advice.remedy.say(language) in text


def logged(**fields):
    return json.dumps({**LINE, **fields}, separators=(",", ":"))


@pytest.mark.parametrize("before", ["", "2026-11-24T14:02:00.123Z 1-a [ERROR] "])
def test_a_log_line_gets_the_advice_of_its_code_and_of_the_code_that_it_quotes(before):
    text = said(before + logged(reason=REASON))
    assert advice_in("oss_rejected", text) and advice_in("AccessDenied", text, "0003-00000301")
    assert "key " not in text


def test_several_lines_are_explained_one_by_one():
    text = said("\n".join([logged(), logged(code="forbidden", reason="ticket: expired"), logged(code=None)]))
    assert text.count("1-a") == 3
    assert advice_in("oss_rejected", text) and advice_in("forbidden", text)


@pytest.mark.parametrize(("fields", "row"), [
    ({"webhook": "lost", "event": "gone", "uploadId": "u1"}, "webhook_lost"),
    ({"requestId": "1-a", "route": "confirm", "webhook": "ConnectionRefusedError"}, "webhook_failed"),
    ({"due": "stuck", "name": "held/.due/x"}, "due_stuck"),
    ({"check": "aliyun", "right": "yundun-greenweb:ImageModeration"}, "check_refused"),
])  # fmt: skip
def test_a_line_that_has_no_code_gets_the_advice_of_its_event(fields, row):
    text = said(json.dumps({**fields, "reason": "timeout"}))
    assert advice_in(row, text) and all(value in text for value in fields.values())
    assert not advice_in("webhook_failed", said(logged(webhook="ok")))


def test_each_code_of_the_client_and_each_errcode_of_the_function_is_explained():
    types = (ROOT / "miniprogram/example/utils/oss-direct-upload/index.d.ts").read_text("utf-8")
    union = re.search(r"ClientErrorCode =(.*?)\n\n", types, re.DOTALL)[1]
    codes = re.findall(r"'(\w+)'", union)
    sources = [ROOT / "function" / name for name in ("auth/wechat.py", "wechat/api.py")]
    errcodes = {
        code
        for path in sources
        for case in re.findall(r"case ([-\d |]+):", path.read_text("utf-8"))
        for code in case.split(" | ")
    }
    assert len(codes) > 15 and len(errcodes) > 10
    platforms = [(ROOT / f"function/auth/{name}.py").read_text("utf-8") for name in ("alipay", "douyin")]
    sub_codes = re.findall(r'"(is[vp]\.[a-z-]+)"', platforms[0])
    err_nos = [f"err_no {code}" for code in re.findall(r'case "(-?\d+)":', platforms[1])]
    assert len(sub_codes) > 4 and len(err_nos) > 3
    for code in (*codes, *errcodes, *sub_codes, *err_nos):
        assert advice_in(code, said(code)), code
    assert advice_in("40029", said('{"errcode": 40029, "errmsg": "invalid code, rid: 1"}'))
    assert advice_in("err_no 40018", said('{"err_no": 40018, "err_tips": "bad code"}'))
    alipay = {"error_response": {"code": "40002", "sub_code": "isv.code-invalid", "sub_msg": "CANARY"}}
    text = said(json.dumps(alipay))
    assert advice_in("isv.code-invalid", text) and "CANARY" not in text


@pytest.mark.parametrize(("secret", "settings", "verdict"), [
    (SECRET, True, "right"),
    (OTHER, True, "not of the secrets"),
    (SECRET, False, "only with the secret"),
])  # fmt: skip
@pytest.mark.parametrize("audience", [signed_tokens.TICKET, signed_tokens.RECEIPT])
def test_a_token_shows_its_content_and_whether_its_signature_is_right(audience, secret, settings, verdict):
    claims = {"key": "a/b.jpg", "jti": "u1", "heldUntil": 1764000000}
    issued = NOW - timedelta(days=30)
    token = signed_tokens.issue_token(
        claims, audience=audience, secrets=[secret], now=issued, life=timedelta(days=1)
    )
    text = said(token, secrets=secrets_of(ENV) if settings else NONE)
    assert "a/b.jpg" in text and "u1" in text and "2025-11-24 16:00:00 UTC" in text and "expired" in text
    assert verdict in text.splitlines()[0]
    assert token.rpartition(".")[2] not in text


@pytest.mark.parametrize("instant", [10**30, -1, True, "x"])
def test_an_instant_of_a_token_that_is_none_is_shown_as_it_is(instant):
    claims = json.dumps({"aud": signed_tokens.TICKET, "exp": instant, "iat": instant, "heldUntil": instant})
    text = said(
        f"{signed_tokens.HEADER}.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.c2ln"
    )
    assert str(instant).lower() in text.lower()


def test_an_openid_becomes_the_folder_name_where_the_secret_is_there():
    owner = owner_of(OPENID, SECRET)
    assert owner in said(OPENID, secrets=secrets_of(ENV))
    assert owner not in said(OPENID) and ".env" in said(OPENID)
    callers = {"wechat:wx1": True, "douyin:tt1": False}
    text = said(OPENID, secrets=secrets_of(ENV)._replace(callers=callers))
    for caller, folder in (("wechat:wx1", owner), ("douyin:tt1", owner_of(OPENID, SECRET, "douyin:tt1"))):
        assert f"{folder}  {caller}" in text


@pytest.mark.parametrize(("environ", "secrets"), [
    ({"TOKEN_SECRET": f"{OTHER},{SECRET}"}, ((OTHER, SECRET), (OTHER, SECRET), SECRET)),
    ({"TOKEN_SECRET": OTHER, "RECEIPT_SECRET": SECRET, "OWNER_SECRET": "o"}, ((OTHER,), (SECRET,), "o")),
    ({"TOKEN_SECRET": "short"}, ((), (), "")),
])  # fmt: skip
def test_secrets_of_settings_that_lack_others_are_used(environ, secrets):
    assert tuple(secrets_of(environ)[:3]) == secrets
