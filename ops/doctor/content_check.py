"""
The check of ``doctor`` on WeChat's content check: whether verdicts arrive, and whether they mean something.

A check that is silent, or that passes what it never opened, looks well until the day it matters. So WeChat is
asked about a picture and about an address where there is nothing. It tells the deployed function, which keeps
a verdict that is about no upload of its own as a record in the bucket; there it is read.
"""

import secrets
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from function.auth.tokens import SESSION, read_token
from function.config.key_template import RECORDS
from function.config.profile import CHECK_URL_LIFE
from function.config.settings import Settings
from function.credentials import AccessKeys, StsCredentials
from function.errors import Unauthorized, UploadError
from function.holding import records
from function.http.client import ExchangeFailed, Send, send
from function.moderation.wechat import PICTURE, CheckRequest, Refused, Submitted, submit
from function.oss.client import OssClient, budget, call
from function.oss.presign import OssRequest, presign
from function.session_policy import OBJECTS
from function.wechat import WechatApp
from function.wechat.api import AccessTokens
from ops.doctor.content_verdicts import (
    NO_ERROR_PAGES,
    NOTHING,
    PICTURE_THERE,
    READABLE,
    WAIT_SECONDS,
    of_nothing,
    of_the_picture,
    remedy_for,
    remedy_of,
)
from ops.doctor.findings import Finding, State, logged, same, unreachable
from ops.doctor.identity import assume, sts_remedy
from ops.doctor.removal import delete_object
from ops.terminal.language import Text

CHECK = Text("Content check", "内容审核")
LEFT = Text("Content check, left behind", "内容审核：留下的东西")
PAUSE_SECONDS = 1.0
LOOK_SECONDS = 10.0
SIDE = 128


@dataclass
class ContentCheck:
    """
    One visit to WeChat.

    Args:
        openid: of a user whom WeChat has seen within two hours.

        keys: of this machine; they take the role, and remove what was stored where they may.

        others: further buckets where something is checked; the function keeps a verdict in each.
    """

    settings: Settings
    app: WechatApp
    openid: str
    keys: AccessKeys
    now: datetime
    others: Sequence[Settings] = ()
    send: Send = send
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    left: list[str] = field(default_factory=list)

    def findings(self) -> Iterator[Finding]:
        try:
            credentials = assume(self.settings, OBJECTS, self.keys, self.now)
        except UploadError as error:
            yield Finding(CHECK, State.BAD, logged(error), sts_remedy(error))
            return
        try:
            yield from self._ask(credentials)
        except UploadError as error:
            yield Finding(CHECK, State.BAD, logged(error), remedy_of(error))
        finally:
            yield from self._removed()

    def _ask(self, credentials: StsCredentials) -> Iterator[Finding]:
        there, absent = (f"{RECORDS}prove/{secrets.token_hex(8)}.png" for _ in range(2))
        headers = {"content-type": "image/png", "x-oss-object-acl": "private"}
        self.left.append(there)
        stored = call(
            self._oss(credentials),
            "PutObject",
            "PUT",
            there,
            headers=headers,
            body=picture(),
            is_repeatable=True,
        )
        if stored.status != 200:
            yield Finding(CHECK, State.BAD, same(f"PutObject: HTTP {stored.status}"), _SET_UP_AGAIN)
            return
        urls = {PICTURE_THERE: self._url(credentials, there), NOTHING: self._url(credentials, absent)}
        if finding := self._look_first(urls):
            yield finding
            return
        traces = {}
        tokens = AccessTokens(self.app, self.send)
        for check, url in urls.items():
            wanted = CheckRequest(url, PICTURE, self._scene(), self.openid)
            answered = submit(self.app, tokens, wanted, self.send, self.now)
            if isinstance(answered, Refused):
                said = same(f"media_check_async errcode {answered.errcode}")
                yield Finding(CHECK, State.BAD, said, remedy_for(answered.errcode))
                return
            traces[check] = answered
            self.left.append(records.verdict_key(answered.trace_id))
        verdicts = self._wait(credentials, traces)
        yield of_the_picture(verdicts.get(PICTURE_THERE))
        yield of_nothing(verdicts.get(NOTHING))

    def _look_first(self, urls: Mapping[Text, str]) -> Finding | None:
        """As WeChat does: a stranger who sends no Referer. What we cannot open costs no check."""
        statuses = {}
        for check, url in urls.items():
            try:
                statuses[check] = self.send("GET", url, budget_seconds=LOOK_SECONDS).status
            except ExchangeFailed as error:
                said = same(f"{self.settings.read_origin}: {error.kind}")
                return Finding(PICTURE_THERE, State.BAD, said, unreachable("READ_ORIGIN", "OSS_HOST"))
        if statuses[PICTURE_THERE] != 200:
            said = Text(
                f"its signed URL answers HTTP {statuses[PICTURE_THERE]}",
                f"它的预签名 URL 返回 HTTP {statuses[PICTURE_THERE]}",
            )
            return Finding(PICTURE_THERE, State.BAD, said, READABLE)
        if statuses[NOTHING] < 400:
            said = Text(
                f"{self.settings.read_origin} answers HTTP {statuses[NOTHING]} where there is nothing",
                f"{self.settings.read_origin} 上不存在的对象也返回 HTTP {statuses[NOTHING]}",
            )
            return Finding(NOTHING, State.BAD, said, NO_ERROR_PAGES)
        return None

    def _wait(
        self, credentials: StsCredentials, traces: Mapping[Text, Submitted]
    ) -> dict[Text, dict[str, Any]]:
        """The records of the verdicts that came in time."""
        came: dict[Text, dict[str, Any]] = {}
        deadline = self.monotonic() + WAIT_SECONDS
        while len(came) < len(traces) and self.monotonic() < deadline:
            for check in traces.keys() - came.keys():
                said = records.get(self._oss(credentials), records.verdict_key(traces[check].trace_id))
                if said is not None:
                    came[check] = said
            if len(came) < len(traces):
                self.sleep(PAUSE_SECONDS)
        return came

    def _removed(self) -> Iterator[Finding]:
        """Nothing is said of what is gone."""
        places = (self.settings, *self.others)
        left = [key for key in self.left if not all(delete_object(there, self.keys, key) for there in places)]
        if left:
            said = Text(
                f"no key here may delete; left: {', '.join(left)}",
                f"这里没有密钥可以删除；保留：{', '.join(left)}",
            )
            yield Finding(LEFT, State.UNSURE, said, _ENDS_BY_ITSELF)

    def _oss(self, credentials: StsCredentials) -> OssClient:
        """Each question has ten seconds of its own; the internal address is for the function alone."""
        settings = self.settings
        return OssClient(
            bucket=settings.bucket,
            region=settings.region,
            endpoint=settings.host,
            credentials=credentials,
            now=self.now,
            send=self.send,
            seconds_left=budget(),
        )

    def _url(self, credentials: StsCredentials, key: str) -> str:
        settings = self.settings
        request = OssRequest("GET", settings.bucket, settings.region, key)
        return presign(request, credentials, self.now, origin=settings.read_origin, expires_in=CHECK_URL_LIFE)

    def _scene(self) -> int:
        return next(one.check_scene for one in self.settings.profiles.values() if one.is_checked)


