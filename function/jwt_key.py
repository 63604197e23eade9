"""
Whether ``JWT_KEY`` can be what ``JWT_ALGORITHM`` says it is.
"""

from collections.abc import Sequence
from typing import Any

from function.kinds import MIN_SECRET_BYTES

SECRET_ALGORITHM = "HS256"
ALGORITHMS = (SECRET_ALGORITHM, "RS256", "ES256", "EdDSA")
MIN_RSA_BITS = 2048


def problem_of(key: str, algorithm: str, token_secrets: Sequence[str]) -> str:
    """
    A sentence that names ``JWT_KEY`` and never shows it; empty when the key is good.

    Args:
        token_secrets: which it must not be one of.
    """
    if algorithm != SECRET_ALGORITHM:
        problem = _problem_of_public_key(key, algorithm)
        return problem and f"JWT_KEY must be the public key in PEM for {algorithm}: {problem}"
    if "-----BEGIN" in key:
        return "JWT_KEY is a PEM key, but JWT_ALGORITHM = 'HS256' takes a secret; one of them is wrong"
    if len(key.encode()) < MIN_SECRET_BYTES:
        return f"JWT_KEY must have at least {MIN_SECRET_BYTES} bytes for HS256"
    if key in token_secrets:
        return "JWT_KEY must not be a TOKEN_SECRET: our receipts would pass as the business's login tokens"
    return ""


def _problem_of_public_key(key: str, algorithm: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in key:
        return "it is a private key, which must stay with the business"
    kinds: dict[str, Any] = {
        "RS256": rsa.RSAPublicKey,
        "ES256": ec.EllipticCurvePublicKey,
        "EdDSA": ed25519.Ed25519PublicKey,
    }
    try:
        loaded = load_pem_public_key(key.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "it does not load (it should start with -----BEGIN PUBLIC KEY-----)"
    if not isinstance(loaded, kinds[algorithm]):
        return f"it is a key of another kind ({type(loaded).__name__.lstrip('_')})"
    if isinstance(loaded, rsa.RSAPublicKey) and loaded.key_size < MIN_RSA_BITS:
        return f"it has {loaded.key_size} bits; at least {MIN_RSA_BITS} are needed"
    if isinstance(loaded, ec.EllipticCurvePublicKey) and not isinstance(loaded.curve, ec.SECP256R1):
        return f"its curve is {loaded.curve.name}; ES256 means secp256r1 (P-256)"
    return ""
