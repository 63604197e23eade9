"""``POST /login``: a code of ``wx.login`` for a session token."""

from typing import Any

from function.auth import wechat
from function.context import RequestContext
from function.http.json_body import read_json_object
from function.limits.rate_limit import claims_by_address, client_address


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"token": …, "expiresIn": seconds}``.
    """
    settings = context.settings
    # What can be no login costs nobody behind the same address theirs.
    code = wechat.code_of(read_json_object(context.request.body))
    address = client_address(context.request, settings.client_address_header)
    claims = claims_by_address("logins", settings.login_rate, address)
    if settings.quota_url:
        from function.limits.quota import count

        # The last claim is the widest, so all of one request are kept in one place.
        count(context, claims[-1].who, claims)
    else:
        context.instance.limiter.hit(claims, context.now)
    caller = wechat.log_in(code, settings, context.instance.send)
    context.line.owner = caller.owner
    token = wechat.session_token(caller, settings, context.now)
    return {"token": token, "expiresIn": int(settings.token_life.total_seconds())}
