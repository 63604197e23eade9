"""
The local Douyin: ``code2Session``, version 2.

Source: https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/log-in/code-2-session
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from local.common.clock import Clock, utc_now
from local.common.codes import Codes, User
from local.common.faults import ANSWER_LOST, DROP, RAW, REDIRECT, SLOW, Faults
from local.common.login import LoginPlatform, OneCallHandler, json_object
from local.common.service import Service
from local.douyin.rules import DouyinRules

PATH = "/api/apps/v2/jscode2session"


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
EMPTY = dict.fromkeys(("session_key", "openid", "anonymous_openid", "unionid"), "")
# Behind an AppID: what an anonymous code is issued for, so that it is no code of a user.
ANONYMOUS = " anonymous"


class DouyinServer(LoginPlatform, Service):
    """
    One local Douyin.

    Args:
        port: ``0`` takes any free one.

        rules: how what Douyin's pages leave open is read.

    Attributes:
        apps: secrets by AppID.
    """

    def __init__(self, port: int = 0, now: Clock = utc_now, rules: DouyinRules | None = None) -> None:
        self.rules = rules or DouyinRules()
        self.apps: dict[str, str] = {}
        faults = Faults((*ERRORS, *RAW, SLOW, DROP, REDIRECT, ANSWER_LOST, MISSING_FIELD, WITH_OPENID))
        LoginPlatform.__init__(self, now, faults, Codes(now, self.rules.douyin_code_lives, "_000", 36))
        Service.__init__(self, partial(_Handler, self), port)

    def take(self, given: Mapping[str, Any]) -> dict[str, Any] | DouyinError:
        """Return the ``data`` for what a body gave."""
        texts = {name: value for name, value in given.items() if isinstance(value, str) and value}
        code, anonymous_code = texts.get("code"), texts.get("anonymous_code")
        if not {"appid", "secret"} <= set(texts) or not (code or anonymous_code):
            return MISSING
        app_id = texts["appid"]
        if app_id not in self.apps:
            return INVALID_APPID
        if not hmac.compare_digest(texts["secret"].encode(), self.apps[app_id].encode()):
            return INVALID_SECRET
        user = self.codes.exchange(app_id, code) if code else User("", "")
        if isinstance(user, str):
            return INVALID_CODE
        device = self.codes.exchange(app_id + ANONYMOUS, anonymous_code) if anonymous_code else User("", "")
        if isinstance(device, str):
            return INVALID_ANONYMOUS_CODE
        key, unionid = base64.b64encode(secrets.token_bytes(16)).decode(), user.name and f"union-{user.name}"
        return dict(zip(EMPTY, (key, user.openid, device.openid, unionid), strict=True))


class _Handler(OneCallHandler):
    platform: DouyinServer
    path_of_login, errors = PATH, ERRORS

    def fields(self, query: str, body: bytes) -> dict[str, Any]:
        is_json = self.headers.get_content_type() == "application/json"
        return (json_object(body) if is_json else None) or {}

    def tell(self, said: dict[str, Any] | DouyinError, kind: str) -> None:
        has_data = isinstance(said, dict) or self.platform.rules.douyin_errors_have_data
        error = said if isinstance(said, DouyinError) else DouyinError(0, "success")
        data = dict(said if isinstance(said, dict) else EMPTY)
        if kind == MISSING_FIELD:
            data.pop("openid")
        elif kind == WITH_OPENID:
            error = SYSTEM_BUSY
        self.answer_json(200, {**error._asdict(), **({"data": data} if has_data else {})})
