"""The world of the function in memory: buckets, WeChat, Aliyun, the business, a phone and a backend."""

import json
import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from function.app import Function
from function.auth.business_token import AUDIENCE
from function.auth.session import SessionToken
from function.context import REQUEST_SECONDS, RequestContext
from function.errors import StsRejected
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, HttpResponse
from function.http.gateway import Request
from function.moderation.finding import Outcome
from function.moderation.wechat_verdict import Verdict
from function.request_log import LogLine
from function.sts.session_policy import OBJECTS
from handler import serve
from tests.support import stage
from tests.support.green import Green
from tests.support.memory_oss import MemoryOss
from tests.support.stage import Reply
from tests.support.wechat import Wechat, response

WEBHOOK = "https://shop.example.com/hook"
OWNER = "openid-1"
PART = 100 * 1024
# Of one bucket, without its callers.
PLAIN = {
    "OSS_BUCKET": stage.BUCKET,
    "OSS_REGION": stage.REGION,
    "STS_ROLE_ARN": stage.ROLE,
    "CALLER_RATE": "900000000/min",
    "TOKEN_SECRET": "a-secret-that-only-this-proof-has-0001",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.own",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "own-secret",
}
# Where uploads are held.
HELD = {
    **PLAIN,
    "CALLER_AUTH": "wechat",
    "STS_SESSION_SECONDS": "43200",
    "WECHAT_APPID": "wxheld",
    "WECHAT_SECRET": "app-secret",
    "WECHAT_PUSH_TOKEN": "pushtoken",
    "WECHAT_PUSH_AES_KEY": "A" * 43,
    "PROFILES_FILE": str(Path(__file__).with_name("held_profiles.toml")),
}


