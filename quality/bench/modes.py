"""
The modes of ``CALLER_AUTH``: what a deployment of each sets, and the token that its callers bring.
"""

import time

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# The mode of a mini-program stands first: its figures are the ones that count.
WECHAT, JWT_SECRET, JWT_PUBLIC_KEY, ANONYMOUS = MODES = (
    *("this function, wechat", "this function, jwt HS256"),
    *("this function, jwt RS256", "this function, anonymous"),
)
BUSINESS_SECRET = "bench-business-secret-0123456789abc"
AUDIENCE = "bench-uploads"
TOKEN_LIFE_SECONDS = 86_400  # longer than any run


def settings_of_modes(wechat_origin: str) -> dict[str, dict[str, str]]:
    """
    The environment of each mode, named as its contestant is, beyond what all share.

    Returns:
        with ``BENCH_TOKEN`` where the callers have a token of their own; those of WeChat log in for it.
    """
    private_key = rsa.generate_private_key(65537, 2048)
    public_key = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        WECHAT: {
            "CALLER_AUTH": "wechat",
            "WECHAT_APPID": "wx0123456789abcdef",
            "WECHAT_SECRET": "bench",
            "WECHAT_ENDPOINT": wechat_origin,
        },
        JWT_SECRET: _business_tokens("HS256", BUSINESS_SECRET, BUSINESS_SECRET),
        JWT_PUBLIC_KEY: _business_tokens("RS256", public_key.decode(), private_key),
        ANONYMOUS: {"CALLER_AUTH": "anonymous"},
    }


def _business_tokens(algorithm: str, key: str, signing_key: str | rsa.RSAPrivateKey) -> dict[str, str]:
    now = int(time.time())
    claims = {"sub": "user-0000001", "aud": AUDIENCE, "iat": now, "exp": now + TOKEN_LIFE_SECONDS}
    return {
        "CALLER_AUTH": "jwt",
        "JWT_KEY": key,
        "JWT_ALGORITHM": algorithm,
        "JWT_AUDIENCE": AUDIENCE,
        "BENCH_TOKEN": jwt.encode(claims, signing_key, algorithm=algorithm),
    }
