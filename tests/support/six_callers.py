"""Six callers of one deployment, the three platforms that they come from, and the deployment of before."""

import hashlib
import hmac
import json
from base64 import b32encode, b64encode
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from function.http.client import HttpResponse
from tests.support.memory_oss import MemoryOss
from tests.support.wechat import Wechat, key_of, response
from tests.support.world import PLAIN, WEBHOOK, World, counted

OWNER_SECRET = "an-owner-secret-of-at-least-32-characters"
# An agency may give all its mini-programs one Token and one key of the push.
TOKEN, AES_KEY = "pushtoken", "A" * 43


class Who(NamedTuple):
    """A caller: kind, the platform's id, and what its section of the file has besides."""

    kind: str
    app: str
    lines: str

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.app}"


PUSHED = 'secret = "env:ANY_SECRET"\npush_token = "env:PUSH_TOKEN"\npush_aes_key = "env:PUSH_KEY"\n'
CALLERS = {
    "main": Who("wechat", "wx1111111111111111", f'{PUSHED}owners = "unnamed"\n'),
    "second": Who("wechat", "wx2222222222222222", PUSHED),
    "pay": Who("alipay", "2021000000000001", 'key = "file:own.pem"\nalipay_public_key = "file:alipay.pem"\n'),
    "tt": Who("douyin", "tt0000000000000001", 'secret = "env:ANY_SECRET"\n'),
    "site": Who("jwt", "https://id.example.com", 'algorithm = "HS256"\nkey = "env:SITE_KEY"\n'),
    "app": Who("jwt", "https://ID.example.com", 'algorithm = "HS256"\nkey = "env:APP_KEY"\n'),
}
WECHATS = ("main", "second")
APP_KEYS = {"wechat": "appid", "alipay": "app_id", "douyin": "appid", "jwt": "issuer"}
JWT_KEYS = {
    "site": "a-secret-of-the-site-that-is-long-enough",
    "app": "a-secret-of-the-app-that-is-long-enough-",
}
PROFILE = """[{name}]
key = "{name}s/{{owner}}/{{id}}{{ext}}"
max_size = "1MiB"
content_types = ["image/png"]
confirm = true
read = "owner"
delete = "owner"
list = true
"""
# By profile: further lines, and who may use it.
PROFILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "picture": ("files_per_day = 25\n", ()),
    "closed": ("", ("pay", "site")),
    "note": ('hold = ["commit"]\ncommit_by = "owner"\n', ()),
    "post": ('hold = ["check"]\n', WECHATS),
}
ONE_CALLER = {
    "CALLER_AUTH": "wechat",
    "WECHAT_SECRET": "a-secret",
    "WECHAT_PUSH_TOKEN": TOKEN,
    "WECHAT_PUSH_AES_KEY": AES_KEY,
}
COMMON = {
    **PLAIN,
    "OWNER_SECRET": OWNER_SECRET,
    "STS_SESSION_SECONDS": "43200",
    "CALLER_RATE": "60/min",
    "LOGIN_RATE": "900000/min",
    "QUOTA_URL": "memory:",
    "QUOTA_WHEN_DOWN": "deny",
    "UPLOAD_WEBHOOK_URL": WEBHOOK,
    "LOG_LEVEL": "ERROR",
    "ERASE": "true",
    "ERASE_ON": "user_authorization_revoke",
}


