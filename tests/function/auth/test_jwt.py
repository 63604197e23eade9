"""auth.jwt: the business's own login token under the attacks JWTs are known for."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.auth.jwt import KIND
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEYS = Path(__file__).parents[2] / "keys"
TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
HS256_SECRET = "business-secret-0123456789-0123456789"
KEY_FILES = {"RS256": "rsa", "ES256": "p256", "EdDSA": "ed25519"}
ALGORITHMS = ("HS256", *KEY_FILES)


def pem(name):
    return (KEYS / f"{name}.pem").read_text()


def public_key(algorithm):
    return HS256_SECRET if algorithm == "HS256" else pem(f"{KEY_FILES[algorithm]}.pub")


@cache
def private_key(algorithm, kind=""):
    if algorithm == "HS256":
        return HS256_SECRET + kind
    return load_pem_private_key(pem(KEY_FILES[algorithm] + kind).encode(), None)


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(header, payload, secret, digest="sha256"):
    """An HMAC token; the library refuses to make one with a public key, an attacker does not."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), digest))}"


@pytest.fixture
def claims(clock):
    """The payload of a good token; ``...`` takes a claim out."""

    def build(**changes):
        good = {"sub": "user-42", "exp": int(clock().timestamp()) + 300, **changes}
        return {name: value for name, value in good.items() if value is not ...}

    return build


@pytest.fixture
def business(instance):
    """An instance for one algorithm; its exchange fails the test that makes it fetch anything."""

    def no_exchange(*_args, **_options):
        raise AssertionError("no network is needed for a token")

    def build(algorithm="RS256", **changes):
        key = {"JWT_KEY": public_key(algorithm), "JWT_ALGORITHM": algorithm}
        if algorithm != "HS256":
            key["JWT_AUDIENCE"] = "*"
        return instance(no_exchange, **{"CALLER_AUTH": "jwt", "TOKEN_SECRET": TOKEN_SECRET, **key, **changes})

    return build


def status_of(function, token):
    answer = function.ask(body={"filename": "a.png"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status in (200, 401)
    assert answer.status == 200 or answer.code == "unauthorized"
    return answer.status


@pytest.mark.parametrize("expected", ALGORITHMS)
@pytest.mark.parametrize("used", ALGORITHMS)
def test_each_algorithm_takes_its_own_tokens_only(business, good_sts, claims, expected, used):
    token = jwt.encode(claims(), private_key(used), algorithm=used)
    assert status_of(business(expected), token) == (200 if used == expected else 401)
    of_another = jwt.encode(claims(), private_key(used, "_other"), algorithm=used)
    assert status_of(business(expected), of_another) == 401


@pytest.mark.parametrize(("expected", "used"), [("RS256", "RS512"), ("RS256", "PS256"), ("HS256", "HS512")])
def test_refuses_the_good_key_under_another_algorithm(business, sts, claims, expected, used):
    key = private_key(expected) if expected == "RS256" else HS256_SECRET * 2
    changes = {} if expected == "RS256" else {"JWT_KEY": key}
    assert status_of(business(expected, **changes), jwt.encode(claims(), key, algorithm=used)) == 401


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, "HS256 ", 0, []], ids=repr)
def test_refuses_an_unsigned_token(business, sts, claims, algorithm, alg):
    function = business(algorithm)
    for header in ({"alg": alg}, {"alg": alg, "typ": "JWT"}):
        assert status_of(function, f"{encoded(header)}.{encoded(claims())}.") == 401


