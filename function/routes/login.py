"""``POST /login``: exchange a login code for a session token."""

import re
from collections.abc import Mapping
from typing import Any

from function.auth import wechat
from function.context import RequestContext
from function.errors import BadRequest, Unauthorized
from function.http.json_body import read_json_object
from function.limits.rate_limit import claims_by_address, client_address

LOGIN_CODE = r"[A-Za-z0-9_-]{1,128}"


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"token": …, "expiresIn": seconds}``.
    """
    settings = context.settings
    # A malformed code does not count against others behind the same client IP.
    code = code_of(read_json_object(context.request.body))
    address = client_address(context.request, settings.client_address_header)
    claims = claims_by_address("logins", settings.login_rate, address)
    if settings.quota_url:
        from function.limits.quota import count

        # The last claim is the widest, so all of one request are kept in one place.
        count(context, claims[-1].who, claims)
    else:
        context.instance.limiter.hit(claims, context.now)
    log_in = settings.caller_kind.log_in
    assert log_in is not None, "as the route's feature says"
    caller = log_in(code, settings, context.instance.send)
    context.line.owner = caller.owner
    token = wechat.session_token(caller, settings, context.now)
    return {"token": token, "expiresIn": int(settings.token_life.total_seconds())}


def code_of(fields: Mapping[str, Any]) -> str:
    """
    The login code of a request, such as one of ``wx.login``.

    Raises:
        BadRequest, Unauthorized: it is missing or malformed.
    """
    code = fields.get("code")
    if code is None or code == "":
        raise BadRequest("code is missing; it comes from wx.login.")
    if not isinstance(code, str):
        raise BadRequest("code must be a text.")
    if not re.fullmatch(LOGIN_CODE, code):
        raise Unauthorized("The login code is invalid; call wx.login again.", reason="code malformed")
    return code
