"""
Every dependency on the network x every fault x every phase of the held credentials, over real sockets.
"""

import json
import socket
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from function.oss.callback_signature import OssPublicKeys
from function.session_policy import OBJECTS, UPLOADS
from function.uploads.tickets import MultipartTicket
from quality.torture.report import Result, try_cells
from tests.support import stage
from tests.support.broken_server import SLOW_SECONDS, WIRE, Fault, answers, serving
from tests.support.canaries import LogWatch, Watch

START = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
# After the first good request: refreshed early if possible, no more good for a form, over.
PHASES = {"cold": None, "advisory": 50, "mandatory": 56, "expired": 61}
# What a request may take at most, twice the attempts included; a busy machine may add to it.
BUDGET_SECONDS = {
    "sts": 9.2,
    "wechat": 5.0,
    "key host": 2.0,
    "webhook": 1.5,
    "sts for objects": 9.2,
    "sts for reading": 9.2,
    "oss": 10.0,
    "oss before a form": 10.0,
    "oss beginning parts": 10.0,
    "oss listing parts": 10.0,
}
SLACK_SECONDS = 5.0  # for a busy machine; a hang is far longer
AT_A_TIME = 24
ONCE = {"profile": "once", "filename": "a.png", "sha256": "0" * 64, "size": 9}


PROFILES = stage.PROFILES + Path(__file__).with_suffix(".toml").read_text("utf-8")
SHOWN = {"key": f"shown/{'a' * 26}/{'A' * 22}.png"}
LARGE = {"profile": "large", "filename": "a.mp4", "size": 9}


@dataclass(frozen=True)
class Cell:
    dependency: str
    fault: str
    phase: str

    def __str__(self) -> str:
        return f"{self.dependency} / {self.fault} / {self.phase}"


# Who needs the objects session: calls to OSS of a few seconds, and URLs that live four minutes.
OF_OBJECTS = ("sts for objects", "sts for reading")
# What only a socket can play; the other faults of STS are played by the local STS.
STS_WIRE = {name: fault for name, fault in WIRE.items() if name != "slow"}
STS_FAULTS = (
    *WIRE,
    *("rejected", "status_500", "throttled", "malformed", "null", "null_error", "not_utf8", "wrong_type"),
    *("expired", "far_future"),
)
WECHAT_FAULTS = {
    **WIRE,
    "rejected": answers(404, b"<html>"),
    "status_500": answers(502, b"<html>"),
    "busy": answers(200, b'{"errcode": -1}'),
    "throttled": answers(200, b'{"errcode": 45011}'),
    "malformed": answers(200, b"{,"),
    "null": answers(200, b"null"),
    "wrong_type": answers(200, b'{"openid": [1]}'),
    "used_code": answers(200, b'{"errcode": 40163}'),
    "blocked": answers(200, b'{"errcode": 40226}'),
    "wrong_error_type": answers(200, b'{"errcode": {"a": 1}}'),
}
KEY_FAULTS = {
    **WIRE,
    "rejected": answers(404, b""),
    "status_500": answers(500, b""),
    "throttled": answers(429, b""),
    "malformed": answers(200, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
    "wrong_type": answers(200, b'{"key": 1}'),
}
WEBHOOK_FAULTS = {
    **WIRE,
    "rejected": answers(400, b""),
    "status_500": answers(500, b""),
    "throttled": answers(429, b""),
    "redirect": answers(302, b""),
}
# What HeadObject is answered; it never has a body.
THERE = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: image/png\r\nETag: "E"\r\n'
    b"Last-Modified: Tue, 24 Nov 2026 14:00:01 GMT\r\nConnection: close\r\n\r\n"
)


def _there(connection: socket.socket, _good: bytes) -> None:
    connection.sendall(THERE)


def _there_late(connection: socket.socket, good: bytes) -> None:
    time.sleep(SLOW_SECONDS)
    _there(connection, good)


