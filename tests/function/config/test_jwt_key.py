"""jwt_key: a login key fits its algorithm and is strong enough."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from function.app import load_settings
from function.errors import Misconfigured
from ops.terminal.messages import in_both
from tests.ops.words import in_english

KEYS = Path(__file__).parents[2] / "keys"
SECRET = "token-secret-0123456789-abcdefghi"
RECEIPT_SECRET = "another-secret-0123456789-abcdefg"


@pytest.fixture
def with_key(environment):
    """Return the environment of JWT callers with this key, and further changes."""

    def build(algorithm, key, **changes):
        jwt = {"CALLER_AUTH": "jwt", "TOKEN_SECRET": SECRET, "JWT_ALGORITHM": algorithm, "JWT_KEY": key}
        return environment | jwt | changes

    return build


def problems_of(environ):
    with pytest.raises(Misconfigured) as raised:
        load_settings(environ)
    problems = raised.value.problems
    assert len(in_english(in_both(problem.sentence) for problem in problems)) == len(problems)
    return problems


@pytest.mark.parametrize(
    ("algorithm", "key", "settings"),
    [
        ("HS256", "k" * 31, ["JWT_KEY"]),
        ("HS256", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", ["JWT_KEY"]),
        ("HS256", SECRET, ["JWT_KEY"]),
        ("HS256", RECEIPT_SECRET, ["JWT_KEY"]),
        ("RS256", "k" * 40, ["JWT_KEY", "JWT_AUDIENCE"]),
        ("none", "k" * 40, ["JWT_ALGORITHM"]),
        ("HS512", "k" * 40, ["JWT_ALGORITHM"]),
    ],
)
def test_a_login_key_must_fit_its_algorithm(with_key, algorithm, key, settings):
    problems = problems_of(with_key(algorithm, key, RECEIPT_SECRET=RECEIPT_SECRET))
    assert [problem.setting for problem in problems] == settings
    assert not any(key in problem.sentence for problem in problems)


def in_pem(key) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def rsa_key(bits: int) -> str:
    # Any odd number of that length will do: nothing is signed with it.
    return in_pem(rsa.RSAPublicNumbers(65537, 2 ** (bits - 1) + 1).public_key())


def curve_key(curve) -> str:
    return in_pem(ec.derive_private_key(5, curve).public_key())


# An algorithm with the number 1.2.3.4 and nothing in it.
UNKNOWN = "-----BEGIN PUBLIC KEY-----\nMAswBQYDKgMEAwIAAA==\n-----END PUBLIC KEY-----\n"
GOOD = {
    "RS256": rsa_key(2048),
    "ES256": curve_key(ec.SECP256R1()),
    "EdDSA": (KEYS / "ed25519.pub.pem").read_text(),
}


@pytest.mark.parametrize(
    ("algorithm", "key", "values"),
    [
        ("RS256", rsa_key(1024), {"bits": 1024, "least": 2048}),
        ("RS256", rsa_key(2047), {"bits": 2047, "least": 2048}),
        ("ES256", curve_key(ec.SECP256K1()), {"curve": "secp256k1"}),
        ("ES256", curve_key(ec.SECP384R1()), {"curve": "secp384r1"}),
        ("ES256", GOOD["RS256"], {"kind": "RSAPublicKey"}),
        ("RS256", GOOD["ES256"], {"kind": "ECPublicKey"}),
        ("EdDSA", GOOD["ES256"], {"kind": "ECPublicKey"}),
        ("EdDSA", (KEYS / "ed25519.pem").read_text(), {}),
        ("RS256", UNKNOWN, {}),
    ],
    ids=lambda value: None if isinstance(value, str) and value.startswith("-----BEGIN") else str(value),
)
def test_a_public_key_must_be_of_its_algorithm_and_strong_enough(with_key, algorithm, key, values):
    (problem,) = problems_of(with_key(algorithm, key, JWT_AUDIENCE="upload"))
    assert problem.setting == "JWT_KEY"
    assert problem.sentence.values["algorithm"] == algorithm
    assert problem.sentence.values["problem"].values == values
    # The reason stands in the sentence, and a private key is told from a broken one.
    assert ("private" in problem.sentence) is ("PRIVATE" in key)


@pytest.mark.parametrize("algorithm", GOOD)
def test_a_public_key_needs_an_audience(with_key, algorithm):
    environment = with_key(algorithm, GOOD[algorithm])
    for changes in ({}, {"JWT_AUDIENCE": "上传"}):
        assert [problem.setting for problem in problems_of(environment | changes)] == ["JWT_AUDIENCE"]
    accepted = load_settings({**environment, "JWT_AUDIENCE": "upload"}).callers[0].settings
    assert (accepted.key, accepted.audience) == (GOOD[algorithm].strip(), "upload")
    assert load_settings({**environment, "JWT_AUDIENCE": "*"}).callers[0].settings.audience is None
