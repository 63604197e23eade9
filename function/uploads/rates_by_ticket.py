"""Rate limits of calls that need no session: under their ticket, and under its owner."""

from function.auth import check_profile
from function.auth.business_token import is_backend
from function.config.key_template import PUBLIC_OWNER
from function.config.types import Rate
from function.context import RequestContext
from function.limits.rate_limit import RateLimitItem
from function.uploads.tickets import FormTicket, MultipartTicket

# Under all tickets of an owner together, who may have collected any number of them.
CALLS_PER_OWNER = Rate(600, 60)


def count_call(
    context: RequestContext,
    limit: str,
    rate: Rate,
    ticket: FormTicket | MultipartTicket,
    *,
    is_from_oss: bool = False,
) -> None:
    """
    Count a call under its ticket and its owner; a backend's under its ticket alone.

    Args:
        is_from_oss: True if OSS calls, so that the client IP says nothing about the caller.

    Raises:
        Forbidden: the caller of the ticket was removed, or may not use its profile any more.
        TooManyRequests: nothing was counted.
    """
    context.line.caller = context.settings.caller_field(ticket.app).get("caller")
    items = [RateLimitItem(limit, rate, ticket.upload_id)]
    is_shared = is_from_oss and ticket.owner == PUBLIC_OWNER
    if not (is_shared or is_backend(context.request.headers, context.settings, context.now)):
        # What a removed caller has left is a backend's, and OSS may report it.
        if not is_from_oss:
            check_profile(context, ticket.app, context.settings.profiles[ticket.profile])
        items += context.rate_limit_items(f"{limit} of owners", CALLS_PER_OWNER, ticket.owner)
    context.instance.limiter.hit(items, context.now)
