"""
Local WeChat, independent of sockets: logins, access tokens, checks.

Sources: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html,
https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html,
https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_mediacheckasync.html
"""

import base64
import hmac
import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.common.clock import Clock
from local.wechat.access_tokens import AccessTokens
from local.wechat.checks import MediaChecks, NameOf
from local.wechat.codes import Codes
from local.wechat.errors import (
    APPID_MISSING,
    CODE_MISSING,
    GET_REQUIRED,
    INVALID_APPID,
    INVALID_GRANT,
    INVALID_SECRET,
    NOT_JSON,
    NOT_SIGNED,
    POST_REQUIRED,
    SECRET_MISSING,
    WechatError,
)
from local.wechat.faults import new_faults
from local.wechat.push import PushSettings
from local.wechat.rules import WechatRules

CALLS_KEPT = 10_000

Result = dict[str, Any] | WechatError


@dataclass(frozen=True)
class Call:
    """
    One request that arrived; neither its secret nor its code nor its token is kept.

    Args:
        errcode: 0 for a success, ``None`` when a fault or an unknown path was the answer.
    """

    path: str
    app_id: str
    errcode: int | None
    time: datetime


class Wechat:
    """
    WeChat with one mini-program.

    Args:
        push: what its developer wrote into the console about the message push.

        name_of: what a picture was called by who sent it, by its URL.

        rules: how what WeChat's pages leave open is read.

    Attributes:
        faults: what goes wrong with the next calls.

        tokens: access tokens.

        checks: of media; its ``plan`` holds the outcomes of the next ones.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        now: Clock,
        push: PushSettings | None = None,
        name_of: NameOf | None = None,
        rules: WechatRules | None = None,
    ) -> None:
        self.faults = new_faults()
        self.now = now
        self.tokens = AccessTokens(now)
        self._app_id = app_id
        self._app_secret = app_secret
        self._codes = Codes(app_id, now)
        self.checks = MediaChecks(app_id, self._codes.last_visit, now, push, name_of, rules)
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)

    @property
    def calls(self) -> list[Call]:
        """The last 10,000 requests, oldest first; those to ``/-/`` are not among them."""
        return list(self._calls)

    def reset(self) -> None:
        """Forget what was planned, asked and pushed; who logged in is still known."""
        self.checks.plan.clear()
        self.checks.pushed.clear()
        self._calls.clear()

    def issue_code(self, openid: str | None = None) -> str:
        """Issue a login code, as ``wx.login`` does, for this user or a new one."""
        return self._codes.issue(openid)

    def record(self, path: str, app_id: str, errcode: int | None) -> None:
        self._calls.append(Call(path, app_id[:64], errcode, self.now()))

    def code2session(self, method: str, given: Mapping[str, str]) -> Result:
        """Log in with what a query gave; a success has no ``errcode``, as WeChat's own has none."""
        if method != "GET":
            return GET_REQUIRED
        refusal = (
            _missing(given)
            or (None if given.get("js_code") else CODE_MISSING)
            or self._refusal(given, "authorization_code")
        )
        if refusal:
            return refusal
        openid = self._codes.exchange(given["js_code"])
        if isinstance(openid, WechatError):
            return openid
        return {"session_key": base64.b64encode(secrets.token_bytes(16)).decode(), "openid": openid}

    def stable_token(self, method: str, body: bytes) -> Result:
        """getStableAccessToken; a success has no ``errcode``."""
        if method != "POST":
            return POST_REQUIRED
        given = json_object(body)
        if given is None:
            return NOT_JSON
        texts = {name: value for name, value in given.items() if isinstance(value, str)}
        refusal = _missing(texts) or self._refusal(texts, "client_credential")
        if refusal:
            return refusal
        token = self.tokens.give(is_forced=given.get("force_refresh") is True)
        if isinstance(token, WechatError):
            return token
        return {"access_token": token[0], "expires_in": token[1]}

    def media_check_async(self, method: str, query: Mapping[str, str], body: bytes) -> Result:
        """mediaCheckAsync: accepted, and no more."""
        if method != "POST":
            return POST_REQUIRED
        if refusal := self.tokens.refusal(query.get("access_token", "")):
            return refusal
        if self.checks.rules.api_is_encrypted:
            return NOT_SIGNED
        trace_id = self.checks.take(body)
        if isinstance(trace_id, WechatError):
            return trace_id
        return {"errcode": 0, "errmsg": "ok", "trace_id": trace_id}

    def _refusal(self, given: Mapping[str, str], grant_type: str) -> WechatError | None:
        if given["appid"] != self._app_id:
            return INVALID_APPID
        if not hmac.compare_digest(given["secret"].encode(), self._app_secret.encode()):
            return INVALID_SECRET
        return None if given.get("grant_type") == grant_type else INVALID_GRANT


def _missing(given: Mapping[str, str]) -> WechatError | None:
    if not given.get("appid"):
        return APPID_MISSING
    return None if given.get("secret") else SECRET_MISSING


def json_object(body: bytes) -> dict[str, Any] | None:
    """The object that a body is; ``None`` for any other text."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None
