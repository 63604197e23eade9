"""
``POST /introspect``: a backend asks whose session token a request of its own brought.

Source: https://www.rfc-editor.org/rfc/rfc7662
"""

from urllib.parse import parse_qsl

from function.annotations import Any
from function.auth import bearer_token, owner_of
from function.auth.business_token import check_backend_token
from function.auth.session import SessionToken
from function.config.types import Rate
from function.context import RequestContext
from function.errors import BadRequest, Forbidden, Unauthorized
from function.http.gateway import Request
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem

FORM = "application/x-www-form-urlencoded"
# Of all backends together, in one instance.
CALLS = Rate(600, 60)


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Return ``{"active": true, "sub", "owner", "exp", "kind"}``, of several callers with ``"caller"``, its id;
    or ``{"active": false}`` alone.
    """
    settings, now = context.settings, context.now
    check_backend_token(bearer_token(context.request.headers), settings, now)
    context.instance.limiter.hit([RateLimitItem("introspections", CALLS, "backends")], now)
    token = _token(context.request)
    try:
        if (entry := settings.only) is None:
            from function.auth.several import entry_of_token

            entry = entry_of_token(token, settings)
            context.line.caller = entry.id
        session = SessionToken.read(token, entry, settings, now)
        owner = context.line.owner = owner_of(session.subject, settings.owner_secret, entry.owner_id)
        if settings.erase:
            from function.owners.erasure_records import refuse_while_erasing

            refuse_while_erasing(context, owner)
    except (Unauthorized, Forbidden) as error:
        context.line.reason = error.reason
        return {"active": False}
    return {
        "active": True,
        "sub": session.subject,
        "owner": owner,
        "exp": session.expires_at,
        "kind": entry.kind_name,
        **({} if settings.only else {"caller": entry.id}),
    }


def _token(request: Request) -> str:
    """Return the token to look at, which may be anything; raise ``BadRequest`` unless there is just one."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        try:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        except ValueError:
            raise BadRequest("The body must be a form in UTF-8.") from None
        tokens: list[Any] = [value for name, value in pairs if name == "token"]
    else:
        tokens = [read_json_object(request.body).get("token")]
    if len(tokens) != 1 or not isinstance(tokens[0], str):
        raise BadRequest("token must be there once, as text.")
    return tokens[0]
