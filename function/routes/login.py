"""``POST /login``: a code of ``wx.login`` for a session token."""

from datetime import datetime
from typing import Any

from function.addresses import claims_by_address, client_address
from function.body import read_json_object
from function.callers import wechat
from function.http import Request
from function.instance import Instance
from function.log_line import LogLine


def answer(request: Request, instance: Instance, now: datetime, line: LogLine) -> dict[str, Any]:
    """
    Returns:
        ``{"token": …, "expiresIn": seconds}``.
    """
    settings = instance.settings
    wechat.app_of(settings)
    # What can be no login costs nobody behind the same address theirs.
    code = wechat.code_of(read_json_object(request.body))
    address = client_address(request, settings.client_address_header)
    instance.limits.take(claims_by_address("logins", settings.login_rate, address), now)
    caller = wechat.log_in(code, settings, instance.exchange)
    line.owner = caller.owner
    token = wechat.session_token(caller, settings, now)
    return {"token": token, "expiresIn": int(settings.token_life.total_seconds())}
