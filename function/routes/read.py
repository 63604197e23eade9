"""``POST /read``: URLs of readable objects, for one or for several, all or nothing."""

from collections.abc import Sequence
from functools import cache

from function import reading
from function.annotations import Any
from function.auth import Caller, identify
from function.config.profile import Profile
from function.context import RequestContext
from function.http.json_body import read_json_object
from function.oss.instants import iso
from function.reading import ReadGrant, UrlRequest
from function.sts.session_policy import OBJECTS


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Return for one object ``{"url", "expiresAt", "serverTime"}``; for ``items``
    ``{"items": [{"key", "variant", "url", "expiresAt"}, …], "serverTime"}``.
    """
    caller = identify(context.request.headers, context.settings, context.now)
    context.line.owner = caller.owner
    fields = read_json_object(context.request.body)
    server_time = {"serverTime": iso(context.now)}
    if fields.get("items") is None:
        (one,) = _readable(context, caller, [reading.read_item(fields)])
        context.line.profile, context.line.key = one.profile.name, one.request.key
        (entry,) = entries(context, [one])
        return {"url": entry["url"], "expiresAt": entry["expiresAt"], **server_time}
    several = _readable(context, caller, reading.read_items(fields["items"]))
    context.line.profile = [one.profile.name for one in several]
    context.line.key = [one.request.key for one in several]
    return {"items": entries(context, several), **server_time}


def _readable(context: RequestContext, caller: Caller, requests: Sequence[UrlRequest]) -> list[ReadGrant]:
    """Count the objects, and check that the owner may read them."""
    # First: a flood must stay cheap.
    items = context.rate_limit_items("reads", context.settings.read_rate, caller.owner, len(requests))
    context.instance.limiter.hit(items, context.now)
    profiles = reading.profiles_with_keys(context, caller.entry)
    return reading.readable(requests, caller.owner, profiles)


def entries(context: RequestContext, several: Sequence[ReadGrant]) -> list[dict[str, Any]]:
    """Return ``{"key", "variant", "url", "expiresAt"}`` of each; only signed URLs need credentials."""
    ends = [reading.url_end(one.profile, context.now) for one in several if one.profile.is_read_signed]
    credentials = cache(lambda session: context.credentials(session, ends))

    def entry(request: UrlRequest, profile: Profile) -> dict[str, Any]:
        if profile.is_read_signed:
            url = reading.signed_url(
                request, profile, credentials(profile.location.session(OBJECTS)), context.now
            )
            return {**request._asdict(), "url": url, "expiresAt": iso(reading.url_end(profile, context.now))}
        return {**request._asdict(), "url": reading.plain_url(request, profile), "expiresAt": None}

    return [entry(*one) for one in several]
