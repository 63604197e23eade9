"""STS and OSS of the local cloud behind real sockets, and a look at a receipt with nothing but hmac."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from types import SimpleNamespace

import pytest
import requests

from local.common.accounts import AccessKey, Accounts
from local.oss.server import OssServer
from local.sts.server import StsServer

BUCKET, REGION, ROLE = "local-bucket", "cn-hangzhou", "acs:ram::1234567890123456:role/upload"
OWN = AccessKey("LTAIlocalOwn", "LocalOwnSecretCanary")
SECRET = "token-secret-canary-0123456789abcdef"
# A picture of 3 by 2 points, as far as anybody looks.
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + bytes(40)


@pytest.fixture
def services(tmp_path, clock):
    """Both on one clock and one account; ``settings`` lead a function to them."""
    accounts = Accounts(OWN)
    oss = OssServer(accounts, BUCKET, REGION, tmp_path / "objects", now=clock).start()
    sts = StsServer(accounts, ROLE, now=clock, clock_window=timedelta(days=36500)).start()
    settings = {
        "OSS_BUCKET": BUCKET,
        "OSS_HOST": oss.origin,
        "STS_ROLE_ARN": ROLE,
        "STS_ENDPOINT": sts.origin,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": None,
        "TOKEN_SECRET": SECRET,
    }
    yield SimpleNamespace(oss=oss, sts=sts, settings=settings)
    sts.stop()
    oss.stop()


def post_form(oss, pairs, content=PICTURE):
    """What OSS answers to a form of these fields."""
    parts = [(name, (None, value)) for name, value in pairs]
    parts.append(("file", ("tmp_1.png", content, "application/octet-stream")))
    with requests.Session() as session:
        session.trust_env = False
        return session.post(oss.origin, files=parts, timeout=10)


def verified_claims(receipt):
    head, body, signature = receipt.split(".")
    expected = hmac.new(SECRET.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert hmac.compare_digest(urlsafe_b64decode(signature + "=="), expected)
    return json.loads(urlsafe_b64decode(body + "=="))
