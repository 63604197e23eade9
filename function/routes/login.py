"""``POST /login``: exchange a login code for a session token."""

import re
from collections.abc import Mapping

from function.annotations import Any
from function.auth.session import SessionToken
from function.context import RequestContext
from function.errors import BadRequest, Unauthorized
from function.http.json_body import read_json_object
from function.limits.rate_limit import items_by_ip

LOGIN_CODE = r"[A-Za-z0-9_-]{1,128}"


def handle(context: RequestContext) -> dict[str, Any]:
    """Return ``{"token": …, "expiresIn": seconds}``."""
    settings = context.settings
    # A malformed code does not count against others behind the same client IP.
    fields = read_json_object(context.request.body)
    code = code_of(fields)
    items = items_by_ip("logins", settings.login_rate, context.client_ip)
    # The last item is of the widest network, so a cluster stores all counts of one request together.
    context.instance.limiter.hit_shared(items[-1].key, items, context.now, context.line)
    if (entry := settings.only) is None:
        from function.auth.several import log_in

        caller = log_in(context, code, fields.get("app"))
    else:
        assert entry.kind.log_in is not None, "as the route's feature says"
        caller = entry.kind.log_in(code, entry, settings, context.send, context.now)
    context.line.owner = caller.owner
    token = SessionToken.issue(caller.subject, caller.entry, settings, context.now)
    return {"token": token, "expiresIn": int(settings.token_life.total_seconds())}


def code_of(fields: Mapping[str, Any]) -> str:
    """Return the login code of a request, such as one of ``wx.login``."""
    code = fields.get("code")
    if code is None or code == "":
        raise BadRequest("code is missing; it comes from wx.login.")
    if not isinstance(code, str):
        raise BadRequest("code must be a string.")
    if not re.fullmatch(LOGIN_CODE, code):
        raise Unauthorized("The login code is invalid; call wx.login again.", reason="code malformed")
    return code
