"""A phone whose uploads are held, its backend, WeChat, and the OSS and the business that they all know."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from function.auth.backend import AUDIENCE
from function.auth.session import SessionToken
from function.context import RequestContext
from function.errors import StsRejected
from function.http.client import ExchangeFailed, HttpResponse
from function.session_policy import OBJECTS
from function.wechat.verdict import Outcome, Verdict
from tests.support.memory_oss import MemoryOss
from tests.support.stage import Reply

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
RECEIPT_SECRET = "receipt-SecretCanary-0123456789abcdef"
AES_KEY = "SecretCanary0123456789abcdefSecretCanary012"
WEBHOOK = "https://shop.example.com/hook"
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
[note]
key = "notes/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
commit_by = "owner"
[word]
key = "words/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
acl = "public-read"
storage_class = "IA"
confirm = true
hold = ["commit"]
hold_days = 3
[face]
key = "faces/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["check"]
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit", "check"]
[same]
key = "same/{owner}/{sha256}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
"""


@dataclass
class Wechat:
    """
    What WeChat answers when it is asked to look at something.

    Attributes:
        answers: of the next submissions, one each; without, it takes them.

        submitted: the URLs that it was given, by trace id.

        happens: while it is asked, before it answers.
    """

    answers: list[Any] = field(default_factory=list)
    submitted: dict[str, str] = field(default_factory=dict)
    happens: Callable[[str], Any] = lambda _trace: None

    def answer(self, url: str, body: bytes) -> HttpResponse:
        if "stable_token" in url:
            return _json({"access_token": "A" * 136, "expires_in": 7200})
        planned = self.answers.pop(0) if self.answers else 0
        if planned is None:
            raise ExchangeFailed("ConnectionResetError")
        if planned:
            return _json({"errcode": planned, "errmsg": "no"})
        trace_id = f"60f96f1d-{len(self.submitted) + 1}"
        self.submitted[trace_id] = json.loads(body)["media_url"]
        self.happens(trace_id)
        return _json({"errcode": 0, "errmsg": "ok", "trace_id": trace_id})


def _json(value: Any) -> HttpResponse:
    return HttpResponse(200, json.dumps(value).encode())


@dataclass
class Network:
    """Whoever the function sends something to."""

    oss: MemoryOss
    wechat: Wechat = field(default_factory=Wechat)
    events: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, Callable[..., HttpResponse]] = field(default_factory=dict)

    def send(self, method: str, url: str, *, body: bytes | None = None, **options: Any) -> HttpResponse:
        host = str(urlsplit(url).hostname)
        if host in self.others:
            return self.others[host](method, url, body=body, **options)
        if host == "api.weixin.qq.com":
            return self.wechat.answer(url, body or b"")
        if host == urlsplit(WEBHOOK).hostname:
            self.events.append(json.loads(body or b""))
            return HttpResponse(200, b"")
        return self.oss.send(method, url, body=body, **options)

    @property
    def told(self) -> list[str]:
        return [event["event"] for event in self.events]


