"""A function with two AppIDs of WeChat, an issuer and anyone, or with one caller, before one bucket."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from function.http.client import HttpResponse
from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.memory_oss import MemoryOss
from tests.support.wechat import TOKEN, Wechat, response
from tests.support.world import PLAIN, WEBHOOK, World

A, B = "wx1111111111111111", "wx2222222222222222"
SITE, SITE_KEY = "https://id.example.com", "a-secret-of-the-site-0123456789abcdef"
PUSHES = {A: ("pushtokenA", "A" * 43), B: ("pushtokenB", "B" * 42 + "A")}
KEYS = Path(__file__).parents[2] / "keys"
PROFILES = (
    profile_toml("picture", "pictures", confirm=True, callback=True, read="owner", delete="owner", list=True)
    + profile_toml(
        "second",
        "seconds",
        confirm=True,
        read="owner",
        delete="owner",
        list=True,
        parts=True,
        part_size="100KiB",
        callers=["second"],
    )
    + profile_toml(
        "video", "videos", max_size="8MiB", content_types=["video/*"], parts=True, part_size="100KiB"
    )
    + profile_toml("post", "posts", confirm=True, hold=["commit"], hold_days=7)
    + profile_toml(
        "face", "faces", confirm=True, hold=["commit", "check"], hold_days=7, callers=["main", "second"]
    )
)
# The same with one caller, which reads no names of callers.toml.
ALONE = "\n".join(line for line in PROFILES.splitlines() if not line.startswith("callers"))
ENVIRON = {
    **PLAIN,
    "STS_SESSION_SECONDS": "7200",
    "UPLOAD_WEBHOOK_URL": WEBHOOK,
    "CALLBACK_URL": "https://fn.example.com/callback",
    "ERASE": "true",
}
ONE = {"CALLER_AUTH": "wechat", "WECHAT_APPID": A, "WECHAT_SECRET": "s"}
ONE |= zip(("WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY"), PUSHES[A], strict=True)
SECRETS = {"MAIN_SECRET": "s", "SECOND_SECRET": "t", "SITE_KEY": SITE_KEY}
SECRETS |= zip(("MAIN_TOKEN", "MAIN_AES", "SECOND_TOKEN", "SECOND_AES"), PUSHES[A] + PUSHES[B], strict=True)


def wechat_section(name: str, appid: str) -> str:
    prefix = name.upper()
    return f"""
