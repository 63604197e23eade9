"""The HTTP side of the local WeChat: three calls of its API, and switches for who tests against it."""

import json
import secrets
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl

from local.common.clock import Clock, utc_now
from local.common.faults import ANSWER_LOST, SLOW, Fault
from local.common.login import CODES, json_object
from local.common.service import Service
from local.wechat.checks import NameOf
from local.wechat.control_api import ControlApi
from local.wechat.errors import WechatError
from local.wechat.faults import ANSWERS, CHECK, CONTENT_TYPE, LOGIN, TOKEN, error_of
from local.wechat.platform import Result, Wechat
from local.wechat.push import PushSettings
from local.wechat.rules import WechatRules

PATHS = {"/sns/jscode2session": LOGIN, "/cgi-bin/stable_token": TOKEN, "/wxa/media_check_async": CHECK}
BODY_BYTES = 4096
# The URL of a check may be long by itself, and JSON may write each of its characters as six.
CHECK_BYTES = 64 * 1024


class WechatServer(Wechat, Service):
    """
    One local WeChat.

    Args:
        port: ``0`` takes any free one.

        push, name_of, rules: as ``Wechat`` has them.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        port: int = 0,
        now: Clock = utc_now,
        push: PushSettings | None = None,
        name_of: NameOf | None = None,
        rules: WechatRules | None = None,
    ) -> None:
        Wechat.__init__(self, app_id, app_secret, now, push, name_of, rules)
        Service.__init__(self, partial(_Handler, self), port)

    def stop(self) -> None:
        self.checks.delivery.stop()
        super().stop()


class _Handler(ControlApi):
    def _serve(self) -> None:
        if self.serve_faults(self.wechat.faults):
            return
        path, _, query = self.path.partition("?")
        call = PATHS.get(path, "")
        body = self.read_body(CHECK_BYTES if call == CHECK else BODY_BYTES)
        if body is None or self.serve_control(path, body):
            return
        if call:
            # Of a repeated parameter the first counts, and text that is no UTF-8 matches nothing.
            given = dict(reversed(parse_qsl(query, keep_blank_values=True, errors="replace")))
            self._serve_call(path, call, given, body)
        else:
            self.wechat.record(path, "", None)
            self.answer_json(404, {"error": f"only {', '.join(PATHS)} and POST {CODES} exist here"})

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _serve_call(self, path: str, call: str, given: Mapping[str, str], body: bytes) -> None:
        app_id = str((json_object(body) or {} if call == TOKEN else given).get("appid", ""))
        if call == CHECK:
            app_id = self.wechat.app_of(given.get("access_token", ""))
        fault = self.wechat.faults.take(call)
        if fault is not None and self._play(fault, path, call, app_id):
            return
        result = self._result_of(call, given, body)
        if isinstance(result, WechatError):
            self._refuse(result, path, app_id)
            return
        self.wechat.record(path, app_id, 0)
        if fault is not None and fault.kind == ANSWER_LOST:
            self.drop_connection()
        else:
            self.answer(200, json.dumps(result).encode(), CONTENT_TYPE)

    def _result_of(self, call: str, given: Mapping[str, str], body: bytes) -> Result:
        if call == LOGIN:
            return self.wechat.code2session(self.command, given)
        if call == TOKEN:
            return self.wechat.stable_token(self.command, body)
        return self.wechat.media_check_async(self.command, given, body)

    def _refuse(self, error: WechatError, path: str, app_id: str) -> None:
        self.wechat.record(path, app_id, error.errcode)
        rid = "-".join(secrets.token_hex(4) for _ in range(3))
        body = {"errcode": error.errcode, "errmsg": f"{error.errmsg}, rid: {rid}"}
        self.answer(200, json.dumps(body).encode(), CONTENT_TYPE)

    def _play(self, fault: Fault, path: str, call: str, app_id: str) -> bool:
        """Play a fault, and say whether that was the answer."""
        if error := error_of(fault.kind, call):
            self._refuse(error, path, app_id)
            return True
        if fault.kind not in (SLOW, ANSWER_LOST):
            self.wechat.record(path, app_id, None)
        return self.play(fault, ANSWERS)
