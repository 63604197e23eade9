"""A scripted OSS that verifies signatures."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from function.http.client import HttpResponse
from function.oss.client import BUDGET_SECONDS, OssClient
from function.sts.credentials import StsCredentials
from local.common.accounts import AccessKey, Accounts
from local.oss.request import read_request
from local.oss.request_signature import authenticate
from local.oss.rules import OssRules
from tests.support.scripted_oss import ScriptedOss

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


def is_signed_rightly(sent):
    parts = urlsplit(sent.url)
    assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
    target = parts._replace(scheme="", netloc="").geturl()
    request = read_request(sent.method, target, [("host", parts.netloc), *sent.headers.items()])
    assert authenticate(request, BELIEVER) is not None


@pytest.fixture
def scripted():
    """OSS of prepared responses; ``calls()`` is a client of it that may take as long as any request."""
    oss = ScriptedOss(is_signed_rightly)

    def calls():
        deadline = oss.clock + BUDGET_SECONDS
        return OssClient(BUCKET, REGION, ORIGIN, KEYS, NOW, oss.send, lambda: deadline - oss.clock)

    oss.calls = calls
    yield oss
    assert oss.answers == [], "an answer that nobody asked for"
