"""
``POST /login``: a code of ``wx.login`` for a session token.
"""

from datetime import datetime
from typing import Any

from function.body import read_json_object
from function.callers import wechat
from function.http import Request
from function.instance import Instance
from function.limits import Claim, address_group
from function.log_line import LogLine


def answer(request: Request, instance: Instance, now: datetime, line: LogLine) -> dict[str, Any]:
    """
    Returns:
        ``{"token": …, "expiresIn": seconds}``.
    """
    settings = instance.settings
    instance.limits.take([Claim("logins", settings.login_rate, address_group(request.source_ip))], now)
    caller = wechat.log_in(read_json_object(request.body).get("code"), settings, instance.exchange)
    line.owner = caller.owner
    token = wechat.session_token(caller, settings, now)
    return {"token": token, "expiresIn": int(settings.token_life.total_seconds())}
