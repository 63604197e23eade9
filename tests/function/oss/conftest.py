"""An OSS that says what a test tells it to, and lets in only what is signed rightly."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from function.credentials import StsCredentials
from function.http.client import ExchangeFailed, HttpResponse
from function.oss.client import BUDGET_SECONDS, OssClient
from local.ground.accounts import AccessKey, Accounts
from local.oss.request import read_request
from local.oss.request_signature import authenticate
from local.oss.rules import OssRules

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
KEYS = StsCredentials("STS.NTObjects", "TempSecret/+=1", "CAISobjects/+==", NOW + timedelta(hours=1))
BUCKET, REGION = "examplebucket", "cn-hangzhou"
ORIGIN = "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com"
BELIEVER = SimpleNamespace(
    name=BUCKET,
    region=REGION,
    accounts=Accounts(
        AccessKey(KEYS.access_key_id, KEYS.access_key_secret, KEYS.security_token, KEYS.expires_at)
    ),
    rules=OssRules(),
    now=lambda: NOW,
)


def refusal(
    status, code, ec="0000-00000001", message="canary text https://canary.example/?x-oss-signature=1"
):
    """As OSS writes one, with a text that must not get anywhere."""
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message><EC>{ec}</EC></Error>"
    return HttpResponse(status, xml.encode(), {"x-oss-ec": ec, "x-oss-request-id": "5F00REQUEST"})


class ScriptedOss:
    """Answers in turn; each request is kept with all that came with it."""

    def __init__(self):
        self.answers = []
        self.asked = []
        self.clock = 0.0
        self.takes_seconds = 0.0

    def send(self, method, url, *, budget_seconds, headers: Mapping[str, str], body, max_bytes):
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
        target = parts._replace(scheme="", netloc="").geturl()
        request = read_request(method, target, [("host", parts.netloc), *headers.items()])
        assert authenticate(request, BELIEVER) is not None
        self.asked.append(
            SimpleNamespace(
                method=method,
                key=request.key,
                query=dict(request.query),
                headers=headers,
                body=body,
                seconds=budget_seconds,
                max_bytes=max_bytes,
            )
        )
        self.clock += self.takes_seconds
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise ExchangeFailed(answer)
        return answer

    def calls(self):
        deadline = self.clock + BUDGET_SECONDS
        return OssClient(BUCKET, REGION, ORIGIN, KEYS, NOW, self.send, lambda: deadline - self.clock)


@pytest.fixture
def scripted():
    oss = ScriptedOss()
    yield oss
    assert oss.answers == [], "an answer that nobody asked for"
