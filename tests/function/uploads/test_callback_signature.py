"""oss.callback_signature: which keys are trusted and where they may be fetched from."""

import json
import threading
import time
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import responses
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from function.errors import OssKeyUnavailable
from function.http.client import ExchangeFailed, HttpResponse
from function.limits.rate_limit import RateLimiter
from function.oss.callback_signature import OssPublicKeys, is_signed_by_oss
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)

HERE = Path(__file__).parents[2]
KEYS = HERE / "keys"
(VECTOR,) = json.loads((HERE / "vectors" / "post_policy.json").read_text("utf-8"))["callback"]
ORIGIN = "https://gosspublic.alicdn.com"
KEY_URL = f"{ORIGIN}/callback_pub_key_v1.pem"
TICKETS = count()
NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
FOREIGN_ADDRESSES = table_beside(__file__)["FOREIGN_ADDRESSES"]


@pytest.fixture
def real_network_function(function, instance):
    """The same function with the exchange it really uses."""
    return instance(**function.environ)


@pytest.mark.parametrize("address", FOREIGN_ADDRESSES, ids=lambda address: ascii(address)[:60])
@pytest.mark.not_for_coverage
def test_a_key_from_elsewhere_is_refused_and_no_socket_is_opened(
    real_network_function, forbidden_network, upload, call, address
):
    """Even with a good ticket and a signature that fits the attacker's key."""
    function = real_network_function
    body = upload(of=function).body()
    forbidden_network.clear()
    answer = call(body, address=address, signing_key="rsa_other", of=function)
    assert answer.status in (400, 403)
    assert answer.code in ("bad_request", "forbidden")
    assert forbidden_network == []


def test_no_key_is_fetched_without_a_valid_ticket(real_network_function, forbidden_network, upload, call):
    asked = upload(of=real_network_function)
    forbidden_network.clear()
    for body in (asked.body(ticket="x"), asked.body(ticket=asked.ticket[:-2]), b"", b"a=b"):
        assert call(body, of=real_network_function).status == 403
    assert forbidden_network == []


