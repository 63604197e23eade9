"""A local OSS, and a client that signs for it."""

import base64
import hashlib
import hmac
import http.client
import json
import urllib.parse
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.common.accounts import AccessKey, Accounts
from local.common.clock import StandingClock
from local.oss.errors import OssError
from local.oss.lifecycle import Lifecycle
from local.oss.rules import OssRules
from local.oss.server import OssServer
from tests.local.site import exchange

OSS_NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
OSS_BUCKET = "examplebucket"
OSS_REGION = "cn-hangzhou"
UNSIGNED = "403 AccessDenied 0003-00000001"
NOT_PERMITTED = "403 AccessDenied 0003-00000301"
VECTORS = Path(__file__).parents[2] / "vectors"


def allowing(*actions, resource=f"acs:oss:*:*:{OSS_BUCKET}/u/*"):
    """A policy that allows this, and nothing else."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": [resource]}
    return {"Version": "1", "Statement": [statement]}


OSS_KEYS = {
    "sts": AccessKey(
        *("STS.NTExample", "TempSecret/+=1", "CAISexample/+==", OSS_NOW + timedelta(hours=1)),
        (allowing("oss:PutObject", "oss:PutObjectAcl"),),
    ),
    "other": AccessKey("STS.NTOther", "TempSecret2", "CAISother/+==", OSS_NOW + timedelta(hours=1)),
    "account": AccessKey("LTAIExample", "AccountSecret"),
}


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def content_md5(content):
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def hex_md5(content):
    return hashlib.md5(content).hexdigest().upper()


def refusal_of(function, *args, **options):
    """Status, code and EC of what this raises; nothing where it raises nothing."""
    try:
        function(*args, **options)
    except OssError as error:
        return " ".join(map(str, (error.refusal.status, error.refusal.code, error.refusal.ec)))
    return ""


@dataclass
class OssAnswer:
    """What came back, with the XML of a refusal taken apart."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def xml(self):
        """The document, without its namespace."""
        root = ElementTree.fromstring(self.body)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root

    def element(self, name):
        return self.xml.findtext(name)

    @property
    def said(self):
        """Status, code and EC of a refusal; of anything else the status."""
        if not self.body.startswith(b"<?xml") or b"<Code>" not in self.body:
            return f"{self.status} {self.headers['x-oss-ec'] or ''}".strip()
        return f"{self.status} {self.element('Code')} {self.element('EC')}"


