"""auth.signed_tokens: session, tickets and receipt pass for nothing but what they are."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.auth import signed_tokens
from function.auth.signed_tokens import (
    PARTS,
    RECEIPT,
    SESSION,
    SOURCE,
    TICKET,
    issue_token,
    read_token,
)
from function.errors import Unauthorized
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

SECRET = "our-secret-0123456789-0123456789-abc"
OTHER_SECRET = "another-functions-secret-0123456789-x"
AUDIENCES = (SESSION, TICKET, PARTS, RECEIPT, SOURCE)
HOUR = timedelta(hours=1)
GOOD_HEADER = {"alg": "HS256", "typ": "JWT"}


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(part):
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def craft(payload, *, header=GOOD_HEADER, secret=SECRET):
    """A JWT put together by hand, so that the library's own care does not get in the attacker's way."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def good_payload(now, **changes):
    claims = {"sub": "me", "aud": SESSION, "exp": int(now.timestamp()) + 60, **changes}
    return {name: value for name, value in claims.items() if value is not ...}


def read(token, now, audience=SESSION, secrets=(SECRET,)):
    return read_token(token, audience=audience, secrets=secrets, now=now)


def refuses(token, now, **how):
    with pytest.raises(Unauthorized):
        read(token, now, **how)
    return True


def issue(now, audience=SESSION, secrets=(SECRET,), life=HOUR, **claims):
    return issue_token({"sub": "me", **claims}, audience=audience, secrets=secrets, now=now, life=life)


def test_a_token_made_by_hand_passes_so_the_attacks_below_fail_for_their_own_reason(clock):
    assert read(craft(good_payload(clock())), clock())["sub"] == "me"


@pytest.mark.parametrize("issued", AUDIENCES)
@pytest.mark.parametrize("expected", AUDIENCES)
def test_a_token_passes_for_its_own_purpose_only(clock, issued, expected):
    token = issue(clock(), audience=issued)
    if issued == expected:
        assert read(token, clock(), audience=expected)["aud"] == issued
    else:
        assert refuses(token, clock(), audience=expected)


def test_the_first_secret_signs_and_all_verify(clock):
    token = issue(clock(), secrets=(SECRET, OTHER_SECRET))
    assert read(token, clock(), secrets=(SECRET,))
    assert read(token, clock(), secrets=("x" * 32, SECRET))
    assert refuses(token, clock(), secrets=(OTHER_SECRET,))


def test_without_a_secret_no_token_passes(clock):
    assert refuses(issue(clock()), clock(), secrets=())


def test_a_token_ends_on_the_second(clock):
    token = issue(clock(), life=timedelta(seconds=60))
    assert read(token, clock.tick(seconds=59))
    assert refuses(token, clock.tick(seconds=1))


@cases("changes")
def test_refuses_odd_claims_even_under_a_good_signature(clock, changes):
    assert refuses(craft(good_payload(clock(), **changes)), clock())


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"[]", b'{"a":' + b"[" * 2900])
def test_refuses_a_payload_that_is_no_object_even_under_a_good_signature(clock, payload):
    assert refuses(craft(payload), clock())


def test_a_token_is_written_as_the_library_would_write_it(clock):
    now = int(clock().timestamp())
    claims = {"sub": "我", "jti": "1", "aud": SESSION, "iat": now, "exp": now + 3600}
    token = issue_token({"sub": "我", "jti": "1"}, audience=SESSION, secrets=[SECRET], now=clock(), life=HOUR)
    assert token == jwt.encode(claims, SECRET, algorithm="HS256")


def test_a_token_that_is_not_base64_is_unauthorized(clock):
    header, payload, signature = issue(clock()).split(".")
    for token in (f"{header}.{payload}.é", f"{header}.é.{signature}", f"{header}.{payload}.{signature}é"):
        with pytest.raises(Unauthorized) as raised:
            read(token, clock())
        assert raised.value.reason == "not base64url"


