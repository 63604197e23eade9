"""The client IP of a request, and the limits of an IPv6 network."""

from contextlib import suppress

from function.config.types import Rate
from function.errors import TooManyRequests
from function.limits.rate_limit import RateLimiter, client_ip, items_by_ip
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
HEADER = "ali-cdn-real-ip"


def counted(address):
    return {(item.limit, item.rate.limit): item.key for item in items_by_ip("x", Rate(5, 60), address)}


@cases("address", "key")
def test_other_addresses_than_ipv6_count_as_they_are_and_mapped_ones_as_ipv4(address, key):
    assert counted(address) == {("x", 5): key}


@cases("address", "same_customer", "same_network")
def test_ipv6_counts_by_its_64_and_with_four_times_the_rate_by_its_56(address, same_customer, same_network):
    one, other = counted("2001:db8:1:2ff::1"), counted(address)
    assert set(one) == set(other) == {("x", 5), ("x of networks", 20)}
    assert (one["x", 5] == other["x", 5]) is same_customer
    assert (one["x of networks", 20] == other["x of networks", 20]) is same_network


def test_all_files_count_for_both_networks():
    assert [item.amount for item in items_by_ip("x", Rate(5, 60), "2001:db8::1", 3)] == [3, 3]


def admitted(limiter, addresses, now):
    """Return how many logins from these addresses are admitted."""
    count = 0
    for address in addresses:
        with suppress(TooManyRequests):
            limiter.hit(items_by_ip("logins", Rate(5, 60), address), now)
            count += 1
    return count


def test_rotating_through_a_56_gives_four_times_the_rate(clock):
    limiter, networks = RateLimiter(), [f"2001:db8:0:{number:x}::{number}" for number in range(256)]
    assert admitted(limiter, sorted(networks * 5), clock()) == 20
    assert admitted(limiter, ["2001:db8:0:100::1"], clock()) == 1


def test_a_flood_from_one_64_does_not_block_its_56(clock):
    limiter = RateLimiter()
    assert admitted(limiter, ["2001:db8::1"] * 100, clock()) == 5
    assert admitted(limiter, ["2001:db8:0:1::1"] * 5, clock()) == 5


@cases("written", "address")
def test_the_last_element_of_the_trusted_header_counts(written, address):
    """A proxy appends its own; earlier elements came with the request."""
    assert client_ip({HEADER: written}, "203.0.113.7", HEADER) == address


def test_without_the_trusted_header_the_source_ip_counts():
    assert client_ip({}, "203.0.113.7", HEADER) == "203.0.113.7"
    headers = {HEADER: "198.51.100.1", "x-forwarded-for": "198.51.100.1"}
    assert client_ip(headers, "203.0.113.7", None) == "203.0.113.7"
