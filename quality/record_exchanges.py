"""
Record the exchanges anew: ``python -m quality.record_exchanges``.

OSS, STS and WeChat are scripted here as far as the scenarios go: they store, list and refuse, and check no
signature. Read the diff of what was recorded: each change is a change of the contract. ``callback.json``
always changes, for the key pair that signs callbacks is made anew.
"""

import hashlib
import hmac
import itertools
import json
import sys
import tempfile
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit
from xml.etree import ElementTree

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.exchanges import RECORDINGS, START, UNFORESEEN, UNHEARD, Player

TOKEN_SECRET = "token-secret-of-the-recording-0123456789"
RECEIPT_SECRET = "receipt-secret-of-the-recording-0123456789"
APP_ID, PUSH_TOKEN, AES_KEY = "wx0123456789abcdef", "PushToken", "k" * 43
KEY_ADDRESS = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
OSS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CREDENTIAL_FIELDS = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
PNG = b"\x89PNG\r\n\x1a\n0000IHDR"
BASE = {
    "OSS_BUCKET": "my-bucket",
    "OSS_REGION": "cn-hangzhou",
    "STS_ROLE_ARN": "acs:ram::1234567890123456:role/upload",
    "CALLER_AUTH": "anonymous",
    "CALLER_RATE": "1000/min",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.OwnKey",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "own-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "own-token",
}
WECHAT = {
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": APP_ID,
    "WECHAT_SECRET": "app-secret",
    "TOKEN_SECRET": TOKEN_SECRET,
    "RECEIPT_SECRET": RECEIPT_SECRET,
}
CALLBACK = {"CALLBACK_URL": "https://f.example/callback", "TOKEN_SECRET": TOKEN_SECRET}
PUSH = {
    "WECHAT_PUSH_TOKEN": PUSH_TOKEN,
    "WECHAT_PUSH_AES_KEY": AES_KEY,
    "WECHAT_PUSH_FORWARD_URL": "https://business.example/push?k=1",
    "STS_SESSION_SECONDS": "7200",
}
PROFILES = """
[default]
key = "uploads/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*", "video/mp4", "application/pdf"]

[avatar]
key = "avatars/{owner}/{id}{ext}"
max_size = "2MiB"
min_size = 100
content_types = ["image/jpeg", "image/png"]
acl = "public-read"
overwrite = true
cache_control = "public, max-age=31536000"
expires_in = 600
[avatar.metadata]
source = "mini"

[one]
key = "one/{id}{ext}"
max_size = "1MiB"
content_types = ["application/pdf"]
signature = "v1"
storage_class = "IA"
"""
CONFIRMED = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*", "text/html"]
confirm = true

[photo]
key = "photos/{owner}/{sha256}{ext}"
max_size = "20MiB"
content_types = ["image/jpeg", "image/png"]
confirm = true
callback = true

[over]
key = "over/{owner}/{id}{ext}"
max_size = "20MiB"
content_types = ["image/png"]
overwrite = true
confirm = true
bucket = "my-contracts"
region = "cn-shanghai"
role = "acs:ram::1234567890123456:role/contracts"
"""
PARTS = """
[default]
key = "videos/{owner}/{id}{ext}"
max_size = "100MiB"
content_types = ["video/mp4"]
parts = true
part_size = "100KiB"
confirm = true
"""
READ = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
read = "owner"
[default.variants]
thumb = "image/resize,m_fill,w_200,h_200/format,jpg"

[shared]
key = "shared/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
read = "callers"
acl = "public-read"
"""
HELD = """
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
commit_by = "owner"
acl = "public-read"

[note]
key = "notes/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
callback = true
hold = ["commit"]
overwrite = true
hold_days = 3

[film]
key = "films/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["video/mp4"]
parts = true
hold = ["commit"]

[plain]
key = "plain/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
"""
CHECKED = """
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
hold = ["check"]
check_scene = 3

[both]
key = "both/{owner}/{id}{ext}"
max_size = "30MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit", "check"]
"""
PAGE = """
[default]
key = "test/{owner}/{filename}"
max_size = "100MiB"
content_types = ["*/*"]
expires_in = 60
signature = "%s"
callback = %s
"""
QUOTA = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*", "video/mp4"]
files_per_day = 4
bytes_per_day = "3MiB"

[free]
key = "free/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]

[large]
key = "large/{owner}/{id}{ext}"
max_size = "2MiB"
content_types = ["video/mp4"]
parts = true
bytes_per_day = "3MiB"
"""
HOOKS = """
def before_sign(caller, wanted, profile):
    shop = (wanted["context"] or {}).get("shop")
    if shop is None:
        return None
    if shop == 13:
        return {"refuse": "请先选择一家店。"}
    if shop == 14:
        return {"unknown": 1}
    return {"folder": f"shop-{shop}", "max_size": 1000, "content_types": ["image/png"], "context": {"a": 1}}
