"""``POST /erase``: a backend has everything of one owner erased."""

import re
from collections.abc import Mapping

from function.annotations import Any
from function.auth import MAX_SUBJECT_BYTES, bearer_token, is_subject, owner_of
from function.auth.business_token import ERASURE, check_backend_token
from function.config.setting_table import is_caller_id
from function.context import RequestContext
from function.errors import BadRequest
from function.http.json_body import read_json_object
from function.oss.client import budget
from function.owners.erasure import CALL_SECONDS, advance, begin, describe
from function.owners.erasure_records import OWNER
from function.routes.owners import count_backend


def handle(context: RequestContext) -> dict[str, Any]:
    """Return ``{"erasure", "state", "deleted", "aborted", "profiles", "notCovered", …}``."""
    check_backend_token(bearer_token(context.request.headers), context.settings, context.now, ERASURE)
    owner = context.line.owner = _owner(context, read_json_object(context.request.body))
    count_backend(context, 1)
    seconds_left = budget(context.monotonic, CALL_SECONDS)
    state = advance(context, begin(context, owner), seconds_left)
    response = describe(context, state)
    context.line.state = response["state"]
    return response


def _owner(context: RequestContext, fields: Mapping[str, Any]) -> str:
    settings = context.settings
    subject, owner, caller = fields.get("sub"), fields.get("owner"), fields.get("caller")
    if (subject is None) == (owner is None):
        raise BadRequest("Send either sub or owner.")
    if caller is not None and (owner is not None or not is_caller_id(caller)):
        raise BadRequest("caller must be the id of a caller, and stands beside sub.")
    if owner is None:
        if not is_subject(subject):
            raise BadRequest(f"sub must be a string of 1 to {MAX_SUBJECT_BYTES} bytes.")
        unnamed = settings.unnamed and settings.unnamed.id
        caller = caller or unnamed
        if caller is None:
            raise BadRequest("caller is missing: the id of the caller whose sub this is.")
        context.line.caller = None if settings.only else caller
        # One that was removed has left objects; their owners are made with its id.
        return owner_of(subject, settings.owner_secret, "" if caller == unnamed else caller)
    if not isinstance(owner, str) or not re.fullmatch(OWNER, owner):
        raise BadRequest("owner must be the 26 characters of a key.")
    return owner
