"""One function that has uploads checked, its bucket and its WeChat, all where the network is."""

import hashlib
import json
from base64 import b64encode
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

from function.app import Function
from function.context import Dependencies, RequestContext
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, HttpResponse
from function.request_log import LogLine
from local.oss.request import read_request
from tests.support.memory_oss import MemoryOss
from tests.support.stage import ask_event, make_event
from tests.support.wechat_push import Pusher

TOKEN, AES_KEY = "PushTokenSecretCanary", "AesKeySecretCanary0123456789abcdefghijklmno"
APPID, OPENID = "wx0123456789abcdef", "oOpenIdCanary_0123456789-xyz"
FORWARD_URL = "https://business.example.com/wechat?key=forward-SecretCanary"
SETTINGS = {
    "CALLER_AUTH": "wechat",
    "STS_SESSION_SECONDS": "7200",
    "TOKEN_SECRET": "token-secret-canary-0123456789abcdef",
    "WECHAT_APPID": APPID,
    "WECHAT_SECRET": "wechat-SecretCanary",
    "WECHAT_PUSH_TOKEN": TOKEN,
    "WECHAT_PUSH_AES_KEY": AES_KEY,
}
PROFILES = """
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "30MiB"
content_types = ["image/*", "audio/*"]
confirm = true
hold = ["check"]
check_scene = 3
[plain]
key = "plain/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
"""
ACCESS_TOKEN = "86_access-SecretCanary"
TRACE = "60f96f1d-3845297a-1976a3ae"
DATE = "Tue, 24 Nov 2026 14:00:00 GMT"


class World:
    """
    Attributes:
        objects: of the bucket, by key: bytes, and headers with names in lower case.

        wechat: what each call of WeChat's is answered, in order, the last one for ever: a path's last
            segment to objects, texts, exceptions.

        asked: what WeChat was asked: the last segment of the path, the query, the body.

        forwarded: what the forwarder got: address, body, headers.
    """

    def __init__(self, environment, clock, profiles_file, **changes):
        changed = {**environment, **SETTINGS, "PROFILES_FILE": profiles_file(PROFILES), **changes}
        self.environ = {name: value for name, value in changed.items() if value is not None}
        self.clock = clock
        self.objects = {}
        self.oss_faults = []
        self.ranges = []
        self.wechat = {
            "stable_token": [{"access_token": ACCESS_TOKEN, "expires_in": 7200}],
            "media_check_async": [{"errcode": 0, "errmsg": "ok", "trace_id": TRACE}],
        }
        self.asked = []
        self.budgets = []
        self.forwarded = []
        self.forwarder = HttpResponse(200, b"success", {"content-type": "text/plain"})
        self.oss = MemoryOss("my-bucket", "cn-hangzhou", clock)
        self.function = Function(Dependencies(self.environ, now=clock, send=self.send))
        self.oss.give_sessions(self.function, timedelta(hours=2))
        self.pusher = Pusher(TOKEN, AES_KEY, APPID)

    @property
    def instance(self):
        return self.function._ready()

    def call(self):
        """A request on its way, for what a route calls."""
        request = SimpleNamespace(context=None)
        return RequestContext(request, self.instance, LogLine("r"))

    def send(
        self, method, url, *, budget_seconds, query=None, body=None, headers=None, max_bytes=DEFAULT_MAX_BYTES
    ):
        where = urlsplit(url)
        if where.hostname == "api.weixin.qq.com":
            answer = self._wechat(where.path.rpartition("/")[2], query, body, budget_seconds)
        elif where.hostname == "business.example.com":
            assert method == "POST"
            self.forwarded.append((url, body, headers))
            self.budgets.append(budget_seconds)
            answer = self.forwarder
        else:
            answer = self._serve_oss(method, where, headers or {}, body)
        if isinstance(answer, Exception):
            raise answer
        if len(answer.body) > max_bytes:
            raise ExchangeFailed("answer over the size limit")
        return answer

    def _wechat(self, name, query, body, budget_seconds):
        self.asked.append((name, query, json.loads(body)))
        self.budgets.append(budget_seconds)
        answers = self.wechat[name]
        told = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(told, Exception | HttpResponse):
            return told
        return HttpResponse(200, json.dumps(told).encode())

    def _serve_oss(self, method, where, headers, body):
        if self.oss_faults and self.oss_faults[0][0] in (method, "*"):
            return self.oss_faults.pop(0)[1]
        target = where._replace(scheme="", netloc="").geturl()
        request = read_request(method, target, [("host", where.netloc), *headers.items()])
        stored = self.objects.get(request.key)
        source = request.headers.get("x-oss-copy-source")
        if method == "DELETE":
            self.objects.pop(request.key, None)
            return HttpResponse(204, b"")
        if method == "PUT":
            if request.headers.get("x-oss-forbid-overwrite") == "true" and stored is not None:
                return _refusal(409, "FileAlreadyExists")
            if source:
                self.objects[request.key] = self.objects[source.split("/", 2)[2]]
                etag = f"<ETag>x</ETag><LastModified>{DATE}</LastModified>"
                return HttpResponse(200, f"<CopyObjectResult>{etag}</CopyObjectResult>".encode())
            self.objects[request.key] = (body, dict(request.headers))
            return HttpResponse(200, b"")
        if stored is None:
            return _refusal(404, "NoSuchKey", is_head=method == "HEAD")
        if asked := request.headers.get("range"):
            self.ranges.append(asked)
            encoding = {name: stored[1][name] for name in ("content-encoding",) if name in stored[1]}
            return HttpResponse(206, stored[0][: int(asked.partition("-")[2]) + 1], encoding)
        kept = {name: value for name, value in stored[1].items() if name.startswith("x-oss-meta-")}
        return HttpResponse(
            200,
            b"" if method == "HEAD" else stored[0],
            {
                **kept,
                "content-length": str(len(stored[0])),
                "content-type": stored[1]["content-type"],
                "etag": f'"{etag_of(stored[0])}"',
                "last-modified": DATE,
            },
        )

    def store(self, key, body, content_type, upload_id):
        self.objects[key] = (body, {"content-type": content_type, "x-oss-meta-upload-id": upload_id})

    def is_let_in(self, url):
        """Whether OSS serves this URL to who has nothing else."""
        where = urlsplit(url)
        target = where._replace(scheme="", netloc="").geturl()
        request = read_request("GET", target, [("host", where.netloc)])
        try:
            self.oss._let_in(request, "HeadObject")
        except Exception as refused:  # noqa: BLE001 - OSS's refusals have a class of their own
            assert type(refused).__name__ == "Refused"
            return False
        return True

    def ask(self, body=None, *, method="POST", query=None, path="/wechat-events", headers=None):
        """An event of Function Compute; a body of bytes travels in base64."""
        encoded = {"base64": b64encode(body).decode()} if isinstance(body, bytes) else {"body": body}
        event = make_event(method=method, path=path, query=query, headers=headers, **encoded)
        return ask_event(self.function, event)

    def push(self, event, **also):
        query, body = self.pusher.push(event, **also)
        return self.ask(body, query=query, headers={"content-type": "application/json"})


def etag_of(body):
    return hashlib.md5(body, usedforsecurity=False).hexdigest().upper()


def _refusal(status, code, is_head=False):
    xml = f"<Error><Code>{code}</Code></Error>".encode()
    return (
        HttpResponse(status, b"", {"x-oss-err": b64encode(xml).decode()})
        if is_head
        else HttpResponse(status, xml)
    )
