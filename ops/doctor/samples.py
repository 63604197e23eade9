"""
Samples that a checker is asked about: stored in the bucket, opened as a stranger would, removed at the end.
"""

import math
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from function.config.key_template import RECORDS
from function.config.profile import CHECK_URL_LIFE
from function.config.settings import Settings
from function.http.client import ExchangeFailed, Send
from function.oss.client import OssClient, budget, call
from function.oss.presign import OssRequest, presign
from function.sts.credentials import AccessKeys, StsCredentials
from ops.doctor.findings import Finding, State, same, unreachable
from ops.doctor.removal import delete_object
from ops.terminal.language import Text

LEFT = Text("Content check, left behind", "内容审核：留下的东西")
LOOK_SECONDS = 10.0
SIDE = 128
SAMPLES_A_SECOND, HERTZ = 8000, 440


@dataclass
class Samples:
    """
    Args:
        keys: of this machine; they remove what was stored where they may.
        others: further buckets that something may be left in.

    Attributes:
        left: keys of what is still there.
    """

    settings: Settings
    keys: AccessKeys
    now: datetime
    send: Send
    others: Sequence[Settings] = ()
    left: list[str] = field(default_factory=list)

    def store(
        self, credentials: StsCredentials, key: str, body: bytes, content_type: str, check: Text
    ) -> Finding | None:
        """
        Store a private object.

        Args:
            check: that a finding is about.

        Returns:
            why it is not there.
        """
        self.left.append(key)
        headers = {"content-type": content_type, "x-oss-object-acl": "private"}
        oss = self.oss(credentials)
        stored = call(oss, "PutObject", "PUT", key, headers=headers, body=body, is_repeatable=True)
        if stored.status == 200:
            return None
        return Finding(check, State.BAD, same(f"PutObject: HTTP {stored.status}"), _SET_UP_AGAIN)

    def look(self, there: tuple[Text, str], nothing: tuple[Text, str]) -> Finding | None:
        """
        Open both as a checker does, a stranger who sends no Referer. What we cannot open costs no check.

        Args:
            there, nothing: the check and the URL of an object, and of none.
        """
        statuses = []
        for _, url in (there, nothing):
            try:
                statuses.append(self.send("GET", url, budget_seconds=LOOK_SECONDS).status)
            except ExchangeFailed as error:
                said = same(f"{self.settings.read_origin}: {error.kind}")
                return Finding(there[0], State.BAD, said, unreachable("READ_ORIGIN", "OSS_HOST"))
        if statuses[0] != 200:
            said = Text(
                f"its signed URL answers HTTP {statuses[0]}", f"它的预签名 URL 返回 HTTP {statuses[0]}"
            )
            return Finding(there[0], State.BAD, said, READABLE)
        if statuses[1] < 400:
            said = Text(
                f"{self.settings.read_origin} answers HTTP {statuses[1]} where there is nothing",
                f"{self.settings.read_origin} 上不存在的对象也返回 HTTP {statuses[1]}",
            )
            return Finding(nothing[0], State.BAD, said, NO_ERROR_PAGES)
        return None

    def removed(self) -> Iterator[Finding]:
        """Nothing is said of what is gone."""
        places = (self.settings, *self.others)
        left = [key for key in self.left if not all(delete_object(there, self.keys, key) for there in places)]
        if left:
            said = Text(
                f"no key here may delete; left: {', '.join(left)}",
                f"这里没有密钥可以删除；保留：{', '.join(left)}",
            )
            yield Finding(LEFT, State.UNSURE, said, _ENDS_BY_ITSELF)

    def oss(self, credentials: StsCredentials) -> OssClient:
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

    def url(self, credentials: StsCredentials, key: str) -> str:
        settings = self.settings
        request = OssRequest("GET", settings.bucket, settings.region, key)
        return presign(request, credentials, self.now, origin=settings.read_origin, expires_in=CHECK_URL_LIFE)


def new_key(ending: str) -> str:
    """The key of a sample; it is among the function's own records."""
    return f"{RECORDS}prove/{secrets.token_hex(8)}{ending}"


def picture(width: int = SIDE, height: int = SIDE) -> bytes:
    """A real PNG: a gradient of grey."""
    rows = b"".join(b"\0" + bytes((row + column) % 256 for column in range(width)) for row in range(height))
    return grey_png(width, height, rows)


def grey_png(width: int, height: int, rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """
    Args:
        rows: each begins with its filter.
        more: chunks before those of the dots, each with its name.
    """
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def sound() -> bytes:
    """A small real WAV: a second of one tone, quietly."""
    turn = 2 * math.pi * HERTZ / SAMPLES_A_SECOND
    samples = bytes(128 + round(32 * math.sin(turn * number)) for number in range(SAMPLES_A_SECOND))
    form = struct.pack("<HHIIHH", 1, 1, SAMPLES_A_SECOND, SAMPLES_A_SECOND, 1, 8)
    chunks = [(b"fmt ", form), (b"data", samples)]
    content = b"WAVE" + b"".join(name + struct.pack("<I", len(body)) + body for name, body in chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


_SET_UP_AGAIN = Text(
    "The role does not allow records below held/ yet: run manage.py setup again.",
    "角色还不允许在 held/ 下保存记录：请再运行一次 manage.py setup。",
)
_ENDS_BY_ITSELF = Text("The bucket's rules below held/ delete them.", "桶上 held/ 之下的规则会删除它们。")
READABLE = Text(
    "READ_ORIGIN must be public, and hot-link protection (“防盗链”) of bucket and CDN must let in an empty"
    " Referer.",
    "READ_ORIGIN 必须能公开访问，桶与 CDN 的防盗链必须允许空 Referer。",
)
NO_ERROR_PAGES = Text(
    "A checker would judge the page in its place: let READ_ORIGIN answer 404, without an error page.",
    "审核方会去审那张替代的页面：请让 READ_ORIGIN 返回 404，不要用错误页代替。",
)
