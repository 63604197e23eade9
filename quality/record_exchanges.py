"""
Record the exchanges anew: ``python -m quality.record_exchanges``.

Settings, profiles and hooks of a scenario stand at the head of its recording, ``{name}.json``, and are edited
there; bodies that need nothing of an earlier response stand in ``exchanges.json``. OSS, STS and WeChat are
scripted here as far as the scenarios go: they store, list and refuse, and check no signature. Read the diff
of what was recorded: each change is a change of the contract. ``callback.json`` always changes, for the key
pair that signs callbacks is made anew.
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

BODIES = json.loads(Path(__file__).with_name("exchanges.json").read_text("utf-8"))
KEY_ADDRESS = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
OSS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
# Their first chunks: the bytes of these lengths are of the stored object alone.
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17) + b"\0\0\1\0IDAT"
WEBP = b"RIFF\xe0\3\0\0WEBPVP8 \xd4\3\0\0"
TRACE = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
PAGE_ORIGIN = {"Origin": "https://page.example"}
FORM = {"filename": "a.png"}


def ok(body: Any, headers: dict[str, str] | None = None) -> list[Any]:
    return [200, headers or {}, body if isinstance(body, str) else json.dumps(body)]


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
        keys = {
            "AccessKeyId": "STS." + asked["RoleArn"].rpartition("/")[2],
            "AccessKeySecret": "role-secret",
            "SecurityToken": "CAIS/+==",
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return ok({"RequestId": "R", "Credentials": keys})

    def _wechat(self, where: Any, sent: dict[str, Any]) -> Any:
        name = where.path.rpartition("/")[2]
        if name == "jscode2session":
            code = dict(parse_qsl(where.query))["js_code"]
            told: Any = {"openid": f"openid-{code}"}
            if code.startswith("err-"):
                told = {"errcode": int(code[4:])}
        elif name == "stable_token":
            told = {"access_token": "A" * 40, "expires_in": 7200}
        else:
            told = {"errcode": 0, "errmsg": "ok", "trace_id": f"trace-{next(self.counter)}"}
        return ok(told, {"content-type": "application/json"})

    @staticmethod
    def _name(method: str, query: dict[str, str], headers: dict[str, str]) -> str:
        if "uploads" in query:
            return "initiate"
        if "list-type" in query:
            return "objects"
        if "uploadId" in query:
            return {"GET": "list", "POST": "complete", "DELETE": "abort"}[method]
        if method == "PUT":
            return "copy" if "x-oss-copy-source" in headers else "put"
        return method.lower()

    def store(self, bucket: str, key: str, body: str, size: int, headers: dict[str, str], kind: str) -> str:
        etag = hashlib.md5(f"{body}{size}".encode(), usedforsecurity=False).hexdigest().upper()
        stored = {"body": body, "size": size, "headers": headers, "kind": kind, "etag": etag, "at": self.now}
        self.objects[bucket, key] = stored
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
        headers = {name: value for name, value in found["headers"].items() if name.startswith("x-oss-meta-")}
        headers |= {"content-length": str(found["size"])}
        headers |= {"content-type": found["headers"].get("content-type", ""), "etag": f'"{found["etag"]}"'}
        headers |= {"last-modified": format_datetime(found["at"], usegmt=True)}
        return [200, {**headers, "x-oss-object-type": found["kind"]}, ""]

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
        return ok(f'<CopyObjectResult><ETag>"{found["etag"]}"</ETag></CopyObjectResult>')

    def _delete(self, bucket: str, key: str, *_: Any) -> Any:
        self.objects.pop((bucket, key), None)
        return [204, {}, ""]

    def _initiate(self, bucket: str, key: str, _query: Any, headers: dict[str, str], _body: str) -> Any:
        if self._taken(bucket, key, headers):
            return self.refused(409, "FileAlreadyExists")
        name = f"UPLOAD{next(self.counter)}"
        self.open[name] = {"headers": headers, "parts": {}}
        return ok(
            f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
        )

    def _objects(self, bucket: str, _key: str, query: dict[str, str], *_: Any) -> Any:
        after = query.get("start-after", "")
        objects = "".join(
            f"<Contents><Key>{key}</Key><Size>{found['size']}</Size><ETag>{found['etag']}</ETag>"
            f"<LastModified>{found['at']:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
            for (place, key), found in sorted(self.objects.items())
            if place == bucket and key.startswith(query["prefix"]) and key > after
        )
        return ok(f"<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>")

    def _list(self, _bucket: str, _key: str, query: dict[str, str], *_: Any) -> Any:
        if query["uploadId"] not in self.open:
            return self.refused(404, "NoSuchUpload")
        parts = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{etag}"</ETag><Size>{size}</Size></Part>'
            for number, (etag, size) in sorted(self.open[query["uploadId"]]["parts"].items())
        )
        return ok(f"<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>")

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
        return ok(f'<CompleteMultipartUploadResult><ETag>"{etag}"</ETag></CompleteMultipartUploadResult>')

    def _abort(self, _bucket: str, _key: str, query: dict[str, str], *_: Any) -> Any:
        known = self.open.pop(query["uploadId"], None)
        return [204, {}, ""] if known else self.refused(404, "NoSuchUpload")


class Scenario:
    """One scenario while it is recorded; requests alternate between the two HTTP contracts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.world = Cloud()
        self.at = 0
        self._restart = False
        self._folder = tempfile.TemporaryDirectory()
        recorded = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
        self._recorded = {part: recorded[part] for part in recorded if part != "steps"}
        self.environ: dict[str, str] = recorded["environ"]
        self._steps: list[Any] = []
        self._player = Player(self._recorded, Path(self._folder.name), self.world.answer)

    def ask(self, path: str, body: Any = None, **how: Any) -> Any:
        """Send one request by the contract whose turn it is; its body, decoded."""
        return self.send(self.request(path, body, **how))

    def both(self, path: str, body: Any = None, **how: Any) -> Any:
        """Send one request by each contract."""
        self.ask(path, body, contract="event", **how)
        return self.ask(path, body, contract="wsgi", **how)

    def form(self, body: Any = FORM, **how: Any) -> Any:
        return self.ask("upload-params", body, **how)

    def request(self, path: str, body: Any = None, **how: Any) -> dict[str, Any]:
        """
        A request by the contract whose turn it is, or by ``contract``.

        Args:
            how: ``method``, ``query``, ``headers``, ``contract``, ``ip``, ``token``.
        """
        method, query = how.get("method", "POST"), how.get("query", "")
        ip, token = how.get("ip", "203.0.113.7"), how.get("token", "")
        if not isinstance(body, bytes | str):
            body = "" if body is None else json.dumps(body, ensure_ascii=False)
        raw = body if isinstance(body, bytes) else body.encode()
        given = {**how.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        contract = how.get("contract") or ("event", "wsgi")[len(self._steps) % 2]
        path = path if path.startswith("/") else f"/{path}"
        if contract == "event":
            http = {"method": method, "path": path, "sourceIp": ip}
            event = {
                "version": "v1",
                "rawPath": path,
                "headers": given,
                "queryParameters": dict(parse_qsl(query, keep_blank_values=True)),
                "body": b64encode(raw).decode(),
                "isBase64Encoded": True,
                "requestContext": {"requestId": "1-65f0-abc", "http": http},
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

    def fail(self, **faults: list[Any]) -> None:
        self.world.faults = faults

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


def backend(scenario: Scenario, secret: str = "", life: int = 300) -> str:
    claims = {"aud": "oss-direct-upload/backend", "exp": instant(scenario.at + life)}
    return jwt(claims, secret or scenario.environ["RECEIPT_SECRET"])


def log_in(scenario: Scenario, code: str = "anna") -> str:
    return str(scenario.ask("login", {"code": code})["token"])


def forms() -> Scenario:
    case = Scenario("forms")
    case.ask("/", FORM)
    case.both("upload-params", {"filename": "IMG.JPG", "contentType": "image/jpeg", "size": 5})
    case.both("a/b/upload-params/", {"contentType": "video/mp4"})
    for query in BODIES["queries"]:
        case.both("upload-params", method="GET", query=query)
    case.form({"profile": "one"})
    case.form({"profile": "one", "filename": "x.html"})
    case.form({"profile": "avatar", "filename": "x.html", "contentType": "image/png"})
    case.both("upload-params", {"files": [FORM, {"profile": "avatar", "contentType": "image/png"}]})
    case.form({"files": [{"filename": f"{number}.png", "size": number} for number in range(1, 21)]})
    case.both("upload-params", FORM, headers=PAGE_ORIGIN)
    case.form(headers={"Origin": "https://evil.example"})
    for path in ("upload-params", "login", "nothing", "health"):
        method = "GET" if path == "health" else "OPTIONS"
        case.both(path, method=method, headers=PAGE_ORIGIN)
    for headers in (TRACE, {"traceparent": "nonsense"}):
        case.both("upload-params", FORM, headers=headers)
    case.wait(3300)
    case.form()
    case.restart()
    case.form()
    return case


def refused_forms() -> Scenario:
    case = Scenario("refused_forms")
    texts: list[Any] = ["[]", "{", '{"filename": 1, "filename": 2}', '{"size": NaN}', b"\xff", "[" * 5000]
    long = {"filename": "a.png", "contentType": "image/png", "pad": "x" * 66000}
    for body in (*texts, *BODIES["refused_forms"], {"filename": "x" * 2000 + ".png"}, long):
        case.form(body)
    case.both("upload-params", FORM, headers={"Content-Encoding": "gzip"})
    case.both("upload-params", FORM, headers={"X-Long": "x" * 9000})
    for query in ("filename=" + "x" * 9000, "filename=a.png&size=x", "filename=a.png&context=x"):
        case.both("upload-params", method="GET", query=query)
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
    good = json.loads(case.request("upload-params", FORM, contract="event")["event"])
    plain = {"body": '{"filename": "a.png"}', "isBase64Encoded": False}
    for changes in ({"body": "***"}, {"body": 5}, plain):
        case.send({"event": json.dumps({**good, **changes})})
    case.send({"event": json.dumps(good), "context": "ctx-1"})
    wsgi = case.request("upload-params", FORM, contract="wsgi")["wsgi"]
    for changes in BODIES["wsgi"]:
        case.send({"wsgi": {**wsgi, **changes}})
    case.send({"wsgi": wsgi, "context": "ctx-2"})
    return case


def upstreams() -> list[Scenario]:
    names = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
    faults = [
        [403, {}, '{"Code": "NoPermission", "RequestId": "R"}'],
        [400, {}, '{"Code": "InvalidSecurityToken.Expired", "RequestId": "R"}'],
        [429, {}, '{"Code": "Throttling.User"}'],
        [503, {}, "x"],
        UNHEARD,
        ok("x"),
        ok({"Credentials": {"AccessKeyId": "a"}}),
        ok({"Credentials": dict.fromkeys(names, "x")}),
    ]
    case = Scenario("upstreams")
    for fault in faults:
        case.restart()
        case.fail(AssumeRole=[fault, fault, fault])
        case.form()
        case.wait(60)
    case.fail(AssumeRole=[UNHEARD])
    case.form()
    cases = [case]
    for name in ("misconfigured", "misconfigured_secret", "misconfigured_keys"):
        case = Scenario(name)
        case.both("upload-params", FORM)
        case.both("upload-params", method="OPTIONS")
        case.both("health", method="GET")
        cases.append(case)
    case = Scenario("rates")
    token = log_in(case)
    for _ in range(3):
        case.form(token=token)
    case.form({"files": [FORM] * 3}, token=token)
    for _ in range(3):
        case.ask("login", {"code": "b"})
    case.ask("login", {"code": "b"}, ip="203.0.113.8")
    for count in (1, 3, 2, 1):
        case.ask("read", {"items": [{"key": "shared/x/y.png"}] * count}, token=token)
    case.wait(61)
    case.form(token=token)
    return [*cases, case]


def pages() -> list[Scenario]:
    body: dict[str, Any]
    cases = [Scenario(f"page_{kind}") for kind in ("v4_false", "v1_false", "v4_true", "v1_true")]
    for case in cases:
        case.both("/", method="GET")
        for body in ({"filename": "a.png", "size": 5}, {"size": 999999999}, {"files": [{}]}):
            case.ask("/", body)
    return cases


def logins() -> list[Scenario]:
    case = Scenario("login")
    case.both("login", {"code": "anna"})
    for body in ({}, {"code": ""}, {"code": 5}, {"code": "sp ace"}, "x", {"code": "x" * 200}):
        case.ask("login", body)
    for errcode in (40029, 40163, 41008, 40226, 45011, -1, 40013, 41002, 40125, 41004, 99999):
        case.ask("login", {"code": f"err-{errcode}"})
    for fault in (UNHEARD, [500, {}, ""], ok("x"), ok("{}"), ok({"openid": 5})):
        case.fail(jscode2session=[fault, fault])
        case.ask("login", {"code": "anna"})
    case.fail(jscode2session=[UNHEARD])
    token = log_in(case)
    case.both("upload-params", FORM, token=token)
    case.form(headers={"X-Upload-Token": token})
    case.form()
    other = jwt({"sub": "x", "exp": instant(100)}, case.environ["TOKEN_SECRET"])
    for words in ("Basic x", "Bearer ", *(f"Bearer {one}" for one in (f"{token}x", f"{token}, {token}"))):
        case.form(headers={"Authorization": words})
    for bearer in (other, "x" * 5000):
        case.form(headers={"Authorization": f"Bearer {bearer}"})
    case.wait(700)
    case.both("upload-params", FORM, token=token)
    jwt_case = Scenario("jwt")
    good, secret = {"sub": "user-1", "exp": instant(600), "iss": "shop", "aud": "app"}, "j" * 32
    jwt_case.both("upload-params", FORM, token=jwt(good, secret))
    times = ({"exp": instant(-100)}, {"exp": instant(90 * 86400)}, {"nbf": instant(500)})
    for changes in (*times, *BODIES["jwt"]):
        jwt_case.form(token=jwt({**good, **changes}, secret))
    jwt_case.form(token=jwt(good, "k" * 32))
    return [case, jwt_case]


def callback_of(case: Scenario, form: dict[str, Any], *, signed: str = "", **changes: Any) -> dict[str, Any]:
    """The request that OSS makes after an upload with this form."""
    body = json.loads(b64decode(form["formData"]["callback"]))["callbackBody"]
    for name, value in {**BODIES["callback"], "object": form["formData"]["key"], **changes}.items():
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
    case = Scenario("callback")
    token = log_in(case)
    form = case.form({"filename": "a.png", "context": {"order": 17}}, token=token, headers=TRACE)

    def called(count: int = 1, **changes: Any) -> None:
        for _ in range(count):
            case.send(callback_of(case, form, **changes))

    case.fail(key=[UNHEARD, [404, {}, ""], ok("no key")])
    called(5)
    case.fail(business=[UNHEARD, [500, {}, ""]])
    called(2)
    for changes in BODIES["callbacks"]:
        called(**changes)
    sent = callback_of(case, form)
    for headers in ({"Authorization": "AAAA"}, {"Authorization": ""}, {"x-oss-pub-key-url": "!"}):
        case.send(signed_callback(case, "bucket=my-bucket", **headers))
    case.send(signed_callback(case, "bucket=my-bucket", "https://evil.example/callback_pub_key_v1.pem"))
    for body in ("bucket=my-bucket", "bucket", "a=1&a=2"):
        case.send(signed_callback(case, body))
    case.send(sent)
    photo = case.form({**BODIES["photo"], "sha256": "ab" * 32}, token=token)
    case.send(callback_of(case, photo))
    called(signed="another body")
    called(20)
    case.wait(5000)
    called()
    return case


def confirms() -> Scenario:
    case = Scenario("confirm")
    token = log_in(case)
    form = case.form({"filename": "a.png", "context": {"order": "一"}}, token=token)
    ticket = {"ticket": form["ticket"]}
    case.both("confirm", ticket)
    case.upload(form)
    case.both("confirm", ticket)
    for body in ({}, {"ticket": 5}, {"ticket": "x"}, {"ticket": form["ticket"] + "x"}, "["):
        case.ask("confirm", body)
    for fault in (
        *(UNHEARD, [500, {}, ""], case.world.refused(403, "AccessDenied", head=True), ok("")),
        *(case.world.refused(403, "PublicEndpointForbidden", head=True), [404, {}, ""], UNFORESEEN),
    ):
        case.fail(head=[fault, fault])
        case.ask("confirm", ticket)
    case.fail(head=[UNHEARD])
    case.ask("confirm", ticket)
    case.fail(business=[UNHEARD])
    case.ask("confirm", ticket)
    case.upload(form, size=20_000_000)
    case.ask("confirm", ticket)
    case.upload(form, 1000, PNG, **{"content-type": "text/html"})
    case.ask("confirm", ticket)
    over = case.form({"profile": "over", "filename": "a.png", "size": 1000}, token=token)
    case.upload(over)
    case.ask("confirm", {"ticket": over["ticket"]})
    unnamed = BODIES["photo"]
    photo = {**unnamed, "sha256": "AB" * 32}
    first = case.form(photo, token=token)
    case.upload(first)
    case.ask("confirm", {"ticket": first["ticket"]})
    case.both("upload-params", photo, token=token)
    case.form({"files": [photo, {"filename": "b.png"}, {**photo, "sha256": "cd" * 32}]}, token=token)
    case.form({**photo, "size": 999}, token=token)
    case.form(unnamed, token=token)
    case.form({"profile": "photo", "filename": "a.png", "sha256": "ab" * 32}, token=token)
    case.fail(head=[UNHEARD, UNHEARD])
    case.form(photo, token=token)
    case.upload(form)
    last = case.request("confirm", ticket)
    for _ in range(20):
        case.send(last)
    case.wait(4000)
    case.ask("confirm", ticket)
    return case


def reads() -> Scenario:
    case = Scenario("read")
    token = log_in(case)
    own, shared = (
        {"key": case.form(body, token=token)["key"]} for body in (FORM, {"profile": "shared", **FORM})
    )
    thumb = {**own, "variant": "thumb"}
    items = [own, thumb, shared]
    for body in (*items, {"items": items}):
        case.both("read", body, token=token)
    case.ask("read", {"items": [own] * 50}, token=token)
    refused: list[Any] = [{"key": "x" * 1100}, {**own, "variant": "none"}, {"items": []}]
    refused += [{"items": [own] * 51}, {"items": 5}, {"items": [5]}, {"key": "other/x.png"}]
    refused += [{"key": own["key"] + "x"}, {"items": [*items, {"key": "other"}]}, {**own, "items": items}]
    for body in (
        {},
        {"key": ""},
        {"key": 5},
        *refused,
        {**shared, "variant": "thumb"},
        {**own, "variant": 5},
    ):
        case.ask("read", body, token=token)
    case.ask("read", own)
    other = log_in(case, "bob")
    case.ask("read", own, token=other)
    case.ask("read", shared, token=other)
    case.wait(700)
    case.ask("read", own, token=token)
    return case


def multipart() -> Scenario:
    case = Scenario("multipart")
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
    for path in ("multipart-complete", "multipart-parts", "multipart-abort"):
        case.ask(path, ticket)
    for body in BODIES["multipart"]:
        case.ask("multipart", body, token=token)
    case.ask("multipart", wanted)
    for numbers in BODIES["numbers"]:
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
    refused, broken, denied = case.world.refused, [500, {}, ""], case.world.refused(403, "AccessDenied")
    case.fail(complete=[UNHEARD, broken, refused(400, "InvalidPart"), denied])
    for _ in range(4):
        case.ask("multipart-complete", ticket)
    case.fail(list=[UNHEARD, ok("x"), denied])
    for _ in range(2):
        case.ask("multipart-parts", ticket)
    case.world.store("my-bucket", third["key"], "other", 5, {"content-type": "video/mp4"}, "Normal")
    case.ask("multipart-complete", ticket)
    case.fail(initiate=[UNHEARD, broken, refused(409, "FileAlreadyExists"), denied, ok("x")])
    for _ in range(5):
        case.ask("multipart", wanted, token=token)
    case.fail(abort=[UNHEARD, UNHEARD, denied])
    for _ in range(3):
        case.ask("multipart-abort", ticket)
    form = case.form(wanted, token=token)
    case.ask("multipart-abort", {"ticket": form["ticket"]})
    case.wait(3 * 86400)
    case.ask("multipart-parts", ticket)
    return case


def receipt_of(
    case: Scenario, profile: str, token: str, size: int = 1000, content: bytes = PNG
) -> dict[str, str]:
    """Upload a picture and confirm it."""
    form = case.form({"profile": profile, "filename": "a.png"}, token=token)
    name = "x-oss-meta-upload-id"
    case.upload(form, size, content, **{name: form["formData"].get(name, "")})
    return {"receipt": str(case.ask("confirm", {"ticket": form["ticket"]})["receipt"])}


def held() -> Scenario:
    case = Scenario("held")
    anna, bob = log_in(case), log_in(case, "bob")

    def stored(profile: str) -> dict[str, str]:
        return receipt_of(case, profile, anna)

    def decide(body: dict[str, Any], decision: str = "") -> None:
        case.ask("commit", {**body, "decision": decision} if decision else body, token=backend(case))

    def status(*bodies: dict[str, str], **how: Any) -> None:
        case.ask("status", {"receipts": [body["receipt"] for body in bodies]}, **how)

    note, post, third, fourth, plain = (stored(name) for name in ("note", "post", "post", "note", "plain"))
    for path in ("status", "commit", "discard"):
        for body in BODIES["receipts"]:
            case.ask(path, body, token=anna)
        case.ask(path, {**note, "receipts": [note["receipt"]]}, token=anna)
        case.ask(path, {"receipts": [note["receipt"] + "x", "x"]}, token=backend(case))
    case.both("status", note)
    status(note, post, plain)
    case.ask("commit", note)
    for token in (anna, backend(case, "x" * 32), backend(case, life=9999)):
        case.ask("commit", note, token=token)
    decide(note, "maybe")
    case.ask("commit", post, token=bob)
    for fault in (UNHEARD, [500, {}, ""], case.world.refused(403, "AccessDenied")):
        case.fail(copy=[fault])
        decide(note)
        case.wait(70)
    case.both("commit", note, token=backend(case))
    case.ask("commit", post, token=anna)
    status(note, post)
    case.both("discard", post, token=anna)
    case.ask("discard", third, token=bob)
    case.ask("discard", third, token=anna)
    case.ask("status", third)
    case.ask("commit", third, token=anna)
    decide(post, "reject")
    decide(fourth, "reject")
    decide(fourth, "publish")
    status(note, post, third, fourth, {"receipt": "x"})
    three = {"receipts": [body["receipt"] for body in (note, post, plain)]}
    case.ask("discard", three, token=backend(case))
    case.ask("status", three, token=backend(case))
    fifth = stored("post")
    for name in ("head", "get"):
        for fault in (UNHEARD, case.world.refused(403, "AccessDenied", head=name == "head")):
            case.fail(**{name: [fault, fault]})
            status(fifth, plain)
            case.ask("status", fifth)
    taken = stored("post")
    for bucket, key in list(case.world.objects):
        if key.startswith("held/posts/"):
            headers = {"content-type": "image/png"}
            case.world.store(bucket, key.removeprefix("held/"), "other", 5, headers, "Normal")
    decide({"receipts": [taken["receipt"], fifth["receipt"]]})
    case.ask("status", taken)
    film = case.ask("multipart", {"profile": "film", "filename": "a.mp4", "size": 150_000}, token=anna)
    case.put_parts(film, film["parts"])
    done = {"receipt": case.ask("multipart-complete", {"ticket": film["ticket"]})["receipt"]}
    case.ask("status", done)
    decide(done, "publish")
    case.ask("multipart-complete", {"ticket": film["ticket"]})
    form = case.form({"profile": "note", "filename": "a.png"}, token=anna)
    case.send(callback_of(case, form))
    for _ in range(3):
        status(*[plain] * 20)
    for days in (1, 10):
        case.wait(days * 86400)
        status(fifth, note)
    return case


def pushed(case: Scenario, event: Any, *, app: str = "", token: str = "", **headers: str) -> Any:
    """WeChat's push of an event, sealed as the secure mode does."""
    app, token = app or case.environ["WECHAT_APPID"], token or case.environ["WECHAT_PUSH_TOKEN"]
    message = event if isinstance(event, bytes) else json.dumps(event).encode()
    plain = b"0123456789abcdef" + len(message).to_bytes(4, "big") + message + app.encode()
    fill = 32 - len(plain) % 32
    key = b64decode(f"{case.environ['WECHAT_PUSH_AES_KEY']}=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    sealed = b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()
    times = {"timestamp": "1714112445", "nonce": "415670741"}
    signatures = {
        "signature": push_signature(token, *times.values()),
        "msg_signature": push_signature(token, *times.values(), sealed),
    }
    query = urlencode({**times, **signatures, "openid": "o", "encrypt_type": "aes"})
    given = {"Content-Type": "application/json", **headers}
    return case.ask("wechat-events", {"ToUserName": "gh_x", "Encrypt": sealed}, query=query, headers=given)


def push_signature(*texts: str) -> str:
    return hashlib.sha1("".join(sorted(texts)).encode(), usedforsecurity=False).hexdigest()


def verdict(trace: str, suggest: str, label: int = 100, **more: Any) -> dict[str, Any]:
    said = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": 0, **said, "prob": 90}]
    return {
        **BODIES["verdict"],
        "trace_id": trace,
        **BODIES["heard"],
        "result": said,
        "detail": detail,
        **more,
    }


def review(case: Scenario, owner: str, waiting: dict[str, str]) -> None:
    """What waits for a human, page by page, until it is decided."""
    page = case.both("reviews", {"limit": 1}, token=backend(case))
    case.ask("reviews", {"cursor": page["cursor"]}, token=backend(case))
    case.ask("reviews", {"cursor": page["cursor"] + "x"}, token=backend(case))
    case.ask("reviews", {"limit": 101}, token=backend(case))
    case.ask("reviews", {})
    case.ask("reviews", {}, token=owner)
    case.ask("commit", {**waiting, "reviewer": "Hong"}, token=backend(case))
    case.fail(objects=[case.world.refused(403, "AccessDenied")])
    case.ask("reviews", {}, token=backend(case))
    for decision in ("reject", "publish"):
        fields = {**waiting, "decision": decision, "reviewer": f"Reviewer of {decision}"}
        case.ask("commit", fields, token=backend(case))
    case.ask("reviews", {}, token=backend(case))


def checks() -> Scenario:
    case = Scenario("checks")
    anna = log_in(case)
    traces = (f"trace-{number}" for number in itertools.count(1))

    def stored(profile: str = "post", size: int = 1000, content: bytes = PNG) -> dict[str, str]:
        return receipt_of(case, profile, anna, size, content)

    def status(receipt: dict[str, str]) -> None:
        case.ask("status", receipt)

    for suggest in ("pass", "review", "risky"):
        receipt, name = stored(), next(traces)
        status(receipt)
        for _ in range(2):
            pushed(case, verdict(name, suggest, 20006 if suggest == "risky" else 100))
        status(receipt)
        by_hand = {"decision": "publish", "reviewer": "Hong"}
        case.ask("commit", {**receipt, **by_hand}, token=backend(case))
        case.ask("status", receipt, token=backend(case))
    for more in (
        {"detail": [{"suggest": "risky", "label": 20006}]},
        {"errcode": -1008, "result": {}, "detail": []},
    ):
        receipt = stored()
        pushed(case, verdict(next(traces), "pass", **more))
        status(receipt)
    review(case, anna, receipt)
    early, name = stored("both"), next(traces)
    status(early)
    pushed(case, verdict(name, "pass"))
    case.ask("commit", early, token=backend(case))
    status(early)
    silent = stored()
    for _ in range(6):
        case.wait(2100)
        status(silent)
    for errcode in (40001, 45009, 44991, 61010, 40164, -1, 87014):
        case.wait(120)
        case.fail(media_check_async=[ok({"errcode": errcode, "errmsg": "no"})] * 2)
        status(stored())
    for fault in (UNHEARD, [500, {}, ""], ok("x"), ok("{}")):
        case.wait(120)
        case.fail(media_check_async=[fault])
        stored()
    case.wait(8000)
    for errcode in (-1, 40013, 40125, 40164, 45009, 99999):
        case.fail(stable_token=[ok({"errcode": errcode, "errmsg": "invalid ip 203.0.113.9 ipv6"})])
        stored()
        case.wait(70)
    for size, body in ((1000, WEBP), (25_000_000, PNG), (12_000_000, PNG), (1000, b"<svg>")):
        receipt = stored("both", size, body)
        case.ask("commit", receipt, token=backend(case))
        status(receipt)
    case.fail(get=[UNHEARD, UNHEARD], put=[UNHEARD, UNHEARD])
    other = {"MsgType": "event", "Event": "other"}
    for event in (verdict("trace-1", "pass"), verdict("trace-unknown", "pass"), other, b"no json"):
        pushed(case, event)
    case.fail(business=[UNHEARD, [302, {"content-type": "text/html"}, "x"], [99, {}, ""]])
    for _ in range(3):
        pushed(case, other)
    pushed(case, verdict("trace-1", "pass"), app="wx-other")
    pushed(case, verdict("trace-1", "pass"), token="Other")
    pushed(case, {"Event": "other"}, **{"x-wechat-push-hops": "111"})
    for text in ("<xml/>", "{}", "[", '{"Encrypt": 5}', '{"Encrypt": "x"}'):
        case.ask("wechat-events", text, query="timestamp=1&nonce=2&msg_signature=3")
    signature = push_signature(case.environ["WECHAT_PUSH_TOKEN"], "1", "2")
    case.both("wechat-events", method="GET", query=f"timestamp=1&nonce=2&signature={signature}&echostr=hello")
    case.ask("wechat-events", method="GET", query="timestamp=1&nonce=2&signature=x&echostr=hello")
    case.ask("wechat-events", method="GET")
    return case


def quotas() -> list[Scenario]:
    case = Scenario("quotas")
    token = log_in(case)
    small, free = {"filename": "a.png", "size": 5}, {"profile": "free", "filename": "a.png"}
    case.both("upload-params", {"filename": "a.png", "size": 1000}, token=token)
    case.form({"files": [small, {"profile": "free", "filename": "b.png"}]}, token=token)
    case.form(token=token)
    case.both("upload-params", small, token=token)
    case.form({"files": [FORM] * 5}, token=token)
    case.form(free, token=token)
    for sizes in ((2_000_000, 2_000_000, 1_000_000), (100_000, 100_000)):
        for size in sizes:
            case.ask("multipart", {"profile": "large", "filename": "a.mp4", "size": size}, token=token)
        case.fail(initiate=[UNHEARD])
    case.form(small, token=log_in(case, "bob"))
    case.wait(3 * 3600)
    case.form(small, token=log_in(case))
    without = [Scenario(f"quotas_down_{choice}") for choice in ("deny", "allow")]
    for down in without:
        down.both("upload-params", small)
        down.form(free)
    return [case, *without]


def hooks() -> Scenario:
    case = Scenario("hooks")
    token = log_in(case)
    for shop in (None, 7, 13, 14):
        case.form({"filename": "a.png", "context": {"shop": shop}}, token=token)
    for body in ({"filename": "a.jpg"}, {"filename": "a.png", "size": 2000}):
        case.form({**body, "context": {"shop": 7}}, token=token)
    return case


def hooks_late() -> Scenario:
    case = Scenario("hooks_late")
    case.form(token=log_in(case))
    return case


def main() -> None:
    cases = [forms(), refused_forms(), *upstreams(), *pages(), *logins(), callbacks(), confirms(), reads()]
    cases += [multipart(), held(), checks(), *quotas(), hooks(), hooks_late()]
    counts = {case.name: case.write() for case in cases}
    sys.stdout.write(f"{sum(counts.values())} exchanges: {counts}\n")


if __name__ == "__main__":
    main()
