"""Backend tokens: signed with the receipt secret by any JWT library."""

import base64
import json
from datetime import timedelta
from types import SimpleNamespace

import jwt
import pytest

from function.auth.backend import AUDIENCE, check_backend_token, is_for_backends
from function.auth.tokens import RECEIPT, SESSION, TICKET, issue_token, keyed_hash
from function.errors import Forbidden
from tests.conftest import TEST_INSTANT, TOKEN_SECRET
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

SECRET, OLD_SECRET = "receipt-SecretCanary-0123456789abcdef", "old-receipt-SecretCanary-0123456789ab"
NOW = TEST_INSTANT
SECONDS = int(NOW.timestamp())
SETTINGS = SimpleNamespace(receipt_secrets=(SECRET, OLD_SECRET))


def encoded(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def token(header=None, *, secret=SECRET, signature=None, **claims):
    """A token of a library that writes anything anyhow."""
    head = {"typ": "JWT", "alg": "HS256"} if header is None else header
    signed = f"{encoded(head)}.{encoded({'aud': AUDIENCE, 'exp': SECONDS + 300, **claims})}"
    return f"{signed}.{encoded(keyed_hash(secret, signed.encode())) if signature is None else signature}"


def is_taken(text):
    if not is_for_backends(text):
        return False
    try:
        check_backend_token(text, SETTINGS, NOW)
    except Forbidden:
        return False
    return True


@cases("header")
@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["shop", AUDIENCE]], ids=str)
def test_every_library_s_way_of_writing_it_is_taken(header, audience):
    assert is_taken(token(header, aud=audience))


def test_those_of_pyjwt_are_taken():
    assert is_taken(jwt.encode({"aud": AUDIENCE, "exp": SECONDS + 600}, SECRET, "HS256"))


def test_each_secret_of_the_list_verifies():
    assert is_taken(token(secret=OLD_SECRET))


@pytest.mark.parametrize("secret", ["another secret of 32 bytes or more.", TOKEN_SECRET, ""])
def test_no_other_secret_does(secret):
    assert not is_taken(token(secret=secret))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "None"},
        {"alg": "hs256"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "crit": []},
        {},
        [],
        "HS256",
        b"not json",
        b"\xff",
        b"",
    ],
    ids=str,
)
def test_another_algorithm_is_refused_though_the_signature_is_right(header):
    assert not is_taken(token(header))


def test_nothing_passes_unsigned():
    assert not is_taken(token({"alg": "none"}, signature=""))
    assert not is_taken(token(signature=""))
    assert not is_taken(token().rpartition(".")[0])


@pytest.mark.parametrize(
    "audience",
    [None, "", "oss-direct-upload", f"{AUDIENCE} ", AUDIENCE.upper(), SESSION, TICKET, RECEIPT, 7, True, {}]
    + [[], [[AUDIENCE]], {AUDIENCE: 1}, ["shop"], [SESSION, RECEIPT]],
    ids=str,
)
def test_a_token_of_another_audience_is_none(audience):
    assert not is_taken(token(aud=audience))


@pytest.mark.parametrize("audience", [SESSION, TICKET, RECEIPT])
def test_none_of_the_function_s_own_passes_for_one(audience):
    own = issue_token({"sub": "x"}, audience=audience, secrets=[SECRET], now=NOW, life=timedelta(minutes=5))
    assert not is_taken(own)
    with pytest.raises(Forbidden):
        check_backend_token(own, SETTINGS, NOW)


@cases("seconds", "is_good")
def test_it_lives_for_ten_minutes_at_most_and_half_a_minute_for_the_clock(seconds, is_good):
    assert is_taken(token(exp=SECONDS + seconds)) is is_good


@pytest.mark.parametrize("ends", [None, "", str(SECONDS + 300), True, [], {}, 1e400, float("nan"), 10**400])
def test_an_end_that_is_no_number_is_refused(ends):
    assert not is_taken(token(exp=ends))


def test_one_without_an_end_is_refused():
    signed = f"{encoded({'alg': 'HS256'})}.{encoded({'aud': AUDIENCE})}"
    assert not is_taken(f"{signed}.{encoded(keyed_hash(SECRET, signed.encode()))}")


@pytest.mark.parametrize(("seconds", "is_good"), [(-60, True), (30, True), (31, False), (60, False)])
def test_one_that_begins_later_is_refused(seconds, is_good):
    assert is_taken(token(nbf=SECONDS + seconds)) is is_good


@pytest.mark.parametrize("text", ["", ".", "..", "...", "a.b.c", "a.b.c.d", "e30.e30.e30", "\ud800.b.c"])
def test_anything_but_a_token_is_no_backend_token(text):
    assert not is_for_backends(text)
    with pytest.raises(Forbidden):
        check_backend_token(text, SETTINGS, NOW)


def test_claims_cannot_be_changed_after_they_were_signed():
    head, _, signature = token().split(".")
    assert not is_taken(f"{head}.{encoded({'aud': AUDIENCE, 'exp': SECONDS + 301})}.{signature}")


def test_the_log_has_the_reason_and_the_caller_has_none_of_it(house, log_lines):
    stored = house.store("word")
    refusal = house.ask("commit", house.backend(secret="x" * 32), receipt=stored["receipt"])
    assert refusal.outcome == (403, "forbidden")
    assert log_lines()[-1]["reason"] == "backend token: signed with none of the secrets"


@pytest.mark.parametrize("route", ["commit", "discard"])
def test_a_bad_one_is_refused_before_the_owner_s_session_is_looked_for(house, route):
    stored = house.store("note")
    late = house.backend(exp=SECONDS + 3600)
    assert house.ask(route, late, receipt=stored["receipt"]).outcome == (403, "forbidden")
    assert house.status(stored["receipt"]) == "held"


def test_the_reason_names_the_longest_life_of_a_backend_token():
    with pytest.raises(Forbidden) as refused:
        check_backend_token(token(exp=SECONDS + 3600), SETTINGS, NOW)
    assert refused.value.reason == "backend token: exp is over 10 minutes ahead"


def test_backends_write_the_audience_of_the_contract():
    assert AUDIENCE == "oss-direct-upload/backend"