class OssClient:
    """Signs forms with ``hmac`` and posts bodies built by hand."""

    boundary = "----WebKitFormBoundaryW0DET1iaBMeAOBg3"

    def __init__(self, server):
        self.server = server
        self.now = server.bucket.now
        self.keys = OSS_KEYS

    def policy(self, conditions, expires=OSS_NOW + timedelta(minutes=5)):
        expiration = expires.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        text = json.dumps({"expiration": expiration, "conditions": conditions}, ensure_ascii=False)
        return base64.b64encode(text.encode()).decode()

    def v4_fields(self, key="sts", region=OSS_REGION, date=OSS_NOW):
        access_key = self.keys[key]
        fields = {
            "x-oss-signature-version": "OSS4-HMAC-SHA256",
            "x-oss-credential": f"{access_key.access_key_id}/{date:%Y%m%d}/{region}/oss/aliyun_v4_request",
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
        form = {"key": "u/42/a.jpg", **(fields or {}), "OSSAccessKeyId": access_key.access_key_id}
        form |= {"policy": policy, "Signature": base64.b64encode(digest).decode()}
        token = access_key.security_token
        return form | ({"x-oss-security-token": token} if token else {})

    def path(self, key):
        return "/" + urllib.parse.quote(key)

    def presigned(self, method, name, key="account", **query):
        """Path and query of a V4 URL for an object, signed as of now."""
        query |= {**self.v4_fields(key, date=self.now()), "x-oss-expires": "900"}
        signature = self.v4_request_signature(method, name, query, {}, key)
        return f"{self.path(name)}?{self.canonical_query({**query, 'x-oss-signature': signature})}"

    def canonical_query(self, query):
        encoded = {urllib.parse.quote(n, ""): urllib.parse.quote(v, "") for n, v in query.items()}
        return "&".join(f"{name}={encoded[name]}" if encoded[name] else name for name in sorted(encoded))

    def call(self, method, name, body=None, key="account", headers=None, **query):
        """One call signed in the header, as a server makes it; ``None`` leaves a parameter without value."""
        query = {mark: value or "" for mark, value in query.items()}
        headers = {mark.lower(): value for mark, value in (headers or {}).items()}
        always = ("x-oss-", "content-type", "content-md5")
        signed = {mark: value for mark, value in headers.items() if mark.startswith(always)}
        fields = self.v4_fields(key, date=self.now())
        scope = fields.pop("x-oss-credential")
        del fields["x-oss-signature-version"]
        signed |= {**fields, "x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
        signature = self.v4_request_signature(method, name, query, signed, key)
        authorization = {"Authorization": f"OSS4-HMAC-SHA256 Credential={scope},Signature={signature}"}
        target = f"{self.path(name)}?{self.canonical_query(query)}"
        return self.request(method, target, body, {**headers, **signed, **authorization})

    def v4_request_signature(self, method, name, query, headers, key):
        lines = "".join(f"{header}:{headers[header]}\n" for header in sorted(headers))
        uri = f"/{OSS_BUCKET}{self.path(name)}"
        canonical = f"{method}\n{uri}\n{self.canonical_query(query)}\n{lines}\n\nUNSIGNED-PAYLOAD"
        scope = f"{self.now():%Y%m%d}/{OSS_REGION}/oss/aliyun_v4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"OSS4-HMAC-SHA256\n{self.now():%Y%m%dT%H%M%SZ}\n{scope}\n{digest}"
        return self.v4_signature(text, key, date=self.now())

    def part(self, name, content, filename=None, content_type=None, more=""):
        content = content.encode() if isinstance(content, str) else content
        head = f'Content-Disposition: form-data; name="{name}"'
        head += f'; filename="{filename}"' if filename is not None else ""
        head += f"\r\n{more}" if more else ""
        head += f"\r\nContent-Type: {content_type}" if content_type else ""
        return f"--{self.boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"

    def body(self, *parts, form=None):
        """A whole body: the fields of a form (the good V4 one, if none is given), then these parts."""
        fields = [self.part(*field) for field in (self.v4_form() if form is None else form).items()]
        return b"".join([*fields, *parts]) + f"--{self.boundary}--\r\n".encode()

    def post(self, fields, content=b"picture", filename="a.jpg", content_type="image/jpeg", headers=None):
        return self.send(self.body(self.part("file", content, filename, content_type), form=fields), headers)

    def send(self, body, headers=None, path="/"):
        headers = {"Content-Type": f"multipart/form-data; boundary={self.boundary}", **(headers or {})}
        return self.request("POST", path, body, headers)

    def request(self, method, path, body=None, headers=None):
        return OssAnswer(*exchange(self.server.origin, method, path, body, headers))


@pytest.fixture(scope="session")
def oss_running(tmp_path_factory):
    clock, folder = StandingClock(OSS_NOW), tmp_path_factory.mktemp("oss")
    server = OssServer(Accounts(*OSS_KEYS.values()), OSS_BUCKET, OSS_REGION, folder, now=clock).start()
    yield server, clock
    server.stop()


@pytest.fixture
def oss_clock(oss_running):
    _, clock = oss_running
    clock.instant = OSS_NOW
    return clock


@pytest.fixture
def oss(oss_running, oss_clock):
    """The running server, empty, with the rules it ships with and no faults."""
    server, _ = oss_running
    server.bucket.rules = OssRules()
    server.faults.clear()
    server.bucket.lifecycle = Lifecycle()
    for version, _ in list(server.objects.versions("", "")):
        server.objects.delete_version(version.key, version.version)
    server.objects.versioning = ""
    for upload in server.bucket.uploads:
        server.bucket.uploads.end(upload)
    yield server
    known = {version.path for version, _ in server.objects.versions("", "") if hasattr(version, "path")}
    known |= {part.path for upload in server.bucket.uploads for part in upload.parts.values()}
    left = {path for path in server.objects.path_of("").parent.iterdir() if path not in known}
    assert left == set(), "an upload left a file behind"


@pytest.fixture
def oss_client(oss):
    return OssClient(oss)


@pytest.fixture
def rules(oss):
    """Change the rules of the running server."""

    def change(**changes):
        oss.bucket.rules = replace(oss.bucket.rules, **changes)

    return change


@pytest.fixture
def may(oss, oss_client):
    """Add a session that may do these actions and not ``but``, or give no such ACL; the name of its key."""

    def allow(*actions, but=(), denied_acl=None, resource=f"acs:oss:*:*:{OSS_BUCKET}/u/*"):
        statements = allowing(*actions, resource=resource)["Statement"]
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        statements += [{**deny, "Action": [action]} for action in but]
        if denied_acl:
            statements += [{**deny, "Condition": {"StringEquals": {"oss:x-oss-object-acl": denied_acl}}}]
        name = f"STS.{len(oss_client.keys)}"
        ends, policies = oss.bucket.now() + timedelta(hours=1), ({"Version": "1", "Statement": statements},)
        key = AccessKey(name, "secret", f"token-{name}", ends, policies)
        oss_client.keys = {**oss_client.keys, name: key}
        oss.bucket.accounts.add(key)
        return name

    return allow


@pytest.fixture
def stored(oss, oss_client):
    """Store objects of three bytes, and return the names of all."""

    def store(*names):
        assert {oss_client.call("PUT", name, b"abc").status for name in names} <= {200}
        return sorted(oss.objects)

    return store


class OssUploader:
    """One upload in parts, by calls signed in the header."""

    def __init__(self, client, name="u/42/视频 一+1.mp4", key="account", sequential=False, **headers):
        self.client, self.name, self.key = client, name, key
        marks = {"uploads": None, **({"sequential": None} if sequential else {})}
        self.begun = client.call("POST", name, key=key, headers=_with_hyphens(headers), **marks)
        self.id = self.begun.element("UploadId") if self.begun.status == 200 else None

    def part(self, number, content, **headers):
        query = {"partNumber": str(number), "uploadId": self.id}
        return self.client.call("PUT", self.name, content, self.key, _with_hyphens(headers), **query)

    def list(self, **query):
        query = _with_hyphens(query)
        return self.client.call("GET", self.name, key=self.key, uploadId=self.id, **query)

    def complete(self, *parts, document=None, **headers):
        """Of numbers and ETags; ``document`` in place of the list."""
        listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in parts)
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        body, headers = body if document is None else document, _with_hyphens(headers)
        return self.client.call("POST", self.name, body, self.key, headers, uploadId=self.id)

    def complete_all(self, **headers):
        return self.complete(document=b"", x_oss_complete_all="yes", **headers)

    def abort(self):
        return self.client.call("DELETE", self.name, key=self.key, uploadId=self.id)


def _with_hyphens(named):
    return {name.replace("_", "-"): value for name, value in named.items()}


@pytest.fixture
def begin(oss, oss_client):
    """Begins an upload in parts."""
    return lambda *args, **more: OssUploader(oss_client, *args, **more)