OSS_FAULTS = {
    **WIRE,
    "slow": Fault(_there_late),
    # Whether it is absent, nobody says: a 404 or 403 of whatever stands before OSS is not OSS's word.
    "rejected": answers(403, b""),
    "null_error": answers(404, b""),
    "status_500": answers(500, b""),
    "status_503": answers(503, b""),
    "throttled": answers(503, b"<Error><Code>DownloadTrafficRateLimitExceeded</Code></Error>"),
    "malformed": answers(200, b"{,"),
    "redirect": answers(302, b""),
}
# A good answer to each, by what is asked for: an upload that was begun, and one of which nothing is there.
OF_PARTS = {
    "oss beginning parts": b"<InitiateMultipartUploadResult><UploadId>0004</UploadId>"
    b"</InitiateMultipartUploadResult>",
    "oss listing parts": b"<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>",
}
PARTS_FAULTS = {**OSS_FAULTS, "slow": WIRE["slow"]}
BROKEN: Mapping[str, Mapping[str, Fault]] = {
    "sts": STS_WIRE,
    **dict.fromkeys(OF_OBJECTS, STS_WIRE),
    "wechat": WECHAT_FAULTS,
    "key host": KEY_FAULTS,
    "webhook": WEBHOOK_FAULTS,
    "oss": OSS_FAULTS,
    "oss before a form": OSS_FAULTS,
    **dict.fromkeys(OF_PARTS, PARTS_FAULTS),
}
FAULTS: Mapping[str, Iterable[str]] = {**BROKEN, **dict.fromkeys(("sts", *OF_OBJECTS), STS_FAULTS)}
# Which of the addresses is the broken one.
ADDRESS_OF = {
    **dict.fromkeys(OF_OBJECTS, "sts"),
    "oss before a form": "oss",
    **dict.fromkeys(OF_PARTS, "oss"),
}
# Code of the answer by fault; what is not named is the dependency's "unavailable".
EXPECTED = {
    "sts": {"rejected": "sts_rejected", "slow": "", "far_future": ""},
    "wechat": {
        "slow": "",
        "rejected": "wechat_rejected",
        "malformed": "wechat_rejected",
        "null": "wechat_rejected",
        "wrong_type": "wechat_rejected",
        "wrong_error_type": "wechat_rejected",
        "throttled": "too_many_requests",
        "used_code": "unauthorized",
        "blocked": "forbidden",
    },
    "key host": {"slow": ""},
    "oss": {"slow": "", "rejected": "oss_rejected", "null_error": "oss_rejected", "redirect": "oss_rejected"},
}
EXPECTED |= dict.fromkeys(OF_OBJECTS, EXPECTED["sts"])
EXPECTED |= dict.fromkeys(OF_PARTS, EXPECTED["oss"])
UNAVAILABLE = {
    "sts": "sts_unavailable",
    **dict.fromkeys(OF_OBJECTS, "sts_unavailable"),
    "oss": "oss_unavailable",
    **dict.fromkeys(OF_PARTS, "oss_unavailable"),
    "wechat": "wechat_unavailable",
    "key host": "oss_key_unavailable",
}
# Best effort: the upload counts all the same, the file is sent once more.
NEVER_FAIL = ("webhook", "oss before a form")


def expected_code(cell: Cell) -> str:
    """The documented outcome: an error code, or "" for success."""
    if cell.dependency in NEVER_FAIL:
        return ""
    if cell.dependency == "sts for objects" and cell.phase in ("advisory", "mandatory"):
        return ""  # the held set covers what is asked within seconds
    if cell.dependency in ("sts", "sts for reading") and cell.phase == "advisory":
        return ""  # the held set stays in use
    if cell.dependency == "key host" and cell.phase != "cold":
        return ""  # a key is kept for the life of the instance
    return EXPECTED[cell.dependency].get(cell.fault, UNAVAILABLE[cell.dependency])


def cells() -> Iterator[Cell]:
    for dependency, faults in FAULTS.items():
        for fault in faults:
            for phase in PHASES:
                yield Cell(dependency, fault, phase)


@dataclass(frozen=True)
class Brought:
    """
    What a client brings: a session token, a callback of OSS, the ticket of an upload to confirm, and that of
    one in parts to go on with.
    """

    token: str
    callback: bytes
    ticket: str
    parts_ticket: str


