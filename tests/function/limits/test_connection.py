"""Commands to Redis and the reading of its replies, against a scripted server."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest
from redis.connection import AbstractConnection

from function.config.types import Rate
from function.errors import BadRequest, QuotaExceeded, TooManyRequests
from function.limits.quota import QuotaItem, QuotaRequest, StoreDown
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import COUNT, GIVE_BACK, MAX_IDLE_CONNECTIONS, RedisStore
from function.limits.redis_connection import Address, BoundedSocket, ReplyTooLong, connect, digest_of
from function.tls_trust import ca_bundle_path
from tests.function.limits.requests_to_stores import (
    COUNTED,
    NOON,
    NOW,
    PATIENCE,
    TODAY,
    failure,
    left,
    numbers,
    quota_request,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROOT = Path(__file__).parents[3]
TAG = "oss-direct-upload:{bucket/ann}"


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
    keys = [f"{TAG}:request:a", f"{TAG}:rate:forms/60:ann", f"{TAG}:day:p"]
    arguments = ["0", "60", "1", "60", "60000", "1", "3", "100", "1", "10"]
    assert words(sent) == ["EVALSHA", digest_of(COUNT), "3", *keys, *arguments]


def test_an_unknown_script_is_sent_in_full(canned):
    server = canned(b"-NOSCRIPT No matching script.\r\n", COUNTED, b":1\r\n")
    store = store_at(server.url)
    assert left(store.count(quota_request("a"), NOW)) == (2, 90)
    by_digest, in_full = server.received
    assert words(by_digest)[0] == "EVALSHA"
    assert in_full.startswith(b"*") and b"EVAL\r\n" in in_full and COUNT.encode() in in_full
    store.give_back(quota_request("a"), NOW)
    keys = [f"{TAG}:request:a", f"{TAG}:day:p"]
    assert words(server.received[2]) == ["EVALSHA", digest_of(GIVE_BACK), "2", *keys, "1", "10"]
    assert len(store._idle) == 1


def test_a_full_day_is_refused_with_the_rest_that_redis_returns(canned):
    server = canned(numbers(1, 1, 0, NOON, TODAY, 3, 60))
    with pytest.raises(QuotaExceeded) as raised:
        store_at(server.url).count(quota_request("a"), NOW)
    assert raised.value.retry_after == 43_200
    quota = {"filesLeft": 0, "bytesLeft": 40, "resetsAt": "2026-11-25T00:00:00Z"}
    assert raised.value.details == {"quota": quota}


@pytest.mark.parametrize(("milliseconds", "wait"), [(0, 1), (1000, 1), (1001, 2)])
def test_a_refusal_by_rate_has_the_wait_in_whole_seconds(canned, milliseconds, wait):
    server = canned(numbers(2, 2, milliseconds, NOON))
    rates = (RateLimitItem("a", Rate(60, 60), "x"), RateLimitItem("b", Rate(5, 1), "y"))
    with pytest.raises(TooManyRequests) as raised:
        store_at(server.url).count(QuotaRequest("a", "ann", rates, ()), NOW)
    assert raised.value.retry_after == wait
    assert "5 per 1 s" in raised.value.message


def test_several_profiles_have_days_of_their_own(canned):
    days = tuple(QuotaItem(name, 3, 100, 1, 1) for name in "pq")
    told = ((0, 2_900_000), (1, TODAY), (0, 2_900_001))
    replies = [numbers(code, 2, 0, NOON, TODAY, 1, 2**53, day, 2, 60) for code, day in told]
    store, wanted = store_at(canned(*replies).url), QuotaRequest("a", "ann", (), days)
    assert [(day.files, day.resets_at.year) for day in store.count(wanted, NOW)] == [(2, 2026), (1, 9909)]
    with pytest.raises(QuotaExceeded) as raised:
        store.count(wanted, NOW)
    assert raised.value.details["quota"]["filesLeft"] == 1
    with pytest.raises(StoreDown):
        store.count(wanted, NOW)


def test_more_than_a_rate_ever_admits_is_refused_without_redis(canned):
    server = canned(COUNTED)
    rates = [RateLimitItem("forms", Rate(1, 60), "ann", 2)]
    with pytest.raises(BadRequest):
        store_at(server.url).count(quota_request("a", rates=rates), NOW)
    assert server.received == []


@cases("answer", "kind")
def test_any_other_reply_counts_as_a_store_that_is_down(canned, answer, kind):
    assert failure(store_at(canned(answer).url)) == kind


def test_a_connection_is_neither_kept_nor_reused_after_a_failure(canned):
    server = canned(b"-OOM command not allowed\r\n", b"-OOM command not allowed\r\n", COUNTED)
    wire = connect(Address(server.url), time.monotonic() + PATIENCE)
    with pytest.raises(StoreDown):
        wire.run(COUNT, [], [], time.monotonic() + PATIENCE)
    assert not wire._connection.is_connected
    store = store_at(server.url)
    failure(store)
    assert store._idle == []
    store.count(quota_request("a"), NOW)
    assert len(store._idle) == 1


def test_a_connection_with_an_unexpected_reply_is_closed(canned):
    server = canned(b"+OK\r\n")
    # The exception holds the frames of the call, and so the connection.
    with pytest.raises(StoreDown) as raised:
        store_at(server.url).count(quota_request("a"), NOW)
    assert raised.value.kind == "unexpected reply"
    assert server.hung_up.acquire(timeout=PATIENCE)


def test_a_command_that_redis_refuses_is_not_repeated(canned):
    server = canned(COUNTED, b"-OOM command not allowed\r\n", COUNTED)
    store = store_at(server.url)
    store.count(quota_request("a"), NOW)
    failure(store)
    assert len(server.received) == 2


def test_a_connection_idle_for_a_minute_is_closed(canned):
    store = store_at(canned(COUNTED, COUNTED, COUNTED).url)
    wires = []
    for seconds in (0, 59, 119):
        store.count(quota_request("a"), NOW + timedelta(seconds=seconds))
        ((wire, _),) = store._idle
        wires.append(wire)
    first, after_59_seconds, after_60_more = wires
    assert first is after_59_seconds is not after_60_more
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


def test_connecting_itself_has_the_budget_as_its_timeout(monkeypatch):
    seen = SimpleQueue()

    def refuse(connection):
        seen.put((connection.socket_connect_timeout, connection.socket_timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr(AbstractConnection, "connect", refuse)
    with pytest.raises(StoreDown):
        connect(Address("redis://host"), time.monotonic() + 0.9)
    assert all(0 < seconds <= 0.9 for seconds in seen.get(timeout=PATIENCE))


class Watched:
    """A socket that records its calls."""

    def __init__(self):
        self.received = []

    def __getattr__(self, name):
        return lambda *given: self.received.append((name, *given)) or b""


def test_all_calls_of_a_bounded_socket_share_one_deadline():
    sock = Watched()
    bounded = BoundedSocket(sock, time.monotonic() + PATIENCE)
    bounded.recv(7)
    bounded.sendall(b"x")
    bounded.settimeout(60)
    bounded.shutdown(2)
    (_, first), received, (_, second), sent, closed = sock.received
    assert 0 < second <= first <= PATIENCE
    assert (received, sent, closed) == (("recv", 7), ("sendall", b"x"), ("shutdown", 2))


def test_a_bounded_socket_has_the_seconds_that_are_left(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    sock = Watched()
    BoundedSocket(sock, 7.25).recv(1)
    assert sock.received[0] == ("settimeout", 0.25)


def test_login_and_database_come_before_the_first_command(canned):
    server = canned(b"+OK\r\n", b"+OK\r\n", COUNTED)
    store_at(f"redis://ann:p%40ss@127.0.0.1:{server.port}/3").count(quota_request("a"), NOW)
    assert [words(data)[0:3] for data in server.received[:2]] == [["AUTH", "ann", "p@ss"], ["SELECT", "3"]]


@cases("url", "protocol", "expected")
def test_the_url_is_parsed_into_connection_options(url, protocol, expected):
    assert Address(url, *protocol).options() == {**expected, "driver_info": None}


def test_tls_uses_the_packaged_authorities_or_the_operator_s():
    plain = Address("redis://host").options()
    checked = {**plain, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    assert Address("rediss://host").options() == {**checked, "ssl_ca_certs": ca_bundle_path()}
    own = Address("rediss://host?ssl_ca_certs=certs/ca.pem").options()
    assert own == {**checked, "ssl_ca_certs": str(ROOT / "certs" / "ca.pem")}


def test_tls_uses_the_hashed_folder_of_a_package(monkeypatch, tmp_path):
    folder = tmp_path / "certifi" / "authorities"
    folder.mkdir(parents=True)
    (tmp_path / "certifi" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    options = Address("rediss://host").options()
    assert (options["ssl_ca_path"], "ssl_ca_certs" in options) == (str(folder), False)


class Full(Watched):
    """A socket that always has as many bytes as are wanted."""

    def recv(self, size):
        return b"x" * size


def test_each_command_reads_a_reply_of_64_kib_at_most():
    bounded = BoundedSocket(Full(), time.monotonic() + PATIENCE)
    for _ in range(2):
        assert [len(bounded.recv(size)) for size in (1, 65_533, 5)] == [1, 65_533, 2]
        with pytest.raises(ReplyTooLong):
            bounded.recv(1)
        bounded.begin(time.monotonic() + PATIENCE)


def test_a_connection_that_opens_too_late_is_closed(canned, monkeypatch):
    server, over, look_up = canned(), threading.Event(), socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given: over.wait(PATIENCE) and look_up(*given))
    with pytest.raises(StoreDown) as raised:
        connect(Address(server.url), time.monotonic())
    assert raised.value.kind == "timed out"
    over.set()
    assert server.hung_up.acquire(timeout=PATIENCE)
