"""The client IP of a request, and the limits of an IPv6 network."""

import pytest

from function.config.types import Rate
from function.errors import TooManyRequests
from function.http.gateway import Request
from function.limits.rate_limit import RateLimiter, client_ip, items_by_ip

HEADER = "ali-cdn-real-ip"


def from_(address, **headers):
    return Request("POST", "/login", {}, "", headers, b"", address)


def counted(address):
    return {(item.limit, item.rate.limit): item.key for item in items_by_ip("x", Rate(5, 60), address)}


@pytest.mark.parametrize(
    "address", ["203.0.113.7", "not:an:address", "", "fe80::1::2", "2001:db8::1/64", "[2001:db8::1]"]
)
def test_other_addresses_than_ipv6_count_as_they_are(address):
    assert counted(address) == {("x", 5): address}


@pytest.mark.parametrize("address", ["::ffff:203.0.113.7", "::FFFF:cb00:7107"])
def test_ipv4_mapped_addresses_count_as_ipv4(address):
    assert counted(address) == {("x", 5): "203.0.113.7"}


@pytest.mark.parametrize(
    ("address", "same_customer", "same_network"),
    [
        ("2001:db8:1:2ff:3:4:5:6", True, True),
        ("2001:DB8:1:2FF::%eth0", True, True),
        ("2001:0db8:0001:02ff:ffff:ffff:ffff:ffff", True, True),
        ("2001:db8:1:2fe::1", False, True),
        ("2001:db8:1:200::1", False, True),
        ("2001:db8:1:300::1", False, False),
        ("2001:db8:1:1ff::1", False, False),
        ("2001:db8::2ff:0:0:0:1", False, False),
    ],
)
def test_ipv6_counts_by_its_64_and_with_four_times_the_rate_by_its_56(address, same_customer, same_network):
    one, other = counted("2001:db8:1:2ff::1"), counted(address)
    assert set(one) == set(other) == {("x", 5), ("x of networks", 20)}
    assert (one["x", 5] == other["x", 5]) is same_customer
    assert (one["x of networks", 20] == other["x of networks", 20]) is same_network


def test_all_files_count_for_both_networks():
    assert [item.amount for item in items_by_ip("x", Rate(5, 60), "2001:db8::1", 3)] == [3, 3]


def test_rotating_through_a_56_gives_four_times_the_rate(clock):
    limits, taken = RateLimiter(), 0
    for number in range(256):
        for _ in range(5):
            try:
                limits.hit(items_by_ip("logins", Rate(5, 60), f"2001:db8:0:{number:x}::{number}"), clock())
            except TooManyRequests:
                continue
            taken += 1
    assert taken == 20
    limits.hit(items_by_ip("logins", Rate(5, 60), "2001:db8:0:100::1"), clock())


def test_a_flood_from_one_64_does_not_block_its_56(clock):
    limits, rate = RateLimiter(), Rate(5, 60)
    for _ in range(100):
        try:
            limits.hit(items_by_ip("logins", rate, "2001:db8::1"), clock())
        except TooManyRequests:
            continue
    for _ in range(5):
        limits.hit(items_by_ip("logins", rate, "2001:db8:0:1::1"), clock())


def ip_of(request):
    return client_ip(request.headers, request.source_ip, HEADER)


def test_headers_are_ignored_without_a_trusted_proxy():
    request = from_("203.0.113.7", **{HEADER: "198.51.100.1", "x-forwarded-for": "198.51.100.1"})
    assert client_ip(request.headers, request.source_ip, None) == "203.0.113.7"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.1, 192.0.2.9,198.51.100.1", "198.51.100.1"),
        ("forged, 198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_last_element_of_the_trusted_header_counts(written, address):
    """A proxy appends its own; earlier elements came with the request."""
    assert ip_of(from_("203.0.113.7", **{HEADER: written})) == address


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", ",", "198.51.100.1,", "198.51.100.1, unknown", "198.51.100.1:443", "[2001:db8::1]"),
        *("198.51.100.256", "198.51.100.01", "198.51.100.0/24", "1", "x" * 5000, "198.51.100.1 x", "猫"),
    ],
)
def test_an_invalid_trusted_header_falls_back_to_the_source_ip(written):
    assert ip_of(from_("203.0.113.7", **{HEADER: written})) == "203.0.113.7"


def test_a_request_without_the_trusted_header_counts_by_its_source_ip():
    assert ip_of(from_("203.0.113.7")) == "203.0.113.7"