[{name}]
kind = "wechat"
appid = "{appid}"
secret = "env:{prefix}_SECRET"
push_token = "env:{prefix}_TOKEN"
push_aes_key = "env:{prefix}_AES"
"""


MAIN, SECOND = wechat_section("main", A) + 'owners = "unnamed"\n', wechat_section("second", B)
ISSUER = f"""
[site]
kind = "jwt"
issuer = "{SITE}"
algorithm = "HS256"
key = "env:SITE_KEY"
"""
ANYONE = '[any]\nkind = "anonymous"\n'


class Deployment:
    """
    A world, and WeChat as each of its AppIDs has it.

    Attributes:
        apps: by AppID; each counts its trace ids from one, and knows its own access token only.
    """

    def __init__(self, world: World, apps: dict[str, Wechat]) -> None:
        self.world, self.apps = world, apps
        world.others["api.weixin.qq.com"] = self._wechat

    def _wechat(self, method: str, url: str, *, body: Any = None, query: Any = None, **how: Any) -> Any:
        if method == "GET":
            # A code serves at the app that made it.
            is_own = query["js_code"].startswith(query["appid"])
            return response({"openid": "same"} if is_own else {"errcode": 40029})
        is_token = urlsplit(url).path.endswith(TOKEN)
        appid = json.loads(body)["appid"] if is_token else query["access_token"].removeprefix("of-")
        return self.apps[appid].send(method, url, body=body, query=query, **how)

    def token(self, name: str = "main", subject: str = "same") -> str:
        """What proves this user of a caller of several, or of the one caller."""
        if name == "any":
            return ""
        if name == "site":
            claims = {"iss": SITE, "sub": subject, "exp": int(self.world.now().timestamp()) + 3600}
            return jwt.encode(claims, SITE_KEY, "HS256")
        found = [each for each in self.world.settings.callers if each.name in ("", name)]
        return self.world.session(subject, found[0])

    def form(self, token: str, profile: str = "picture", **fields: Any) -> Any:
        wanted = {"profile": profile, "filename": "a.png", **fields}
        return self.world.ask("upload-params", token, **wanted)

    def store(self, token: str, profile: str = "picture", **fields: Any) -> dict[str, Any]:
        """One whole upload: its form, and the response of /confirm."""
        form = self.form(token, profile, **fields)
        assert form.status == 200, form.text
        assert self.world.oss.post(form.json["formData"], "bytes") == 200
        answer = self.world.ask("confirm", ticket=form.json["ticket"])
        assert answer.status == 200, answer.text
        return {**form.json, **answer.json}

    def push(self, event: Any, appid: str = A, path: str | None = None, app: Any = None) -> Any:
        """What the console of one AppID sends to a path, its own by default."""
        query, body = (app or self.apps[appid]).push(event)
        where = f"/wechat-events/{appid if path is None else path}".rstrip("/")
        return self.world.deliver(body, where, query=query, headers={"content-type": "application/json"})

    def in_check(self, token: str) -> dict[str, Any]:
        """An upload that WeChat looks at."""
        stored = self.store(token, "face")
        assert self.world.commit(stored["receipt"]).json["state"] == "checking"
        return stored


def verdict(appid: str = A, trace: str = "60f96f1d-1", suggest: str = "pass") -> dict[str, Any]:
    result = {"suggest": suggest, "label": 100 if suggest == "pass" else 20002}
    return {"Event": "wxa_media_check", "appid": appid, "trace_id": trace, "errcode": 0, "result": result}


@pytest.fixture
def oss(clock: Any) -> MemoryOss:
    return MemoryOss(PLAIN["OSS_BUCKET"], PLAIN["OSS_REGION"], clock)


@pytest.fixture
def apps() -> dict[str, Wechat]:
    made = {appid: Wechat(*push, appid) for appid, push in PUSHES.items()}
    for appid, app in made.items():
        app.says[TOKEN] = [{"access_token": f"of-{appid}", "expires_in": 7200}]
    return made


@pytest.fixture
def deploy(clock: Any, oss: MemoryOss, apps: dict[str, Wechat], tmp_path: Path) -> Any:
    """Build the next deployment at the same bucket and apps: of several callers, or of one."""

    def make(
        callers: str | None = MAIN + SECOND + ISSUER + ANYONE, profiles: str = "", **changes: Any
    ) -> Deployment:
        usual = ALONE if callers is None else PROFILES
        (tmp_path / "profiles.toml").write_text(profiles or usual, "utf-8")
        (tmp_path / "callers.toml").write_text(callers or "", "utf-8")
        auth = ONE if callers is None else {"CALLER_AUTH": "several", **SECRETS}
        around = {"random_bytes": changes.pop("random_bytes")} if "random_bytes" in changes else {}
        environ = {**ENVIRON, **auth, "PROFILES_FILE": str(tmp_path / "profiles.toml"), **changes}
        environ = {name: value for name, value in environ.items() if value is not None}
        return Deployment(World(environ, clock, oss=oss, check=check_answer, **around), apps)

    return make


@pytest.fixture
def several(deploy: Any) -> Deployment:
    made: Deployment = deploy()
    return made


@pytest.fixture
def key_host() -> Any:
    """Where OSS's public key is."""
    key = (KEYS / "rsa.pub.pem").read_bytes()
    return lambda *_, **__: HttpResponse(200, key)