@dataclass
class House:
    """One instance of the function with a phone before it, and a backend behind."""

    function: Any
    oss: MemoryOss
    network: Network
    clock: Any
    subject: str = "openid-1"

    @property
    def settings(self) -> Any:
        return self.function.function._ready().settings

    @property
    def wechat(self) -> Wechat:
        return self.network.wechat

    def session(self, subject: str = "openid-1") -> str:
        return SessionToken.issue(subject, self.settings, self.clock())

    def backend(self, secret: str = RECEIPT_SECRET, header: Any = None, **claims: Any) -> str:
        ends = int(self.clock().timestamp()) + 300
        return jwt.encode({"aud": AUDIENCE, "exp": ends, **claims}, secret, "HS256", header)

    def ask(self, route: str, token: str = "", **fields: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.function.ask(body=fields, path=f"/{route}", headers=headers)

    def form(self, profile: str = "word", subject: str = "openid-1", **fields: Any) -> dict[str, Any]:
        wanted = {"profile": profile, "filename": "a.png", **fields}
        answer = self.ask("upload-params", self.session(subject), **wanted)
        assert answer.status == 200, answer.text
        return answer.json

    def store(self, profile: str = "word", name: str = "bytes", subject: str = "openid-1") -> dict[str, Any]:
        """One whole upload: its form, and what /confirm said."""
        form = self.form(profile, subject)
        assert self.oss.post(form["formData"], name) == 200
        answer = self.ask("confirm", ticket=form["ticket"])
        assert answer.status == 200, answer.text
        self.network.events.clear()
        return {**form, **answer.json}

    def commit(self, receipt: str, **fields: Any) -> Reply:
        return self.ask("commit", self.backend(), receipt=receipt, **fields)

    def status(self, receipt: str) -> str:
        answer = self.ask("status", receipt=receipt)
        assert answer.status == 200, answer.text
        return str(answer.json["state"])

    def discard(self, receipt: str, token: str | None = None) -> Reply:
        return self.ask("discard", self.backend() if token is None else token, receipt=receipt)

    def verdict(self, outcome: Outcome, trace_id: str = "60f96f1d-1", **said: Any) -> bool:
        """What the push of a verdict does, once it was verified."""
        from function.holding.check import apply_verdict

        return apply_verdict(self.call(), Verdict(trace_id, outcome, **said))

    def call(self) -> RequestContext:
        from function.http.gateway import Request
        from function.request_log import LogLine

        request = Request("POST", "/", {}, {}, b"", "", None, "")
        return RequestContext(request, self.function.function._ready(), LogLine("r"))


@pytest.fixture
def oss(clock: Any) -> MemoryOss:
    return MemoryOss("my-bucket", "cn-hangzhou", clock)


@pytest.fixture
def house_of(instance: Any, oss: MemoryOss, profiles_file: Any, clock: Any) -> Callable[..., House]:
    """An instance of its own, all of them before the same OSS."""

    def build(profiles: str = PROFILES, **changes: str | None) -> House:
        network = Network(oss)
        settings = {
            "CALLER_AUTH": "wechat",
            "WECHAT_APPID": "wx0123456789abcdef",
            "WECHAT_SECRET": "WechatSecretCanary0001",
            "WECHAT_PUSH_TOKEN": "PushSecretCanary",
            "WECHAT_PUSH_AES_KEY": AES_KEY,
            "TOKEN_SECRET": TOKEN_SECRET,
            "RECEIPT_SECRET": RECEIPT_SECRET,
            "STS_SESSION_SECONDS": "7200",
            "UPLOAD_WEBHOOK_URL": WEBHOOK,
            "PROFILES_FILE": profiles_file(profiles),
            **changes,
        }
        function = instance(send=network.send, **settings)
        oss.give_sessions(function.function, timedelta(hours=2))
        return House(function, oss, network, clock)

    return build


@pytest.fixture
def house(house_of: Callable[..., House]) -> House:
    return house_of()


OWN_BUCKET = """
bucket = "abroad"
region = "cn-shanghai"
role = "acs:ram::1234567890123456:role/abroad"
"""
ABROAD = f"""
[deed]
key = "deeds/{{owner}}/{{id}}{{ext}}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
{OWN_BUCKET}
[view]
key = "views/{{owner}}/{{id}}{{ext}}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["check"]
{OWN_BUCKET}
"""


@dataclass
class TwoBuckets:
    """A house whose profiles ``deed`` and ``view`` are in another bucket, and that bucket."""

    house: House
    abroad: MemoryOss

    def store(self, profile: str) -> dict[str, Any]:
        form = self.house.form(profile)
        oss = self.abroad if profile in ("deed", "view") else self.house.oss
        assert oss.post(form["formData"], "bytes") == 200
        answer = self.house.ask("confirm", ticket=form["ticket"])
        assert answer.status == 200, answer.text
        return {**form, **answer.json}

    def hangs(self, oss: MemoryOss, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on this bucket lets the function wait as long as it will: three seconds in all."""

        def hang(*_: Any, budget_seconds: float, **__: Any) -> HttpResponse:
            time.sleep(budget_seconds)
            raise ExchangeFailed("timed out")

        for name in ("function.oss.client.BUDGET_SECONDS", "function.oss.client.BUDGET_SECONDS"):
            monkeypatch.setattr(name, 3.0)
        monkeypatch.setattr("function.oss.client.FIRST_TRY_SECONDS", 1.2)
        monkeypatch.setattr(oss, "send", hang)
        self.house.network.others["abroad.oss-cn-shanghai.aliyuncs.com"] = self.abroad.send

    def without_sessions(self, oss: MemoryOss) -> list[str]:
        """From now on STS gives the function no session that reaches this bucket; what it is asked for."""
        asked: list[str] = []

        def refuse(*_: Any, **__: Any) -> Any:
            asked.append(oss._bucket.name)
            raise StsRejected("STS refused.", reason="no")

        ready = self.house.function.function._ready()
        for (purpose, bucket, _), cache in ready._credentials.items():
            if purpose == OBJECTS and bucket == oss._bucket.name:
                cache._cached, cache._assume_role = None, refuse
        return asked


@pytest.fixture
def two_buckets(house_of: Callable[..., House], clock: Any) -> TwoBuckets:
    house = house_of(PROFILES + ABROAD)
    abroad = MemoryOss("abroad", "cn-shanghai", clock)
    house.network.others["abroad.oss-cn-shanghai.aliyuncs.com"] = abroad.send
    abroad.give_sessions(house.function.function, timedelta(hours=2))
    return TwoBuckets(house, abroad)
