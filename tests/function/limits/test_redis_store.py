"""limits.redis: what holds across processes, and what is done about a Redis that is not well."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from function.config.types import Rate
from function.errors import QuotaExceeded
from function.limits.quota import StoreDown
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import BUDGET_SECONDS, RedisStore
from function.limits.redis_connection import Address
from tests.function.limits.requests_to_stores import (
    NOW,
    PASSWORD,
    PATIENCE,
    failure,
    left,
    quota_request,
    refusal,
)
from tests.support.ports import held_port
from tests.support.redis_server import Line

ROOT = Path(__file__).parents[3]
CHINA = timedelta(hours=8)
HOUR = 3600
RATES = (RateLimitItem("forms", Rate(5, 60), "ann"), RateLimitItem("forms of networks", Rate(5, 3600), "net"))
# Of the function's budget, or of the wait for a lookup and a greeting.
LATE = ("TimeoutError", "timed out")


def store_at(url, bucket="bucket", offset=CHINA, protocol=2, budget=PATIENCE):
    return RedisStore(Address(url, protocol), offset, bucket, budget)


def is_open(store):
    with suppress(StoreDown):
        store.open(NOW)
        return True


def wait_until(is_so, seconds=10.0):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def bucket(request):
    """A new bucket for each test, so that their counts are separate."""
    return request.node.name


def test_threads_together_get_exactly_the_limit_over_few_connections(server, bucket):
    store = store_at(server.url, bucket)

    def ask(thread):
        admitted = 0
        for number in range(25):
            with suppress(QuotaExceeded):
                store.count(quota_request(f"{thread}-{number}", 1, 1, most=(60, None)), NOW)
                admitted += 1
        return admitted

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 60
    assert 1 <= len(store._idle) <= 8


def test_a_warm_request_is_one_round_trip_on_its_idle_connection(server, bucket):
    with Line(server.port) as line:
        store = store_at(line.url, bucket)
        for number in range(5):
            store.count(quota_request(str(number), most=(9, None)), NOW)
        assert line.connections == 1
    commands = server.admin().info("commandstats")
    # However many counts a request has, it is one command; the scripts' own are listed by themselves.
    assert commands["cmdstat_evalsha"]["calls"] >= 5


def test_the_clock_of_redis_decides_the_day(server, bucket):
    behind, ahead = store_at(server.url, bucket), store_at(server.url, bucket)
    (day,) = behind.count(quota_request("a", 2), NOW - timedelta(days=400))
    assert refusal(ahead, quota_request("b", 2), NOW + timedelta(days=400)) == (1, 90)
    seconds, _ = server.admin().time()
    assert timedelta(0) < day.resets_at - datetime.fromtimestamp(seconds, UTC) <= timedelta(days=1)
    assert (day.resets_at + CHINA).timetuple()[3:6] == (0, 0, 0)


def test_a_day_ends_at_midnight_of_the_offset_and_its_key_soon_after(server, bucket):
    seconds, _ = server.admin().time()
    offset = timedelta(seconds=86400 - (seconds + HOUR) % 86400)
    store = store_at(server.url, bucket, offset)
    (day,) = store.count(quota_request("a", 3), NOW)
    assert day.resets_at == datetime.fromtimestamp(seconds + HOUR, UTC)
    with pytest.raises(QuotaExceeded) as raised:
        store.count(quota_request("b"), NOW)
    assert HOUR - PATIENCE < raised.value.retry_after <= HOUR
    (key,) = server.admin().keys(f"*{bucket}*day*")
    assert HOUR + 60 - PATIENCE < server.admin().ttl(key) <= HOUR + 60
    # Further east it is tomorrow already.
    tomorrow = store_at(server.url, bucket, offset + timedelta(days=1))
    assert left(tomorrow.count(quota_request("c"), NOW)) == (2, 90)
    # What yesterday counted is not given back today.
    tomorrow.give_back(quota_request("a", 3), NOW)
    assert left(tomorrow.count(quota_request("d"), NOW)) == (1, 80)


def test_every_key_expires_and_all_are_in_one_slot(server, bucket):
    from redis.crc import key_slot

    store_at(server.url, bucket).count(quota_request("a", rates=RATES), NOW)
    client = server.admin()
    keys = client.keys(f"oss-direct-upload:*{bucket}*")
    assert len(keys) == 4
    assert all(0 < client.ttl(key) <= 86400 + 60 for key in keys)
    assert len({key_slot(key) for key in keys}) == 1


def test_counts_are_exact_up_to_the_largest_quota(server, bucket):
    store = store_at(server.url, bucket)
    most = (None, 2**50)
    assert left(store.count(quota_request("a", 1, 2**50 - 1, most=most), NOW)) == (None, 1)
    assert left(store.count(quota_request("b", 1, 1, most=most), NOW)) == (None, 0)
    assert refusal(store, quota_request("c", 1, 1, most=most), NOW) == (None, 0)
    store.give_back(quota_request("a", 1, 2**50 - 1, most=most), NOW)
    assert left(store.count(quota_request("d", 1, 1, most=most), NOW)) == (None, 2**50 - 2)


def test_a_request_with_a_lost_reply_is_repeated_and_counted_once(server, bucket):
    with Line(server.port) as line:
        store = store_at(line.url, bucket)
        store.count(quota_request("a"), NOW)
        line.answers_to_swallow = 1
        assert left(store.count(quota_request("b"), NOW)) == (1, 80)
        assert line.connections == 2
        # On a new connection there is nothing to be said for another try.
        store = store_at(line.url, bucket)
        line.answers_to_swallow = 1
        assert failure(store, "c") == "ConnectionError"
    assert left(store_at(server.url, bucket).count(quota_request("c"), NOW)) == (0, 70)


def test_redis_is_used_again_after_an_outage(own_server):
    server = own_server(requirepass=PASSWORD)
    url = f"redis://:{PASSWORD}@127.0.0.1:{server.port}"
    with server.halted():
        assert failure(store_at(url, budget=BUDGET_SECONDS)) in LATE
    store = store_at(url)
    store.count(quota_request("a"), NOW)
    server.kill()
    assert failure(store) == "ConnectionRefusedError"
    server.start()
    # What it had counted is gone with it.
    assert left(store.count(quota_request("b"), NOW)) == (2, 90)


@pytest.mark.parametrize("drip", [False, True], ids=["late", "byte by byte"])
@pytest.mark.parametrize("is_warm", [True, False])
def test_a_late_or_trickling_reply_ends_with_the_budget(server, bucket, is_warm, drip):
    # So that the server knows the script, and one reply is all there is to wait for.
    store_at(server.url, bucket).count(quota_request(), NOW)
    with Line(server.port, drip=drip) as line:
        store = store_at(line.url, bucket, budget=BUDGET_SECONDS)
        if is_warm:
            wait_until(lambda: is_open(store))
        # Without the budget the whole reply would arrive.
        line.delay_seconds = 0.05 if drip else 1.0
        assert failure(store) in LATE
        assert store._idle == []


def test_a_full_redis_is_down_and_counts_nothing(own_server):
    server = own_server(maxmemory_policy="noeviction")
    store = store_at(server.url)
    store.count(quota_request("a"), NOW)
    server.admin().config_set("maxmemory", "1")
    assert failure(store, "b") == "OutOfMemoryError"
    server.admin().config_set("maxmemory", "0")
    assert left(store.count(quota_request("c"), NOW)) == (1, 80)


def test_a_replica_counts_as_down_and_a_connection_to_one_is_replaced(server, own_server, bucket):
    once_first = own_server()
    with Line(once_first.port) as line:
        store = store_at(line.url, bucket)
        store.count(quota_request("a"), NOW)
        once_first.admin().replicaof("127.0.0.1", server.port)
        assert failure(store_at(once_first.url, bucket)) == "ReadOnlyError"
        # The name leads to the one that took over.
        line._to_port = server.port
        assert left(store.count(quota_request("b"), NOW)) == (2, 90)
        assert line.connections == 2


@pytest.mark.parametrize(("user", "kind"), [
    (":wrong", "AuthenticationError"),
    ("nobody:wrong", "AuthenticationError"),
    ("weak:weakpassword", "NoPermissionError"),
    ("", "ResponseError")
])  # fmt: skip
def test_rejected_logins_have_their_reason_without_the_password(own_server, user, kind, caplog):
    server = own_server(requirepass=PASSWORD)
    server.admin(password=PASSWORD).acl_setuser("weak", True, passwords=["+weakpassword"], commands=["+ping"])
    store = store_at(f"redis://{user}@127.0.0.1:{server.port}" if user else server.url)
    assert failure(store) == kind
    assert (user.partition(":")[2] or PASSWORD) not in f"{store!r} {store._address!r} {caplog.text}"


def test_the_documented_rights_of_a_user_suffice(own_server):
    page = (ROOT / "docs" / "quotas.md").read_text("utf-8")
    line = next(line for line in page.splitlines() if line.startswith("The account behind"))
    commands = [f"+{word.lower()}" for word in line.split("`")[1::2] if word.isupper() and "_" not in word]
    server = own_server()
    server.admin().acl_setuser(
        "counter", True, passwords=["+counterpassword"], commands=commands, keys=["oss-direct-upload:*"]
    )
    store = store_at(f"redis://counter:counterpassword@127.0.0.1:{server.port}")
    for number in range(2):
        store.count(quota_request(str(number), rates=RATES[:1]), NOW)
    store.give_back(quota_request("1"), NOW)


@pytest.fixture
def tls_server(own_server, tmp_path):
    """Start a Redis with TLS only and a certificate for this name; return the authority's file, too."""

    def start(name):
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
        files = {"tls_cert_file": "own.pem", "tls_key_file": "own.pem", "tls_ca_cert_file": "ca.pem"}
        options = {option: str(tmp_path / file) for option, file in files.items()}
        with held_port() as port:
            own_server(port="0", tls_port=str(port), tls_auth_clients="no", **options)
        return port, tmp_path / "ca.pem"

    return start


def test_tls_accepts_a_certificate_of_the_operator_s_authority(tls_server):
    port, file = tls_server("localhost")
    store = store_at(f"rediss://localhost:{port}?ssl_ca_certs={file}")
    assert left(store.count(quota_request("a"), NOW)) == (2, 90)
    assert left(store.count(quota_request("b"), NOW)) == (1, 80)


@pytest.mark.parametrize("name", ["localhost", "redis.example.com"])
def test_a_certificate_of_an_unknown_authority_or_for_another_name_is_refused(tls_server, name):
    port, file = tls_server(name)
    query = "" if name == "localhost" else f"?ssl_ca_certs={file}"
    assert failure(store_at(f"rediss://localhost:{port}{query}")) == "SSLCertVerificationError"


def test_rediss_never_falls_back_to_plain_text(server):
    kind = failure(store_at(f"rediss://localhost:{server.port}", budget=0.3))
    assert kind in {"SSLError", "ConnectionResetError", "SSLEOFError", *LATE}
