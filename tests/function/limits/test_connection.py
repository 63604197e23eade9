"""Commands to Redis and the reading of its replies, against a scripted server."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function.config.types import Rate
from function.errors import BadRequest, QuotaExceeded, TooManyRequests
from function.limits.quota import QuotaRequest, StoreDown
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import COUNT, GIVE_BACK, MAX_IDLE_CONNECTIONS, RedisStore
from function.limits.redis_connection import Address, BoundedSocket, connect, digest_of
from function.network import authorities
from tests.function.limits.requests_to_stores import (
    COUNTED,
    NOON,
    PATIENCE,
    TODAY,
    left,
    numbers,
    quota_request,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
PASSWORD = "RedisPasswordSecretCanary0001"


def store_at(url, budget=PATIENCE):
    return RedisStore(Address(url), timedelta(0), "bucket", budget)


def words(data):
    """Return the strings of a command."""
    return data.decode().split("\r\n")[2::2]


def test_a_request_is_counted_with_one_command(canned):
    server = canned(COUNTED)
    rates = [RateLimitItem("forms", Rate(60, 60), "ann")]
    (day,) = store_at(server.url).count(quota_request("a", rates=rates), NOW)
    assert day == (2, 90, datetime(2026, 11, 25, tzinfo=UTC))
    (sent,) = server.received
    tag = "oss-direct-upload:{bucket/ann}"
    keys = [f"{tag}:request:a", f"{tag}:rate:forms/60:ann", f"{tag}:day:p"]
    arguments = ["0", "60", "1", "60", "60000", "1", "3", "100", "1", "10"]
    assert words(sent) == ["EVALSHA", digest_of(COUNT), "3", *keys, *arguments]


def test_an_unknown_script_is_sent_in_full(canned):
    server = canned(b"-NOSCRIPT No matching script.\r\n", COUNTED, b":1\r\n")
    store = store_at(server.url)
    assert left(store.count(quota_request("a"), NOW)) == (2, 90)
    assert words(server.received[0])[0] == "EVALSHA"
    assert server.received[1].startswith(b"*")
    assert b"EVAL\r\n" in server.received[1]
    assert COUNT.encode() in server.received[1]
    store.give_back(quota_request("a"), NOW)
    tag = "oss-direct-upload:{bucket/ann}"
    keys = [f"{tag}:request:a", f"{tag}:day:p"]
    assert words(server.received[2]) == ["EVALSHA", digest_of(GIVE_BACK), "2", *keys, "1", "10"]


def test_a_full_day_is_refused_with_the_rest_that_redis_returns(canned):
    server = canned(numbers(1, 1, 0, NOON, TODAY, 3, 60))
    with pytest.raises(QuotaExceeded) as raised:
        store_at(server.url).count(quota_request("a"), NOW)
    assert raised.value.retry_after == 43_200
    assert raised.value.details == {
        "quota": {"filesLeft": 0, "bytesLeft": 40, "resetsAt": "2026-11-25T00:00:00Z"}
    }


@pytest.mark.parametrize(("milliseconds", "wait"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)])
def test_a_refusal_by_rate_has_the_wait_in_whole_seconds(canned, milliseconds, wait):
    server = canned(numbers(2, 2, milliseconds, NOON))
    rates = (RateLimitItem("a", Rate(60, 60), "x"), RateLimitItem("b", Rate(5, 1), "y"))
    with pytest.raises(TooManyRequests) as raised:
        store_at(server.url).count(QuotaRequest("a", "ann", rates, ()), NOW)
    assert raised.value.retry_after == wait


def test_more_than_a_rate_ever_admits_is_refused_without_redis(canned):
    server = canned(COUNTED)
    with pytest.raises(BadRequest):
        store_at(server.url).count(
            quota_request("a", rates=[RateLimitItem("forms", Rate(1, 60), "ann", 2)]), NOW
        )
    assert server.received == []


@cases("answer", "kind")
def test_any_other_reply_counts_as_a_store_that_is_down(canned, answer, kind):
    store = store_at(canned(answer).url)
    with pytest.raises(StoreDown) as raised:
        store.count(quota_request("a"), NOW)
    assert raised.value.kind == kind


def test_a_connection_is_not_reused_after_a_failure(canned):
    store = store_at(canned(b"-OOM command not allowed\r\n", COUNTED).url)
    with pytest.raises(StoreDown):
        store.count(quota_request("a"), NOW)
    assert store._idle == []
    store.count(quota_request("a"), NOW)
    assert len(store._idle) == 1


def test_a_connection_is_closed_after_a_failure(canned):
    wire = connect(Address(canned(b"-OOM command not allowed\r\n").url), time.monotonic() + PATIENCE)
    with pytest.raises(StoreDown):
        wire.run(COUNT, [], [], time.monotonic() + PATIENCE)
    assert not wire._connection.is_connected


def test_a_command_that_redis_refuses_is_not_repeated(canned):
    server = canned(COUNTED, b"-OOM command not allowed\r\n", COUNTED)
    store = store_at(server.url)
    store.count(quota_request("a"), NOW)
    with pytest.raises(StoreDown):
        store.count(quota_request("b"), NOW)
    assert len(server.received) == 2


def test_a_command_is_repeated_after_its_server_became_a_replica(canned):
    server = canned(COUNTED, b"-READONLY You can't write against a read only replica.\r\n", COUNTED)
    store = store_at(server.url)
    for number in range(2):
        store.count(quota_request(str(number)), NOW)
    assert words(server.received[1]) == words(server.received[2])


def test_a_broken_connection_is_replaced_once_and_the_command_repeated(canned):
    server = canned(COUNTED, None, COUNTED, None, None)
    store = store_at(server.url)
    store.count(quota_request("a"), NOW)
    store.count(quota_request("b"), NOW)
    assert words(server.received[1]) == words(server.received[2])
    with pytest.raises(StoreDown):
        store.count(quota_request("c"), NOW)
    assert len(server.received) == 5


def test_a_connection_idle_for_a_minute_is_closed(canned):
    server = canned(COUNTED, COUNTED)
    store = store_at(server.url)
    store.count(quota_request("a"), NOW)
    ((first, _),) = store._idle
    store.count(quota_request("b"), NOW + timedelta(seconds=60))
    ((second, _),) = store._idle
    assert first is not second
    assert not first._connection.is_connected


def test_at_most_32_idle_connections_are_kept(canned):
    store = store_at(canned().url)
    for _ in range(33):
        store.open(NOW)
    assert len(store._idle) == MAX_IDLE_CONNECTIONS == 32
    one_more = connect(store._address, time.monotonic() + PATIENCE)
    store._keep_idle(one_more, NOW)
    assert len(store._idle) == 32
    assert not one_more._connection.is_connected


def test_open_logs_in_and_keeps_the_connection(canned):
    server = canned(b"+OK\r\n")
    store = store_at(f"redis://:x@127.0.0.1:{server.port}")
    store.open(NOW)
    assert [words(data)[0] for data in server.received] == ["AUTH"]
    assert len(store._idle) == 1


def test_no_command_is_sent_after_the_deadline(canned):
    server = canned(COUNTED)
    wire = connect(Address(server.url), time.monotonic() + PATIENCE)
    with pytest.raises(StoreDown) as raised:
        wire.run(COUNT, [], [], time.monotonic())
    assert raised.value.kind == "TimeoutError"
    assert server.received == []
    wire.close()


@pytest.mark.parametrize("answers", [[], [b"+OK\r\n"] * 3], ids=["silence", "other answers"])
def test_a_reply_is_awaited_no_longer_than_the_budget(canned, answers):
    server = canned(*answers, b"")
    started = time.monotonic()
    with pytest.raises(StoreDown):
        store_at(f"redis://:x@127.0.0.1:{server.port}/1", 0.2).count(quota_request("a"), NOW)
    assert time.monotonic() - started < 5


def test_without_a_thread_the_store_is_down(canned, no_threads):
    with pytest.raises(StoreDown) as raised, no_threads():
        store_at("redis://redis.example.com").count(quota_request("a"), NOW)
    assert raised.value.kind == "no thread can start"


def test_a_slow_name_lookup_takes_no_longer_than_the_budget(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(PATIENCE) and [])
    started = time.monotonic()
    with pytest.raises(StoreDown) as raised:
        connect(Address("redis://redis.example.com"), started + 0.05)
    assert raised.value.kind == "no answer within the budget"
    assert time.monotonic() - started < 0.9
    over.set()


def test_connecting_itself_has_the_budget_as_its_timeout(canned):
    wire = connect(Address(canned().url), time.monotonic() + 2)
    assert 0 < wire._connection.socket_connect_timeout <= 2
    assert 0 < wire._connection.socket_timeout <= 2
    wire.close()


class Watched:
    """A socket that records its calls."""

    def __init__(self):
        self.received = []

    def __getattr__(self, name):
        return lambda *given: self.received.append((name, *given))


def test_all_calls_of_a_bounded_socket_share_one_deadline():
    sock = Watched()
    bounded = BoundedSocket(sock, time.monotonic() + 0.9)
    bounded.recv(7)
    bounded.sendall(b"x")
    bounded.settimeout(60)
    bounded.shutdown(2)
    (_, first), received, (_, second), sent, closed = sock.received
    assert 0 < second <= first <= 0.9
    assert (received, sent, closed) == (("recv", 7), ("sendall", b"x"), ("shutdown", 2))


def test_login_and_database_come_before_the_first_command(canned):
    server = canned(b"+OK\r\n", b"+OK\r\n", COUNTED)
    store_at(f"redis://ann:p%40ss@127.0.0.1:{server.port}/3").count(quota_request("a"), NOW)
    assert [words(data)[0:3] for data in server.received[:2]] == [["AUTH", "ann", "p@ss"], ["SELECT", "3"]]


def test_the_url_is_parsed_into_connection_options():
    options = Address("redis://host").options()
    expected = {"host": "host", "port": 6379, "db": 0, "username": None, "password": None, "protocol": 2}
    assert options == {**expected, "driver_info": None}
    options = Address("redis://a%3Ab:p%20w@[fd00::1]:7000/15", protocol=3).options()
    expected = {
        "host": "fd00::1",
        "port": 7000,
        "db": 15,
        "username": "a:b",
        "password": "p w",
        "protocol": 3,
    }
    assert options == {**expected, "driver_info": None}


def test_tls_uses_the_packaged_authorities_or_the_operator_s():
    plain = Address("redis://host").options()
    assert not any(name.startswith("ssl") for name in plain)
    checked = {**plain, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    options = Address("rediss://host").options()
    assert options == {**checked, "ssl_ca_certs": authorities()}
    own = Address("rediss://host?ssl_ca_certs=certs/ca.pem").options()
    assert own == {**checked, "ssl_ca_certs": str(ROOT / "certs" / "ca.pem")}


def test_the_repr_of_an_address_hides_the_password():
    address = Address(f"redis://:{PASSWORD}@host")
    assert PASSWORD not in repr(address)
    assert PASSWORD not in repr(RedisStore(address, timedelta(0), "bucket"))


def test_a_failure_does_not_name_the_address(canned):
    with pytest.raises(StoreDown) as raised:
        store_at(f"redis://:{PASSWORD}@127.0.0.1:9").count(quota_request("a"), NOW)
    assert str(raised.value) == raised.value.kind == "ConnectionRefusedError"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
