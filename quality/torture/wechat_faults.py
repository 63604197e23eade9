"""
What the content check asks of others x every fault, over real sockets: the access token, the check, and
whoever gets what WeChat pushes about something else.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from function.errors import UploadError
from function.http.client import HttpResponse, Send, send
from function.moderation.wechat import CheckRequest, submit
from function.wechat import WechatApp
from function.wechat.api import AccessTokens
from quality.torture.report import Result, try_cells
from tests.support import stage
from tests.support.broken_server import WIRE, Fault, answers, serving
from tests.support.canaries import LogWatch, Watch
from tests.support.wechat import Wechat

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
SLACK_SECONDS = 5.0  # for a busy machine; a hang is far longer
AT_A_TIME = 24
TOKEN, CHECK, FORWARDER = "stable_token", "media_check_async", "forwarder"
UNAVAILABLE, REFUSED = "wechat_unavailable", "refused"
BUDGET_SECONDS = {TOKEN: 2.0, CHECK: 3.0, FORWARDER: 3.5}
GOOD = {
    TOKEN: b'{"access_token": "86_canary", "expires_in": 7200}',
    CHECK: b'{"errcode": 0, "errmsg": "ok", "trace_id": "60f96f1d-3845297a"}',
    FORWARDER: b"success",
}
PROFILES = str(Path(__file__).with_suffix(".toml"))
FOREIGN = {"MsgType": "event", "Event": "user_enter_tempsession"}


def _errcode(code: int) -> Fault:
    return answers(200, json.dumps({"errcode": code, "errmsg": "canary-of-wechat"}).encode())


# What is said, whatever was asked.
SAID = {
    "rejected": answers(404, b"<html>"),
    "status_500": answers(500, b"<html>"),
    "status_503": answers(503, b"{}"),
    "malformed": answers(200, b"{,"),
    "empty": answers(200, b""),
    "null": answers(200, b"null"),
    "not_utf8": answers(400, b"\xff\xfe"),
    "redirect": answers(302, b""),
    "missing_field": answers(200, b"{}"),
    "wrong_type": answers(200, b'{"access_token": 1, "expires_in": "x", "trace_id": ["t"]}'),
    "wrong_error_type": answers(200, b'{"errcode": {"a": 1}}'),
    "throttled": _errcode(45011),
    "busy": _errcode(-1),
}
OF_WECHAT = {
    TOKEN: {
        "address_refused": _errcode(40164),
        "bad_secret": _errcode(40125),
        "bad_appid": _errcode(40013),
        "daily_quota": _errcode(45009),
    },
    CHECK: {
        "bad_token": _errcode(40001),
        "not_seen_lately": _errcode(61010),
        "bad_openid": _errcode(40003),
        "foreign_openid": _errcode(43104),
        "bad_media_type": _errcode(40004),
        "repeated_too_often": _errcode(87020),
        "daily_quota": _errcode(45009),
    },
    FORWARDER: {},
}
MISCONFIGURED = {"address_refused", "bad_secret", "bad_appid"}
TO_A_HUMAN = {*OF_WECHAT[CHECK]} - {"bad_token"}
# The forwarder's word goes to WeChat as it is, whatever it says.
STATUS_OF = {
    "rejected": "404",
    "status_500": "500",
    "status_503": "503",
    "not_utf8": "400",
    "redirect": "302",
}


@dataclass(frozen=True)
class Cell:
    call: str
    fault: str

    def __str__(self) -> str:
        return f"{self.call} / {self.fault}"


def cells() -> Iterator[Cell]:
    for call, more in OF_WECHAT.items():
        for fault in (*WIRE, *SAID, *more):
            yield Cell(call, fault)


def expected(cell: Cell) -> tuple[str, int]:
    """How the call ends, "" for success, and how often it is sent: nothing that was not heard is repeated."""
    if cell.fault == "slow":
        return "", 1
    if cell.call == FORWARDER:
        return (UNAVAILABLE if cell.fault in WIRE else STATUS_OF.get(cell.fault, "")), 1
    if cell.fault in MISCONFIGURED:
        return "misconfigured", 1
    if cell.call == CHECK and cell.fault in TO_A_HUMAN:
        return REFUSED, 1
    return UNAVAILABLE, 2 if cell.fault == "bad_token" else 1


class Trial:
    """What the three calls are made with; nothing of it may show."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def attempt(self, cell: Cell) -> str:
        """What went wrong in this cell; empty when it was as documented."""
        good = GOOD[cell.call]
        sent: list[str] = []

        def counted(method: str, url: str, **options: Any) -> HttpResponse:
            # Its token the check has from elsewhere.
            if cell.call == CHECK and TOKEN in url:
                return HttpResponse(200, GOOD[TOKEN])
            sent.append(method)
            return send(method, url, **options)

        with serving({**WIRE, **SAID, **OF_WECHAT[cell.call]}[cell.fault], lambda: good) as origin:
            started = time.monotonic()
            outcome, words = self._ask(cell.call, origin, counted)
            took = time.monotonic() - started
        self.watch.search(words, "exception")
        if "canary-of-wechat" in words:
            return "told what WeChat said"
        wanted = expected(cell)
        if (outcome, len(sent)) != wanted:
            ended, documented = outcome or "success", wanted[0] or "success"
            return f"ended in {ended} after {len(sent)}, documented is {documented} after {wanted[1]}"
        if took > 2 * BUDGET_SECONDS[cell.call] + SLACK_SECONDS:
            return f"took {took:.1f} s, allowed are {2 * BUDGET_SECONDS[cell.call]:.1f}"
        return ""

    def _ask(self, call: str, origin: str, counted: Send) -> tuple[str, str]:
        """The outcome, and all that was told of it."""
        if call == FORWARDER:
            return self._push(origin, counted)
        app = WechatApp(stage.APP_ID, self.watch.plant("wechat-secret"), origin)
        tokens = AccessTokens(app, counted)
        try:
            if call == TOKEN:
                tokens.get(NOW)
                return "", repr(tokens)
            wanted = CheckRequest(
                f"https://oss/x?{self.watch.plant('url')}", 2, 1, self.watch.plant("openid")
            )
            answered = submit(app, tokens, wanted, counted, NOW)
        except UploadError as error:
            return error.code, f"{error!r}{vars(error)}"
        return (REFUSED if isinstance(answered, int) else ""), f"{answered!r}{wanted!r}"

    def _push(self, origin: str, counted: Send) -> tuple[str, str]:
        pusher = Wechat("APushToken", "a" * 43, stage.APP_ID)
        forward = f"{origin}/wechat?key={self.watch.plant('forward')}"
        environ = stage.planted_environment(
            self.watch,
            PROFILES,
            STS_SESSION_SECONDS="7200",
            WECHAT_PUSH_TOKEN=pusher.token,
            WECHAT_PUSH_AES_KEY=pusher.aes_key,
            WECHAT_PUSH_FORWARD_URL=forward,
        )
        function = stage.build(environ, lambda: NOW, send=counted)
        query, body = pusher.push(FOREIGN)
        reply = stage.ask(function, body, path="/wechat-events", query=urlencode(query))
        self.watch.search_reprs(function)
        if reply.status == 503 and reply.text.startswith("{") and "error" in reply.json:
            return (reply.code if "Retry-After" in reply.headers else "no Retry-After"), reply.text
        # Its text is the forwarder's, and WeChat's to read.
        return ("" if reply.status == 200 else str(reply.status)), f"{reply.headers}"


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    watch = Watch()
    with LogWatch(watch):
        return try_cells("content check", filter(only, cells()), Trial(watch).attempt, AT_A_TIME, watch=watch)