class Trial:
    """One instance and its dependencies, all good until one of them is swapped for a broken one."""

    def __init__(self, watch: Watch, profiles_file: str, key: rsa.RSAPrivateKey) -> None:
        self.watch = watch
        self.environ = stage.planted_environment(watch, profiles_file)
        self.key = key
        self.instant = START

    def run(self, cell: Cell) -> str:
        """What went wrong in this cell; empty when it was as documented."""
        good = {
            "wechat": lambda: json.dumps(
                {"openid": "oUser", "session_key": self.watch.plant("session-key")}
            ).encode(),
            "key host": lambda: self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            "webhook": lambda: b"{}",
        }
        with ExitStack() as stack:
            origins = {name: stack.enter_context(serving(None, body)) for name, body in good.items()}
            good |= {name: partial(bytes, body) for name, body in OF_PARTS.items()}
            whole = None if cell.dependency in OF_PARTS else Fault(_there)
            origins["oss"] = stack.enter_context(serving(whole, good.get(cell.dependency, bytes)))
            origins["sts"] = stack.enter_context(stage.serving_sts(self.environ, self.watch, self._now))
            if broken := BROKEN[cell.dependency].get(cell.fault):
                answer = good.get(cell.dependency, lambda: b"{}")
                address = stack.enter_context(serving(broken, answer))
            else:
                sts = stage.serving_sts(self.environ, self.watch, self._now, cell.fault, SLOW_SECONDS)
                address = stack.enter_context(sts)
            # One address per dependency for the instance's whole life: a switch in the exchange.
            return self._act(cell, origins, address)

    def _now(self) -> datetime:
        return self.instant

    def _act(self, cell: Cell, origins: dict[str, str], broken: str) -> str:
        brought = self._prepare(origins)
        minutes, address = PHASES[cell.phase], ADDRESS_OF.get(cell.dependency, cell.dependency)
        addresses = {**origins, address: broken} if minutes is None else origins
        function = stage.build(self._environ(addresses), self._now)
        if minutes is not None:
            self._ask(function, cell, brought)
            self.instant += timedelta(minutes=minutes)
            brought = self._prepare(origins)
            redirect(function, cell.dependency, origins[address], broken)
        started = time.monotonic()
        reply = self._ask(function, cell, brought)
        took = time.monotonic() - started
        self.watch.search(f"{reply.headers}{reply.text}", "response")
        self.watch.search_reprs(function)
        problem = judge(cell, reply, took)
        if not problem and cell.dependency == "sts for reading":
            return self._read_again(function, cell, brought, origins[address])
        return problem

    def _read_again(self, function: Any, cell: Cell, brought: "Brought", good: str) -> str:
        """When STS is well again, there is a URL, and then the same one."""
        redirect(function, cell.dependency, good, good)
        replies = [self._ask(function, cell, brought) for _ in range(2)]
        if [reply.status for reply in replies] != [200, 200]:
            return f"a repetition was answered {replies[0].status} {replies[0].code}"
        return "" if replies[0].text == replies[1].text else "two URLs within one window"

    def _environ(self, addresses: dict[str, str]) -> dict[str, str]:
        return {
            **self.environ,
            "STS_ENDPOINT": addresses["sts"],
            "OSS_ENDPOINT": addresses["oss"],
            "WECHAT_ENDPOINT": addresses["wechat"],
            "CALLBACK_KEY_ORIGIN": addresses["key host"],
            "UPLOAD_WEBHOOK_URL": f"{addresses['webhook']}/hook?token={self.watch.plant('webhook')}",
            "TOKEN_SECRET": f"{self.watch.mark}-one-secret-for-all-instances-of-a-trial",
        }

    def _prepare(self, origins: dict[str, str]) -> "Brought":
        """What a client has at the present instant, from an instance that is well."""
        function = stage.build(self._environ(origins), self._now)
        token = stage.ask(function, {"code": "code"}, path="/login").json["token"]
        form = stage.ask(function, {"filename": "a.png"}, authorization=f"Bearer {token}").json
        template = json.loads(b64decode(form["formData"]["callback"]))["callbackBody"]
        ticket = template.rpartition("ticket=")[2]
        body = f"bucket={stage.BUCKET}&object={form['key']}&etag=E&size=9&mimeType=image/png&ticket={ticket}"
        seen = {"profile": "seen", "filename": "a.png"}
        seen_ticket = stage.ask(function, seen, authorization=f"Bearer {token}").json["ticket"]
        return Brought(token, body.encode(), seen_ticket, self._ticket_of_parts(function))

    def _ticket_of_parts(self, function: Any) -> str:
        settings = function._instance.settings
        now, end = self.instant, self.instant + settings.profiles["large"].parts_within
        cut = ("A" * 22, "0004", "large/a.mp4", 9, 102_400, "video/mp4")
        ticket = MultipartTicket(*cut, "large", "oUser", "owner", None, None, now, end)
        return ticket.issue(settings)

    def _ask(self, function: Any, cell: Cell, brought: "Brought") -> stage.Reply:
        bearer = f"Bearer {brought.token}"
        match cell.dependency:
            case "wechat":
                return stage.ask(function, {"code": "code"}, path="/login")
            case "sts":
                return stage.ask(function, {"filename": "a.png"}, authorization=bearer)
            case "oss" | "sts for objects":
                return stage.ask(function, {"ticket": brought.ticket}, path="/confirm")
            case "sts for reading":
                return stage.ask(function, SHOWN, path="/read", authorization=bearer)
            case "oss beginning parts":
                return stage.ask(function, LARGE, path="/multipart", authorization=bearer)
            case "oss listing parts":
                return stage.ask(function, {"ticket": brought.parts_ticket}, path="/multipart-parts")
            case "oss before a form":
                return stage.ask(function, ONCE, authorization=bearer)
        signature = self.key.sign(b"/callback\n" + brought.callback, padding.PKCS1v15(), hashes.MD5())
        return stage.ask(
            function,
            brought.callback,
            path="/callback",
            authorization=b64encode(signature).decode(),
            x_oss_pub_key_url=stage.KEY_HEADER,
        )


