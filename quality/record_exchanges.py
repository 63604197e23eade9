"""
Record the exchanges anew: ``python -m quality.record_exchanges``.

One exchange for each route and code, and what leads to it. Settings, profiles and hooks of a scenario stand
in ``exchanges.toml``. Read the diff of what was recorded: each change is a change of the contract. Callbacks
always change, for the key pair that signs them is made anew.
"""

import json
import sys
import tempfile
import tomllib
from base64 import b64decode, b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.common.accounts import AccessKey
from tests.support.exchanges import RECORDINGS, START, UNFORESEEN, UNHEARD, Player
from tests.support.memory_oss import MemoryOss
from tests.support.world import World, counted

SETTINGS = tomllib.loads(Path(__file__).with_name("exchanges.toml").read_text("utf-8"))
OSS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
KEY_ADDRESS = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
# Its first chunk; without the rest it is no picture for OSS.
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17) + b"\0\0\1\0IDAT"
FORM = {"filename": "a.png"}
FILM = {"profile": "film", "filename": "a.mp4", "size": 150_000}
PAGE_ORIGIN = {"Origin": "https://page.example"}
BROKEN = [500, {}, ""]
DENIED = [403, {"x-oss-request-id": "5F00REQUEST"}, "<Error><Code>AccessDenied</Code></Error>"]
DENIED_HEAD = [403, {"x-oss-err": b64encode(str(DENIED[2]).encode()).decode()}, ""]


def ok(body: Any) -> list[Any]:
    return [200, {}, body if isinstance(body, str) else json.dumps(body)]