def test_our_own_tokens_name_one_audience_and_those_of_backends_may_name_several(clock):
    token = craft(good_payload(clock(), aud=[SESSION, "other"]))
    assert refuses(token, clock())
    assert read_token(token, audience=SESSION, secrets=(SECRET,), now=clock(), from_backend=True)


def test_an_instant_may_be_the_first_that_unix_seconds_count():
    assert signed_tokens.time_claim({"began": 0}, "began") == datetime(1970, 1, 1, tzinfo=UTC)


@cases("header")
def test_refuses_odd_headers_even_under_a_good_signature(clock, header):
    assert refuses(craft(good_payload(clock()), header=header), clock())


def test_refuses_a_payload_swapped_under_a_signature_of_ours(clock):
    header, _, signature = issue(clock()).split(".")
    assert refuses(f"{header}.{encoded(good_payload(clock(), sub='victim'))}.{signature}", clock())


def test_refuses_every_truncation(clock):
    token = issue(clock())
    for length in range(len(token)):
        assert refuses(token[:length], clock())


def test_refuses_every_flipped_bit_of_the_signature(clock):
    header, payload, signature = issue(clock()).split(".")
    raw = decoded(signature)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refuses(f"{header}.{payload}.{encoded(bytes(flipped))}", clock())


def test_neither_message_nor_reason_contains_the_token(clock):
    with pytest.raises(Unauthorized) as raised:
        read(craft(good_payload(clock(), sub="canary")), clock(), secrets=(OTHER_SECRET,))
    told = raised.value.message + raised.value.reason + str(raised.value.__cause__)
    assert "canary" not in told
    assert encoded(good_payload(clock(), sub="canary"))[:20] not in told


def test_refuses_a_token_over_4096_characters_without_reading_it(clock):
    def of_length(length):
        tokens = (craft(good_payload(clock(), pad="x" * fill)) for fill in range(2800, 3100))
        return next(token for token in tokens if len(token) == length)

    assert read(of_length(4096), clock())
    with pytest.raises(Unauthorized) as raised:
        read(of_length(4097), clock())
    assert raised.value.reason == "token over length"


def test_a_refused_token_has_a_reason_for_the_log(clock):
    def reason(token, **how):
        with pytest.raises(Unauthorized) as raised:
            read(token, clock(), **how)
        return raised.value.reason

    now = int(clock().timestamp())
    assert reason(craft(good_payload(clock(), exp=now))) == "expired"
    assert reason(craft(good_payload(clock(), nbf=now + 1))) == "not valid yet"
    assert reason(craft(good_payload(clock(), exp="x"))) == "exp or nbf is not a number"
    assert reason(issue(clock()), secrets=(OTHER_SECRET,)) == "signed with none of the secrets"


def test_signatures_are_compared_in_constant_time(clock, monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(len(a)) or real(a, b))
    assert refuses(craft(good_payload(clock()), secret=OTHER_SECRET), clock())
    assert read(issue(clock(), jti="never read before"), clock())
    assert compared == [43, 43]


def test_a_token_read_before_is_held_against_the_clock_the_purpose_and_the_secrets_each_time(clock):
    token = issue(clock(), life=HOUR)
    assert read(token, clock())["sub"] == "me"
    assert refuses(token, clock(), audience=TICKET)
    assert refuses(token, clock(), secrets=(OTHER_SECRET,))
    assert refuses(token, clock.tick(hours=1))


def test_changing_read_claims_does_not_change_the_cache(clock):
    token = issue(clock())
    read(token, clock())["sub"] = "victim"
    assert read(token, clock())["sub"] == "me"


@effort(max_examples=40)
@given(
    payload=st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.lists(st.integers()),
    claims=st.dictionaries(
        st.sampled_from(["exp", "nbf", "iat", "aud", "sub", "jti", "iss"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(SESSION),
    ),
)
def test_whatever_stands_under_a_good_signature_is_read_or_unauthorized(payload, claims):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for value in (payload, claims):
        try:
            read_claims = read(craft(value), now)
        except Unauthorized:
            continue
        assert now.timestamp() < read_claims["exp"] < float("inf")
        assert read_claims["aud"] == SESSION