def redirect(function: Any, dependency: str, good: str, broken: str) -> None:
    """
    Let a running instance meet the broken server where the good one was.

    The settings of an instance never change, so its own copy of the address is replaced.
    """
    instance = function._instance
    if dependency == "sts" or dependency in OF_OBJECTS:
        cache = instance._credentials[
            instance.settings.home.session(UPLOADS if dependency == "sts" else OBJECTS)
        ]
        client, policies = cache._assume_role.func.__self__, cache._assume_role.args
        cache._assume_role = partial(client._replace(endpoint=broken).assume_role, *policies)
        return
    if dependency == "key host":
        instance.keep(OssPublicKeys, lambda: None)._origin = broken
        return
    settings = instance.settings
    if ADDRESS_OF.get(dependency, dependency) == "oss":
        instance.settings = settings._replace(
            profiles={
                name: profile._replace(location=profile.location._replace(oss_endpoint=broken))
                for name, profile in settings.profiles.items()
            }
        )
    elif dependency == "webhook":
        instance.settings = settings._replace(
            upload_webhook_url=settings.upload_webhook_url.replace(good, broken)
        )
    else:
        app = settings.caller_settings
        app = app._replace(endpoint=app.endpoint.replace(good, broken))
        instance.settings = settings._replace(caller_settings=app)


def judge(cell: Cell, reply: stage.Reply, took: float) -> str:
    wanted = expected_code(cell)
    if reply.code != wanted or (reply.status == 200) is not (wanted == ""):
        return f"answered {reply.status} {reply.code}, documented is {wanted or 'success'}"
    if cell.dependency == "oss before a form" and cell.fault != "slow" and "formData" not in reply.json:
        return "gave no form"
    if reply.status in (429, 503) and "Retry-After" not in reply.headers:
        return "no Retry-After"
    limit = BUDGET_SECONDS[cell.dependency] + SLACK_SECONDS
    if took > limit:
        return f"took {took:.1f} s, allowed are {limit:.1f}"
    return ""


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    watch = Watch()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with TemporaryDirectory() as folder, LogWatch(watch):
        profiles = Path(folder) / "profiles.toml"
        profiles.write_text(PROFILES, "utf-8")

        def attempt(cell: Cell) -> str:
            return Trial(watch, str(profiles), key).run(cell)

        wanted = filter(only, cells())
        return try_cells("dependencies", wanted, attempt, AT_A_TIME, lambda cell: cell.dependency, watch)
