"""
Who is asking: WeChat login, the business's own JWT, or anyone; and the session token in between.
"""

import hashlib
import hmac
import json
import re
from base64 import b32encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeGuard

from errors import (
    BadRequest,
    Forbidden,
    Misconfigured,
    NotFound,
    TooManyRequests,
    Unauthorized,
    WechatRejected,
    WechatUnavailable,
)
from outgoing_http import Exchange, ExchangeFailed
from settings import BusinessJwt, Settings, WechatApp
from tokens import (
    MAX_TOKEN_CHARACTERS,
    NO_CLOCK,
    SESSION,
    UNTYPED_JWT_ERRORS,
    check_times,
    issue_token,
    read_token,
)

PUBLIC_OWNER = "public"
# Five seconds together. Most for the first try: a code is good once, so a second one only helps
# when WeChat never saw the first.
CODE2SESSION_BUDGETS_SECONDS = (3.5, 1.5)
CLOCK_LEEWAY = timedelta(seconds=30)
# OpenID Connect's bound; it also keeps the ticket inside the 5 KB that OSS takes as a callback field.
MAX_SUBJECT_BYTES = 255
LOGIN_CODE = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Caller(NamedTuple):
    """
    Who asks.

    Args:
        subject: as the business knows them (openid, or the token's ``sub``), ``public`` for anyone.
            Never in a key, an address or a log line.

        owner: stable and not reversible, safe in a path.
    """

    subject: str
    owner: str


def identify(headers: Mapping[str, str], settings: Settings, now: datetime) -> Caller:
    """
    The caller behind a request for upload parameters.

    Args:
        headers: names in lower case.

    Raises:
        Unauthorized: the mode asks for a token and there is no good one.
    """
    if settings.caller_auth == "anonymous":
        return Caller(PUBLIC_OWNER, PUBLIC_OWNER)
    token = _bearer_token(headers)
    if settings.jwt is not None:
        subject = read_business_token(token, settings.jwt, now)
    else:
        subject = read_token(token, audience=SESSION, secrets=settings.token_secrets, now=now).get("sub")
    if not _is_subject(subject):
        raise _unauthorized(f"sub must be a text of 1 to {MAX_SUBJECT_BYTES} bytes")
    return Caller(subject, owner_of(subject, settings.owner_secret))


def owner_of(subject: str, owner_secret: str) -> str:
    """
    The folder name of a caller.

    Returns:
        26 characters of ``[a-z2-7]``: the first 128 bits of a keyed hash.
    """
    named = b"owner\n" + subject.encode("utf-8", "surrogatepass")
    # Not hmac.digest, which lets other threads in, see post_policy.HASHED_AT_ONCE.
    digest = hmac.new(owner_secret.encode(), named, hashlib.sha256).digest()
    return b32encode(digest[:16]).decode().rstrip("=").lower()


def log_in(code: Any, settings: Settings, now: datetime, exchange: Exchange) -> tuple[Caller, dict[str, Any]]:
    """
    Exchange a code of ``wx.login`` for a session token of ours.

    Returns:
        the caller, and ``{"token": …, "expiresIn": seconds}``.

    Raises:
        NotFound: only ``CALLER_AUTH=wechat`` has a login.

        BadRequest, Unauthorized, Forbidden, TooManyRequests: about the code.

        WechatRejected, WechatUnavailable, Misconfigured: about the exchange with WeChat.
    """
    if settings.wechat is None:
        raise NotFound("There is no login here.")
    if code is None or code == "":
        raise BadRequest("code is missing; it comes from wx.login.")
    if not isinstance(code, str):
        raise BadRequest("code must be a text.")
    if not LOGIN_CODE.fullmatch(code):
        raise Unauthorized("The login code is invalid; call wx.login again.", reason="code malformed")
    openid = openid_of(code, settings.wechat, exchange)
    token = issue_token(
        {"sub": openid},
        audience=SESSION,
        secrets=settings.token_secrets,
        now=now,
        life=settings.token_life,
    )
    caller = Caller(openid, owner_of(openid, settings.owner_secret))
    return caller, {"token": token, "expiresIn": int(settings.token_life.total_seconds())}