"""


class Cloud:
    """OSS, STS and WeChat, as one scenario sees them."""

    def __init__(self) -> None:
        self.now = START
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.open: dict[str, dict[str, Any]] = {}
        self.counter = itertools.count(1)
        # By the name of a call, what the next ones come to.
        self.faults: dict[str, list[Any]] = {}

    def answer(self, sent: dict[str, Any]) -> Any:
        where = urlsplit(sent["url"])
        host, _, rest = where.netloc.partition(".")
        if host == "sts":
            return self._planned("AssumeRole") or self._assume_role(dict(parse_qsl(where.query)))
        if where.netloc == "api.weixin.qq.com":
            return self._planned(where.path.rpartition("/")[2]) or self._wechat(where, sent)
        if where.netloc == "business.example":
            return self._planned("business") or [200, {"content-type": "application/json"}, '{"ok":true}']
        if where.netloc == "gosspublic.alicdn.com":
            pem = OSS_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return self._planned("key") or [200, {}, pem.decode()]
        assert rest.startswith("oss-"), where
        query = dict(parse_qsl(where.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in sent["headers"].items()}
        name = self._name(sent["method"], query, headers)
        return self._planned(name) or getattr(self, f"_{name}")(
            host, unquote(where.path[1:]), query, headers, sent["body"]
        )

    def _planned(self, name: str) -> Any:
        return self.faults[name].pop(0) if self.faults.get(name) else None

    def _assume_role(self, asked: dict[str, str]) -> Any:
        ends = self.now + timedelta(seconds=int(asked["DurationSeconds"]))
        return [
            200,
            {},
            json.dumps(
                {
                    "RequestId": "R",
                    "Credentials": {
                        "AccessKeyId": "STS." + asked["RoleArn"].rpartition("/")[2],
                        "AccessKeySecret": "role-secret",
                        "SecurityToken": "CAIS/+==",
                        "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    },
                }
            ),
        ]

    def _wechat(self, where: Any, sent: dict[str, Any]) -> Any:
        name = where.path.rpartition("/")[2]
        if name == "jscode2session":
            code = dict(parse_qsl(where.query))["js_code"]
            told: Any = (
                {"errcode": int(code[4:])} if code.startswith("err-") else {"openid": f"openid-{code}"}
            )
        elif name == "stable_token":
            told = {"access_token": "A" * 40, "expires_in": 7200}
        else:
            told = {"errcode": 0, "errmsg": "ok", "trace_id": f"trace-{next(self.counter)}"}
        return [200, {"content-type": "application/json"}, json.dumps(told)]

    @staticmethod
    def _name(method: str, query: dict[str, str], headers: dict[str, str]) -> str:
        if "uploads" in query:
            return "initiate"
        if "uploadId" in query:
            return {"GET": "list", "POST": "complete", "DELETE": "abort"}[method]
        if method == "PUT":
            return "copy" if "x-oss-copy-source" in headers else "put"
        return method.lower()

    def store(self, bucket: str, key: str, body: str, size: int, headers: dict[str, str], kind: str) -> str:
        etag = hashlib.md5(f"{body}{size}".encode(), usedforsecurity=False).hexdigest().upper()
        self.objects[bucket, key] = {
            "body": body,
            "size": size,
            "headers": headers,
            "kind": kind,
            "etag": etag,
            "at": self.now,
        }
        return etag

    @staticmethod
    def refused(status: int, code: str, ec: str = "0000-00000001", *, head: bool = False) -> Any:
        xml = f"<Error><Code>{code}</Code><Message>text of OSS</Message></Error>"
        headers = {"x-oss-request-id": "5F00REQUEST", "x-oss-ec": ec}
        if head:
            return [status, {**headers, "x-oss-err": b64encode(xml.encode()).decode()}, ""]
        return [status, headers, xml]

    def _head(self, bucket: str, key: str, *_: Any) -> Any:
        found = self.objects.get((bucket, key))
        if found is None:
            return self.refused(404, "NoSuchKey", "0026-00000001", head=True)
        kept = {name: value for name, value in found["headers"].items() if name.startswith("x-oss-meta-")}
        return [
            200,
            {
                **kept,
                "content-length": str(found["size"]),
                "content-type": found["headers"].get("content-type", ""),
                "etag": f'"{found["etag"]}"',
                "last-modified": format_datetime(found["at"], usegmt=True),
                "x-oss-object-type": found["kind"],
            },
            "",
        ]

    def _get(self, bucket: str, key: str, *_: Any) -> Any:
        found = self.objects.get((bucket, key))
        if found is None:
            return self.refused(404, "NoSuchKey", "0026-00000001")
        return [200, {"etag": f'"{found["etag"]}"'}, found["body"]]

    def _taken(self, bucket: str, key: str, headers: dict[str, str]) -> bool:
        return headers.get("x-oss-forbid-overwrite") == "true" and (bucket, key) in self.objects

    def _put(self, bucket: str, key: str, _query: Any, headers: dict[str, str], body: str) -> Any:
        if self._taken(bucket, key, headers):
            return self.refused(409, "FileAlreadyExists")
        self.store(bucket, key, body, len(body), headers, "Normal")
        return [200, {}, ""]

    def _copy(self, bucket: str, key: str, _query: Any, headers: dict[str, str], _body: str) -> Any:
        source = unquote(headers["x-oss-copy-source"]).split("/", 2)[2]
        found = self.objects.get((bucket, source))
        if found is None:
            return self.refused(404, "NoSuchKey")
        if headers["x-oss-copy-source-if-match"].strip('"') != found["etag"]:
            return self.refused(412, "PreconditionFailed")
        if self._taken(bucket, key, headers):
            return self.refused(409, "FileAlreadyExists")
        self.objects[bucket, key] = {**found, "at": self.now}
        return [200, {}, f'<CopyObjectResult><ETag>"{found["etag"]}"</ETag></CopyObjectResult>']

    def _delete(self, bucket: str, key: str, *_: Any) -> Any:
        self.objects.pop((bucket, key), None)
        return [204, {}, ""]

    def _initiate(self, bucket: str, key: str, _query: Any, headers: dict[str, str], _body: str) -> Any:
        if self._taken(bucket, key, headers):
            return self.refused(409, "FileAlreadyExists")
        name = f"UPLOAD{next(self.counter)}"
        self.open[name] = {"headers": headers, "parts": {}}
        return [
            200,
            {},
            f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>",
        ]

    def _list(self, _bucket: str, _key: str, query: dict[str, str], *_: Any) -> Any:
        if query["uploadId"] not in self.open:
            return self.refused(404, "NoSuchUpload")
        parts = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{etag}"</ETag><Size>{size}</Size></Part>'
            for number, (etag, size) in sorted(self.open[query["uploadId"]]["parts"].items())
        )
        return [200, {}, f"<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>"]

    def _complete(
        self, bucket: str, key: str, query: dict[str, str], headers: dict[str, str], body: str
    ) -> Any:
        if query["uploadId"] not in self.open:
            return self.refused(404, "NoSuchUpload")
        if self._taken(bucket, key, headers):
            return self.refused(409, "FileAlreadyExists")
        upload = self.open.pop(query["uploadId"])
        assert len(ElementTree.fromstring(body)) == len(upload["parts"])
        size = sum(size for _, size in upload["parts"].values())
        etag = self.store(bucket, key, query["uploadId"], size, upload["headers"], "Multipart")
        return [
            200,
            {},
            f'<CompleteMultipartUploadResult><ETag>"{etag}"</ETag></CompleteMultipartUploadResult>',
        ]

    def _abort(self, _bucket: str, _key: str, query: dict[str, str], *_: Any) -> Any:
        known = self.open.pop(query["uploadId"], None)
        return [204, {}, ""] if known else self.refused(404, "NoSuchUpload")


class Scenario:
    """One scenario while it is recorded; requests alternate between the two HTTP contracts."""

    def __init__(self, name: str, profiles: str, hooks: str = "", **environ: str) -> None:
        self.name = name
        self.world = Cloud()
        self.at = 0
        self._restart = False
        self._folder = tempfile.TemporaryDirectory()
        self._recorded: dict[str, Any] = {
            "environ": {**BASE, **environ},
            "profiles": profiles,
            "hooks": hooks,
        }
        self._steps: list[Any] = []
        self._player = Player(self._recorded, Path(self._folder.name), self.world.answer)

    def ask(self, path: str, body: Any = None, **how: Any) -> Any:
        """Send one request by the contract whose turn it is; its body, decoded."""
        return self.send(self.request(path, body, **how))

    def both(self, path: str, body: Any = None, **how: Any) -> Any:
        """Send one request by each contract."""
        self.ask(path, body, contract="event", **how)
        return self.ask(path, body, contract="wsgi", **how)

    def request(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "POST",
        query: str = "",
        headers: dict[str, str] | None = None,
        contract: str = "",
        ip: str = "203.0.113.7",
        token: str = "",
    ) -> dict[str, Any]:
        if not isinstance(body, bytes | str):
            body = "" if body is None else json.dumps(body, ensure_ascii=False)
        raw = body if isinstance(body, bytes) else body.encode()
        given = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        contract = contract or ("event", "wsgi")[len(self._steps) % 2]
        path = path if path.startswith("/") else f"/{path}"
        if contract == "event":
            event = {
                "version": "v1",
                "rawPath": path,
                "headers": given,
                "queryParameters": dict(parse_qsl(query, keep_blank_values=True)),
                "body": b64encode(raw).decode(),
                "isBase64Encoded": True,
                "requestContext": {
                    "requestId": "1-65f0-abc",
                    "http": {"method": method, "path": path, "sourceIp": ip},
                },
            }
            return {"event": json.dumps(event)}
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": given.pop("Content-Type", ""),
            "CONTENT_LENGTH": str(len(raw)),
            "REMOTE_ADDR": ip,
            "wsgi.input": raw.decode("latin-1"),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()}
        return {"wsgi": environ}

    def send(self, request: dict[str, Any]) -> Any:
        self.world.now = START + timedelta(seconds=self.at)
        step = {"at": self.at, **({"restart": True} if self._restart else {}), **request}
        self._restart = False
        # As it is read again from the file.
        step["played"] = json.loads(json.dumps(self._player.play(step)))
        self._steps.append(step)
        body = step["played"]["response"]["body"]
        return json.loads(body) if body.startswith("{") else body

    def wait(self, seconds: int) -> None:
        self.at += seconds

    def restart(self) -> None:
        self._restart = True

    def fail(self, **faults: Any) -> None:
        self.world.faults = {
            name: value if isinstance(value, list) else [value] for name, value in faults.items()
        }

    def upload(self, form: dict[str, Any], size: int = 1000, body: bytes = PNG, **headers: str) -> str:
        """Store what a form's sender sends; its entity tag."""
        fields = {name.lower(): value for name, value in form["formData"].items()}
        bucket = urlsplit(form["url"]).netloc.partition(".")[0]
        stored = {**fields, "content-type": fields.get("x-oss-content-type", ""), **headers}
        self.world.now = START + timedelta(seconds=self.at)
        return self.world.store(bucket, fields["key"], body.decode("latin-1"), size, stored, "Normal")

    def put_parts(self, begun: dict[str, Any], parts: list[dict[str, Any]]) -> None:
        for part in parts:
            query = dict(parse_qsl(urlsplit(part["url"]).query))
            upload = self.world.open[query["uploadId"]]
            upload["parts"][part["number"]] = (f"{part['number']:032X}", part["size"])

    def write(self) -> int:
        # A step a line, so that a diff shows what changed.
        head = json.dumps(self._recorded, ensure_ascii=False, indent=1).removesuffix("\n}")
        steps = ",\n".join(
            json.dumps(step, ensure_ascii=False, separators=(",", ":")) for step in self._steps
        )
        (RECORDINGS / f"{self.name}.json").write_text(f'{head},\n "steps": [\n{steps}\n]}}\n', "utf-8")
        self._folder.cleanup()
        return len(self._steps)


