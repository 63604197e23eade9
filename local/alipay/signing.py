"""
RSA2, which signs the calls of the gateway and its answers; keys are made when they are first asked for.

Source: https://opendocs.alipay.com/common/02kf5q
"""

import base64
from collections.abc import Mapping
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@cache
def key_of(name: str) -> RSAPrivateKey:
    """Return the key of an app by its id, or of the gateway by another name: one a process."""
    return generate_private_key(65537, 2048)


def private_text(name: str) -> str:
    """Return a key as the console hands it out: PKCS#8 in base64, without the lines of PEM."""
    der = key_of(name).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(der).decode()


def public_text(name: str) -> str:
    der = key_of(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def text_to_sign(fields: Mapping[str, str]) -> str:
    """Join all fields but ``sign`` that are not empty, sorted by name, with raw values."""
    given = sorted((name, value) for name, value in fields.items() if value and name != "sign")
    return "&".join(f"{name}={value}" for name, value in given)


def sign(key: RSAPrivateKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def is_signed(key: RSAPublicKey, text: str, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True
