"""Users of a Douyin mini-program: they exchange a code of ``tt.login`` for a session token."""

import json
from collections.abc import Mapping
from datetime import datetime

from function.annotations import Any, NamedTuple
from function.auth import Caller, caller_from_subject, is_subject, login_code, session
from function.config import types
from function.config.setting_table import CallerEntry, CallerKind, Setting
from function.config.settings import Settings
from function.errors import UploadError
from function.http.client import Send
from function.http.json_body import object_in
from function.messages import Message

CALL = "jscode2session"


class DouyinApp(NamedTuple):
    """The mini-program, as Douyin knows it; ``endpoint`` is an origin."""

    appid: str
    secret: str
    endpoint: str

    def __repr__(self) -> str:
        return f"DouyinApp({self.appid})"


def log_in(code: str, entry: CallerEntry, settings: Settings, send: Send, now: datetime) -> Caller:
    """Return the caller whom a code of ``tt.login`` names; each failure of the exchange has its error."""
    return caller_from_subject(openid_of(code, entry.settings, send, now), entry, settings)


def openid_of(code: str, app: DouyinApp, send: Send, _now: datetime) -> str:
    """
    Exchange a code for an openid at Douyin; all else is dropped: ``anonymous_openid`` names a phone.

    Source: https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/log-in/code-2-session
    """
    body = json.dumps({"appid": app.appid, "secret": app.secret, "code": code}).encode()
    url = f"{app.endpoint}/api/apps/v2/jscode2session"
    fields = object_in(login_code.post_code(send, url, body, "application/json", CALL)) or {}
    err_no, data = fields.get("err_no"), fields.get("data")
    # False is 0, too.
    if type(err_no) is not int:
        raise login_code.refused(f"{CALL} without err_no")
    if err_no != 0:
        raise _error(str(err_no)[:16])
    openid = data.get("openid") if isinstance(data, dict) else None
    if not is_subject(openid):
        raise login_code.refused(f"{CALL} without openid")
    return openid


def _error(err_no: str) -> UploadError:
    reason = f"{CALL} err_no {err_no}"
    match err_no:
        case "40018":
            return login_code.wrong_code(reason, err_no)
        case "40015":
            return login_code.wrong_setting("DOUYIN_APPID", reason, err_no)
        case "40017":
            return login_code.wrong_setting("DOUYIN_SECRET", reason, err_no)
        case "-1":
            return login_code.unavailable(reason, err_no)
    return login_code.refused(reason, err_no)


def _read(values: Mapping[str, Any]) -> DouyinApp:
    return DouyinApp(values["DOUYIN_APPID"], values["DOUYIN_SECRET"], values["DOUYIN_ENDPOINT"])


KIND = CallerKind(
    session.identify,
    log_in=log_in,
    settings=(
        Setting(
            "DOUYIN_APPID",
            types.matching("[A-Za-z0-9_-]{1,64}", Message("the mini-program's AppID (tt…)")),
            is_needed=True,
        ),
        Setting(
            "DOUYIN_SECRET",
            types.Type(Message("the mini-program's AppSecret"), str),
            is_needed=True,
            is_secret=True,
        ),
        Setting("DOUYIN_ENDPOINT", types.ORIGIN, "https://developer.toutiao.com"),
    ),
    read=_read,
    app_setting="DOUYIN_APPID",
)