def counted() -> Callable[[int], bytes]:
    """Instead of random bytes: a number after the other."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size)


class World:
    """
    Args:
        environ: of every instance.

        now: the clock of all.

        instances: how many there are at first.

        life: how long the sessions of an instance live.

        oss: the bucket of the deployment, where another world has it already.

        check: sees method, path and reply of each request.

    Attributes:
        buckets: by name; ``oss`` is the deployment's.

        events: what the webhook got.

        forwarded: address, body and headers of what ``business.example.com`` got; it says ``forwarder``.

        others: what stands at further hosts, or before one of these.

        hosts: of each exchange, in order; ``before_exchange`` happens before each.

        monotonic: the clock of the budgets of all instances; ``call_seconds`` is the deadline of ``call``.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        now: Callable[[], datetime],
        *,
        instances: int = 1,
        life: timedelta = timedelta(hours=2),
        oss: MemoryOss | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        check: Callable[[str, str, Reply], Any] = lambda *_: None,
    ) -> None:
        self.environ = dict(environ)
        self.now = now
        self.oss = MemoryOss(environ["OSS_BUCKET"], environ["OSS_REGION"], now) if oss is None else oss
        self.buckets = {environ["OSS_BUCKET"]: self.oss}
        token, aes_key, appid = (
            environ.get(f"WECHAT_{name}", "") for name in ("PUSH_TOKEN", "PUSH_AES_KEY", "APPID")
        )
        self.wechat, self.green = Wechat(token, aes_key, appid), Green()
        self.events: list[dict[str, Any]] = []
        self.forwarded: list[tuple[str, bytes | None, Any]] = []
        self.forwarder: Any = HttpResponse(200, b"success", {"content-type": "text/plain"})
        self.others: dict[str, Callable[..., HttpResponse]] = {}
        self.budgets: list[float] = []
        self.hosts: list[str] = []
        self.before_exchange: Callable[[], Any] = lambda: None
        self.monotonic: Callable[[], float] = time.monotonic
        self.call_seconds = REQUEST_SECONDS
        self._around: dict[str, Any] = {"random_bytes": random_bytes}
        self._life, self._check = life, check
        self.functions: list[Function] = []
        for _ in range(instances):
            self.functions.append(self.new_instance())

    def new_instance(self) -> Function:
        function = stage.build(
            self.environ,
            self.now,
            **{"send": self.exchange, "monotonic": lambda: self.monotonic(), **self._around},
        )
        for oss in self.buckets.values():
            oss.give_sessions(function, self._life)
        return function

    def restart(self, **around: Any) -> None:
        """New instances, with these dependencies instead of their own."""
        self._around |= around
        self.functions = [self.new_instance() for _ in self.functions]

    def add_bucket(self, name: str, region: str) -> MemoryOss:
        oss = self.buckets[name] = MemoryOss(name, region, self.now)
        for function in self.functions:
            oss.give_sessions(function, self._life)
        return oss

    def exchange(self, method: str, url: str, *, body: bytes | None = None, **options: Any) -> HttpResponse:
        """In place of the function's network."""
        host = str(urlsplit(url).hostname)
        self.before_exchange()
        self.hosts.append(host)
        self.budgets.append(options.get("budget_seconds", 0.0))
        if host in self.others:
            return self.others[host](method, url, body=body, **options)
        if host.startswith("green-cip."):
            return _within_limit(self.green.send(method, url, body=body, **options), options)
        if host == "api.weixin.qq.com":
            return self.wechat.send(method, url, body=body, **options)
        if host == "business.example.com":
            assert method == "POST"
            self.forwarded.append((url, body, options["headers"]))
            return _within_limit(response(self.forwarder), options)
        if host == urlsplit(WEBHOOK).hostname:
            self.events.append(json.loads(body or b""))
            return HttpResponse(200, b"")
        oss = self.buckets.get(host.partition(".")[0], self.oss)
        return oss.send(method, url, body=body, **options)

    # --- a request ---

    def ask_event(self, instance: int = 0, **fields: Any) -> Reply:
        """Ask as Function Compute does; fields as of ``make_event``."""
        reply = stage.ask_event(self.functions[instance], stage.make_event(**fields))
        self._check(fields.get("method", "POST"), fields.get("path", "/upload-params"), reply)
        return reply

    def ask(self, route: str, token: str = "", instance: int = 0, **fields: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.ask_event(instance, body=fields, path=f"/{route}", headers=headers)

    @property
    def function(self) -> Function:
        return self.functions[0]

    @property
    def settings(self) -> Any:
        return self.function.ready().settings

    @property
    def told(self) -> list[str]:
        """The events that the webhook got."""
        return [event["event"] for event in self.events]

    def call(self, instance: int = 0) -> RequestContext:
        """A request on its way, for what a route calls."""
        request = Request("POST", "/", {}, "", {}, b"", "")
        return RequestContext(request, self.functions[instance].ready(), LogLine("r"), self.call_seconds)

    def tick(self, instance: int = 0, context: Any = None) -> None:
        """What a timer event does, which is answered with nothing."""
        assert serve(self.functions[instance], b'{"triggerTime":"2030-01-02T03:04:00Z"}', context) is None

    def due(self, kind: str = "") -> list[str]:
        """The names of the due records of all buckets, without ``held/.due/`` and those of ``ends``."""
        due = self._due()
        return [name for name in due if f"/{kind}" in name and not _is_end(name, due[name])]

    def ends(self) -> list[str]:
        """The names of the due records by which undecided uploads end."""
        return [name for name, body in self._due().items() if _is_end(name, body)]

    def _due(self) -> dict[str, bytes]:
        objects = [each for oss in self.buckets.values() for each in oss.objects.items()]
        prefix = "held/.due/"
        return {key.removeprefix(prefix): made.body for key, made in objects if key.startswith(prefix)}

    # --- a phone and its backend ---

    def session(self, subject: str = OWNER, entry: Any = None) -> str:
        return SessionToken.issue(subject, entry or self.settings.only, self.settings, self.now())

    def backend(self, secret: str = "", header: Any = None, **claims: Any) -> str:
        secrets = self.environ.get("RECEIPT_SECRET") or self.environ["TOKEN_SECRET"]
        ends = int(self.now().timestamp()) + 300
        return jwt.encode(
            {"aud": AUDIENCE, "exp": ends, **claims}, secret or secrets.partition(",")[0], "HS256", header
        )

    def form(self, profile: str = "word", subject: str = OWNER, **fields: Any) -> dict[str, Any]:
        token = self.session(subject) if self.environ["CALLER_AUTH"] == "wechat" else ""
        answer = self.ask("upload-params", token, **{"profile": profile, "filename": "a.png", **fields})
        assert answer.status == 200, answer.text
        return dict(answer.json)

    def store(
        self,
        profile: str = "word",
        name: str = "bytes",
        subject: str = OWNER,
        body: bytes = b"",
        **fields: Any,
    ) -> dict[str, Any]:
        """One whole upload: its form, and what /confirm said."""
        form = self.form(profile, subject, **fields)
        bucket = self.settings.profiles[profile].location.bucket
        assert self.buckets[bucket].post(form["formData"], name, body=body) == 200
        answer = self.ask("confirm", ticket=form["ticket"])
        assert answer.status == 200, answer.text
        self.events.clear()
        return {**form, **answer.json}

    def commit(self, receipt: str | None, **fields: Any) -> Reply:
        return self.ask("commit", self.backend(), receipt=receipt, **fields)

    def status(self, receipt: str) -> str:
        answer = self.ask("status", receipt=receipt)
        assert answer.status == 200, answer.text
        return str(answer.json["state"])

    def resume(self, receipt: str) -> str:
        """The state after one more commit, which continues what was cut off or is due."""
        answer = self.commit(receipt)
        assert answer.status == 200 or answer.code == "not_uploaded", answer.text
        return str(answer.json["state"]) if answer.status == 200 else "gone"

    def discard(self, receipt: str, token: str | None = None) -> Reply:
        return self.ask("discard", self.backend() if token is None else token, receipt=receipt)

    def verdict(self, outcome: Outcome, trace_id: str = "60f96f1d-1", instance: int = 0, **said: Any) -> bool:
        """What the push of a verdict does, once it was verified."""
        from function.holding.wechat_check import apply_verdict

        entry = self.settings.unnamed
        assert entry is not None
        return apply_verdict(self.call(instance), Verdict(trace_id, outcome, **said), entry)

    def deliver(self, body: Any = None, path: str = "/wechat-events", **event: Any) -> Reply:
        """What arrives at ``/wechat-events``; a body of bytes travels in base64."""
        encoded = {"base64": b64encode(body).decode()} if isinstance(body, bytes) else {"body": body}
        return self.ask_event(path=path, **encoded, **event)

    def push(self, event: Any, path: str = "/wechat-events", **also: Any) -> Reply:
        """What WeChat pushes."""
        query, body = self.wechat.push(event, **also)
        return self.deliver(body, path, query=query, headers={"content-type": "application/json"})

    # --- a large file ---

    def credentials_of(self, purpose: str) -> Any:
        """The cache of the deployment's bucket for this purpose."""
        ready = self.function.ready()
        return ready.credentials[ready.settings.home.session(purpose)]

    def assume(self, purpose: str, now: datetime) -> None:
        ready = self.function.ready()
        ready.credentials_for(ready.settings.home.session(purpose), None, now, [now])

    def begin(self, size: Any = 2 * PART + 1, profile: str = "video", **fields: Any) -> dict[str, Any]:
        answer = self.ask("multipart", **{"profile": profile, "filename": "a.mp4", "size": size, **fields})
        assert answer.status == 200, answer.text
        return dict(answer.json)

    def parts(self, ticket: str, **fields: Any) -> Reply:
        return self.ask("multipart-parts", ticket=ticket, **fields)

    def complete(self, ticket: str) -> Reply:
        return self.ask("multipart-complete", ticket=ticket)

    def abort(self, ticket: str) -> Reply:
        return self.ask("multipart-abort", ticket=ticket)

    def store_parts(self, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """One whole upload: how it began, and its receipt's response."""
        begun = self.begin(**fields)
        assert set(self.send(begun)) == {200}
        done = self.complete(begun["ticket"])
        assert done.status == 200, done.text
        return begun, dict(done.json)

    def send(self, begun: dict[str, Any], parts: Iterable[Any] | None = None, name: str = "a") -> list[int]:
        """Each of these parts in full: what OSS answered."""
        chosen = begun["parts"] if parts is None else parts
        return [
            self.oss.put(part, begun["headers"], f"{name}{part['number']}", part["size"]) for part in chosen
        ]

    # --- what may fail ---

    def hangs(self, oss: MemoryOss, monkeypatch: Any) -> None:
        """From now on this bucket lets the function wait as long as it will, by the instances' own clock."""
        elapsed = 0.0

        def hang(*_: Any, budget_seconds: float, **__: Any) -> HttpResponse:
            nonlocal elapsed
            elapsed += budget_seconds
            raise ExchangeFailed("timed out")

        self.monotonic = lambda: elapsed
        monkeypatch.setattr(oss, "send", hang)

    def without_sessions(self, oss: MemoryOss) -> list[str]:
        """From now on STS gives the function no session that reaches this bucket; what it is asked for."""
        asked: list[str] = []

        def refuse(*_: Any, **__: Any) -> Any:
            asked.append(oss.name)
            raise StsRejected("STS refused.", reason="no")

        for (purpose, bucket, _), cache in self.function.ready().credentials.items():
            if purpose == OBJECTS and bucket == oss.name:
                cache._cached, cache.assume_role = None, refuse
        return asked


def _within_limit(answer: HttpResponse, options: Mapping[str, Any]) -> HttpResponse:
    if len(answer.body) > options.get("max_bytes", DEFAULT_MAX_BYTES):
        raise ExchangeFailed("response over the size limit")
    return answer


def _is_end(name: str, body: bytes) -> bool:
    """Whether a due record is dated at the end of the hold that its receipt names."""
    if "/check-" not in name:
        return False
    with suppress(ValueError, LookupError, TypeError, jwt.DecodeError):
        receipt = json.loads(body)["receipt"]
        until = jwt.decode(receipt, options={"verify_signature": False})["heldUntil"]
        end = datetime.fromtimestamp(-(-until // 60) * 60, UTC)
        return name.startswith(f"{end:%Y%m%d%H%M}/")
    return False
