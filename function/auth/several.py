"""``CALLER_AUTH=several``: who of ``callers.toml`` calls, found before anything of a token is trusted."""

from collections.abc import Mapping
from datetime import datetime

from function.annotations import Any
from function.auth import Caller, bearer_token, unauthorized
from function.auth.callers_file import read_callers
from function.auth.login_code import wrong_code
from function.auth.signed_tokens import SESSION, json_part
from function.config.setting_table import CallerEntry, CallerKind
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import BadRequest, Misconfigured, Unauthorized

TOKEN_HEADERS = ("x-upload-token", "authorization")


def entry_of(headers: Mapping[str, str], settings: Settings) -> CallerEntry:
    """
    Return the caller that the token of a request names, which must verify it, and no other may.

    Without a token it is anyone, where that is a caller; a token that is refused never is.
    """
    anyone = next((each for each in settings.callers if not each.kind.identifies_callers), None)
    if anyone and not any(headers.get(name, "").strip() for name in TOKEN_HEADERS):
        return anyone
    return entry_of_token(bearer_token(headers), settings)


def identify(headers: Mapping[str, str], _entry: None, settings: Settings, now: datetime) -> Caller:
    """Return the caller of a request, as its own kind identifies it."""
    entry = entry_of(headers, settings)
    caller: Caller = entry.kind.identify(headers, entry, settings, now)
    return caller


def entry_of_token(token: str, settings: Settings) -> CallerEntry:
    """Return the caller that an unverified token names: by ``app`` if it is a session, else by ``iss``."""
    claims = json_part(token.partition(".")[2].partition(".")[0]) or {}
    if claims.get("aud") == SESSION:
        entry = settings.caller_of(claims.get("app"))
        found = entry if entry and entry.kind.log_in else None
    else:
        found = next((each for each in settings.callers if each.id == f"jwt:{claims.get('iss')}"), None)
    if found is None:
        raise unauthorized("a token of no caller")
    return found


def entry_of_login(app: Any, settings: Settings) -> CallerEntry:
    """
    Return the caller that a login names by the id of its app; it may be left out where only one logs in.

    Raises:
        BadRequest: several log in.
        Unauthorized: as for a wrong code, so that no stranger learns which apps there are.
    """
    able = [each for each in settings.callers if each.kind.log_in]
    if app is None:
        if len(able) > 1:
            raise BadRequest("app is missing: the AppID of the mini-program.")
        return able[0]
    if not isinstance(app, str):
        raise BadRequest("app must be a string.")
    for entry in able:
        if entry.id.partition(":")[2] == app:
            return entry
    raise wrong_code("app of no caller", "")


def log_in(context: RequestContext, code: str, app: Any) -> Caller:
    """Return the caller whom a login code names at the platform of its app, and at no other."""
    settings, entry = context.settings, entry_of_login(app, context.settings)
    context.line.caller = entry.id
    assert entry.kind.log_in is not None, "as entry_of_login demands"
    try:
        caller: Caller = entry.kind.log_in(code, entry, settings, context.send, context.now)
    except Unauthorized as error:
        # In the words about an unknown app.
        raise wrong_code(error.reason, error.upstream) from None
    except Misconfigured as error:
        error.reason = entry.placed(error.reason)
        raise
    return caller


KIND = CallerKind(identify, entries=read_callers)
