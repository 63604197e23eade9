"""
The local WeChat: code2Session, and nothing else of WeChat.

Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
"""

import base64
import hmac
import json
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from local.ground.clock import Clock, utc_now
from local.ground.faults import DROP, RAW, REDIRECT, SLOW, Fault, Faults, Raw
from local.ground.http_server import Handler
from local.ground.service import Service
from local.wechat.codes import INVALID_CODE, RATE_LIMITED, USED_CODE, Codes, WechatError

CODE2SESSION = "/sns/jscode2session"
CODES = "/-/codes"
BODY_BYTES = 4096
CALLS_KEPT = 10_000
# What WeChat sends JSON as; clients have to parse it all the same.
CONTENT_TYPE = "text/plain"

SYSTEM_BUSY = WechatError(-1, "system error")
# Codes in this group are known from reports, not from the documentation.
INVALID_APPID = WechatError(40013, "invalid appid")
INVALID_SECRET = WechatError(40125, "invalid appsecret")
INVALID_GRANT = WechatError(40002, "invalid grant_type")
GET_REQUIRED = WechatError(43001, "require GET method")
MISSING = {
    "appid": WechatError(41002, "appid missing"),
    "secret": WechatError(41004, "appsecret missing"),
    "js_code": WechatError(41008, "missing code"),
}

ERRORS = {
    "busy": SYSTEM_BUSY,
    "throttled": RATE_LIMITED,
    "blocked": WechatError(40226, "code blocked"),
    "invalid_code": INVALID_CODE,
    "used_code": USED_CODE,
    "bad_appid": INVALID_APPID,
    "bad_secret": INVALID_SECRET,
}


ANSWERS = {
    **RAW,
    "missing_field": Raw(200, b"{}", CONTENT_TYPE),
    "wrong_type": Raw(200, b'{"openid": 20301, "session_key": "c2Vzc2lvbl9rZXlfMTIzNA=="}', CONTENT_TYPE),
    "wrong_error_type": Raw(200, b'{"errcode": {"a": 1}}', CONTENT_TYPE),
}
KINDS = frozenset({*ERRORS, *ANSWERS, SLOW, DROP, REDIRECT})


@dataclass(frozen=True)
class Call:
    """
    One request that arrived; neither its secret nor its code is kept.

    Args:
        errcode: 0 for a success, ``None`` when a fault or an unknown path was the answer.
    """

    path: str
    app_id: str
    errcode: int | None
    time: datetime


class WechatServer(Service):
    """
    One local WeChat with one mini-program.

    Args:
        port: ``0`` takes any free one.
    """

    def __init__(self, app_id: str, app_secret: str, port: int = 0, now: Clock = utc_now) -> None:
        self.faults = Faults(KINDS)
        self.now = now
        self._app_id = app_id
        self._app_secret = app_secret
        self._codes = Codes(app_id, now)
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        super().__init__(partial(_Handler, self), port)

    @property
    def calls(self) -> list[Call]:
        """The last 10,000 requests, oldest first; those to ``/-/`` are not among them."""
        return list(self._calls)

    def issue_code(self, openid: str | None = None) -> str:
        """What ``wx.login`` gives the mini-program: a code for this user, or for a new one."""
        return self._codes.issue(openid)

    def record(self, path: str, app_id: str, errcode: int | None) -> None:
        self._calls.append(Call(path, app_id[:64], errcode, self.now()))

    def code2session(self, method: str, given: dict[str, str]) -> dict[str, str] | WechatError:
        """Log in with what a query gave; a success has no ``errcode``, as WeChat's own has none."""
        if method != "GET":
            return GET_REQUIRED
        for name, error in MISSING.items():
            if not given.get(name):
                return error
        if given["appid"] != self._app_id:
            return INVALID_APPID
        if not hmac.compare_digest(given["secret"].encode(), self._app_secret.encode()):
            return INVALID_SECRET
        if given.get("grant_type") != "authorization_code":
            return INVALID_GRANT
        openid = self._codes.exchange(given["js_code"])
        if isinstance(openid, WechatError):
            return openid
        return {"session_key": base64.b64encode(secrets.token_bytes(16)).decode(), "openid": openid}


class _Handler(Handler):
    def __init__(self, wechat: WechatServer, *connection: Any) -> None:
        self.wechat = wechat
        super().__init__(*connection)

    def _serve(self) -> None:
        if self.serve_faults(self.wechat.faults):
            return
        body = self.read_body(BODY_BYTES)
        if body is None:
            return
        path, _, query = self.path.partition("?")
        if path == CODES:
            self._issue(body)
        elif path != CODE2SESSION:
            self.wechat.record(path, "", None)
            self.answer_json(404, {"error": f"only GET {CODE2SESSION} and POST {CODES} exist here"})
        else:
            self._log_in(query)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _issue(self, body: bytes) -> None:
        if self.command != "POST":
            self.answer_json(405, {"error": f"issue a code with POST {CODES}"}, Allow="POST")
            return
        try:
            wanted = json.loads(body or b"{}")
            if not isinstance(wanted, dict) or set(wanted) - {"openid"}:
                raise ValueError('the body is {} or {"openid": "..."}')
            openid = wanted.get("openid")
            if not (openid is None or isinstance(openid, str)):
                raise ValueError("openid is a text")
            code = self.wechat.issue_code(openid)
        except (ValueError, RecursionError) as error:
            self.answer_json(400, {"error": str(error)})
            return
        self.answer_json(200, {"code": code})

    def _log_in(self, query: str) -> None:
        # Of a repeated parameter the first counts, and text that is no UTF-8 matches nothing.
        given = dict(reversed(parse_qsl(query, keep_blank_values=True, errors="replace")))
        app_id = given.get("appid", "")
        fault = self.wechat.faults.take()
        if fault is not None and self._play(fault, app_id):
            return
        result = self.wechat.code2session(self.command, given)
        if isinstance(result, WechatError):
            self._refuse(result, app_id)
            return
        self.wechat.record(CODE2SESSION, app_id, 0)
        self.answer(200, json.dumps(result).encode(), CONTENT_TYPE)

    def _refuse(self, error: WechatError, app_id: str) -> None:
        self.wechat.record(CODE2SESSION, app_id, error.errcode)
        rid = "-".join(secrets.token_hex(4) for _ in range(3))
        body = {"errcode": error.errcode, "errmsg": f"{error.errmsg}, rid: {rid}"}
        self.answer(200, json.dumps(body).encode(), CONTENT_TYPE)

    def _play(self, fault: Fault, app_id: str) -> bool:
        """Play a fault, and say whether that was the answer."""
        if fault.kind in ERRORS:
            self._refuse(ERRORS[fault.kind], app_id)
            return True
        if fault.kind != SLOW:
            self.wechat.record(CODE2SESSION, app_id, None)
        return self.play(fault, ANSWERS)
