"""``POST /list`` and ``/delete``: the objects of an owner."""

from function.annotations import Any
from function.auth import Caller, bearer_token, check_profile, identify
from function.context import RequestContext
from function.errors import UploadError
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.oss.client import oss_client, oss_clients, require_any, require_client
from function.oss.instants import iso
from function.owners.deletion import DeletionGrant, deletable, read_keys
from function.owners.deletion import delete as delete_granted
from function.owners.listing import issue_cursor, list_of, read_cursor, read_list_request
from function.owners.listing import list_own as list_page_of
from function.reading import ReadGrant, UrlRequest, profiles_with_keys
from function.routes.read import entries
from function.sts.session_policy import DELETIONS, OBJECTS

# Backends count together, and not with any caller.
BACKENDS = "backends"


def list_own(context: RequestContext) -> dict[str, Any]:
    """Return ``{"items": [{"key", "size", "etag", "lastModified", …}], "cursor", "serverTime"}``."""
    settings, now = context.settings, context.now
    caller = identify(context.request.headers, context.settings, context.now)
    owner = context.line.owner = caller.owner
    fields = read_json_object(context.request.body)
    profile, limit, cursor, variant = read_list_request(fields, settings.profiles)
    context.line.profile = profile.name
    context.line.caller = settings.caller_field(caller.entry.app).get("caller")
    check_profile(context, caller.entry.app, profile)
    items = context.rate_limit_items("reads", settings.read_rate, owner)
    context.instance.limiter.hit(items, now)
    own = list_of(profile, owner)
    after = read_cursor(cursor, own, settings, now) if cursor else ""
    profiles = profiles_with_keys(context)
    profile = next(each for each in profiles if each.name == profile.name)
    oss = oss_client(context, profile.location, purpose=DELETIONS)
    found, after = list_page_of(oss, profile, owner, profiles, limit, after)
    urls: list[dict[str, Any]] = [{}] * len(found)
    if profile.read:
        grants = [ReadGrant(UrlRequest(each.key, variant), profile) for each in found]
        urls = [{name: entry[name] for name in ("url", "expiresAt")} for entry in entries(context, grants)]
    listed = [
        {
            "key": each.key,
            "size": each.size_bytes,
            "etag": each.etag,
            "lastModified": iso(each.last_modified),
            **url,
        }
        for each, url in zip(found, urls, strict=True)
    ]
    following = issue_cursor(own, after, settings, now) if after else None
    return {"items": listed, "cursor": following, "serverTime": iso(now)}


def delete(context: RequestContext) -> dict[str, Any]:
    """Return ``{"results": [{"key", "state": "gone"} or {"key", "error": {"code", "message"}}]}``."""
    from function.holding.receipt_batch import authorize_caller

    settings, now = context.settings, context.now
    token = bearer_token(context.request.headers)
    keys = read_keys(read_json_object(context.request.body))
    caller = authorize_caller(context, token, owners_may=True)
    owner = caller and caller.owner
    context.line.owner = owner
    if owner is None:
        count_backend(context, len(keys))
    else:
        items = context.rate_limit_items("forms", settings.caller_rate, owner, len(keys))
        context.instance.limiter.hit_shared(owner, items, now, context.line)
    results = _delete_each(context, keys, caller)
    context.line.state = [each.get("state") or each["error"]["code"] for each in results]
    return {"results": results}


def count_backend(context: RequestContext, amount: int) -> None:
    """Count deletions of a backend as if they were forms."""
    items = [RateLimitItem("forms by backends", context.settings.caller_rate, BACKENDS, amount)]
    context.instance.limiter.hit_shared(BACKENDS, items, context.now, context.line)


def _delete_each(context: RequestContext, keys: list[str], caller: Caller | None) -> list[dict[str, Any]]:
    owner, profiles = caller and caller.owner, profiles_with_keys(context, caller and caller.entry)

    def grant_of(key: str) -> DeletionGrant | UploadError:
        try:
            return deletable(key, owner, profiles)
        except UploadError as error:
            return error

    grants = [grant_of(key) for key in keys]
    permitted = [grant for grant in grants if isinstance(grant, DeletionGrant)]
    context.line.key = [grant.key for grant in permitted]
    clients = {
        purpose: oss_clients(
            context, [each.profile.location for each in permitted if each.purpose == purpose], purpose
        )
        for purpose in (OBJECTS, DELETIONS)
    }
    require_any([client for theirs in clients.values() for client in theirs.values()])

    def result(key: str, grant: DeletionGrant | UploadError) -> dict[str, Any]:
        try:
            if isinstance(grant, UploadError):
                raise grant
            oss = require_client(clients[grant.purpose][grant.profile.location])
            delete_granted(context, grant, oss, is_backend=owner is None)
        except UploadError as error:
            return {"key": key, "error": error.item}
        return {"key": key, "state": "gone"}

    return [result(key, grant) for key, grant in zip(keys, grants, strict=True)]