def owner_at(name: str, subject: str) -> str:
    """The owner of a subject at a caller, by the formula of the documentation."""
    text = f"owner\n{subject}" if name == "main" else f"owner 2\n{CALLERS[name].id}\n{subject}"
    digest = hmac.new(OWNER_SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return b32encode(digest[:16]).decode().rstrip("=").lower()


class Platforms:
    """
    WeChat, Alipay and Douyin. A code serves once and at its own app; each WeChat app numbers its own checks.

    Attributes:
        exchanged: app and code of each exchange.
        checks: key of each object that an app was asked to check, by app and trace id.
    """

    def __init__(self, alipay: RSAPrivateKey) -> None:
        self.alipay = alipay
        self.codes: dict[str, tuple[str, str]] = {}
        self.exchanged: list[tuple[str, str]] = []
        self.checks: dict[tuple[str, str], str] = {}
        self.numbers: Counter[str] = Counter()

    def code(self, app: str, subject: str) -> str:
        code = f"code-{len(self.codes)}"
        self.codes[code] = (app, subject)
        return code

    def _subject(self, app: str, code: str) -> str:
        self.exchanged.append((app, code))
        made_at, subject = self.codes.get(code, ("", ""))
        if made_at != app:
            return ""
        del self.codes[code]
        return subject

    def wechat(
        self, _method: str, url: str, *, body: Any = None, query: Any = None, **_: Any
    ) -> HttpResponse:
        fields = json.loads(body or b"{}")
        match urlsplit(url).path.rpartition("/")[2]:
            case "jscode2session":
                subject = self._subject(query["appid"], query["js_code"])
                return response({"openid": subject} if subject else {"errcode": 40029})
            case "stable_token":
                return response({"access_token": f"token-of-{fields['appid']}", "expires_in": 7200})
        app = query["access_token"].removeprefix("token-of-")
        self.numbers[app] += 1
        trace = f"trace-{self.numbers[app]}"
        self.checks[app, trace] = key_of(fields["media_url"]).removeprefix("held/")
        return response({"errcode": 0, "trace_id": trace})

    def gateway(self, _method: str, _url: str, *, body: Any, **_: Any) -> HttpResponse:
        fields = {name: value for name, (value,) in parse_qs(body.decode()).items()}
        subject = self._subject(fields["app_id"], fields["code"])
        if not subject:
            return response({"error_response": {"code": "40002", "sub_code": "isv.code-invalid"}})
        node = json.dumps({"open_id": subject})
        sign = b64encode(self.alipay.sign(node.encode(), PKCS1v15(), SHA256())).decode()
        text = f'{{"alipay_system_oauth_token_response":{node},"sign":"{sign}"}}'
        return HttpResponse(200, text.encode())

    def douyin(self, _method: str, _url: str, *, body: Any, **_: Any) -> HttpResponse:
        fields = json.loads(body)
        subject = self._subject(fields["appid"], fields["code"])
        return response({"err_no": 0, "data": {"openid": subject}} if subject else {"err_no": 40018})


class Deployments:
    """
    ``several``: six callers, some of whom may be taken out; ``one``: the deployment of before, of ``main``
    alone, with the same bucket and secrets; ``foreign``: that of another mini-program.
    """

    def __init__(self, now: Any, folder: Path) -> None:
        keys = [generate_private_key(65537, 2048) for _ in range(2)]
        own = keys[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = keys[1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for name, data in {"own.pem": own, "alipay.pem": public}.items():
            (folder / name).write_bytes(data)
        self.folder, self.present = folder, {*CALLERS}
        self.platforms = Platforms(keys[1])
        self.oss = MemoryOss(COMMON["OSS_BUCKET"], COMMON["OSS_REGION"], now)
        self._write()
        secrets = {"ANY_SECRET": "s", "PUSH_TOKEN": TOKEN, "PUSH_KEY": AES_KEY}
        secrets |= {f"{name.upper()}_KEY": key for name, key in JWT_KEYS.items()}
        here = {"PROFILES_FILE": str(folder / "profiles.toml"), "CALLER_AUTH": "several"}
        before = {"PROFILES_FILE": str(folder / "before.toml"), **ONE_CALLER}
        settings = {
            "several": {**secrets, **here},
            "one": {**before, "WECHAT_APPID": CALLERS["main"].app},
            "foreign": {**before, "WECHAT_APPID": "wx3333333333333333"},
        }
        numbers = counted()
        self.worlds = {
            name: World({**COMMON, **environ}, now, oss=self.oss, random_bytes=numbers)
            for name, environ in settings.items()
        }
        for world in self.worlds.values():
            world.others |= {
                "api.weixin.qq.com": self.platforms.wechat,
                "openapi.alipay.com": self.platforms.gateway,
                "developer.toutiao.com": self.platforms.douyin,
            }

    def _write(self) -> None:
        callers = "".join(
            f'[{name}]\nkind = "{who.kind}"\n{APP_KEYS[who.kind]} = "{who.app}"\n{who.lines}'
            for name, who in CALLERS.items()
            if name in self.present
        )
        profiles, before = "", ""
        for name, (lines, only) in PROFILES.items():
            text = PROFILE.format(name=name) + lines
            before += text
            left = [each for each in only if each in self.present]
            profiles += text + (f"callers = {json.dumps(left)}\n" if only else "")
        for file, text in {"callers": callers, "profiles": profiles, "before": before}.items():
            (self.folder / f"{file}.toml").write_text(text, "utf-8")

    def change(self, name: str) -> None:
        """Take a caller out of the file, or put it in again, and deploy."""
        self.present ^= {name}
        self._write()
        self.worlds["several"].restart()

    def may_use(self, deployment: str, name: str, profile: str) -> bool:
        if deployment != "several":
            return deployment == "one" and name == "main"
        only = PROFILES[profile][1]
        return name in self.present and (not only or name in only)

    def push(self, deployment: str, path: str, envelope: str, event: dict[str, Any]) -> int:
        """What a WeChat app pushes to an address: the status."""
        query, body = Wechat(TOKEN, AES_KEY, envelope).push(event)
        world = self.worlds[deployment]
        headers = {"content-type": "application/json"}
        sent = b64encode(body).decode()
        reply = world.ask_event(path=f"/wechat-events{path}", base64=sent, query=query, headers=headers)
        return reply.status


def issued(name: str, subject: str, now: Any, key: str = "") -> str:
    """A token of one of the issuers, perhaps signed with the key of another."""
    claims = {"iss": CALLERS[name].app, "sub": subject, "exp": int(now().timestamp()) + 3600}
    return jwt.encode(claims, JWT_KEYS[key or name], "HS256")