def check_content(
    settings: Settings,
    openid: str,
    keys: AccessKeys | None,
    now: datetime,
    others: Sequence[Settings] = (),
) -> Iterator[Finding]:
    """
    Ask WeChat about a picture and about nothing, and wait a minute for what it says.

    Args:
        openid: empty where nobody named one.

        keys: that may take the role; ``None`` where none here may.

        others: further buckets where something is checked.
    """
    if not isinstance(settings.caller_settings, WechatApp) or not _checks(settings):
        said = Text("no profile has hold with check", "没有用途的 hold 写了 check")
        yield Finding(CHECK, State.SKIPPED, said)
        return
    if not openid:
        said = Text("WeChat wants a user whom it has just seen", "微信要求给出刚刚用过小程序的用户")
        yield Finding(CHECK, State.BAD, said, _OPENID)
        return
    if keys is None:
        said = Text("no key here may take the role", "这里没有密钥可以扮演角色")
        yield Finding(CHECK, State.SKIPPED, said)
        return
    yield from ContentCheck(settings, settings.caller_settings, openid, keys, now, others).findings()


def checked_places(places: Sequence[Settings]) -> Sequence[Settings]:
    """Those with anything to check: WeChat must be let into each of them. The first where there is none."""
    return [there for there in places if _checks(there)] or places[:1]


def _checks(settings: Settings) -> bool:
    return any(profile.is_checked for profile in settings.profiles.values())


def openid_in(token: str, settings: Settings, now: datetime) -> str:
    """Whom a session token of the deployed function names; empty where it is none that we can read."""
    try:
        return str(
            read_token(token, audience=SESSION, secrets=settings.token_secrets, now=now).get("sub", "")
        )
    except Unauthorized:
        return ""


def picture() -> bytes:
    """A small real PNG: a gradient of grey."""
    rows = b"".join(b"\0" + bytes((row + column) % 256 for column in range(SIDE)) for row in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


_SET_UP_AGAIN = Text(
    "The role does not allow records below held/ yet: run manage.py setup again.",
    "角色还不允许在 held/ 下保存记录：请再运行一次 manage.py setup。",
)
_ENDS_BY_ITSELF = Text("The bucket's rules below held/ delete them.", "桶上 held/ 之下的规则会删除它们。")
_OPENID = Text(
    "Open the mini-program, then add --openid, or --code with a code of wx.login.",
    "打开小程序，再加上 --openid，或用 --code 给出 wx.login 的 code。",
)
