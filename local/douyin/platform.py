"""
Local Douyin, independent of sockets: ``code2Session``, version 2.

Source: https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/log-in/code-2-session
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from local.common.clock import Clock
from local.common.codes import Codes
from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, SLOW, Faults
from local.common.login import LoginPlatform
from local.douyin.rules import DouyinRules


class DouyinError(NamedTuple):
    err_no: int
    err_tips: str


SYSTEM_BUSY = DouyinError(-1, "system error")
# Of what is missing the pages name no number.
MISSING = DouyinError(40014, "missing parameter")
INVALID_APPID = DouyinError(40015, "bad appid")
INVALID_SECRET = DouyinError(40017, "bad secret")
INVALID_CODE = DouyinError(40018, "bad code")
INVALID_ANONYMOUS_CODE = DouyinError(40019, "bad anonymous code")

ERRORS = {
    "busy": SYSTEM_BUSY,
    "invalid_code": INVALID_CODE,
    "bad_appid": INVALID_APPID,
    "bad_secret": INVALID_SECRET,
}
MISSING_FIELD, WITH_OPENID = "missing_field", "error_with_openid"
KINDS = frozenset({*ERRORS, *RAW, SLOW, DROP, REDIRECT, ANSWER_LOST, MISSING_FIELD, WITH_OPENID})
EMPTY = dict.fromkeys(("session_key", "openid", "anonymous_openid", "unionid"), "")


class Douyin(LoginPlatform):
    """
    Douyin with the apps that ``register`` names.

    Args:
        rules: how what Douyin's pages leave open is read.
    """

    def __init__(self, now: Clock, rules: DouyinRules) -> None:
        super().__init__(now, Faults(KINDS), Codes(now, rules.douyin_code_lives, "_000", 36))
        self.rules = rules
        self.apps: dict[str, str] = {}

    def register(self, app_id: str, secret: str) -> None:
        """Know an app from now on."""
        self.apps[app_id] = secret

    def issue_anonymous_code(self, openid: str | None = None, app_id: str = "") -> str:
        """Issue an anonymous code, which names a device and no user."""
        return self.codes.issue(_anonymous(app_id or next(iter(self.apps))), openid)

    def take(self, given: Mapping[str, Any] | None) -> dict[str, str] | DouyinError:
        """Return the ``data`` for what a body gave."""
        texts = {name: value for name, value in (given or {}).items() if isinstance(value, str) and value}
        code, anonymous_code = texts.get("code"), texts.get("anonymous_code")
        if not texts.get("appid") or not texts.get("secret") or not (code or anonymous_code):
            return MISSING
        secret = self.apps.get(texts["appid"])
        if secret is None:
            return INVALID_APPID
        if not hmac.compare_digest(texts["secret"].encode(), secret.encode()):
            return INVALID_SECRET
        data = {**EMPTY, "session_key": base64.b64encode(secrets.token_bytes(16)).decode()}
        if code:
            user = self.codes.exchange(texts["appid"], code)
            if isinstance(user, str):
                return INVALID_CODE
            data["openid"] = user.openid
            if self.rules.douyin_gives_unionid:
                data["unionid"] = f"union-{user.name}"
        if anonymous_code:
            device = self.codes.exchange(_anonymous(texts["appid"]), anonymous_code)
            if isinstance(device, str):
                return INVALID_ANONYMOUS_CODE
            data["anonymous_openid"] = device.openid
        return data


def _anonymous(app_id: str) -> str:
    """Return the app that an anonymous code is issued for, so that it is no code of a user."""
    return f"{app_id} anonymous"