@pytest.mark.parametrize("algorithm", list(KEY_FILES))
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512", "keep"])
def test_refuses_an_hmac_made_with_the_public_key(business, sts, claims, algorithm, alg):
    text = public_key(algorithm)
    key = load_pem_public_key(text.encode())
    header = {"alg": algorithm if alg == "keep" else alg, "typ": "JWT"}
    function = business(algorithm)
    for secret in (
        text.encode(),
        text.strip().encode(),
        text.replace("\n", "\\n").encode(),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        digest = {"HS384": "sha384", "HS512": "sha512"}.get(alg, "sha256")
        assert status_of(function, by_hand(header, claims(), secret, digest)) == 401


@cases("extra")
def test_a_header_that_names_a_key_makes_us_neither_fetch_nor_trust_it(business, good_sts, claims, extra):
    function = business()
    forged = jwt.encode(claims(), private_key("RS256", "_other"), algorithm="RS256", headers=extra)
    assert status_of(function, forged) == 401
    assert status_of(function, by_hand({"alg": "HS256", **extra}, claims(), b"")) == 401
    good = jwt.encode(claims(), private_key("RS256"), algorithm="RS256", headers=extra)
    assert status_of(function, good) == 200


def test_refuses_a_key_carried_in_the_token_itself(business, sts, claims):
    other = private_key("RS256", "_other")
    embedded = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key()))
    token = jwt.encode(claims(), other, algorithm="RS256", headers={"jwk": embedded})
    assert status_of(business(), token) == 401


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}], ids=str)
def test_critical_headers_are_refused(business, sts, claims, header):
    token = by_hand({"alg": "HS256", **header}, claims(), HS256_SECRET.encode())
    assert status_of(business("HS256"), token) == 401


def test_refuses_the_elliptic_signatures_that_careless_code_takes(business, sts, claims):
    function = business("ES256")
    signed, _, signature = jwt.encode(claims(), private_key("ES256"), algorithm="ES256").rpartition(".")
    raw = urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    for forged in (
        b"",
        bytes(64),
        b"\xff" * 64,
        raw[:63],
        raw + b"\0",
        encode_dss_signature(r, s),
        bytes(65),
    ):
        assert status_of(function, f"{signed}.{encoded(forged)}") == 401


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_refuses_another_payload_under_a_good_signature(business, sts, claims, algorithm):
    header, _, signature = jwt.encode(claims(), private_key(algorithm), algorithm=algorithm).split(".")
    assert status_of(business(algorithm), f"{header}.{encoded(claims(sub='victim'))}.{signature}") == 401


@cases("changes")
def test_refuses_odd_claims_even_from_the_business(business, good_sts, claims, log_lines, changes):
    function = business("HS256", JWT_AUDIENCE="upload" if "aud" in changes else None)
    token = by_hand({"alg": "HS256"}, claims(**changes), HS256_SECRET.encode())
    assert status_of(function, token) == 401
    assert ... not in changes.values() or log_lines()[-1]["reason"] == "MissingRequiredClaimError"


@pytest.mark.parametrize("subject", ["x", "x" * 255, "../../x", "\ud800"], ids=ascii)
def test_any_other_subject_gets_a_folder_that_is_safe_in_a_path(business, good_sts, claims, subject):
    token = by_hand({"alg": "HS256"}, claims(sub=subject), HS256_SECRET.encode())
    function = business("HS256")
    key = function.ask(body={"filename": "a.png"}, headers={"X-Upload-Token": token}).json["key"]
    folder = key.split("/")[1]
    assert len(folder) == 26
    assert set(folder) <= set("abcdefghijklmnopqrstuvwxyz234567")


@cases("claim", "seconds", "status")
def test_clocks_may_differ_by_thirty_seconds(business, good_sts, clock, claims, claim, seconds, status):
    when = int((clock() + timedelta(seconds=seconds)).timestamp())
    token = jwt.encode(claims(**{claim: when}), HS256_SECRET, algorithm="HS256")
    assert status_of(business("HS256"), token) == status


def test_only_the_time_of_the_request_counts(business, good_sts, clock, claims):
    clock.instant = datetime(2126, 1, 1, tzinfo=UTC)
    now = int(clock().timestamp())
    token = jwt.encode(claims(nbf=now, iat=now), HS256_SECRET, algorithm="HS256")
    assert status_of(business("HS256"), token) == 200


