"""Sources of an import: redirects on the same host only, and no private address unless that is allowed."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from socket import getaddrinfo
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUTS = (10, 60)
IDENTITY = {"Accept-Encoding": "identity"}
MAX_REDIRECTS = 5
# IPv6 addresses that lead to the IPv4 address in them (RFC 4291, 3056, 4380, 6052, 8215).
WITH_IPV4 = tuple(
    map(ip_network, ("::/96", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")),
)


class NotCopied(Exception):
    """Raised when one file cannot be copied, with the code of the reason."""


def open_source(session: requests.Session, url: str, *, allows_private: bool) -> requests.Response:
    """Return the response at an address, after redirects on the same host; raise ``NotCopied`` elsewhere."""
    for _ in range(MAX_REDIRECTS + 1):
        # As it is asked: "http://a\\@b" leads to a.
        url = requests.Request("GET", url).prepare().url or ""
        host = urlsplit(url).hostname
        if not allows_private:
            _check_public(host, [each[4][0] for each in getaddrinfo(host, None)])
        found = session.get(url, stream=True, timeout=TIMEOUTS, headers=IDENTITY, allow_redirects=False)
        connection = found.raw.connection
        # Another address than was resolved before; that of a proxy is not the host's.
        if not (allows_private or connection is None or connection.proxy):
            # A response that ends with its connection has taken the socket over.
            taken: Any = found.raw._original_response
            socket = connection.sock or taken.fp.raw._sock
            _check_public(host, [socket.getpeername()[0]])
        if not found.is_redirect:
            return found
        url = urljoin(url, found.headers["Location"])
        found.close()
        if urlsplit(url).hostname != host:
            raise NotCopied(f"redirects to {urlsplit(url).hostname}")
    raise requests.TooManyRedirects


def _check_public(host: str | None, addresses: Iterable[Any]) -> None:
    for address in addresses:
        found = ip_address(address)
        if not found.is_global or any(found in network for network in WITH_IPV4):
            raise NotCopied(f"{host} is {address}; --allow-private permits that")
