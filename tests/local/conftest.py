"""
Emulators and clients shared by the tests of the local cloud.
"""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import urllib.parse
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from local.ground.accounts import AccessKey, Accounts
from local.oss.rules import OssRules
from local.oss.server import OssServer
from local.sts.server import StsServer
from local.wechat.server import WechatServer


class StsTime:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def _sts_escape(text: str) -> str:
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 or chr(byte) in "-_.~" else f"%{byte:02X}"
        for byte in text.encode()
    )


class StsCaller:
    """An RPC client written for the tests, so that the emulator is not its own judge."""

    role_arn = "acs:ram::1234567890123456:role/uploader"

    def __init__(self, origin: str, clock: StsTime) -> None:
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
            "Timestamp": f"{self.clock.now:%Y-%m-%dT%H:%M:%SZ}",
        } | changed
        given = {name: value for name, value in given.items() if value is not None}
        canonical = "&".join(f"{_sts_escape(n)}={_sts_escape(given[n])}" for n in sorted(given))
        text = f"{method}&%2F&{_sts_escape(canonical)}"
        digest = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
        return given | {"Signature": base64.b64encode(digest).decode()}

    def send(self, method: str, target: str, body: str = "", **headers: str) -> tuple[int, bytes]:
        """One HTTP exchange on a connection of its own; header names as keywords, hyphens as underscores."""
        connection = http.client.HTTPConnection(self.origin.removeprefix("http://"), timeout=5)
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
def sts_time():
    return StsTime()


@pytest.fixture
def sts_accounts():
    return Accounts(AccessKey("LTAIlong", "long-secret"))


@pytest.fixture
def sts_server(sts_accounts, sts_time):
    """A local STS at 14:00 UTC on 24 November 2026."""
    server = StsServer(sts_accounts, StsCaller.role_arn, now=sts_time).start()
    yield server
    server.stop()


@pytest.fixture
def sts_call(sts_server, sts_time):
    return StsCaller(sts_server.origin, sts_time)


@pytest.fixture
def sts_live_server(sts_accounts):
    """A local STS on the wall clock, for SDKs that read that themselves."""
    server = StsServer(sts_accounts, StsCaller.role_arn).start()
    yield server
    server.stop()


@pytest.fixture
def wechat_server(sts_time):
    """A local WeChat at 14:00 UTC on 24 November 2026."""
    server = WechatServer("wx0123456789abcdef", "wechat-secret", now=sts_time).start()
    yield server
    server.stop()


OSS_NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
OSS_BUCKET = "examplebucket"
OSS_REGION = "cn-hangzhou"
OSS_FOLDER_POLICY = {
    "Version": "1",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["oss:PutObject", "oss:PutObjectAcl"],
            "Resource": [f"acs:oss:*:*:{OSS_BUCKET}/u/*"],
        }
    ],
}
OSS_KEYS = {
    "sts": AccessKey(
        "STS.NTExample",
        "TempSecret/+=1",
        "CAISexample/+==",
        OSS_NOW + timedelta(hours=1),
        (OSS_FOLDER_POLICY,),
    ),
    "other": AccessKey("STS.NTOther", "TempSecret2", "CAISother/+==", OSS_NOW + timedelta(hours=1)),
    "account": AccessKey("LTAIExample", "AccountSecret"),
}


