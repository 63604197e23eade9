"""The address behind a request: where it is read, and what it is counted under."""

from function.config.settings import Settings
from function.config.types import Rate
from function.http.gateway import Request
from function.limits.rate_limit import RateLimitItem

# A customer may have a whole /56 and send from each /64 in it; elsewhere its 256 are a phone each.
RATES_OF_A_NETWORK = 4


def client_address(request: Request, header: str | None) -> str:
    """
    Where a request comes from: the last hop, or whom the proxy there names.

    Args:
        header: in lower case; its last element is the proxy's own, all before it anyone can write.
    """
    if header is None:
        return request.source_ip
    from ipaddress import ip_address

    address = request.headers.get(header, "").rpartition(",")[2].strip()
    try:
        ip_address(address)
    except ValueError:
        return request.source_ip
    return address


def claims_of_caller(
    request: Request, settings: Settings, owner: str, limit: str, rate: Rate, items: int
) -> tuple[RateLimitItem, ...]:
    """Under the owner's name; where callers cannot be told apart, under the address that they ask from."""
    if settings.caller_kind.tells_apart:
        return (RateLimitItem(limit, rate, owner, items),)
    return claims_by_address(limit, rate, client_address(request, settings.client_address_header), items)


def claims_by_address(limit: str, rate: Rate, address: str, items: int = 1) -> tuple[RateLimitItem, ...]:
    """IPv4 counts as it is; IPv6 by its /64 and, with ``RATES_OF_A_NETWORK`` times the rate, by its /56."""
    if ":" not in address:
        return (RateLimitItem(limit, rate, address, items),)
    from ipaddress import IPv6Address

    try:
        given = IPv6Address(address)
    except ValueError:
        return (RateLimitItem(limit, rate, address, items),)
    if given.ipv4_mapped:
        # A dual-stack socket reports IPv4 callers this way, and they are not one customer.
        return (RateLimitItem(limit, rate, str(given.ipv4_mapped), items),)
    of_network = rate._replace(limit=rate.limit * RATES_OF_A_NETWORK)
    return (
        RateLimitItem(limit, rate, f"{int(given) >> 64:x}", items),
        RateLimitItem(f"{limit} of networks", of_network, f"{int(given) >> 72:x}", items),
    )
