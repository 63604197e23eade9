"""Checks of ``JWT_KEY`` and its algorithm."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from function.annotations import Any
from function.config.profile import Profile
from function.config.types import MIN_SECRET_BYTES
from function.errors import Problem
from function.messages import Message

SECRET_ALGORITHM = "HS256"
ALGORITHMS = (SECRET_ALGORITHM, "RS256", "ES256", "EdDSA")
MIN_RSA_BITS = 2048
ANY_AUDIENCE = "*"


def problems_of(
    values: Mapping[str, Any], _profiles: Iterable[Profile], refused: Container[str]
) -> Iterator[Problem]:
    """Check the settings for the business's login tokens; see ``CallerKind.problems``."""
    key, algorithm = values.get("JWT_KEY"), values.get("JWT_ALGORITHM")
    own_secrets = (*values.get("TOKEN_SECRET", ()), *values.get("RECEIPT_SECRET", ()))
    if key and algorithm and (sentence := _problem_of_key(key, algorithm, own_secrets)):
        yield Problem("JWT_KEY", sentence)
    # A public key verifies the tokens of every app of its issuer; a secret belongs to one.
    has_public_key = algorithm not in (None, SECRET_ALGORITHM)
    if has_public_key and "JWT_AUDIENCE" not in values and "JWT_AUDIENCE" not in refused:
        sentence = Message(
            "JWT_AUDIENCE is missing; with JWT_ALGORITHM = {algorithm!r} it must be the aud of the tokens"
            " for this function, or * for any",
            algorithm=algorithm,
        )
        yield Problem("JWT_AUDIENCE", sentence)


def _problem_of_key(key: str, algorithm: str, own_secrets: Sequence[str]) -> Message | None:
    """Return a sentence that names ``JWT_KEY`` and never shows it; ``None`` for a good key."""
    if algorithm != SECRET_ALGORITHM:
        problem = _problem_of_public_key(key, algorithm)
        return problem and Message(
            "JWT_KEY must be the public key in PEM for {algorithm}: {problem}",
            algorithm=algorithm,
            problem=problem,
        )
    if "-----BEGIN" in key:
        return Message(
            "JWT_KEY is a PEM key, but JWT_ALGORITHM = 'HS256' takes a secret; one of them is wrong"
        )
    if len(key.encode()) < MIN_SECRET_BYTES:
        return Message("JWT_KEY must have at least {least} bytes for HS256", least=MIN_SECRET_BYTES)
    if key in own_secrets:
        return Message(
            "JWT_KEY must not be a TOKEN_SECRET or RECEIPT_SECRET: our receipts would be valid login tokens"
        )
    return None


def _problem_of_public_key(key: str, algorithm: str) -> Message | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in key:
        return Message("it is a private key, which must stay with the business")
    kinds: dict[str, Any] = {
        "RS256": rsa.RSAPublicKey,
        "ES256": ec.EllipticCurvePublicKey,
        "EdDSA": ed25519.Ed25519PublicKey,
    }
    try:
        loaded = load_pem_public_key(key.encode())
    except (ValueError, UnsupportedAlgorithm):
        return Message("it does not load (it should start with -----BEGIN PUBLIC KEY-----)")
    if not isinstance(loaded, kinds[algorithm]):
        return Message("it is a key of another kind ({kind})", kind=type(loaded).__name__.lstrip("_"))
    if isinstance(loaded, rsa.RSAPublicKey) and loaded.key_size < MIN_RSA_BITS:
        return Message(
            "it has {bits} bits; at least {least} are needed", bits=loaded.key_size, least=MIN_RSA_BITS
        )
    if isinstance(loaded, ec.EllipticCurvePublicKey) and not isinstance(loaded.curve, ec.SECP256R1):
        return Message("its curve is {curve}; ES256 means secp256r1 (P-256)", curve=loaded.curve.name)
    return None
