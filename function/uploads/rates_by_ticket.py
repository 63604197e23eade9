"""Rate limits of calls that need no session: under their ticket, and under its owner."""

from function.auth.business_token import is_backend
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
        TooManyRequests: nothing was counted.
    """
    items = [RateLimitItem(limit, rate, ticket.upload_id)]
    is_shared = is_from_oss and not context.settings.caller_kind.identifies_callers
    if not (is_shared or is_backend(context.request.headers, context.settings, context.now)):
        items += context.rate_limit_items(f"{limit} of owners", CALLS_PER_OWNER, ticket.owner)
    context.instance.limiter.hit(items, context.now)
