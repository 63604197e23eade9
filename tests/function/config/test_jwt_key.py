"""jwt_key: a login key that fits its algorithm and is strong enough."""

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


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as raised:
        load_settings(environ)
    return tuple(in_english(in_both(problem.sentence) for problem in raised.value.problems))


@pytest.mark.parametrize(
    ("algorithm", "key", "says"),
    [
        ("HS256", "short", "32 bytes"),
        ("HS256", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", "PEM"),
        ("HS256", SECRET, "must not be a TOKEN_SECRET or RECEIPT_SECRET"),
        ("HS256", RECEIPT_SECRET, "must not be a TOKEN_SECRET or RECEIPT_SECRET"),
        ("RS256", "k" * 40, "public key in PEM"),
        ("none", "k" * 40, "JWT_ALGORITHM"),
        ("HS512", "k" * 40, "JWT_ALGORITHM"),
    ],
)
def test_a_login_key_must_fit_its_algorithm(environment, algorithm, key, says):
    environment |= {
        "CALLER_AUTH": "jwt",
        "TOKEN_SECRET": SECRET,
        "RECEIPT_SECRET": RECEIPT_SECRET,
        "JWT_ALGORITHM": algorithm,
        "JWT_KEY": key,
    }
    assert any(says in problem for problem in problems_of(environment))


def in_pem(key) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def rsa_key(bits: int) -> str:
    # Any odd number of that length will do: nothing is signed with it.
    return in_pem(rsa.RSAPublicNumbers(65537, 2 ** (bits - 1) + 1).public_key())


def curve_key(curve) -> str:
    return in_pem(ec.derive_private_key(5, curve).public_key())


# An algorithm with the number 1.2.3.4 and nothing in it.
UNHEARD_OF = "-----BEGIN PUBLIC KEY-----\nMAswBQYDKgMEAwIAAA==\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    ("algorithm", "key", "says"),
    [
        ("RS256", rsa_key(1024), "it has 1024 bits; at least 2048 are needed"),
        ("RS256", rsa_key(2047), "it has 2047 bits; at least 2048 are needed"),
        ("RS256", rsa_key(2048), None),
        ("ES256", curve_key(ec.SECP256R1()), None),
        ("ES256", curve_key(ec.SECP256K1()), "its curve is secp256k1; ES256 means secp256r1 (P-256)"),
        ("ES256", curve_key(ec.SECP384R1()), "its curve is secp384r1; ES256 means secp256r1 (P-256)"),
        ("ES256", rsa_key(2048), "it is a key of another kind (RSAPublicKey)"),
        ("RS256", curve_key(ec.SECP256R1()), "it is a key of another kind (ECPublicKey)"),
        ("EdDSA", curve_key(ec.SECP256R1()), "it is a key of another kind (ECPublicKey)"),
        ("EdDSA", (KEYS / "ed25519.pub.pem").read_text(), None),
        (
            "EdDSA",
            (KEYS / "ed25519.pem").read_text(),
            "it is a private key, which must stay with the business",
        ),
        ("RS256", UNHEARD_OF, "it does not load (it should start with -----BEGIN PUBLIC KEY-----)"),
    ],
    ids=lambda value: None if value and value.startswith("-----BEGIN") else value or "is taken",
)
def test_a_public_key_is_of_its_algorithm_and_strong_enough(environment, algorithm, key, says):
    environment |= {
        "CALLER_AUTH": "jwt",
        "TOKEN_SECRET": SECRET,
        "JWT_ALGORITHM": algorithm,
        "JWT_KEY": key,
        "JWT_AUDIENCE": "upload",
    }
    if says is None:
        assert load_settings(environment).caller_settings.key == key.strip()
        return
    (problem,) = problems_of(environment)
    assert problem == f"JWT_KEY must be the public key in PEM for {algorithm}: {says}"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_without_an_audience_is_refused(environment, algorithm):
    key = {"RS256": rsa_key(2048), "ES256": curve_key(ec.SECP256R1())}
    environment |= {
        "CALLER_AUTH": "jwt",
        "TOKEN_SECRET": SECRET,
        "JWT_ALGORITHM": algorithm,
        "JWT_KEY": key.get(algorithm) or (KEYS / "ed25519.pub.pem").read_text(),
    }
    (problem,) = problems_of(environment)
    assert problem.startswith("JWT_AUDIENCE is missing;")
    (problem,) = problems_of({**environment, "JWT_AUDIENCE": "上传"})
    assert problem == "JWT_AUDIENCE must be plain ASCII"
    assert load_settings({**environment, "JWT_AUDIENCE": "upload"}).caller_settings.audience == "upload"
    assert load_settings({**environment, "JWT_AUDIENCE": "*"}).caller_settings.audience is None
