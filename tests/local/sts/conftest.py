"""A local STS, and a client of it."""

import base64
import hashlib
import hmac
import itertools
import json
import urllib.parse

import pytest

from local.common.accounts import AccessKey, Accounts
from local.sts.server import StsServer
from tests.local.site import exchange


class StsCaller:
    """An RPC client written for the tests, so that the emulator is not its own judge."""

    role_arn = "acs:ram::1234567890123456:role/uploader"

    def __init__(self, origin, clock):
        self.origin, self.clock = origin, clock
        self.nonces = itertools.count()

    def signed(self, method="POST", secret="long-secret", **changed):
        """Parameters of a good AssumeRole with some changed (``None``: left out) and then signed."""
        given = {
            "Action": "AssumeRole",
            "Version": "2015-04-01",
            "Format": "JSON",
            "RoleArn": self.role_arn,
            "RoleSessionName": "uploads",
            "AccessKeyId": "LTAIlong",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": f"nonce-{next(self.nonces)}",
            "Timestamp": f"{self.clock.instant:%Y-%m-%dT%H:%M:%SZ}",
        } | changed
        given = {name: value for name, value in given.items() if value is not None}
        canonical = "&".join(f"{_escaped(name)}={_escaped(given[name])}" for name in sorted(given))
        text = f"{method}&%2F&{_escaped(canonical)}"
        digest = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
        return given | {"Signature": base64.b64encode(digest).decode()}

    def send(self, method, target, body="", **headers):
        """One HTTP exchange on a connection of its own; header names as keywords, hyphens as underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
        status, _, answer = exchange(self.origin, method, target, body or None, sent)
        return status, answer

    def post(self, parameters):
        """Everything in a form body."""
        form = urllib.parse.urlencode(parameters)
        status, body = self.send("POST", "/", form, Content_Type="application/x-www-form-urlencoded")
        return status, json.loads(body)

    def __call__(self, **changed):
        return self.post(self.signed(**changed))

    def said(self, **changed):
        """Status and code, as ``400 MissingAction``; ``200`` where there is none."""
        return said(self(**changed))


def _escaped(text):
    return urllib.parse.quote(text, safe="~")


def said(answer):
    status, body = answer
    body = json.loads(body) if isinstance(body, bytes) else body
    return f"{status} {body.get('Code', '')}".strip()


@pytest.fixture
def sts_accounts():
    return Accounts(AccessKey("LTAIlong", "long-secret"))


@pytest.fixture
def sts_server(sts_accounts, clock, started):
    """A local STS at 14:00 UTC on 24 November 2026."""
    return started(StsServer(sts_accounts, StsCaller.role_arn, now=clock))


@pytest.fixture
def sts_call(sts_server, clock):
    return StsCaller(sts_server.origin, clock)
