"""
Login codes of the local WeChat: issued, or read by their text; each is good once, but for one text.
"""

import base64
import hashlib
import re
import secrets
import threading
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import NamedTuple

from local.common.clock import Clock
from local.wechat.errors import INVALID_CODE, RATE_LIMITED, USED_CODE, WechatError

LIFETIME = timedelta(minutes=5)
PER_USER_AND_MINUTE = 100
OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_CODE = 128
# Codes that nobody issued: these name a user of their own, so that curl can log in, ...
OWN_USER = "local-"
# ... and these are invalid, as what a mini-program must survive. All others are what WeChat DevTools give:
# nothing here can read them, so they are the one developer's.
INVALID = "bad-"
# With the AppID touristappid, WeChat DevTools give this text each time: no code, so good each time.
MOCK = "the code is a mock one"


class Issued(NamedTuple):
    openid: str
    at: datetime


class Codes:
    """The codes of one mini-program, safe to use from several server threads."""

    def __init__(self, app_id: str, now: Clock) -> None:
        self._app_id = app_id
        self._now = now
        self._issued: dict[str, Issued] = {}
        self._used: set[str] = set()
        self._recent: deque[Issued] = deque()
        self._recent_by_user: Counter[str] = Counter()
        self._visits: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def issue(self, openid: str | None = None) -> str:
        """
        A new code for a user.

        Args:
            openid: 1 to 64 letters, digits, ``_`` and ``-``; ``None`` makes up a user.
        """
        if openid is not None and OPENID.fullmatch(openid) is None:
            raise ValueError("an openid is 1 to 64 letters, digits, _ and -")
        code = secrets.token_hex(16)
        now = self._now()
        with self._lock:
            self._issued[code] = Issued(openid or _openid_of(secrets.token_bytes(32)), now)
        return code

    def exchange(self, code: str) -> str | WechatError:
        """The openid behind a code, which is used up by this."""
        now = self._now()
        with self._lock:
            if code in self._used:
                return USED_CODE
            openid = self._find(code, now)
            if openid is None:
                return INVALID_CODE
            if self._count(openid, now) > PER_USER_AND_MINUTE:
                return RATE_LIMITED
            if code != MOCK:
                self._used.add(code)
            self._issued.pop(code, None)
            self._visits[openid] = now
            return openid

    def last_visit(self, openid: str) -> datetime | None:
        """Return the user's last login; ``None`` for an unknown user."""
        with self._lock:
            return self._visits.get(openid)

    def _find(self, code: str, now: datetime) -> str | None:
        issued = self._issued.get(code)
        if issued is not None:
            return issued.openid if now - issued.at < LIFETIME else None
        if len(code) > LONGEST_CODE or code.startswith(INVALID):
            return None
        user = code if code.startswith(OWN_USER) else "developer"
        return _openid_of(f"{self._app_id} {user}".encode("utf-8", "surrogatepass"))

    def _count(self, openid: str, now: datetime) -> int:
        """Logins of this user within a minute, this one among them."""
        self._recent.append(Issued(openid, now))
        self._recent_by_user[openid] += 1
        while now - self._recent[0].at >= timedelta(minutes=1):
            old = self._recent.popleft().openid
            self._recent_by_user[old] -= 1
            if not self._recent_by_user[old]:
                del self._recent_by_user[old]
        return self._recent_by_user[openid]


def _openid_of(seed: bytes) -> str:
    """28 characters, the first an ``o``, as real ones look."""
    return "o" + base64.urlsafe_b64encode(hashlib.sha256(seed).digest()).decode()[:27]
