"""
RSA2, which signs the calls of the gateway and its answers; keys are made when they are first asked for.

Source: https://opendocs.alipay.com/common/02kf5q
"""

import base64
from collections.abc import Mapping
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization as written
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """Return the key of an app by its id, or of the gateway by another name: one a process."""
    return rsa.generate_private_key(65537, 2048)


def private_text(name: str) -> str:
    """Return a key as the console hands it out: PKCS#8 in base64, without the lines of PEM."""
    form, open_ = written.PrivateFormat.PKCS8, written.NoEncryption()
    return base64.b64encode(key_of(name).private_bytes(written.Encoding.DER, form, open_)).decode()


def public_text(name: str) -> str:
    form = written.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key_of(name).public_key().public_bytes(written.Encoding.DER, form)).decode()


def text_to_sign(fields: Mapping[str, str]) -> str:
    """Join all fields but ``sign`` that are not empty, sorted by name, with raw values."""
    given = sorted((name, value) for name, value in fields.items() if value and name != "sign")
    return "&".join(f"{name}={value}" for name, value in given)


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


def is_signed(key: rsa.RSAPublicKey, text: str, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True