def openid_of(code: str, app: WechatApp, exchange: Exchange) -> str:
    """
    Ask WeChat who logged in; of its answer only the openid is kept, the session_key is dropped.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
    """
    first_seconds, second_seconds = CODE2SESSION_BUDGETS_SECONDS
    try:
        answer = _code2session(code, app, exchange, first_seconds)
    except WechatUnavailable:
        answer = _code2session(code, app, exchange, second_seconds)
    openid = answer.get("openid")
    if not _is_subject(openid):
        raise WechatRejected(
            "WeChat's answer to the login cannot be used.", reason="code2Session without openid"
        )
    return openid


def _code2session(code: str, app: WechatApp, exchange: Exchange, budget_seconds: float) -> dict[str, Any]:
    query = {
        "appid": app.appid,
        "secret": app.secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    try:
        answer = exchange(
            "GET",
            f"{app.endpoint}/sns/jscode2session",
            query=query,
            budget_seconds=budget_seconds,
        )
    except ExchangeFailed as error:
        raise _wechat_silent(error.kind) from None
    if answer.status >= 500:
        raise _wechat_silent(f"HTTP {answer.status}")
    try:
        fields = json.loads(answer.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise WechatRejected(
            "WeChat's answer to the login cannot be used.", reason="code2Session did not answer with JSON"
        )
    # On success errcode is often absent instead of 0.
    if fields.get("errcode"):
        raise _wechat_error(fields["errcode"])
    return fields


def _wechat_silent(what: str) -> WechatUnavailable:
    return WechatUnavailable(
        "WeChat does not answer the login; please try again.", reason=f"code2Session: {what}"
    )


def _wechat_error(errcode: Any) -> Exception:
    reason = f"code2Session errcode {str(errcode)[:16]}"
    match errcode:
        case 40029 | 40163 | 41008:
            return Unauthorized(
                "The login code is invalid, used or expired; call wx.login again.", reason=reason
            )
        case 40226:
            return Forbidden("WeChat blocks this user.", reason=reason)
        case 45011:
            return TooManyRequests("Too many logins of this user; please wait.", reason=reason)
        case -1:
            return WechatUnavailable("WeChat is busy; please try again.", reason=reason)
        case 40013 | 41002:
            return Misconfigured([f"WECHAT_APPID is not what WeChat knows ({reason})"])
        case 40125 | 41004:
            return Misconfigured([f"WECHAT_SECRET does not belong to WECHAT_APPID ({reason})"])
    return WechatRejected("WeChat refuses the login.", reason=reason)


def read_business_token(token: str, expected: BusinessJwt, now: datetime) -> Any:
    """
    The ``sub`` of the business's own login token.

    The algorithm is the configured one whatever the token's header says, so neither ``none`` nor a
    public key used as an HMAC secret can pass; ``kid``, ``jku`` and the like are not looked at.

    Raises:
        Unauthorized: with the reason for the log.
    """
    import jwt

    options: Any = {"require": ["exp", "sub"], "verify_aud": expected.audience is not None, **NO_CLOCK}
    try:
        claims = jwt.decode(
            token,
            expected.key,
            algorithms=[expected.algorithm],
            audience=expected.audience,
            issuer=expected.issuer,
            options=options,
        )
    except (jwt.PyJWTError, *UNTYPED_JWT_ERRORS) as error:
        raise _unauthorized(type(error).__name__) from None
    check_times(claims, now, leeway=CLOCK_LEEWAY)
    return claims["sub"]


def _is_subject(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value.encode("utf-8", "surrogatepass")) <= MAX_SUBJECT_BYTES


def _bearer_token(headers: Mapping[str, str]) -> str:
    """
    The token of ``X-Upload-Token``, else of ``Authorization: Bearer``.

    The former is for triggers and clients that need ``Authorization`` for a signature of their own.
    """
    token = headers.get("x-upload-token", "").strip()
    if not token:
        scheme, _, token = headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("no bearer token")
    token = token.strip()
    # Repeated headers arrive joined with a comma, and which of two was meant is not ours to guess.
    if not token or len(token) > MAX_TOKEN_CHARACTERS or not token.isascii() or set(token) & set(", \t"):
        raise _unauthorized("bearer token malformed")
    return token


def _unauthorized(reason: str) -> Unauthorized:
    return Unauthorized(
        "A valid token is needed; log in and send it as Authorization: Bearer.", reason=reason
    )
