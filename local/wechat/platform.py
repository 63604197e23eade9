"""
Local WeChat, independent of sockets: logins, access tokens, checks.

Sources: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html,
https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html,
https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_mediacheckasync.html
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from local.common.clock import Clock
from local.common.codes import UNKNOWN, USED, Codes
from local.common.login import LoginPlatform, json_object
from local.wechat import errors
from local.wechat.access_tokens import AccessTokens
from local.wechat.checks import MediaChecks, NameOf
from local.wechat.errors import WechatError
from local.wechat.faults import new_faults
from local.wechat.push import PushSettings
from local.wechat.rules import WechatRules

CODE_LIVES = timedelta(minutes=5)
LOGINS_PER_USER_AND_MINUTE = 100

Result = dict[str, Any] | WechatError


class MiniProgram(NamedTuple):
    secret: str
    tokens: AccessTokens


class Wechat(LoginPlatform):
    """
    WeChat with one mini-program, until ``register`` adds another.

    Args:
        push: what its developer wrote into the console about the message push.

        name_of: what a picture was called by who sent it, by its URL.

        rules: how what WeChat's pages leave open is read.

    Attributes:
        tokens: access tokens of the first mini-program.

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
        codes = Codes(now, CODE_LIVES, "o", 28, LOGINS_PER_USER_AND_MINUTE)
        super().__init__(now, new_faults(), codes)
        self.apps: dict[str, MiniProgram] = {}
        self.checks = MediaChecks(codes.last_visits, now, name_of, rules)
        self.register(app_id, app_secret, push)
        self.tokens = self.apps[app_id].tokens

    def register(self, app_id: str, secret: str, push: PushSettings | None = None) -> None:
        """Know a mini-program from now on, or know it by another secret and push."""
        known = self.apps.get(app_id)
        self.apps[app_id] = MiniProgram(secret, known.tokens if known else AccessTokens(self.now))
        self.checks.pushes[app_id] = push

    def reset(self) -> None:
        """Forget what was planned, asked and pushed; who logged in is still known."""
        super().reset()
        self.checks.plan.clear()
        self.checks.pushed.clear()

    def app_of(self, token: str) -> str:
        """Return the AppID that an access token was given for; the first one for any other text."""
        given = (app_id for app_id, app in self.apps.items() if app.tokens.has_given(token))
        return next(given, next(iter(self.apps)))

    def code2session(self, method: str, given: Mapping[str, str]) -> Result:
        """Log in with what a query gave; a success has no ``errcode``, as WeChat's own has none."""
        if method != "GET":
            return errors.GET_REQUIRED
        refusal = (
            _missing(given)
            or (None if given.get("js_code") else errors.CODE_MISSING)
            or self._refusal(given, "authorization_code")
        )
        if refusal:
            return refusal
        user = self.codes.exchange(given["appid"], given["js_code"])
        if isinstance(user, str):
            return {UNKNOWN: errors.INVALID_CODE, USED: errors.USED_CODE}.get(user, errors.RATE_LIMITED)
        return {"session_key": base64.b64encode(secrets.token_bytes(16)).decode(), "openid": user.openid}

    def stable_token(self, method: str, body: bytes) -> Result:
        """getStableAccessToken; a success has no ``errcode``."""
        if method != "POST":
            return errors.POST_REQUIRED
        given = json_object(body)
        if given is None:
            return errors.NOT_JSON
        texts = {name: value for name, value in given.items() if isinstance(value, str)}
        refusal = _missing(texts) or self._refusal(texts, "client_credential")
        if refusal:
            return refusal
        token = self.apps[texts["appid"]].tokens.give(is_forced=given.get("force_refresh") is True)
        if isinstance(token, WechatError):
            return token
        return {"access_token": token[0], "expires_in": token[1]}

    def media_check_async(self, method: str, query: Mapping[str, str], body: bytes) -> Result:
        """mediaCheckAsync: accepted, and no more."""
        if method != "POST":
            return errors.POST_REQUIRED
        token = query.get("access_token", "")
        app_id = self.app_of(token)
        if refusal := self.apps[app_id].tokens.refusal(token):
            return refusal
        if self.checks.rules.api_is_encrypted:
            return errors.NOT_SIGNED
        trace_id = self.checks.take(body, app_id)
        if isinstance(trace_id, WechatError):
            return trace_id
        return {"errcode": 0, "errmsg": "ok", "trace_id": trace_id}

    def _refusal(self, given: Mapping[str, str], grant_type: str) -> WechatError | None:
        app = self.apps.get(given["appid"])
        if app is None:
            return errors.INVALID_APPID
        if not hmac.compare_digest(given["secret"].encode(), app.secret.encode()):
            return errors.INVALID_SECRET
        return None if given.get("grant_type") == grant_type else errors.INVALID_GRANT


def _missing(given: Mapping[str, str]) -> WechatError | None:
    if not given.get("appid"):
        return errors.APPID_MISSING
    return None if given.get("secret") else errors.SECRET_MISSING
