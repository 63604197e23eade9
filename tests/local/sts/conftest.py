"""A local STS, and a client of it."""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import urllib.parse

import pytest

from local.common.accounts import AccessKey, Accounts
from local.common.clock import StandingClock
from local.sts.server import StsServer


def _sts_escape(text: str) -> str:
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 or chr(byte) in "-_.~" else f"%{byte:02X}"
        for byte in text.encode()
    )


class StsCaller:
    """An RPC client written for the tests, so that the emulator is not its own judge."""

    role_arn = "acs:ram::1234567890123456:role/uploader"

    def __init__(self, origin: str, clock: StandingClock) -> None:
        self.origin = origin
        self.clock = clock
        self.nonces = itertools.count()

    def signed(
        self, method: str = "POST", secret: str = "long-secret", **changed: str | None
    ) -> dict[str, str]:
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
        canonical = "&".join(f"{_sts_escape(n)}={_sts_escape(given[n])}" for n in sorted(given))
        text = f"{method}&%2F&{_sts_escape(canonical)}"
        digest = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
        return given | {"Signature": base64.b64encode(digest).decode()}

    def send(self, method: str, target: str, body: str = "", **headers: str) -> tuple[int, bytes]:
        """One HTTP exchange on a connection of its own; header names as keywords, hyphens as underscores."""
        connection = http.client.HTTPConnection(self.origin.removeprefix("http://"), timeout=60)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body or None, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, parameters: dict[str, str]) -> tuple[int, dict]:
        """Everything in a form body."""
        form = urllib.parse.urlencode(parameters)
        status, body = self.send("POST", "/", form, Content_Type="application/x-www-form-urlencoded")
        return status, json.loads(body)

    def get(self, parameters: dict[str, str]) -> tuple[int, dict]:
        """Everything in the query."""
        status, body = self.send("GET", "/?" + urllib.parse.urlencode(parameters))
        return status, json.loads(body)

    def __call__(self, **changed: str | None) -> tuple[int, dict]:
        return self.post(self.signed(**changed))

    def code(self, **changed: str | None) -> tuple[int, str]:
        status, answer = self(**changed)
        return status, answer.get("Code", "")


@pytest.fixture
def sts_accounts():
    return Accounts(AccessKey("LTAIlong", "long-secret"))


@pytest.fixture
def sts_server(sts_accounts, clock):
    """A local STS at 14:00 UTC on 24 November 2026."""
    server = StsServer(sts_accounts, StsCaller.role_arn, now=clock).start()
    yield server
    server.stop()


@pytest.fixture
def sts_call(sts_server, clock):
    return StsCaller(sts_server.origin, clock)


@pytest.fixture
def sts_live_server(sts_accounts):
    """A local STS on the wall clock, for SDKs that read that themselves."""
    server = StsServer(sts_accounts, StsCaller.role_arn).start()
    yield server
    server.stop()
