"""Backend tokens: signed with the receipt secret by any JWT library."""

import base64
import json
from datetime import timedelta
from types import SimpleNamespace

import jwt
import pytest

from function.auth.business_token import AUDIENCE, check_backend_token, is_for_backends
from function.auth.signed_tokens import RECEIPT, SESSION, TICKET, issue_token, keyed_hash
from function.errors import Forbidden
from tests.conftest import TEST_INSTANT, TOKEN_SECRET
from tests.support.cases import cases_beside, table_beside

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
def test_tokens_of_every_library_are_accepted(header, audience):
    assert is_taken(token(header, aud=audience))
    assert is_taken(jwt.encode({"aud": AUDIENCE, "exp": SECONDS + 600}, SECRET, "HS256"))


@pytest.mark.parametrize("secret", ["another secret of 32 bytes or more.", TOKEN_SECRET, ""])
def test_only_the_listed_secrets_verify(secret):
    assert is_taken(token(secret=OLD_SECRET))
    assert not is_taken(token(secret=secret))


@pytest.mark.parametrize("header", table_beside(__file__)["WRONG_HEADERS"], ids=str)
def test_other_algorithms_are_refused_though_the_signature_is_right(header):
    assert not is_taken(token(header))


def test_unsigned_and_altered_tokens_are_refused():
    assert not is_taken(token({"alg": "none"}, signature=""))
    assert not is_taken(token(signature=""))
    assert not is_taken(token().rpartition(".")[0])
    head, _, signature = token().split(".")
    assert not is_taken(f"{head}.{encoded({'aud': AUDIENCE, 'exp': SECONDS + 301})}.{signature}")


@pytest.mark.parametrize(
    "audience",
    [None, "", "oss-direct-upload", f"{AUDIENCE} ", AUDIENCE.upper(), SESSION, TICKET, RECEIPT, 7, True, {}]
    + [[], [[AUDIENCE]], {AUDIENCE: 1}, ["shop"], [SESSION, RECEIPT]],
    ids=str,
)
def test_a_token_of_another_audience_is_no_backend_token(audience):
    assert not is_for_backends(token(aud=audience))
    with pytest.raises(Forbidden):
        check_backend_token(token(aud=audience), SETTINGS, NOW)


@pytest.mark.parametrize("audience", [SESSION, TICKET, RECEIPT])
def test_our_own_tokens_are_no_backend_tokens(audience):
    own = issue_token({"sub": "x"}, audience=audience, secrets=[SECRET], now=NOW, life=timedelta(minutes=5))
    assert not is_taken(own)
    with pytest.raises(Forbidden):
        check_backend_token(own, SETTINGS, NOW)


def test_a_token_lives_ten_minutes_with_half_a_minute_of_leeway():
    ends = (-31, -30, -29, 1, 600, 630, 631, 86400)
    assert [seconds for seconds in ends if is_taken(token(exp=SECONDS + seconds))] == [-29, 1, 600, 630]
    begins = (-60, 30, 31, 60)
    assert [seconds for seconds in begins if is_taken(token(nbf=SECONDS + seconds))] == [-60, 30]


@pytest.mark.parametrize("ends", [None, "", str(SECONDS + 300), True, [], {}, 1e400, float("nan"), 10**400])
def test_the_expiry_must_be_a_number(ends):
    assert not is_taken(token(exp=ends))
    signed = f"{encoded({'alg': 'HS256'})}.{encoded({'aud': AUDIENCE})}"
    assert not is_taken(f"{signed}.{encoded(keyed_hash(SECRET, signed.encode()))}")


def test_the_reason_names_the_longest_life_of_a_backend_token():
    assert AUDIENCE == "oss-direct-upload/backend"
    with pytest.raises(Forbidden) as raised:
        check_backend_token(token(exp=SECONDS + 3600), SETTINGS, NOW)
    assert raised.value.reason == "backend token: exp is over 10 minutes ahead"