class Scenario:
    """One scenario while it is recorded; requests alternate between the two HTTP contracts."""

    def __init__(self, name: str) -> None:
        self.name, self.at = name, 0
        given = SETTINGS[name]
        self.environ: dict[str, str] = SETTINGS["environ"] | given.get("environ", {})
        self._head = {"profiles": SETTINGS["profiles"], "hooks": "", **given, "environ": self.environ}
        # By the name of a call, what the next ones come to.
        self.faults: dict[str, list[Any]] = {}
        self.is_new = False
        self._steps: list[Any] = []
        self.world = World(
            self.environ, lambda: START + timedelta(seconds=self.at), instances=0, random_bytes=counted()
        )
        self._folder = tempfile.TemporaryDirectory()
        self._player = Player(self._head, Path(self._folder.name), self._answer)

    @property
    def oss(self) -> MemoryOss:
        return self.world.oss

    # --- the cloud ---

    def _answer(self, sent: dict[str, Any]) -> Any:
        where, method = urlsplit(sent["url"]), sent["method"]
        host, name = where.netloc, where.path.rpartition("/")[2]
        if ".oss-" in host:
            name = MemoryOss.name_of(method, sent["url"], sent["headers"])
        elif host.startswith("sts."):
            name = "AssumeRole"
        if self.faults.get(name):
            return self.faults[name].pop(0)
        query = dict(parse_qsl(where.query))
        if name == "AssumeRole":
            return self._assume_role(query)
        if name == "jscode2session":
            return ok({"openid": f"openid-{query['js_code']}"})
        if sent["url"] == KEY_ADDRESS:
            return ok(
                OSS_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            )
        body = sent["body"].encode("latin-1")
        got = self.world.exchange(method, sent["url"], headers=sent["headers"], body=body, budget_seconds=9.0)
        return [got.status, dict(got.headers), got.body.decode("latin-1")]

    def _assume_role(self, asked: dict[str, str]) -> Any:
        ends = self.world.now() + timedelta(seconds=int(asked["DurationSeconds"]))
        key = AccessKey("STS.Role", "role-secret", "CAIS/+==", ends, (json.loads(asked["Policy"]),))
        # The sessions of one role differ in their policies alone.
        key_id = f"STS.{len(self._steps)}.{len(self._player.calls)}"
        self.oss._bucket.accounts.add(AccessKey(key_id, *list(vars(key).values())[1:]))
        keys = {
            "AccessKeyId": key_id,
            "AccessKeySecret": key.access_key_secret,
            "SecurityToken": key.security_token,
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return ok({"RequestId": "R", "Credentials": keys})

    # --- its requests ---

    def ask(self, path: str, body: Any = None, token: str = "", fails: Any = None, **how: Any) -> Any:
        """
        Send one request by the contract whose turn it is; its body, decoded.

        Args:
            fails: by the name of a call, what the next ones come to.
        """
        self.faults = fails or {}
        return self.send(self.request(path, body, token, **how))

    def request(
        self,
        path: str,
        body: Any = None,
        token: str = "",
        method: str = "POST",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        if len(self._steps) % 2 == 0:
            http = {"method": method, "path": f"/{path}", "sourceIp": "203.0.113.7"}
            event = {
                "version": "v1",
                "rawPath": f"/{path}",
                "headers": given,
                "queryParameters": query or {},
                "body": b64encode(raw).decode(),
                "isBase64Encoded": True,
                "requestContext": {"requestId": "1-65f0-abc", "http": http},
            }
            return {"event": json.dumps(event)}
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/{path}",
            "QUERY_STRING": urlencode(query or {}),
            "CONTENT_TYPE": given.pop("Content-Type", ""),
            "CONTENT_LENGTH": str(len(raw)),
            "REMOTE_ADDR": "203.0.113.7",
            "wsgi.input": raw.decode("latin-1"),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()}
        return {"wsgi": environ}

    def send(self, request: dict[str, Any]) -> Any:
        step = {"at": self.at, **({"restart": True} if self.is_new else {}), **request}
        self.is_new = False
        # As it is read again from the file.
        step["played"] = json.loads(json.dumps(self._player.play(step)))
        self._steps.append(step)
        body = step["played"]["response"]["body"]
        return json.loads(body) if body.startswith("{") else body

    def form(self, token: str = "", **fields: Any) -> Any:
        return self.ask("upload-params", {**FORM, **fields}, token)

    def log_in(self, code: str = "anna") -> str:
        return str(self.ask("login", {"code": code})["token"])

    def receipt(self, profile: str, token: str) -> dict[str, str]:
        """Upload a picture and confirm it."""
        form = self.form(token, profile=profile)
        assert self.oss.post(form["formData"], "a", body=PNG) == 200
        return {"receipt": str(self.ask("confirm", {"ticket": form["ticket"]})["receipt"])}

    def backend(self, audience: str = "backend") -> str:
        claims = {"aud": f"oss-direct-upload/{audience}", "exp": self.world.now() + timedelta(minutes=5)}
        return jwt.encode(claims, self.environ["RECEIPT_SECRET"])

    def write(self) -> int:
        # A step a line, so that a diff shows what changed.
        head = "".join(
            f"{json.dumps(name)}:{json.dumps(what, ensure_ascii=False)},\n"
            for name, what in self._head.items()
        )
        steps = ",\n".join(
            json.dumps(step, ensure_ascii=False, separators=(",", ":")) for step in self._steps
        )
        (RECORDINGS / f"{self.name}.json").write_text(f'{{{head}"steps":[\n{steps}\n]}}\n', "utf-8")
        return len(self._steps)


def forms() -> Scenario:
    """What an anonymous caller asks for a form, by both contracts, and what is no request for one."""
    case = Scenario("forms")
    for _ in range(2):
        case.form(contentType="image/png", size=5)
    for fields in ({"profile": "avatar"}, {"profile": "v1", "filename": "a.pdf"}, {"profile": "public"}):
        case.form(**fields)
    case.ask("upload-params", {"files": [FORM, {"profile": "avatar", "contentType": "image/png"}]})
    case.ask("upload-params", method="GET", query={"filename": "x.pdf", "context": '{"a": 1}'})
    case.ask("", FORM, headers=PAGE_ORIGIN)
    case.ask("upload-params", FORM, headers={"traceparent": f"00-{'4b' * 16}-{'00f067aa' * 2}-01"})
    for path, method in (("upload-params", "OPTIONS"), ("login", "OPTIONS"), ("health", "GET")):
        case.ask(path, method=method, headers=PAGE_ORIGIN)
    case.form(profile="none")
    case.form(filename=7)
    case.form(size=99_999_999)
    case.form(filename="a.exe")
    case.ask("upload-params", b'{"filename": 1, "filename": 2}')
    case.ask("upload-params", {**FORM, "pad": "x" * 66_000})
    case.ask("upload-params", FORM, headers={"Content-Encoding": "gzip"})
    for path in "nothing login confirm read multipart commit wechat-events".split():
        case.ask(path, {})
    case.ask("check-source", {}, method="GET")
    for path in ("upload-params", "callback", "commit"):
        case.ask(path, method="DELETE")
    case.send({"event": "{"})
    for _ in range(2):
        case.send({**case.request("upload-params", FORM), "context": "of the instance"})
    for fault in ([403, {}, '{"Code": "NoPermission"}'], [503, {}, "x"], UNHEARD, ok("x")):
        case.is_new = True
        case.ask("upload-params", FORM, fails={"AssumeRole": [fault] * 3})
        case.at += 60
    return case


def misconfigured() -> list[Scenario]:
    cases = [Scenario(name) for name in ("misconfigured", "misconfigured_keys")]
    for case in cases:
        case.form()
        case.ask("health", method="GET")
    case = Scenario("hooks")
    token = case.log_in()
    for shop in (None, 7, 13, 14):
        case.form(token, context={"shop": shop})
    late = Scenario("hooks_late")
    late.form()
    return [*cases, case, late]


def limits() -> list[Scenario]:
    case = Scenario("rates")
    token = case.log_in()
    for _ in range(2):
        case.form(token)
    for _ in range(2):
        case.ask("read", {"key": "public/x"}, token)
    for _ in range(2):
        case.ask("login", {"code": "anna"})
    quotas, down = Scenario("quotas"), Scenario("quotas_down")
    for _ in range(2):
        quotas.form(size=5)
        quotas.ask("multipart", FILM)
    down.form(size=5)
    return [case, quotas, down]


def logins() -> list[Scenario]:
    case = Scenario("login")
    token = case.log_in()
    for body in ({"code": 5}, {"code": "anna"}):
        case.ask("login", body, headers={"Content-Encoding": "gzip"} if body["code"] == "anna" else {})
    for errcode in (40029, 40226, 45011, 40013, 99999, -1):
        case.ask("login", {"code": "anna"}, fails={"jscode2session": [ok({"errcode": errcode})] * 2})
    case.ask("login", {"code": "anna"}, fails={"jscode2session": [UNHEARD] * 2})
    case.form(token)
    case.ask("upload-params", FORM, headers={"X-Upload-Token": token})
    case.form()
    case.form(f"{token}x")
    case.at = 700
    case.form(token)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for shown in (case.log_in("bob"), token):
        case.ask("introspect", {"token": shown}, case.backend())
        case.ask("introspect", f"token={shown}".encode(), case.backend(), headers=form)
    case.ask("introspect", {}, case.backend())
    case.ask("introspect", {"token": token}, token)
    case.ask("introspect", {"token": token})
    by_jwt = Scenario("jwt")
    claims = {"sub": "user-1", "exp": START + timedelta(minutes=10), "iss": "shop", "aud": "app"}
    for changes in ({}, {"exp": START - timedelta(minutes=2)}, {"aud": "other"}):
        by_jwt.form(jwt.encode({**claims, **changes}, by_jwt.environ["JWT_KEY"]))
    return [case, by_jwt]


def called(case: Scenario, form: dict[str, Any], signed: str = "", **changes: str) -> dict[str, Any]:
    """The request that OSS makes after an upload with this form."""
    body = json.loads(b64decode(form["formData"]["callback"]))["callbackBody"]
    said = {"bucket": "my-bucket", "object": form["key"], "etag": '"ABC"', "size": "1000", **changes}
    said |= {"mimeType": "image/png", "imageInfo.width": "3", "imageInfo.height": "4", "reqId": "5F00"}
    for name, value in {**said, "imageInfo.format": "png"}.items():
        body = body.replace(f"${{{name}}}", urlencode({"": value})[1:])
    signature = OSS_KEY.sign(f"/callback\n{signed or body}".encode(), padding.PKCS1v15(), MD5())
    headers = {
        "Authorization": b64encode(signature).decode(),
        "x-oss-pub-key-url": b64encode(KEY_ADDRESS.encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return case.request("callback", body.encode(), headers=headers)


def uploads() -> Scenario:
    """Callbacks, confirmations, and reading, listing and deleting what is stored."""
    case = Scenario("uploads")
    token, other = case.log_in(), case.log_in("bob")
    form = case.form(token, context={"order": 17})
    ticket = {"ticket": form["ticket"]}
    case.faults = {"callback_pub_key_v1.pem": [UNHEARD]}
    case.send(called(case, form))
    for changes in ({}, {"size": "x"}, {"signed": "another body"}):
        case.send(called(case, form, **changes))
    case.ask("confirm", ticket)
    case.oss.post(form["formData"], "a", body=PNG)
    for _ in range(2):
        case.ask("confirm", ticket)
    for spoilt in ({}, {"ticket": "x"}):
        case.ask("confirm", spoilt)
    heads = (UNHEARD, DENIED_HEAD, UNFORESEEN, [403, {}, ""])
    for head in heads:
        case.ask("confirm", ticket, fails={"HeadObject": [head] * 3})
    digest = {"profile": "photo", "size": 1, "sha256": "ab" * 32}
    case.oss.post(case.form(token, **digest)["formData"], "a")
    case.form(token, **digest)
    key = {"key": form["key"]}
    for asked in (key, {**key, "variant": "thumb"}, {"items": [key, {"key": "shared/x"}]}, {}):
        case.ask("read", asked, token)
    case.ask("read", key)
    case.ask("read", key, other)
    for asked in ({"profile": "default"}, {"profile": "default", "limit": 0}):
        case.ask("list", asked, token)
    case.ask("list", {"profile": "default"})
    case.ask("list", {"profile": "default"}, token, fails={"ListObjectsV2": [DENIED]})
    case.ask("delete", {"keys": []}, token)
    case.ask("delete", {"keys": [form["key"]]})
    case.ask("delete", {"keys": [form["key"], "shared/x"]}, token, fails={"DeleteObject": [UNHEARD] * 3})
    case.ask("delete", {"keys": [form["key"], "shared/x"]}, token)
    for audience, asked in (("erasure", {"sub": "openid-anna"}), ("erasure", {}), ("backend", {"sub": "x"})):
        case.ask("erase", asked, case.backend(audience))
    return case


def multipart() -> Scenario:
    case = Scenario("multipart")
    token = case.log_in()

    def begin() -> tuple[Any, dict[str, str]]:
        begun = case.ask("multipart", FILM, token)
        return begun, {"ticket": begun["ticket"]}

    begun, ticket = begin()
    for asked in (ticket, {**ticket, "numbers": [1]}, {**ticket, "numbers": [9]}, {"ticket": "x.y.z"}):
        case.ask("multipart-parts", asked)
    case.ask("multipart-complete", ticket)
    for part in begun["parts"]:
        case.oss.put(part, begun["headers"], "a", part["size"])
    for page in ({}, {"storedAfter": 1}):
        case.ask("multipart-parts", {**ticket, "stored": True, **page})
    for fault in (UNHEARD, BROKEN, DENIED):
        case.ask("multipart-complete", ticket, fails={"CompleteMultipartUpload": [fault] * 3})
    for _ in range(2):
        case.ask("multipart-complete", ticket)
    for path in ("multipart-parts", "multipart-abort"):
        case.ask(path, ticket)
    changes = (("filename", 5), ("profile", "none"), ("size", 999_999_999), ("filename", "a.png"))
    for name, value in changes:
        case.ask("multipart", {**FILM, name: value}, token)
    case.ask("multipart", FILM)
    for fault in (UNHEARD, DENIED, [409, {}, "<Error><Code>FileAlreadyExists</Code></Error>"]):
        case.ask("multipart", FILM, token, fails={"InitiateMultipartUpload": [fault] * 3})
    _, ticket = begin()
    for name, path in (("ListParts", "multipart-parts"), ("AbortMultipartUpload", "multipart-abort")):
        for fault in (UNHEARD, DENIED):
            case.ask(path, ticket, fails={name: [fault] * 3})
    case.ask("multipart-abort", ticket)
    for path in ("multipart-parts", "multipart-complete"):
        case.ask(path, ticket)
    for path in ("multipart-complete", "multipart-abort"):
        for spoilt in ({}, {"ticket": "x.y.z"}):
            case.ask(path, spoilt)
    return case


def held() -> Scenario:
    case = Scenario("held")
    anna, bob = case.log_in(), case.log_in("bob")
    first, second, third = (case.receipt(profile, anna) for profile in ("note", "note", "own"))
    for asked in (first, {"receipts": [first["receipt"], "x"]}, {}, {"receipt": "x"}):
        case.ask("status", asked)
    for fault in (UNHEARD, DENIED_HEAD):
        case.ask("status", second, fails={"HeadObject": [fault] * 3, "GetObject": [fault] * 3})
    case.ask("commit", first)
    case.ask("commit", first, anna)
    case.ask("commit", {}, case.backend())
    for fault in (UNHEARD, DENIED):
        case.ask("commit", first, case.backend(), fails={"CopyObject": [fault] * 3})
        case.at += 90
    case.ask("commit", first, case.backend())
    case.ask("commit", third, anna)
    case.ask("commit", {**first, "decision": "reject"}, case.backend())
    case.ask("discard", second, bob)
    for asked in (second, third, {}):
        case.ask("discard", asked, anna)
    case.ask("discard", first, case.backend())
    case.ask("commit", second, case.backend())
    case.ask("discard", {"receipts": [third["receipt"]]}, case.backend())
    case.ask("status", {"receipts": [each["receipt"] for each in (first, second, third)]})
    return case


def labels() -> Scenario:
    case = Scenario("labels")
    anna = case.log_in()
    for fields in ({"aiDeclared": "yes"}, {"aiDeclared": True, "profile": "plain"}):
        case.form(anna, **{"profile": "note", **fields})
    receipts = []
    for declared in (True, False):
        form = case.form(anna, profile="note", aiDeclared=declared)
        case.oss.post(form["formData"], "a", body=PNG)
        receipts.append({"receipt": str(case.ask("confirm", {"ticket": form["ticket"]})["receipt"])})
    for label in (2, 3):
        for receipt in receipts:
            case.ask("commit", {**receipt, "decision": "publish", "aiLabel": label}, case.backend())
    case.ask("status", receipts[1])
    return case


def verdict(trace: str, suggest: str = "pass", label: int = 100, **more: Any) -> dict[str, Any]:
    said = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": 0, "prob": 90, **said}]
    event = {"MsgType": "event", "Event": "wxa_media_check", "appid": "wx0123456789abcdef", "version": 2}
    event |= {"trace_id": trace, "errcode": 0, "errmsg": "ok"}
    return {**event, "result": said, "detail": detail, **more}


def checks() -> Scenario:
    case = Scenario("checks")
    anna, wechat = case.log_in(), case.world.wechat

    def pushed(event: Any, app: str = "", **fails: Any) -> Any:
        wechat.appid = app or case.environ["WECHAT_APPID"]
        query, body = wechat.push(event)
        return case.ask("wechat-events", body, query=query, fails=fails)

    def stored(profile: str = "post", **fails: Any) -> dict[str, str]:
        form = case.form(anna, profile=profile)
        case.oss.post(form["formData"], "a", body=PNG)
        answer = case.ask("confirm", {"ticket": form["ticket"]}, fails=fails)
        return {"receipt": str(answer["receipt"])}

    for suggest, label in (("pass", 100), ("risky", 20006), ("review", 100)):
        receipt = stored()
        pushed(verdict([*wechat.submitted][-1], suggest, label))
        case.ask("status", receipt)
    for asked in ({}, {"limit": 101}):
        case.ask("reviews", asked, case.backend())
    case.ask("reviews", {})
    case.ask("reviews", {}, anna)
    case.ask("reviews", {}, case.backend(), fails={"ListObjectsV2": [DENIED]})
    case.ask("commit", {**receipt, "decision": "publish", "reviewer": "Hong"}, case.backend())
    receipt = stored()
    pushed(verdict([*wechat.submitted][-1], errcode=-1008, result={}, detail=[]))
    case.ask("commit", receipt, case.backend())
    url = urlsplit([*wechat.submitted.values()][-1])
    case.ask("check-source", method="GET", query=dict(parse_qsl(url.query)))
    case.ask("check-source", method="GET", query={"t": "x"})
    for errcode in (45009, 61010, -1):
        stored(media_check_async=[ok({"errcode": errcode, "errmsg": "no"})] * 2)
        case.at += 120
    stored(media_check_async=[UNHEARD])
    case.at += 8000
    stored(stable_token=[ok({"errcode": 40164, "errmsg": "invalid ip 203.0.113.9 ipv6"})])
    other = {"MsgType": "event", "Event": "other"}
    pushed(other)
    for answer in (UNHEARD, [302, {"content-type": "text/html"}, "x"]):
        pushed(other, push=[answer])
    pushed(other, app="wx-other")
    pushed(verdict([*wechat.submitted][-1]), PutObject=[UNHEARD] * 3, GetObject=[UNHEARD] * 3)
    case.ask("wechat-events", method="GET", query={**wechat.query(), "echostr": "hello"})
    case.ask("wechat-events", method="GET", query={**wechat.query(), "signature": "x", "echostr": "hello"})
    case.ask("wechat-events", method="DELETE")
    return case


def main() -> None:
    cases = [forms(), *misconfigured(), *limits(), *logins(), uploads(), multipart(), held(), labels()]
    cases.append(checks())
    for path in RECORDINGS.glob("*.json"):
        path.unlink()
    counts = {case.name: case.write() for case in cases}
    sys.stdout.write(f"{sum(counts.values())} exchanges: {counts}\n")


if __name__ == "__main__":
    main()