@dataclass
class OssAnswer:
    """What came back, with the XML of a refusal taken apart."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def element(self, name):
        return ElementTree.fromstring(self.body).findtext(name)

    @property
    def refusal(self):
        return self.status, self.element("Code"), self.element("EC")


class OssClient:
    """Signs forms with ``hmac`` and posts bodies built by hand."""

    boundary = "----WebKitFormBoundaryW0DET1iaBMeAOBg3"

    def __init__(self, server):
        self.server = server
        self.keys = OSS_KEYS

    def policy(self, conditions, expires=OSS_NOW + timedelta(minutes=5)):
        expiration = expires.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        text = json.dumps({"expiration": expiration, "conditions": conditions}, ensure_ascii=False)
        return base64.b64encode(text.encode()).decode()

    def v4_fields(self, key="sts", region=OSS_REGION, date=OSS_NOW):
        access_key = self.keys[key]
        day = f"{date:%Y%m%d}"
        fields = {
            "x-oss-signature-version": "OSS4-HMAC-SHA256",
            "x-oss-credential": f"{access_key.access_key_id}/{day}/{region}/oss/aliyun_v4_request",
            "x-oss-date": f"{date:%Y%m%dT%H%M%SZ}",
        }
        if access_key.security_token:
            fields["x-oss-security-token"] = access_key.security_token
        return fields

    def v4_signature(self, policy, key="sts", region=OSS_REGION, date=OSS_NOW):
        signing_key = f"aliyun_v4{self.keys[key].access_key_secret}".encode()
        for part in (f"{date:%Y%m%d}", region, "oss", "aliyun_v4_request"):
            signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
        return hmac.new(signing_key, policy.encode(), hashlib.sha256).hexdigest()

    def v4_form(self, fields=None, conditions=(), expires=OSS_NOW + timedelta(minutes=5), **signed):
        """A form whose fields are all pinned, plus conditions; ``signed`` goes to the signature."""
        fields = {"key": "u/42/a.jpg", **(fields or {}), **self.v4_fields(**signed)}
        pinned = [{"bucket": OSS_BUCKET}, *({name: value} for name, value in fields.items()), *conditions]
        policy = self.policy(pinned, expires)
        return {**fields, "policy": policy, "x-oss-signature": self.v4_signature(policy, **signed)}

    def v1_form(self, fields=None, conditions=None, key="sts", expires=OSS_NOW + timedelta(minutes=5)):
        access_key = self.keys[key]
        policy = self.policy(conditions or [["content-length-range", 0, 1000]], expires)
        digest = hmac.new(access_key.access_key_secret.encode(), policy.encode(), hashlib.sha1).digest()
        token = {"x-oss-security-token": access_key.security_token} if access_key.security_token else {}
        return {
            "key": "u/42/a.jpg",
            **(fields or {}),
            "OSSAccessKeyId": access_key.access_key_id,
            "policy": policy,
            "Signature": base64.b64encode(digest).decode(),
            **token,
        }

    def part(self, name, content, filename=None, content_type=None, more=""):
        content = content.encode() if isinstance(content, str) else content
        head = f'Content-Disposition: form-data; name="{name}"'
        head += f'; filename="{filename}"' if filename is not None else ""
        head += f"\r\n{more}" if more else ""
        head += f"\r\nContent-Type: {content_type}" if content_type else ""
        return f"--{self.boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"

    def field_parts(self, fields):
        return [self.part(name, value) for name, value in fields.items()]

    def body(self, parts):
        return b"".join(parts) + f"--{self.boundary}--\r\n".encode()

    def post(self, fields, content=b"picture", filename="a.jpg", content_type="image/jpeg", headers=None):
        file = self.part("file", content, filename, content_type)
        return self.send(self.body([*self.field_parts(fields), file]), headers)

    def send(self, body, headers=None, path="/"):
        headers = {"Content-Type": f"multipart/form-data; boundary={self.boundary}", **(headers or {})}
        return self.request("POST", path, body, headers)

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.origin).netloc, timeout=5)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return OssAnswer(response.status, response.headers, response.read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def oss_running(tmp_path_factory):
    clock = StsTime()
    server = OssServer(
        Accounts(*OSS_KEYS.values()), OSS_BUCKET, OSS_REGION, tmp_path_factory.mktemp("oss"), now=clock
    ).start()
    yield server, clock
    server.stop()


@pytest.fixture
def oss_clock(oss_running):
    _, clock = oss_running
    clock.now = OSS_NOW
    return clock


@pytest.fixture
def oss(oss_running, oss_clock):
    """The running server, empty, with the rules it ships with and no faults."""
    server, _ = oss_running
    server.bucket.rules = OssRules()
    server.faults.clear()
    for key in server.objects:
        server.objects.delete(key)
    yield server
    incoming = [path.name for path in server.objects.path_of("").parent.glob("incoming-*")]
    assert incoming == [], "an upload left its temporary file behind"


@pytest.fixture
def oss_client(oss):
    return OssClient(oss)