@cases("changes", "status")
def test_issuer_and_audience_are_held_to_when_set(business, good_sts, claims, changes, status):
    function = business("HS256", JWT_ISSUER="shop", JWT_AUDIENCE="upload")
    token = by_hand({"alg": "HS256"}, claims(**changes), HS256_SECRET.encode())
    assert status_of(function, token) == status


@pytest.mark.parametrize("algorithm", list(KEY_FILES))
@pytest.mark.parametrize("audience", ["another-app", ["another-app", "web"], ..., None, []], ids=str)
def test_a_token_of_another_app_of_the_same_issuer_is_refused(
    business, good_sts, claims, algorithm, audience
):
    """Its signature is good: one public key verifies the tokens of every app that the issuer has."""
    token = jwt.encode(claims(aud=audience), private_key(algorithm), algorithm=algorithm)
    assert status_of(business(algorithm, JWT_AUDIENCE="upload"), token) == 401
    ours = jwt.encode(claims(aud="upload"), private_key(algorithm), algorithm=algorithm)
    assert status_of(business(algorithm, JWT_AUDIENCE="upload"), ours) == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "changes", [{}, {"aud": "any", "iss": "anyone"}, {"aud": ["a", "b"]}, {"aud": "*"}], ids=str
)
def test_jwt_audience_star_or_none_accepts_any_audience(business, good_sts, claims, algorithm, changes):
    token = jwt.encode(claims(**changes), private_key(algorithm), algorithm=algorithm)
    assert status_of(business(algorithm), token) == 200
    assert status_of(business(algorithm, JWT_AUDIENCE="*"), token) == 200


@cases("ahead", "status")
@pytest.mark.parametrize("iat", [..., 0, 10**10], ids=str)
def test_a_token_that_lives_for_years_is_refused(
    business, good_sts, clock, claims, log_lines, ahead, status, iat
):
    token = by_hand(
        {"alg": "HS256"}, claims(exp=int(clock().timestamp()) + ahead, iat=iat), HS256_SECRET.encode()
    )
    assert status_of(business("HS256"), token) == status
    assert status == 200 or "over 31 days" in log_lines()[-1]["reason"]


def test_a_secret_shared_with_our_own_tokens_is_misconfigured(business):
    function = business("HS256", JWT_KEY=TOKEN_SECRET)
    assert function.ask(body={}, headers={"Authorization": "Bearer x"}).code == "misconfigured"


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text())


@effort(max_examples=40)
@given(
    header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "x5c"]), ODD),
    payload=st.dictionaries(st.sampled_from(["sub", "exp", "nbf", "iat", "aud", "iss", "jti"]), ODD),
)
@pytest.mark.not_for_coverage
def test_whatever_a_signed_token_says_is_at_worst_unauthorized(business, good_sts, header, payload):
    function = business("HS256", JWT_AUDIENCE="upload", JWT_ISSUER="shop")
    for head in (header, {"alg": "HS256", **header}, {"alg": "HS256"}):
        assert status_of(function, by_hand(head, payload, HS256_SECRET.encode())) == 401


@pytest.mark.parametrize("error", [ValueError, TypeError, RecursionError])
def test_an_untyped_error_of_the_jwt_library_is_a_bad_token(business, log_lines, monkeypatch, error):
    def decode(*_arguments, **_options):
        raise error

    monkeypatch.setattr(jwt, "decode", decode)
    assert status_of(business("HS256"), "x.y.z") == 401
    assert log_lines()[-1]["reason"] == error.__name__


def test_a_key_and_its_algorithm_are_needed_and_only_the_key_is_secret():
    rows = {row.name: (row.is_needed, row.is_secret) for row in KIND.settings}
    assert rows.pop("JWT_KEY") == (True, True)
    assert rows == {"JWT_ALGORITHM": (True, False), "JWT_ISSUER": (False,) * 2, "JWT_AUDIENCE": (False,) * 2}


def test_takes_a_key_that_a_console_put_on_one_line(business, good_sts, claims):
    token = jwt.encode(claims(), private_key("RS256"), algorithm="RS256")
    assert status_of(business(JWT_KEY=public_key("RS256").replace("\n", "\\n")), token) == 200
