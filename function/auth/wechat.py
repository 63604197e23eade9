"""Users of a WeChat mini-program: they exchange a code of ``wx.login`` for a session token."""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime

from function.annotations import Any
from function.auth import Caller, caller_from_subject, is_subject, session
from function.config import types
from function.config.profile import Profile
from function.config.profiles import problem_in
from function.config.setting_table import CallerEntry, CallerKind, Setting
from function.config.settings import Settings
from function.errors import (
    Forbidden,
    LoginRejected,
    LoginUnavailable,
    Problem,
    TooManyRequests,
    Unauthorized,
    UploadError,
)
from function.http.client import ExchangeFailed, Send
from function.http.json_body import object_in
from function.messages import Message
from function.wechat import WechatApp, WechatPush, wrong_appid, wrong_secret

# Five seconds together. Most for the first try: a code is valid once, so a retry only helps if WeChat never
# received the first.
CODE2SESSION_BUDGETS_SECONDS = (3.5, 1.5)
# The message push delivers verdicts and revocations; it needs both.
PUSH_SETTINGS = ("WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")


def log_in(code: str, entry: CallerEntry, settings: Settings, send: Send, _now: datetime) -> Caller:
    """Return the caller whom a code of ``wx.login`` names; each failure of the exchange has its error."""
    return caller_from_subject(openid_of(code, entry.settings, send), entry, settings)


def openid_of(code: str, app: WechatApp, send: Send) -> str:
    """
    Exchange a code for an openid at WeChat; the session_key is dropped.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
    """
    first_seconds, second_seconds = CODE2SESSION_BUDGETS_SECONDS
    try:
        response = _code2session(code, app, send, first_seconds)
    except LoginUnavailable:
        response = _code2session(code, app, send, second_seconds)
    openid = response.get("openid")
    if not is_subject(openid):
        raise _unusable("without openid")
    return openid


def _code2session(code: str, app: WechatApp, send: Send, budget_seconds: float) -> dict[str, Any]:
    query = {"appid": app.appid, "secret": app.secret, "js_code": code, "grant_type": "authorization_code"}
    try:
        response = send(
            "GET", f"{app.endpoint}/sns/jscode2session", query=query, budget_seconds=budget_seconds
        )
    except ExchangeFailed as error:
        raise _wechat_silent(error.kind) from None
    if response.status >= 500:
        raise _wechat_silent(f"HTTP {response.status}")
    fields = object_in(response.body)
    if fields is None:
        raise _unusable("without JSON")
    # On success errcode is often absent instead of 0.
    if fields.get("errcode"):
        raise _wechat_error(fields["errcode"])
    return fields


def _unusable(reason: str) -> LoginRejected:
    return LoginRejected("WeChat's response to the login is invalid.", reason=f"code2Session {reason}")


def _wechat_silent(reason: str) -> LoginUnavailable:
    return LoginUnavailable(
        "WeChat did not respond to the login; please try again.", reason=f"code2Session: {reason}"
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
            return LoginUnavailable("WeChat is busy; please try again.", reason=reason, upstream=code)
        case 40013 | 41002:
            return wrong_appid(reason, code)
        case 40125 | 41004:
            return wrong_secret(reason, code)
    return LoginRejected("WeChat refused the login.", reason=reason, upstream=code)


def _read(values: Mapping[str, Any]) -> WechatApp:
    push = None
    if "WECHAT_PUSH_TOKEN" in values:
        forward_url = values.get("WECHAT_PUSH_FORWARD_URL")
        push = WechatPush(values["WECHAT_PUSH_TOKEN"], values["WECHAT_PUSH_AES_KEY"], forward_url)
    return WechatApp(values["WECHAT_APPID"], values["WECHAT_SECRET"], values["WECHAT_ENDPOINT"], push)


def _problems(
    values: Mapping[str, Any], profiles: Iterable[Profile], refused: Container[str]
) -> Iterator[Problem]:
    """Find settings of the message push that a content check or ``ERASE_ON`` needs."""
    for name in PUSH_SETTINGS if values.get("ERASE_ON") else ():
        if name not in values and name not in refused:
            yield Problem("ERASE_ON", Message("ERASE_ON needs {name}", name=name), needs=name)
    for profile in profiles:
        for name in PUSH_SETTINGS:
            if profile.is_checked_by_wechat and name not in values and name not in refused:
                clause = Message('hold with "check" needs {name}', name=name)
                yield problem_in(profile.name, clause, needs=name)


KIND = CallerKind(
    session.identify,
    log_in=log_in,
    settings=(
        Setting(
            "WECHAT_APPID",
            types.matching("[A-Za-z0-9_-]{1,64}", Message("the mini-program's AppID (wx…)")),
            is_needed=True,
        ),
        Setting(
            "WECHAT_SECRET",
            types.Type(Message("the mini-program's AppSecret"), str),
            is_needed=True,
            is_secret=True,
        ),
        Setting("WECHAT_ENDPOINT", types.ORIGIN, "https://api.weixin.qq.com"),
        Setting(
            "WECHAT_PUSH_TOKEN",
            types.matching(
                "[A-Za-z0-9]{3,32}", Message("the Token of the message push: 3 to 32 letters and digits")
            ),
            is_secret=True,
            needs=("WECHAT_PUSH_AES_KEY",),
        ),
        Setting(
            "WECHAT_PUSH_AES_KEY",
            types.matching(
                "[A-Za-z0-9]{43}", Message("the EncodingAESKey of the message push: 43 letters and digits")
            ),
            is_secret=True,
            needs=("WECHAT_PUSH_TOKEN",),
        ),
        Setting("WECHAT_PUSH_FORWARD_URL", types.ADDRESS, is_secret=True, needs=PUSH_SETTINGS),
    ),
    read=_read,
    problems=_problems,
    app_setting="WECHAT_APPID",
)
