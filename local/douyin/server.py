"""
The HTTP side of the local Douyin: its login, and switches for who tests against it.
"""

from functools import partial

from local.common.clock import Clock, utc_now
from local.common.faults import ANSWER_LOST, RAW
from local.common.login import LoginHandler, json_object
from local.common.service import Service
from local.douyin.platform import EMPTY, ERRORS, MISSING_FIELD, SYSTEM_BUSY, WITH_OPENID, Douyin, DouyinError
from local.douyin.rules import DouyinRules

PATH = "/api/apps/v2/jscode2session"
BODY_BYTES = 4096


class DouyinServer(Douyin, Service):
    """
    One local Douyin.

    Args:
        port: ``0`` takes any free one.

        rules: as ``Douyin`` has them.
    """

    def __init__(self, port: int = 0, now: Clock = utc_now, rules: DouyinRules | None = None) -> None:
        Douyin.__init__(self, now, rules or DouyinRules())
        Service.__init__(self, partial(_Handler, self), port)


class _Handler(LoginHandler):
    platform: Douyin

    def _serve(self) -> None:
        call = self.read_call(PATH, BODY_BYTES)
        if call is None:
            return
        is_json = self.headers.get_content_type() == "application/json"
        given = json_object(call[1]) if is_json else None
        app_id, fault = str((given or {}).get("appid", "")), self.platform.faults.take()
        if self.plays(fault, RAW, PATH, app_id):
            return
        kind = fault.kind if fault else ""
        taken = self.platform.take(given)
        said = ERRORS.get(kind, taken)
        error = said if isinstance(said, DouyinError) else DouyinError(0, "success")
        data = said if isinstance(said, dict) else EMPTY
        if kind == WITH_OPENID:
            error = SYSTEM_BUSY
        if kind == MISSING_FIELD:
            data = {name: value for name, value in data.items() if name != "openid"}
        self.platform.record(PATH, app_id, error.err_no)
        if kind == ANSWER_LOST:
            self.drop_connection()
        else:
            has_data = isinstance(said, dict) or self.platform.rules.douyin_errors_have_data
            self.answer_json(200, {**error._asdict(), **({"data": data} if has_data else {})})

    do_GET = do_POST = do_PUT = do_DELETE = _serve
