"""Users of a WeChat mini-program: a code of ``wx.login`` becomes a session token of ours."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from function.auth import Caller, bearer_token, caller_of, is_subject, unauthorized
from function.auth.tokens import SESSION, check_life, is_of, issue_token, read_token
from function.config.messages import Message
from function.config.settings import Settings, WechatApp
from function.errors import (
    BadRequest,
    Forbidden,
    Misconfigured,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthorized,
    UploadError,
    WechatRejected,
    WechatUnavailable,
)
from function.http.client import ExchangeFailed, Send
from function.http.json_body import object_in

# Five seconds together. Most for the first try: a code is good once, so a second one only helps
# when WeChat never saw the first.
CODE2SESSION_BUDGETS_SECONDS = (3.5, 1.5)
LOGIN_CODE = r"[A-Za-z0-9_-]{1,128}"


def prepare(_settings: Settings) -> None:
    """Nothing more is needed: the session token and WeChat are spoken to with what STS brings."""


def identify(headers: Mapping[str, str], settings: Settings, now: datetime) -> Caller:
    """
    Whom the session token names, when it was made for this app and bucket.

    Functions of several mini-programs may share a ``TOKEN_SECRET``.

    Raises:
        Unauthorized: with the reason for the log.
    """
    token = bearer_token(headers)
    claims = read_token(token, audience=SESSION, secrets=settings.token_secrets, now=now)
    check_life(claims, now, settings.token_life)
    if not is_of(claims, settings.token_scope(settings.bucket)):
        raise unauthorized("for another app or bucket")
    return caller_of(claims.get("sub"), settings)


def app_of(settings: Settings) -> WechatApp:
    """
    The mini-program whose users log in.

    Raises:
        NotFound: only ``CALLER_AUTH=wechat`` has a login.
    """
    if settings.wechat is None:
        raise NotFound("There is no login here.")
    return settings.wechat


def code_of(fields: Mapping[str, Any]) -> str:
    """
    The code of ``wx.login`` in a request's body.

    Raises:
        BadRequest, Unauthorized: it is missing, or can be none.
    """
    code = fields.get("code")
    if code is None or code == "":
        raise BadRequest("code is missing; it comes from wx.login.")
    if not isinstance(code, str):
        raise BadRequest("code must be a text.")
    if not re.fullmatch(LOGIN_CODE, code):
        raise Unauthorized("The login code is invalid; call wx.login again.", reason="code malformed")
    return code


def log_in(code: str, settings: Settings, send: Send) -> Caller:
    """
    Whom a code of ``wx.login`` names.

    Raises:
        Unauthorized, Forbidden, TooManyRequests: about the code.

        WechatRejected, WechatUnavailable, Misconfigured: about the exchange with WeChat.
    """
    return caller_of(openid_of(code, app_of(settings), send), settings)


def session_token(caller: Caller, settings: Settings, now: datetime) -> str:
    """What names this caller from now on, for ``TOKEN_SECONDS``."""
    return issue_token(
        {"sub": caller.subject, **settings.token_scope(settings.bucket)},
        audience=SESSION,
        secrets=settings.token_secrets,
        now=now,
        life=settings.token_life,
    )


def openid_of(code: str, app: WechatApp, send: Send) -> str:
    """
    Ask WeChat who logged in; of its answer only the openid is kept, the session_key is dropped.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
    """
    first_seconds, second_seconds = CODE2SESSION_BUDGETS_SECONDS
    try:
        answer = _code2session(code, app, send, first_seconds)
    except WechatUnavailable:
        answer = _code2session(code, app, send, second_seconds)
    openid = answer.get("openid")
    if not is_subject(openid):
        raise _unusable("without openid")
    return openid


def _code2session(code: str, app: WechatApp, send: Send, budget_seconds: float) -> dict[str, Any]:
    query = {
        "appid": app.appid,
        "secret": app.secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    try:
        answer = send(
            "GET",
            f"{app.endpoint}/sns/jscode2session",
            query=query,
            budget_seconds=budget_seconds,
        )
    except ExchangeFailed as error:
        raise _wechat_silent(error.kind) from None
    if answer.status >= 500:
        raise _wechat_silent(f"HTTP {answer.status}")
    fields = object_in(answer.body)
    if fields is None:
        raise _unusable("did not answer with JSON")
    # On success errcode is often absent instead of 0.
    if fields.get("errcode"):
        raise _wechat_error(fields["errcode"])
    return fields


def _unusable(what: str) -> WechatRejected:
    return WechatRejected("WeChat's answer to the login cannot be used.", reason=f"code2Session {what}")


def _wechat_silent(what: str) -> WechatUnavailable:
    return WechatUnavailable(
        "WeChat does not answer the login; please try again.", reason=f"code2Session: {what}"
    )


def _wechat_error(errcode: Any) -> UploadError:
    code = str(errcode)[:16]
    reason = f"code2Session errcode {code}"
    match errcode:
        case 40029 | 40163 | 41008:
            message = "The login code is invalid, used or expired; call wx.login again."
            return Unauthorized(message, reason=reason, upstream=code)
        case 40226:
            return Forbidden("WeChat blocks this user.", reason=reason, upstream=code)
        case 45011:
            message = "Too many logins of this user; please wait."
            return TooManyRequests(message, reason=reason, upstream=code)
        case -1:
            return WechatUnavailable("WeChat is busy; please try again.", reason=reason, upstream=code)
        case 40013 | 41002:
            sentence = Message("WECHAT_APPID is not what WeChat knows ({reason})", reason=reason)
            return Misconfigured([Problem("WECHAT_APPID", sentence)], upstream=code)
        case 40125 | 41004:
            sentence = Message("WECHAT_SECRET does not belong to WECHAT_APPID ({reason})", reason=reason)
            return Misconfigured([Problem("WECHAT_SECRET", sentence)], upstream=code)
    return WechatRejected("WeChat refuses the login.", reason=reason, upstream=code)