def jwt(claims: dict[str, Any], secret: str) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    signed = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(digest).decode().rstrip('=')}"


def instant(seconds: int) -> int:
    return int(START.timestamp()) + seconds


def backend(scenario: Scenario, secret: str = RECEIPT_SECRET, life: int = 300) -> str:
    claims = {"aud": "oss-direct-upload/backend", "exp": instant(scenario.at + life)}
    return jwt(claims, secret)


def log_in(scenario: Scenario, code: str = "anna") -> str:
    return str(scenario.ask("login", {"code": code})["token"])


def forms() -> Scenario:
    case = Scenario("forms", PROFILES, ALLOWED_ORIGINS="https://page.example")
    case.ask("/", {"filename": "a.png"})
    case.both("upload-params", {"filename": "IMG.JPG", "contentType": "image/jpeg", "size": 5})
    case.both("a/b/upload-params/", {"contentType": "video/mp4"})
    case.both("upload-params", method="GET", query="filename=x.pdf&size=12")
    case.both(
        "upload-params", method="GET", query="profile=avatar&filename=%E5%9B%BE.png&context=%7B%22a%22%3A1%7D"
    )
    case.ask("upload-params", {"profile": "one"})
    case.ask("upload-params", {"profile": "one", "filename": "x.html"})
    case.ask("upload-params", {"profile": "avatar", "filename": "x.html", "contentType": "image/png"})
    case.both(
        "upload-params", {"files": [{"filename": "a.png"}, {"profile": "avatar", "contentType": "image/png"}]}
    )
    case.ask(
        "upload-params", {"files": [{"filename": f"{number}.png", "size": number} for number in range(1, 21)]}
    )
    case.both("upload-params", {"filename": "a.png"}, headers={"Origin": "https://page.example"})
    case.ask("upload-params", {"filename": "a.png"}, headers={"Origin": "https://evil.example"})
    for method, path in (
        ("OPTIONS", "upload-params"),
        ("OPTIONS", "login"),
        ("OPTIONS", "nothing"),
        ("GET", "health"),
    ):
        case.both(path, method=method, headers={"Origin": "https://page.example"})
    for traceparent in ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "nonsense"):
        case.both("upload-params", {"filename": "a.png"}, headers={"traceparent": traceparent})
    case.wait(3300)
    case.ask("upload-params", {"filename": "a.png"})
    case.restart()
    case.ask("upload-params", {"filename": "a.png"})
    return case


