"""
Every call of the function's own to another service x every fault, over real sockets: in time, under its code,
repeated only where that may be, and without a word of what was said.

What a request makes of a failure, and in which order failures may come, is for plain tests and the explorer.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from function.auth.wechat import openid_of
from function.errors import UploadError
from function.http.client import HttpResponse, Send, send
from function.limits.rate_limit import RateLimiter
from function.moderation.wechat import CheckRequest, submit
from function.oss.callback_signature import OssPublicKeys
from function.oss.client import OssClient, budget
from function.oss.multipart import StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import copy_object, delete_object, get_record, head_object, put_record
from function.sts import aliyun_sdk
from function.sts.assume_role import StsClient
from function.sts.credentials import AccessKeys, StsCredentials
from function.webhook import post_event
from function.wechat import WechatApp
from function.wechat.api import AccessTokens
from quality.torture.report import Progress, Result
from tests.support import stage
from tests.support.broken_server import SLOW_SECONDS, WIRE, Fault, answers, serving, whole
from tests.support.canaries import LogWatch, Watch

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
SLACK_SECONDS = 5.0  # for a busy machine; a hang is far longer
AT_A_TIME = 24
CANARY = "canary-of-the-service"
KEY = Path(__file__).parents[2] / "tests" / "keys" / "rsa.pub.pem"
TOKEN = b'{"access_token": "86_canary", "expires_in": 7200}'
ROLE_KEYS = {
    "AccessKeyId": "STS.Role",
    "AccessKeySecret": "x",
    "SecurityToken": "x",
    "Expiration": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
}
DONE, REFUSED = "", "refused"
OSS, OSS_SAID_NO = "oss_unavailable", "oss_rejected"
WECHAT, MISCONFIGURED = "wechat_unavailable", "misconfigured"
LOGIN, LOGIN_REFUSED = "login_unavailable", "login_rejected"
NO_KEY, UNDELIVERED = "oss_key_unavailable", "undelivered"
STS, STS_SAID_NO = "sts_unavailable", "sts_rejected"


def _error(status: int, code: str) -> Fault:
    return answers(status, f"<Error><Code>{code}</Code><Message>{CANARY}</Message></Error>".encode())


def _errcode(code: int) -> Fault:
    return answers(200, json.dumps({"errcode": code, "errmsg": CANARY}).encode())


# What anyone may say: no; that it cannot now; or 200, and nothing that can be read.
NO = {
    "rejected": _error(403, "AccessDenied"),
    "null_error": answers(404, b"null"),
    "not_utf8": answers(400, b"\xff\xfe"),
    "redirect": answers(302, b""),
}
NOT_NOW = {
    "status_500": answers(500, b"<html>"),
    "status_503": _error(503, "ServiceUnavailable"),
    "throttled": _error(503, "DownloadTrafficRateLimitExceeded"),
}
UNREADABLE = {
    "malformed": answers(200, b"{<a><b>"),
    "empty": answers(200, b""),
    "null": answers(200, b"null"),
    "missing_field": answers(200, b"{}"),
    "wrong_type": answers(200, b'{"access_token": 1, "expires_in": "x", "trace_id": ["t"], "openid": [1]}'),
    "wrong_error_type": answers(200, b'{"errcode": {"a": 1}}'),
}
# What WeChat alone says, with 200.
OF_WECHAT = {
    "busy": _errcode(-1),
    "address_refused": _errcode(40164),
    "bad_secret": _errcode(40125),
    "bad_appid": _errcode(40013),
    "daily_quota": _errcode(45009),
    "bad_token": _errcode(40001),
    "not_seen_lately": _errcode(61010),
    "bad_openid": _errcode(40003),
    "foreign_openid": _errcode(43104),
    "bad_media_type": _errcode(40004),
    "repeated_too_often": _errcode(87020),
    "used_code": _errcode(40163),
    "blocked": _errcode(40226),
}
FAULTS: Mapping[str, Fault] = {**WIRE, **NO, **NOT_NOW, **UNREADABLE, **OF_WECHAT}
Ends = Mapping[str, tuple[str, int]]


def _ends(unheard: str, tries: int = 1, *, no: str, unreadable: str, **more: str) -> Ends:
    """How a call ends by its fault, and how often it is sent."""
    unread = {**dict.fromkeys(NO, no), **dict.fromkeys(UNREADABLE, unreadable), **more}
    return {
        **dict.fromkeys([*WIRE, *NOT_NOW], (unheard, tries)),
        "slow": (DONE, 1),
        **{fault: (code, 1) for fault, code in unread.items()},
    }


class Hands(NamedTuple):
    """What the calls are made with; nothing of it may show."""

    watch: Watch
    origin: str
    send: Send
    sent: list[str]

    @property
    def oss(self) -> OssClient:
        secret, token = self.watch.plant("objects-secret"), self.watch.plant("objects-token")
        credentials = StsCredentials("STS.Objects", secret, token, NOW + timedelta(hours=1))
        return OssClient(stage.BUCKET, "cn-hangzhou", self.origin, credentials, NOW, self.send, budget())

    @property
    def wechat(self) -> WechatApp:
        return WechatApp(stage.APP_ID, self.watch.plant("wechat-secret"), self.origin)

    def assume_role(self) -> StsCredentials:
        """The SDK sends by itself; before each repetition the function sleeps."""
        own = AccessKeys("STS.Own", self.watch.plant("own-secret"), self.watch.plant("own-token"))
        self.sent.append("AssumeRole")
        client = StsClient(
            self.origin, "cn-hangzhou", stage.ROLE, timedelta(hours=1), lambda _: self.sent.append("again")
        )
        return client.assume_role("{}", own, NOW, attempts=2)

    def find_key(self) -> Any:
        keys = OssPublicKeys(self.origin, self.send, RateLimiter())
        return keys.find(stage.KEY_HEADER, ticket_id="t", now=NOW)

    def get_token(self) -> str:
        tokens = AccessTokens(self.wechat, self.send)
        tokens.get(NOW)
        return repr(tokens)

    def check(self) -> Any:
        def send(method: str, url: str, **options: Any) -> HttpResponse:
            # Its token the check has from elsewhere.
            return HttpResponse(200, TOKEN) if "stable_token" in url else self.send(method, url, **options)

        wanted = CheckRequest(f"https://oss/x?{self.watch.plant('url')}", 2, 1, self.watch.plant("openid"))
        said = submit(self.wechat, AccessTokens(self.wechat, send), wanted, send, NOW)
        return REFUSED if isinstance(said, int) else said

    def deliver(self) -> str:
        url = f"{self.origin}/hook?token={self.watch.plant('webhook')}"
        return UNDELIVERED if post_event(url, b"{}", {}, self.send) else DONE


@dataclass(frozen=True)
class Tried:
    """
    One of the calls.

    Args:
        good: what is answered when all is well, byte for byte.

        seconds: that it may take.
    """

    call: Callable[[Hands], Any]
    good: bytes
    ends: Ends
    seconds: float = 10.0


def _of_oss(call: Callable[[OssClient], Any], good: bytes, tries: int, unreadable: str = OSS) -> Tried:
    ends = _ends(OSS, tries, no=OSS_SAID_NO, unreadable=unreadable)
    return Tried(lambda hands: call(hands.oss), good, ends)


def _result(name: str, inner: str = "") -> bytes:
    return whole(200, f"<{name}Result>{inner}</{name}Result>".encode())


OF_A_BODY = ("truncated", "huge", "slow_body")
HEAD = (
    b'HTTP/1.1 200 X\r\nContent-Length: 9\r\nETag: "E"\r\n'
    b"Last-Modified: Tue, 24 Nov 2026 14:00:01 GMT\r\n\r\n"
)
NOTHING = b"HTTP/1.1 204 X\r\n\r\n"
CALLS: Mapping[str, Tried] = {
    # Of the body of its answer, which is none, nothing can be cut, late or huge: what is left says nothing.
    "HeadObject": Tried(
        lambda hands: head_object(hands.oss, "u/a"),
        HEAD,
        {**_ends(OSS, 2, no=OSS_SAID_NO, unreadable=OSS), **dict.fromkeys(OF_A_BODY, (OSS, 1))},
    ),
    # Any 200 is a success of the next three.
    "GetObject": _of_oss(lambda oss: get_record(oss, "u/a"), whole(200, b"{}"), 2, DONE),
    "PutObject": _of_oss(lambda oss: put_record(oss, "u/a", b"{}"), whole(200, b""), 2, DONE),
    "PutObject, the first": _of_oss(
        lambda oss: put_record(oss, "u/a", b"{}", forbid_overwrite=True), whole(200, b""), 1, DONE
    ),
    "DeleteObject": _of_oss(lambda oss: delete_object(oss, "u/a"), NOTHING, 2, OSS_SAID_NO),
    "CopyObject": _of_oss(
        lambda oss: copy_object(oss, "u/a", "u/b", acl="private", source_etag="E"),
        _result("CopyObject", '<ETag>"E"</ETag>'),
        1,
    ),
    "InitiateMultipartUpload": _of_oss(
        lambda oss: initiate(oss, "u/a", {}), _result("InitiateMultipartUpload", "<UploadId>1</UploadId>"), 1
    ),
    "ListParts": _of_oss(lambda oss: list_parts(oss, "u/a", "1"), _result("ListParts"), 2),
    "CompleteMultipartUpload": _of_oss(
        lambda oss: complete(oss, "u/a", "1", [StoredPart(1, 5, "E")], acl="private", forbid_overwrite=True),
        _result("CompleteMultipartUpload"),
        1,
    ),
    "AbortMultipartUpload": _of_oss(lambda oss: abort(oss, "u/a", "1"), NOTHING, 2, OSS_SAID_NO),
    # A code is valid once, but the first try may not have come to WeChat.
    "code2Session": Tried(
        lambda hands: openid_of("code", hands.wechat, hands.send),
        whole(200, b'{"openid": "oUser", "session_key": "x"}'),
        {
            **_ends(LOGIN, 2, no=LOGIN_REFUSED, unreadable=LOGIN_REFUSED, used_code="unauthorized"),
            "blocked": ("forbidden", 1),
            "busy": (LOGIN, 2),
            "bad_secret": (MISCONFIGURED, 1),
        },
        5.0,
    ),
    "stable_token": Tried(
        Hands.get_token,
        whole(200, TOKEN),
        {
            **_ends(WECHAT, no=WECHAT, unreadable=WECHAT, busy=WECHAT, daily_quota=WECHAT),
            **dict.fromkeys(("address_refused", "bad_secret", "bad_appid"), (MISCONFIGURED, 1)),
        },
        2.0,
    ),
    # Nothing that was not heard is repeated, and a refusal is for a human.
    "media_check_async": Tried(
        Hands.check,
        whole(200, b'{"errcode": 0, "errmsg": "ok", "trace_id": "60f96f1d-3845297a"}'),
        {
            **_ends(WECHAT, no=WECHAT, unreadable=WECHAT, busy=WECHAT, daily_quota=REFUSED),
            **dict.fromkeys(("not_seen_lately", "bad_openid", "foreign_openid"), (REFUSED, 1)),
            **dict.fromkeys(("bad_media_type", "repeated_too_often"), (REFUSED, 1)),
            "bad_token": (WECHAT, 2),
        },
        6.0,
    ),
    "AssumeRole": Tried(
        Hands.assume_role,
        whole(200, json.dumps({"Credentials": ROLE_KEYS}).encode()),
        {
            **_ends(STS, 2, no=STS_SAID_NO, unreadable=STS),
            **dict.fromkeys(("status_500", "redirect", "truncated"), (STS, 1)),
        },
    ),
    "key of OSS": Tried(
        Hands.find_key, whole(200, KEY.read_bytes()), _ends(NO_KEY, no=NO_KEY, unreadable=NO_KEY), 2.0
    ),
    # Its status alone counts.
    "webhook": Tried(
        Hands.deliver,
        whole(200, b""),
        {**_ends(UNDELIVERED, no=UNDELIVERED, unreadable=DONE), **dict.fromkeys(OF_A_BODY, (DONE, 1))},
        1.5,
    ),
}


class Cell(NamedTuple):
    call: str
    fault: str


def cells() -> Iterator[Cell]:
    for call, tried in CALLS.items():
        yield from (Cell(call, fault) for fault in tried.ends)


def attempt(cell: Cell, watch: Watch) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    tried, sent = CALLS[cell.call], list[str]()

    def late(connection: Any) -> None:
        time.sleep(SLOW_SECONDS)
        connection.sendall(tried.good)

    def counted(method: str, url: str, **options: Any) -> HttpResponse:
        sent.append(method)
        return send(method, url, **options)

    with serving(Fault(late) if cell.fault == "slow" else FAULTS[cell.fault]) as origin:
        hands = Hands(watch, origin, counted, sent)
        started = time.monotonic()
        try:
            value = tried.call(hands)
            code, words = value if value in (REFUSED, UNDELIVERED) else DONE, repr(value)
        except UploadError as error:
            code, words = error.code, f"{error!r}{vars(error)}"
        took = time.monotonic() - started
    watch.search(f"{words}{hands.oss!r}{hands.wechat!r}", "exception")
    if CANARY in words:
        return "told what was said"
    wanted, times = tried.ends[cell.fault]
    if (code, len(sent)) != (wanted, times):
        return f"ended in {code or 'success'} after {len(sent)}, not in {wanted or 'success'} after {times}"
    if took > tried.seconds + SLACK_SECONDS:
        return f"took {took:.1f} s, allowed are {tried.seconds:.1f}"
    return ""


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    started, watch, result = time.monotonic(), Watch(), Result("faults")
    wanted = [*filter(only, cells())]
    progress = Progress("faults", len(wanted))
    # As when an instance starts, before it takes requests: meanwhile imports may see placeholders.
    aliyun_sdk.prepare()
    with LogWatch(watch), ThreadPoolExecutor(AT_A_TIME) as pool:
        found = pool.map(lambda cell: attempt(cell, watch), wanted)
        for number, (cell, problem) in enumerate(zip(wanted, found, strict=True), start=1):
            result.problems += [f"{' / '.join(cell)}: {problem}"] if problem else []
            progress.show(number)
    survived = len(wanted) - len(result.problems)
    result.totals = Counter({"faults tried": len(wanted), "faults survived": survived})
    result.searched, result.secrets = watch.searched, watch.found
    result.seconds = time.monotonic() - started
    return result