def test_keys_are_fetched_from_oss_only(real_network_function, forbidden_network, upload, call):
    """The network being forbidden, it is the answer for an unreachable key, and visible as such."""
    function = real_network_function
    body = upload(of=function).body()
    forbidden_network.clear()
    answer = call(body, of=function)
    assert answer.outcome == (503, "oss_key_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert forbidden_network == ["gosspublic.alicdn.com"]


def test_a_redirect_of_the_key_is_not_followed(real_network_function, upload, call):
    function = real_network_function
    with responses.RequestsMock() as network:
        stub = network.add("GET", KEY_URL, status=302, headers={"Location": "http://169.254.169.254/"})
        assert call(upload(of=function).body(), of=function).outcome == (503, "oss_key_unavailable")
        assert stub.call_count == len(network.calls) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *(((KEYS / name).read_bytes(), 200) for name in ("p256.pub.pem", "ed25519.pub.pem", "rsa.pem")),
        *((text, 200) for text in (b"", b"<html>", b" " * (16 * 1024 + 1))),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", 200),
        *(((KEYS / "rsa.pub.pem").read_bytes(), status) for status in (203, 500)),
        *((error("canary"), 200) for error in (requests.ConnectionError, requests.ReadTimeout)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_key_that_does_not_come_is_tried_again_the_next_time(
    real_network_function, upload, call, log_lines, body, status
):
    function = real_network_function
    callback = upload(of=function).body()
    with responses.RequestsMock() as network:
        network.add("GET", KEY_URL, body=body, status=status)
        network.add("GET", KEY_URL, body=(KEYS / "rsa.pub.pem").read_bytes())
        assert call(callback, of=function).outcome == (503, "oss_key_unavailable")
        assert "public key: " in log_lines()[-1]["reason"]
        assert "canary" not in log_lines()[-1]["reason"]
        assert call(callback, of=function).status == 200
        assert len(network.calls) == 2


def encoded(number):
    return b64encode(f"{ORIGIN}/callback_pub_key_v{number}.pem".encode()).decode()


def find(keys, address_header):
    """Each time for another ticket, so that no ticket's limit is reached."""
    return keys.find(address_header, ticket_id=str(next(TICKETS)), now=NOW)


class Overtaken(OssPublicKeys):
    """Between looking and boarding, another callback has had the same key fetched."""

    def _join(self, path, ticket_id, now):
        flight, is_ours = super()._join(path, ticket_id, now)
        if is_ours:
            flight.run(lambda: self._load(path))
        return super()._join(path, ticket_id, now)


def test_a_key_that_landed_meanwhile_is_used_and_not_fetched_again(key_host):
    assert find(Overtaken(ORIGIN, key_host, RateLimiter()), encoded(1)).key_size == 2048
    assert len(key_host.calls) == 1


class SlowKeyHost:
    """Answers each call when it is told to, and counts them."""

    def __init__(self, answer):
        self.answer = answer
        self.calls = []
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def __call__(self, _method, url, **_options):
        self.calls.append(url)
        self.is_asked.set()
        assert self.may_answer.wait(5)
        if isinstance(self.answer, Exception):
            raise self.answer
        return HttpResponse(200, self.answer)


def at_once(host, asks):
    """What each of them comes to; the host answers once it was asked and the others had time to come."""
    with ThreadPoolExecutor(len(asks)) as pool:
        running = [pool.submit(ask) for ask in asks]
        assert host.is_asked.wait(5)
        time.sleep(0.1)
        host.may_answer.set()
        wait(running)
    return [one.exception() or one.result() for one in running]


@pytest.fixture
def good_key():
    return (KEYS / "rsa.pub.pem").read_bytes()


def test_waiting_for_a_fetch_counts_as_none(good_key):
    host, limits = SlowKeyHost(good_key), RateLimiter()
    keys = OssPublicKeys(ORIGIN, host, limits)

    def ask():
        return keys.find(encoded(1), ticket_id="t", now=NOW)

    assert len({id(key) for key in at_once(host, [ask] * 20)}) == 1
    for number in range(2, 6):
        assert keys.find(encoded(number), ticket_id="t", now=NOW)
    with pytest.raises(OssKeyUnavailable):
        keys.find(encoded(6), ticket_id="t", now=NOW)
    assert len(host.calls) == 5


def test_waiting_requests_share_a_failed_fetch_and_the_next_one_retries(good_key):
    host = SlowKeyHost(ExchangeFailed("ReadTimeout"))
    keys = OssPublicKeys(ORIGIN, host, RateLimiter())
    failures = at_once(host, [partial(find, keys, encoded(1))] * 10)
    assert {type(failure) for failure in failures} == {OssKeyUnavailable}
    assert {failure.reason for failure in failures} == {"public key: ReadTimeout"}
    assert len({id(failure) for failure in failures}) == 10
    assert len(host.calls) == 1
    host.answer = good_key
    assert find(keys, encoded(1)).key_size == 2048


def test_an_interrupted_fetch_blocks_no_request(good_key):
    host = SlowKeyHost(KeyError("a mistake of ours"))
    keys = OssPublicKeys(ORIGIN, host, RateLimiter())
    failures = at_once(host, [partial(find, keys, encoded(1))] * 3)
    assert sorted(type(failure).__name__ for failure in failures) == ["KeyError"] + ["OssKeyUnavailable"] * 2
    assert {getattr(failure, "reason", "") for failure in failures} == {"", "public key: its fetch broke off"}
    host.answer = good_key
    assert find(keys, encoded(1)).key_size == 2048


def test_one_ticket_has_five_keys_a_minute_fetched_and_no_more(upload, call, key_host, clock, log_lines):
    flood, other = upload(), upload()
    answers = [
        call(flood.body(), address=f"{ORIGIN}/callback_pub_key_v1{number}.pem") for number in range(50)
    ]
    assert [answer.status for answer in answers] == [200] * 5 + [503] * 45
    assert answers[-1].code == "oss_key_unavailable" and int(answers[-1].headers["Retry-After"]) >= 1
    assert "this ticket named too many keys" in log_lines()[-1]["reason"]
    assert len(key_host.calls) == 5
    assert call(other.body(), address=KEY_URL).status == 200
    assert call(flood.body(), address=KEY_URL).status == 200, "a key that is held costs nobody a fetch"
    clock.tick(seconds=60)
    assert call(flood.body(), address=f"{ORIGIN}/callback_pub_key_v50.pem").status == 200


@pytest.fixture(scope="module")
def documented():
    path, _, query = VECTOR["request_target"].partition("?")
    return {
        "key": load_pem_public_key(VECTOR["public_key_pem"].encode()),
        "signature": b64decode(VECTOR["headers"]["authorization"]),
        "path": path,
        "query": query,
        "body": VECTOR["body"].encode(),
    }


def verifies(documented, **changes):
    parts = {**documented, **changes}
    return is_signed_by_oss(
        parts["key"], parts["signature"], path=parts["path"], raw_query=parts["query"], body=parts["body"]
    )


def test_the_documented_example_verifies(documented):
    assert documented["key"].key_size == 512
    assert verifies(documented)


@pytest.mark.parametrize("part", ["path", "query", "body", "signature"])
def test_the_example_with_one_flipped_bit_is_rejected(documented, part):
    value = documented[part]
    raw = value if isinstance(value, bytes) else value.encode()
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        changed = bytes(flipped) if isinstance(value, bytes) else flipped.decode("latin-1")
        assert not verifies(documented, **{part: changed}), bit


@cases("changes")
def test_the_example_signature_fits_no_other_request(documented, changes):
    assert not verifies(documented, **changes)


def fetched(key_host):
    return [int(url.rpartition("_v")[2].removesuffix(".pem")) for _, url in key_host.calls]


def test_the_ninth_key_evicts_the_oldest(key_host, clock):
    keys = OssPublicKeys(ORIGIN, key_host, RateLimiter())
    for number in (*range(8), *range(8)):
        keys.find(encoded(number), ticket_id=str(number), now=clock())
    assert fetched(key_host) == [*range(8)]
    for number in (8, 0, 8):
        keys.find(encoded(number), ticket_id=str(number), now=clock())
    assert fetched(key_host) == [*range(8), 8, 0]


@pytest.mark.parametrize("error", [ValueError, TypeError, UnsupportedAlgorithm])
def test_an_unloadable_key_is_oss_key_unavailable(key_host, clock, monkeypatch, error):
    def load(_data):
        raise error("no key")

    monkeypatch.setattr(serialization, "load_pem_public_key", load)
    with pytest.raises(OssKeyUnavailable):
        OssPublicKeys(ORIGIN, key_host, RateLimiter()).find(encoded(1), ticket_id="x", now=clock())


def test_a_signature_that_does_not_fit_is_exactly_false(key_host):
    key = serialization.load_pem_public_key(key_host.key)
    assert isinstance(key, RSAPublicKey)
    assert is_signed_by_oss(key, b"x", path=quote("/callback"), raw_query="", body=b"") is False