def refused_forms() -> Scenario:
    case = Scenario("refused_forms", PROFILES)
    bodies: list[Any] = [
        *("[]", "{", '{"filename": 1, "filename": 2}', '{"size": NaN}', b"\xff", "[" * 5000),
        *({}, {"filename": ""}, {"filename": 7}, {"filename": "noextension"}, {"filename": "a.zip"}),
        *({"filename": "a.exe"}, {"contentType": "image/svg+xml"}, {"contentType": "x"}, {"contentType": 1}),
        *({"profile": "none", "filename": "a.png"}, {"profile": 5}, {"filename": "a.png", "size": 0}),
        *(
            {"filename": "a.png", "size": "1"},
            {"filename": "a.png", "size": 99999999},
            {"filename": "a.png", "size": True},
        ),
        *(
            {"profile": "avatar", "filename": "a.png", "size": 5},
            {"profile": "avatar", "contentType": "image/gif"},
        ),
        *({"filename": "a.png", "context": 5}, {"filename": "a.png", "context": {"a": "x" * 300}}),
        *({"filename": "a.png", "sha256": "x"}, {"filename": "a.png", "sha256": "0" * 64}),
        *(
            {"files": []},
            {"files": 3},
            {"files": [{}] * 21},
            {"files": [{"filename": "a.png"}, {"filename": "b.zip"}]},
        ),
        *(
            {"files": [1]},
            {"files": [{"filename": "a.png"}], "filename": "a.png"},
            {"filename": "x" * 2000 + ".png"},
        ),
        {"filename": "a.png", "contentType": "image/png", "pad": "x" * 66000},
    ]
    for body in bodies:
        case.ask("upload-params", body)
    case.both("upload-params", {"filename": "a.png"}, headers={"Content-Encoding": "gzip"})
    case.both("upload-params", {"filename": "a.png"}, headers={"X-Long": "x" * 9000})
    case.both("upload-params", method="GET", query="filename=" + "x" * 9000)
    case.both("upload-params", method="GET", query="filename=a.png&size=x")
    case.both("upload-params", method="GET", query="filename=a.png&context=x")
    case.both("upload-params", method="PUT")
    case.both("nothing")
    case.both("login", {"code": "x"})
    for path in ("confirm", "read", "multipart", "multipart-parts", "multipart-complete", "multipart-abort"):
        case.ask(path, {})
    for path in ("commit", "discard", "status", "wechat-events", "callback"):
        case.both(path, {})
        case.ask(path, method="DELETE")
    for event in ("", "[]", "{", '{"requestContext": {"http": 1}}', "not json"):
        case.send({"event": event})
    good = json.loads(case.request("upload-params", {"filename": "a.png"}, contract="event")["event"])
    case.send({"event": json.dumps({**good, "body": "***"})})
    case.send({"event": json.dumps({**good, "body": 5})})
    case.send({"event": json.dumps({**good, "body": '{"filename": "a.png"}', "isBase64Encoded": False})})
    case.send({"event": json.dumps(good), "context": "ctx-1"})
    wsgi = case.request("upload-params", {"filename": "a.png"}, contract="wsgi")["wsgi"]
    case.send({"wsgi": {**wsgi, "CONTENT_LENGTH": "x"}})
    case.send({"wsgi": {**wsgi, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}})
    case.send({"wsgi": {**wsgi, "CONTENT_LENGTH": "", "wsgi.input_terminated": True}})
    case.send({"wsgi": {**wsgi, "CONTENT_LENGTH": "99999"}})
    case.send({"wsgi": wsgi, "context": "ctx-2"})
    return case


def upstreams() -> list[Scenario]:
    cases = []
    faults = {
        "sts_refuses": [403, {}, '{"Code": "NoPermission", "RequestId": "R"}'],
        "sts_expired": [400, {}, '{"Code": "InvalidSecurityToken.Expired", "RequestId": "R"}'],
        "sts_throttles": [429, {}, '{"Code": "Throttling.User"}'],
        "sts_fails": [503, {}, "x"],
        "sts_silent": UNHEARD,
        "sts_nonsense": [200, {}, "x"],
        "sts_incomplete": [200, {}, '{"Credentials": {"AccessKeyId": "a"}}'],
        "sts_undated": [
            200,
            {},
            json.dumps(
                {
                    "Credentials": {
                        **dict.fromkeys(
                            ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"), "x"
                        )
                    }
                }
            ),
        ],
    }
    case = Scenario("upstreams", PROFILES)
    for fault in faults.values():
        case.restart()
        case.fail(AssumeRole=[fault, fault, fault])
        case.ask("upload-params", {"filename": "a.png"})
        case.wait(60)
    case.fail(AssumeRole=[UNHEARD])
    case.ask("upload-params", {"filename": "a.png"})
    cases.append(case)
    for name, environ in {
        "misconfigured": {"OSS_BUCKET": "", "CALLER_AUTH": "x"},
        "misconfigured_secret": {"CALLER_AUTH": "wechat", "TOKEN_SECRET": "short"},
        "misconfigured_keys": {"ALIBABA_CLOUD_ACCESS_KEY_ID": ""},
    }.items():
        case = Scenario(name, PROFILES, **environ)
        case.both("upload-params", {"filename": "a.png"})
        case.both("upload-params", method="OPTIONS")
        case.both("health", method="GET")
        cases.append(case)
    case = Scenario("rates", READ, **WECHAT, LOGIN_RATE="3/min", READ_RATE="3/min")
    case._recorded["environ"]["CALLER_RATE"] = "2/min"
    case._player._environ["CALLER_RATE"] = "2/min"
    token = log_in(case)
    for _ in range(3):
        case.ask("upload-params", {"filename": "a.png"}, token=token)
    case.ask("upload-params", {"files": [{"filename": "a.png"}] * 3}, token=token)
    for _ in range(3):
        case.ask("login", {"code": "b"})
    case.ask("login", {"code": "b"}, ip="203.0.113.8")
    for count in (1, 3, 2, 1):
        case.ask("read", {"items": [{"key": "shared/x/y.png"}] * count}, token=token)
    case.wait(61)
    case.ask("upload-params", {"filename": "a.png"}, token=token)
    cases.append(case)
    return cases


def pages() -> list[Scenario]:
    cases = []
    for version, callback in (("v4", "false"), ("v1", "false"), ("v4", "true"), ("v1", "true")):
        case = Scenario(f"page_{version}_{callback}", PAGE % (version, callback), **CALLBACK)
        case.both("/", method="GET")
        case.ask("/", {"filename": "a.png", "size": 5})
        case.ask("/", {"size": 999999999})
        case.ask("/", {"files": [{}]})
        cases.append(case)
    return cases


