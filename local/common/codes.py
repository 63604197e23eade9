"""
Login codes of one platform: issued for an app, or read by their text; each is good once, but for one text.
"""

import base64
import hashlib
import re
import secrets
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from local.common.clock import Clock

OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_CODE = 128
# Codes that nobody issued: these name a user of their own, so that curl can log in, ...
OWN_USER = "local-"
# ... and these are invalid, as what a mini-program must survive. All others are what developer tools give:
# nothing here can read them, so they are the one developer's.
INVALID = "bad-"
# With the AppID touristappid, WeChat DevTools give this text each time: no code, so good each time.
MOCK = "the code is a mock one"
# Why a code is refused.
UNKNOWN, USED, THROTTLED = "unknown", "used", "throttled"


class User(NamedTuple):
    """
    Args:
        name: the same at every app.

        openid: the user's at one app.
    """

    name: str
    openid: str


class Issued(NamedTuple):
    app_id: str
    user: User
    at: datetime


class Codes:
    """
    The codes of one platform's mini-programs, safe to use from several server threads.

    Args:
        life: of a code.

        begin, length: of the openids that are made up.

        most_a_minute: logins of one user; more are throttled.
    """

    def __init__(
        self, now: Clock, life: timedelta, begin: str, length: int, most_a_minute: float = float("inf")
    ) -> None:
        self._now, self._life, self._most_a_minute = now, life, most_a_minute
        self._begin, self._length = begin, length
        self._issued: dict[str, Issued] = {}
        self._used: set[str] = set()
        self._recent: deque[tuple[str, datetime]] = deque()
        self._recent_by_user: Counter[str] = Counter()
        self._visits: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
        self._lock = threading.Lock()

    def issue(self, app_id: str, openid: str | None = None) -> str:
        """
        A new code for a user of an app.

        Args:
            openid: 1 to 64 letters, digits, ``_`` and ``-``; ``None`` makes up a user.
        """
        if openid is not None and OPENID.fullmatch(openid) is None:
            raise ValueError("an openid is 1 to 64 letters, digits, _ and -")
        code, name = secrets.token_hex(16), openid or secrets.token_hex(16)
        with self._lock:
            user = User(name, openid or self._openid_of(app_id, name))
            self._issued[code] = Issued(app_id, user, self._now())
        return code

    def exchange(self, app_id: str, code: str) -> User | str:
        """Return the user behind a code, or why there is none; it is used up by this, at another app too."""
        now = self._now()
        with self._lock:
            if code in self._used:
                return USED
            user = self._find(app_id, code, now)
            if user is None:
                if self._issued.get(code, Issued(app_id, User("", ""), now)).app_id != app_id:
                    self._used.add(code)
                return UNKNOWN
            if self._count(user.openid, now) > self._most_a_minute:
                return THROTTLED
            if code != MOCK:
                self._used.add(code)
            self._issued.pop(code, None)
            self._visits[user.openid][app_id] = now
            return user

    def spend(self, code: str) -> None:
        """Use a code up without a login."""
        with self._lock:
            self._used.add(code)

    def last_visits(self, openid: str) -> Mapping[str, datetime]:
        """Return a user's last login at each app; of an unknown one none."""
        with self._lock:
            return dict(self._visits.get(openid, {}))

    def _find(self, app_id: str, code: str, now: datetime) -> User | None:
        issued = self._issued.get(code)
        if issued is not None:
            is_good = issued.app_id == app_id and now - issued.at < self._life
            return issued.user if is_good else None
        if len(code) > LONGEST_CODE or code.startswith(INVALID):
            return None
        name = code if code.startswith(OWN_USER) else "developer"
        return User(name, self._openid_of(app_id, name))

    def _openid_of(self, app_id: str, name: str) -> str:
        digest = hashlib.sha256(f"{app_id} {name}".encode("utf-8", "surrogatepass")).digest()
        return (self._begin + base64.urlsafe_b64encode(digest).decode())[: self._length]

    def _count(self, openid: str, now: datetime) -> int:
        """Logins of this user within a minute, this one among them."""
        self._recent.append((openid, now))
        self._recent_by_user[openid] += 1
        while now - self._recent[0][1] >= timedelta(minutes=1):
            old, _ = self._recent.popleft()
            self._recent_by_user[old] -= 1
            if not self._recent_by_user[old]:
                del self._recent_by_user[old]
        return self._recent_by_user[openid]