def logins() -> list[Scenario]:
    case = Scenario("login", PROFILES, **WECHAT, TOKEN_SECONDS="600")
    case.both("login", {"code": "anna"})
    for body in ({}, {"code": ""}, {"code": 5}, {"code": "sp ace"}, "x", {"code": "x" * 200}):
        case.ask("login", body)
    for errcode in (40029, 40163, 41008, 40226, 45011, -1, 40013, 41002, 40125, 41004, 99999):
        case.ask("login", {"code": f"err-{errcode}"})
    for fault in (
        UNHEARD,
        [500, {}, ""],
        [200, {}, "x"],
        [200, {}, "{}"],
        [200, {}, '{"openid": 5}'],
    ):
        case.fail(jscode2session=[fault, fault])
        case.ask("login", {"code": "anna"})
    case.fail(jscode2session=[UNHEARD])
    token = log_in(case)
    case.both("upload-params", {"filename": "a.png"}, token=token)
    case.ask("upload-params", {"filename": "a.png"}, headers={"X-Upload-Token": token})
    case.ask("upload-params", {"filename": "a.png"})
    for headers in (
        {"Authorization": "Basic x"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {token}x"},
        {"Authorization": f"Bearer {token}, {token}"},
        {"Authorization": "Bearer " + jwt({"sub": "x", "exp": instant(100)}, TOKEN_SECRET)},
        {"Authorization": "Bearer " + "x" * 5000},
    ):
        case.ask("upload-params", {"filename": "a.png"}, headers=headers)
    case.wait(700)
    case.both("upload-params", {"filename": "a.png"}, token=token)
    jwt_case = Scenario(
        "jwt",
        PROFILES,
        CALLER_AUTH="jwt",
        JWT_KEY="j" * 32,
        JWT_ALGORITHM="HS256",
        JWT_ISSUER="shop",
        JWT_AUDIENCE="app",
        TOKEN_SECRET=TOKEN_SECRET,
    )
    good = {"sub": "user-1", "exp": instant(600), "iss": "shop", "aud": "app"}
    jwt_case.both("upload-params", {"filename": "a.png"}, token=jwt(good, "j" * 32))
    for changes in (
        *(
            {"exp": instant(-100)},
            {"exp": instant(90 * 86400)},
            {"nbf": instant(500)},
            {"sub": ""},
            {"sub": 5},
        ),
        *({"sub": "x" * 300}, {"aud": "other"}, {"iss": "other"}, {"exp": "x"}),
    ):
        jwt_case.ask("upload-params", {"filename": "a.png"}, token=jwt({**good, **changes}, "j" * 32))
    jwt_case.ask("upload-params", {"filename": "a.png"}, token=jwt(good, "k" * 32))
    return [case, jwt_case]


def callback_of(case: Scenario, form: dict[str, Any], *, signed: str = "", **changes: Any) -> dict[str, Any]:
    """The request that OSS makes after an upload with this form."""
    field = json.loads(b64decode(form["formData"]["callback"]))
    values = {
        "bucket": "my-bucket",
        "object": form["formData"]["key"],
        "etag": '"ABC"',
        "size": "1000",
        "mimeType": "image/png",
        "imageInfo.width": "3",
        "imageInfo.height": "4",
        "imageInfo.format": "png",
        "reqId": "5F00",
        **changes,
    }
    body = field["callbackBody"]
    for name, value in values.items():
        body = body.replace(f"${{{name}}}", urlencode({"": value})[1:])
    return signed_callback(case, body, signed=signed)


def signed_callback(
    case: Scenario, body: str, address: str = KEY_ADDRESS, *, signed: str = "", **headers: str
) -> dict[str, Any]:
    signature = OSS_KEY.sign(f"/callback\n{signed or body}".encode(), padding.PKCS1v15(), MD5())
    given = {
        "Authorization": b64encode(signature).decode(),
        "x-oss-pub-key-url": b64encode(address.encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
        **headers,
    }
    return case.request("callback", body, headers=given)


def callbacks() -> Scenario:
    profiles = CONFIRMED.replace("confirm = true", "confirm = true\ncallback = true", 1)
    case = Scenario(
        "callback",
        profiles,
        **WECHAT,
        CALLBACK_URL="https://f.example/callback",
        UPLOAD_WEBHOOK_URL="https://business.example/hook",
    )
    token = log_in(case)
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    form = case.ask(
        "upload-params", {"filename": "a.png", "context": {"order": 17}}, token=token, headers=trace
    )
    case.fail(key=[UNHEARD, [404, {}, ""], [200, {}, "no key"]])
    for _ in range(3):
        case.send(callback_of(case, form))
    for _ in range(2):
        case.send(callback_of(case, form))
    case.fail(business=[UNHEARD, [500, {}, ""]])
    case.send(callback_of(case, form))
    case.send(callback_of(case, form))
    for changes in (
        *(
            {"object": "uploads/other.png"},
            {"bucket": "other"},
            {"size": "x"},
            {"size": "99999999"},
            {"etag": "!"},
        ),
        *({"mimeType": "x"}, {"mimeType": "text/plain"}, {"imageInfo.width": "", "imageInfo.height": "x"}),
    ):
        case.send(callback_of(case, form, **changes))
    sent = callback_of(case, form)
    for headers in ({"Authorization": "AAAA"}, {"Authorization": ""}, {"x-oss-pub-key-url": "!"}):
        case.send(signed_callback(case, "bucket=my-bucket", **headers))
    case.send(signed_callback(case, "bucket=my-bucket", "https://evil.example/callback_pub_key_v1.pem"))
    case.send(signed_callback(case, "bucket=my-bucket"))
    case.send(signed_callback(case, "bucket"))
    case.send(signed_callback(case, "a=1&a=2"))
    case.send(sent)
    photo = case.ask(
        "upload-params",
        {"profile": "photo", "filename": "a.png", "size": 1000, "sha256": "ab" * 32},
        token=token,
    )
    case.send(callback_of(case, photo))
    case.send(callback_of(case, form, signed="another body"))
    for _ in range(20):
        case.send(callback_of(case, form))
    case.wait(5000)
    case.send(callback_of(case, form))
    return case


def confirms() -> Scenario:
    case = Scenario(
        "confirm",
        CONFIRMED,
        **WECHAT,
        CALLBACK_URL="https://f.example/callback",
        UPLOAD_WEBHOOK_URL="https://business.example/hook",
    )
    token = log_in(case)
    form = case.ask("upload-params", {"filename": "a.png", "context": {"order": "一"}}, token=token)
    case.both("confirm", {"ticket": form["ticket"]})
    case.upload(form)
    case.both("confirm", {"ticket": form["ticket"]})
    for body in ({}, {"ticket": 5}, {"ticket": "x"}, {"ticket": form["ticket"] + "x"}, "["):
        case.ask("confirm", body)
    for fault in (
        *(UNHEARD, [500, {}, ""], case.world.refused(403, "AccessDenied", head=True), [200, {}, ""]),
        *(case.world.refused(403, "PublicEndpointForbidden", head=True), [404, {}, ""], UNFORESEEN),
    ):
        case.fail(head=[fault, fault])
        case.ask("confirm", {"ticket": form["ticket"]})
    case.fail(head=[UNHEARD])
    case.ask("confirm", {"ticket": form["ticket"]})
    case.fail(business=[UNHEARD])
    case.ask("confirm", {"ticket": form["ticket"]})
    case.upload(form, size=20_000_000)
    case.ask("confirm", {"ticket": form["ticket"]})
    case.upload(form, 1000, PNG, **{"content-type": "text/html"})
    case.ask("confirm", {"ticket": form["ticket"]})
    over = case.ask("upload-params", {"profile": "over", "filename": "a.png", "size": 1000}, token=token)
    case.upload(over)
    case.ask("confirm", {"ticket": over["ticket"]})
    photo = {"profile": "photo", "filename": "a.png", "size": 1000, "sha256": "AB" * 32}
    first = case.ask("upload-params", photo, token=token)
    case.upload(first)
    case.ask("confirm", {"ticket": first["ticket"]})
    case.both("upload-params", photo, token=token)
    case.ask(
        "upload-params",
        {"files": [photo, {"filename": "b.png"}, {**photo, "sha256": "cd" * 32}]},
        token=token,
    )
    case.ask("upload-params", {**photo, "size": 999}, token=token)
    case.ask("upload-params", {"profile": "photo", "filename": "a.png", "size": 1000}, token=token)
    case.ask("upload-params", {"profile": "photo", "filename": "a.png", "sha256": "ab" * 32}, token=token)
    case.fail(head=[UNHEARD, UNHEARD])
    case.ask("upload-params", photo, token=token)
    case.upload(form)
    last = case.request("confirm", {"ticket": form["ticket"]})
    for _ in range(20):
        case.send(last)
    case.wait(4000)
    case.ask("confirm", {"ticket": form["ticket"]})
    return case


def reads() -> Scenario:
    body: Any
    case = Scenario("read", READ, **WECHAT)
    token = log_in(case)
    form = case.ask("upload-params", {"filename": "a.png"}, token=token)
    shared = case.ask("upload-params", {"profile": "shared", "filename": "a.png"}, token=token)
    case.both("read", {"key": form["key"]}, token=token)
    case.both("read", {"key": form["key"], "variant": "thumb"}, token=token)
    case.both("read", {"key": shared["key"]}, token=token)
    items = [{"key": form["key"]}, {"key": form["key"], "variant": "thumb"}, {"key": shared["key"]}]
    case.both("read", {"items": items}, token=token)
    case.ask("read", {"items": [{"key": form["key"]}] * 50}, token=token)
    for body in (
        *(
            {},
            {"key": ""},
            {"key": 5},
            {"key": "x" * 1100},
            {"key": form["key"], "variant": "none"},
            {"items": []},
        ),
        *({"items": [{"key": form["key"]}] * 51}, {"items": 5}, {"items": [5]}, {"key": "other/x.png"}),
        *(
            {"key": form["key"] + "x"},
            {"items": [*items, {"key": "other"}]},
            {"key": form["key"], "items": items},
        ),
        *({"key": shared["key"], "variant": "thumb"}, {"key": form["key"], "variant": 5}),
    ):
        case.ask("read", body, token=token)
    case.ask("read", {"key": form["key"]})
    other = log_in(case, "bob")
    case.ask("read", {"key": form["key"]}, token=other)
    case.ask("read", {"key": shared["key"]}, token=other)
    case.wait(700)
    case.ask("read", {"key": form["key"]}, token=token)
    return case


def multipart() -> Scenario:
    body: Any
    case = Scenario("multipart", PARTS, **WECHAT, UPLOAD_WEBHOOK_URL="https://business.example/hook")
    token = log_in(case)
    wanted = {"filename": "a.mp4", "size": 250_000}
    begun = case.ask("multipart", wanted, token=token)
    ticket = {"ticket": begun["ticket"]}
    case.both("multipart-parts", ticket)
    case.ask("multipart-parts", {**ticket, "numbers": [3, 1]})
    case.ask("multipart-complete", ticket)
    case.put_parts(begun, begun["parts"][:2])
    case.both("multipart-complete", ticket)
    case.ask("multipart-parts", ticket)
    case.put_parts(begun, begun["parts"])
    case.both("multipart-complete", ticket)
    case.restart()
    case.ask("multipart-complete", ticket)
    case.ask("multipart-parts", ticket)
    case.ask("multipart-abort", ticket)
    for body in (
        *(
            {},
            {"filename": "a.mp4"},
            {"files": [wanted]},
            {**wanted, "size": 999_999_999},
            {**wanted, "size": 0},
        ),
        *({**wanted, "profile": "none"}, {"filename": "a.png", "size": 5}, {**wanted, "context": 5}),
    ):
        case.ask("multipart", body, token=token)
    case.ask("multipart", wanted)
    for numbers in ([], [0], [4], [1, 1], "x", [True], list(range(1, 23))):
        case.ask("multipart-parts", {**ticket, "numbers": numbers})
    for path in ("multipart-parts", "multipart-complete", "multipart-abort"):
        for body in ({}, {"ticket": 5}, {"ticket": "x.y.z"}, {"ticket": begun["ticket"] + "x"}):
            case.ask(path, body)
    second = case.ask("multipart", {**wanted, "context": {"a": 1}}, token=token)
    ticket = {"ticket": second["ticket"]}
    case.both("multipart-abort", ticket)
    case.ask("multipart-parts", ticket)
    case.ask("multipart-complete", ticket)
    third = case.ask("multipart", wanted, token=token)
    ticket = {"ticket": third["ticket"]}
    case.put_parts(third, third["parts"])
    case.fail(
        complete=[
            UNHEARD,
            [500, {}, ""],
            case.world.refused(400, "InvalidPart"),
            case.world.refused(403, "AccessDenied"),
        ]
    )
    for _ in range(4):
        case.ask("multipart-complete", ticket)
    case.fail(list=[UNHEARD, [200, {}, "x"], case.world.refused(403, "AccessDenied")])
    for _ in range(2):
        case.ask("multipart-parts", ticket)
    case.world.store("my-bucket", third["key"], "other", 5, {"content-type": "video/mp4"}, "Normal")
    case.ask("multipart-complete", ticket)
    case.fail(
        initiate=[
            UNHEARD,
            [500, {}, ""],
            case.world.refused(409, "FileAlreadyExists"),
            case.world.refused(403, "AccessDenied"),
            [200, {}, "x"],
        ]
    )
    for _ in range(5):
        case.ask("multipart", wanted, token=token)
    case.fail(abort=[UNHEARD, UNHEARD, case.world.refused(403, "AccessDenied")])
    for _ in range(3):
        case.ask("multipart-abort", ticket)
    form = case.ask("upload-params", wanted, token=token)
    case.ask("multipart-abort", {"ticket": form["ticket"]})
    case.wait(3 * 86400)
    case.ask("multipart-parts", ticket)
    return case


def held() -> Scenario:
    body: Any
    case = Scenario(
        "held",
        HELD,
        **WECHAT,
        TOKEN_SECONDS="864000",
        CALLBACK_URL="https://f.example/callback",
        UPLOAD_WEBHOOK_URL="https://business.example/hook",
    )
    anna, bob = log_in(case), log_in(case, "bob")

    def stored(profile: str) -> str:
        form = case.ask("upload-params", {"profile": profile, "filename": "a.png"}, token=anna)
        case.upload(form, **{"x-oss-meta-upload-id": form["formData"].get("x-oss-meta-upload-id", "")})
        return str(case.ask("confirm", {"ticket": form["ticket"]})["receipt"])

    note, post, third, fourth, plain = (stored(name) for name in ("note", "post", "post", "note", "plain"))
    for path in ("status", "commit", "discard"):
        for body in ({}, {"receipt": 5}, {"receipts": []}, {"receipts": ["x"] * 21}, {"receipt": "a.b.c"}):
            case.ask(path, body, token=anna)
        case.ask(path, {"receipt": note, "receipts": [note]}, token=anna)
        case.ask(path, {"receipts": [note + "x", "x"]}, token=backend(case))
    case.both("status", {"receipt": note})
    case.ask("status", {"receipts": [note, post, plain]})
    case.ask("commit", {"receipt": note})
    case.ask("commit", {"receipt": note}, token=anna)
    case.ask("commit", {"receipt": note}, token=backend(case, "x" * 32))
    case.ask("commit", {"receipt": note}, token=backend(case, life=9999))
    case.ask("commit", {"receipt": note, "decision": "maybe"}, token=backend(case))
    case.ask("commit", {"receipt": post}, token=bob)
    for fault in (UNHEARD, [500, {}, ""], case.world.refused(403, "AccessDenied")):
        case.fail(copy=[fault])
        case.ask("commit", {"receipt": note}, token=backend(case))
        case.wait(70)
    case.both("commit", {"receipt": note}, token=backend(case))
    case.ask("commit", {"receipt": post}, token=anna)
    case.ask("status", {"receipts": [note, post]})
    case.both("discard", {"receipt": post}, token=anna)
    case.ask("discard", {"receipt": third}, token=bob)
    case.ask("discard", {"receipt": third}, token=anna)
    case.ask("status", {"receipt": third})
    case.ask("commit", {"receipt": third}, token=anna)
    case.ask("commit", {"receipt": post, "decision": "reject"}, token=backend(case))
    case.ask("commit", {"receipt": fourth, "decision": "reject"}, token=backend(case))
    case.ask("commit", {"receipt": fourth, "decision": "publish"}, token=backend(case))
    case.ask("status", {"receipts": [note, post, third, fourth, "x"]})
    case.ask("discard", {"receipts": [note, post, plain]}, token=backend(case))
    case.ask("status", {"receipts": [note, post, plain]}, token=backend(case))
    fifth = stored("post")
    for name in ("head", "get"):
        for fault in (UNHEARD, case.world.refused(403, "AccessDenied", head=name == "head")):
            case.fail(**{name: [fault, fault]})
            case.ask("status", {"receipts": [fifth, plain]})
            case.ask("status", {"receipt": fifth})
    taken = stored("post")
    for bucket, key in list(case.world.objects):
        if key.startswith("held/posts/"):
            case.world.store(
                bucket, key.removeprefix("held/"), "other", 5, {"content-type": "image/png"}, "Normal"
            )
    case.ask("commit", {"receipts": [taken, fifth]}, token=backend(case))
    case.ask("status", {"receipt": taken})
    film = case.ask("multipart", {"profile": "film", "filename": "a.mp4", "size": 150_000}, token=anna)
    case.put_parts(film, film["parts"])
    done = case.ask("multipart-complete", {"ticket": film["ticket"]})
    case.ask("status", {"receipt": done["receipt"]})
    case.ask("commit", {"receipt": done["receipt"], "decision": "publish"}, token=backend(case))
    case.ask("multipart-complete", {"ticket": film["ticket"]})
    form = case.ask("upload-params", {"profile": "note", "filename": "a.png"}, token=anna)
    case.send(callback_of(case, form))
    for _ in range(3):
        case.ask("status", {"receipts": [plain] * 20})
    case.wait(86400)
    case.ask("status", {"receipts": [fifth, note]})
    case.wait(10 * 86400)
    case.ask("status", {"receipts": [fifth, note]})
    return case


def pushed(case: Scenario, event: Any, *, app: str = APP_ID, token: str = PUSH_TOKEN, **headers: str) -> Any:
    """WeChat's push of an event, sealed as the secure mode does."""
    message = event if isinstance(event, bytes) else json.dumps(event).encode()
    plain = b"0123456789abcdef" + len(message).to_bytes(4, "big") + message + app.encode()
    fill = 32 - len(plain) % 32
    key = b64decode(f"{AES_KEY}=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    sealed = b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()
    query = {"timestamp": "1714112445", "nonce": "415670741"}
    for name, more in (("signature", ()), ("msg_signature", (sealed,))):
        text = "".join(sorted([token, *query.values(), *more])) if len(query) == 2 else ""
        query[name] = hashlib.sha1(
            (text or "".join(sorted([token, "1714112445", "415670741", *more]))).encode(),
            usedforsecurity=False,
        ).hexdigest()
    return case.ask(
        "wechat-events",
        {"ToUserName": "gh_x", "Encrypt": sealed},
        query=urlencode({**query, "openid": "o", "encrypt_type": "aes"}),
        headers={"Content-Type": "application/json", **headers},
    )


def verdict(trace: str, suggest: str, label: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "ToUserName": "gh_x",
        "FromUserName": "o",
        "CreateTime": 1714112445,
        "MsgType": "event",
        "Event": "wxa_media_check",
        "appid": APP_ID,
        "trace_id": trace,
        "version": 2,
        "errcode": 0,
        "errmsg": "ok",
        "result": {"suggest": suggest, "label": label},
        "detail": [
            {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
        ],
        **more,
    }


def checks() -> Scenario:
    body: Any
    case = Scenario(
        "checks",
        CHECKED,
        **WECHAT,
        **PUSH,
        TOKEN_SECONDS="864000",
        UPLOAD_WEBHOOK_URL="https://business.example/hook",
    )
    anna = log_in(case)
    traces = itertools.count(1)

    def stored(profile: str, size: int = 1000, content: bytes = PNG) -> str:
        form = case.ask("upload-params", {"profile": profile, "filename": "a.png"}, token=anna)
        case.upload(
            form, size, content, **{"x-oss-meta-upload-id": form["formData"].get("x-oss-meta-upload-id", "")}
        )
        return str(case.ask("confirm", {"ticket": form["ticket"]})["receipt"])

    def trace() -> str:
        return f"trace-{next(traces)}"

    for suggest in ("pass", "review", "risky"):
        receipt, name = stored("post"), trace()
        case.ask("status", {"receipt": receipt})
        pushed(case, verdict(name, suggest, 20006 if suggest == "risky" else 100))
        pushed(case, verdict(name, suggest, 20006 if suggest == "risky" else 100))
        case.ask("status", {"receipt": receipt})
        case.ask("commit", {"receipt": receipt, "decision": "publish"}, token=backend(case))
    contradictory, name = stored("post"), trace()
    pushed(case, verdict(name, "pass", detail=[{"suggest": "risky", "label": 20006}]))
    case.ask("status", {"receipt": contradictory})
    failed, name = stored("post"), trace()
    pushed(case, verdict(name, "pass", errcode=-1008, result={}, detail=[]))
    case.ask("status", {"receipt": failed})
    early, name = stored("both"), trace()
    case.ask("status", {"receipt": early})
    pushed(case, verdict(name, "pass"))
    case.ask("commit", {"receipt": early}, token=backend(case))
    case.ask("status", {"receipt": early})
    silent, name = stored("post"), trace()
    for _ in range(6):
        case.wait(2100)
        case.ask("status", {"receipt": silent})
    for errcode in (40001, 45009, 44991, 61010, 40164, -1, 87014):
        case.wait(120)
        case.fail(media_check_async=[[200, {}, json.dumps({"errcode": errcode, "errmsg": "no"})]] * 2)
        receipt = stored("post")
        case.ask("status", {"receipt": receipt})
    for fault in (UNHEARD, [500, {}, ""], [200, {}, "x"], [200, {}, "{}"]):
        case.wait(120)
        case.fail(media_check_async=[fault])
        receipt = stored("post")
    case.wait(8000)
    for errcode in (-1, 40013, 40125, 40164, 45009, 99999):
        told = {"errcode": errcode, "errmsg": "invalid ip 203.0.113.9 ipv6"}
        case.fail(stable_token=[[200, {}, json.dumps(told)]])
        stored("post")
        case.wait(70)
    for size, body in ((1000, b"RIFF0000WEBPVP8 "), (25_000_000, PNG), (12_000_000, PNG), (1000, b"<svg>")):
        receipt = stored("both", size, body)
        case.ask("commit", {"receipt": receipt}, token=backend(case))
        case.ask("status", {"receipt": receipt})
    case.fail(get=[UNHEARD, UNHEARD], put=[UNHEARD, UNHEARD])
    pushed(case, verdict("trace-1", "pass"))
    pushed(case, verdict("trace-unknown", "pass"))
    pushed(case, {"MsgType": "event", "Event": "other"})
    pushed(case, b"no json")
    case.fail(business=[UNHEARD, [302, {"content-type": "text/html"}, "x"], [99, {}, ""]])
    for _ in range(3):
        pushed(case, {"MsgType": "event", "Event": "other"})
    pushed(case, verdict("trace-1", "pass"), app="wx-other")
    pushed(case, verdict("trace-1", "pass"), token="Other")
    pushed(case, {"Event": "other"}, **{"x-wechat-push-hops": "111"})
    for body in ("<xml/>", "{}", "[", '{"Encrypt": 5}', '{"Encrypt": "x"}'):
        case.ask("wechat-events", body, query="timestamp=1&nonce=2&msg_signature=3")
    text = "".join(sorted([PUSH_TOKEN, "1", "2"]))
    signature = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    case.both("wechat-events", method="GET", query=f"timestamp=1&nonce=2&signature={signature}&echostr=hello")
    case.ask("wechat-events", method="GET", query="timestamp=1&nonce=2&signature=x&echostr=hello")
    case.ask("wechat-events", method="GET")
    return case


def quotas() -> list[Scenario]:
    case = Scenario("quotas", QUOTA, **WECHAT, QUOTA_URL="memory:")
    token = log_in(case)
    case.both("upload-params", {"filename": "a.png", "size": 1000}, token=token)
    case.ask(
        "upload-params",
        {"files": [{"filename": "a.png", "size": 5}, {"profile": "free", "filename": "b.png"}]},
        token=token,
    )
    case.ask("upload-params", {"filename": "a.png"}, token=token)
    case.both("upload-params", {"filename": "a.png", "size": 5}, token=token)
    case.ask("upload-params", {"files": [{"filename": "a.png"}] * 5}, token=token)
    case.ask("upload-params", {"profile": "free", "filename": "a.png"}, token=token)
    for size in (2_000_000, 2_000_000, 1_000_000):
        case.ask("multipart", {"profile": "large", "filename": "a.mp4", "size": size}, token=token)
    case.fail(initiate=[UNHEARD])
    case.ask("multipart", {"profile": "large", "filename": "a.mp4", "size": 100_000}, token=token)
    case.ask("multipart", {"profile": "large", "filename": "a.mp4", "size": 100_000}, token=token)
    case.ask("upload-params", {"filename": "a.png", "size": 5}, token=log_in(case, "bob"))
    case.wait(3 * 3600)
    case.ask("upload-params", {"filename": "a.png", "size": 5}, token=log_in(case))
    cases = [case]
    for choice in ("deny", "allow"):
        case = Scenario(
            f"quotas_down_{choice}",
            QUOTA,
            TOKEN_SECRET=TOKEN_SECRET,
            QUOTA_URL="redis://127.0.0.1:9/0",
            QUOTA_WHEN_DOWN=choice,
        )
        case.both("upload-params", {"filename": "a.png", "size": 5})
        case.ask("upload-params", {"profile": "free", "filename": "a.png"})
        cases.append(case)
    return cases


def hooks() -> Scenario:
    case = Scenario("hooks", READ, HOOKS, **WECHAT)
    token = log_in(case)
    for shop in (None, 7, 13, 14):
        case.ask("upload-params", {"filename": "a.png", "context": {"shop": shop}}, token=token)
    for body in ({"filename": "a.jpg"}, {"filename": "a.png", "size": 2000}):
        case.ask("upload-params", {**body, "context": {"shop": 7}}, token=token)
    return case


def main() -> None:
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    cases = [forms(), refused_forms(), *upstreams(), *pages(), *logins(), callbacks(), confirms(), reads()]
    cases += [multipart(), held(), checks(), *quotas(), hooks()]
    counts = {case.name: case.write() for case in cases}
    sys.stdout.write(f"{sum(counts.values())} exchanges: {counts}\n")


if __name__ == "__main__":
    main()
