"""
Stable access tokens: one for all who ask, until it nears its end.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
"""

import secrets
import threading
from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

from local.common.clock import Clock
from local.wechat.errors import DAILY_QUOTA, INVALID_TOKEN, TOKEN_EXPIRED, TOKEN_MISSING, WechatError

LIFE = timedelta(seconds=7200)
# The platform renews this long before the end, and both tokens are good meanwhile.
RENEWED_BEFORE = timedelta(minutes=5)
FORCED_A_DAY = 20
FORCED_APART = timedelta(seconds=30)


class Token(NamedTuple):
    """``ends`` in timezone-aware UTC."""

    text: str
    ends: datetime


class AccessTokens:
    """The access tokens of one mini-program, safe to use from several server threads."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._given: dict[str, Token] = {}
        self._newest: Token | None = None
        self._forced: deque[datetime] = deque(maxlen=FORCED_A_DAY)
        self._lock = threading.Lock()

    def give(self, is_forced: bool = False) -> tuple[str, int] | WechatError:
        """
        A token and the whole seconds that are left of it: the same one again, unless it is nearly over.

        Args:
            is_forced: a new one, with which the older ones die: 20 times in 24 hours, and within 30 seconds
                of the last time it does nothing.
        """
        now = self._now()
        with self._lock:
            if is_forced and not self._was_just_forced(now):
                if self._forced_too_often(now):
                    return DAILY_QUOTA
                self._forced.append(now)
                self._given.clear()
                self._newest = None
            token = self._newest
            if token is None or token.ends - now < RENEWED_BEFORE:
                token = self._made(now)
            return token.text, int((token.ends - now).total_seconds())

    def replace(self) -> None:
        """Invalidate every token given so far, as another client's forced refresh does."""
        with self._lock:
            self._given.clear()
            self._newest = None

    def has_given(self, text: str) -> bool:
        with self._lock:
            return text in self._given

    def refusal(self, text: str) -> WechatError | None:
        """Why a token opens nothing, or ``None``."""
        if not text:
            return TOKEN_MISSING
        with self._lock:
            token = self._given.get(text)
        if token is None:
            return INVALID_TOKEN
        return TOKEN_EXPIRED if token.ends <= self._now() else None

    def _made(self, now: datetime) -> Token:
        # Real ones are 136 characters and more; 512 are to be allowed for.
        self._newest = Token(f"{secrets.randbelow(100)}_{secrets.token_urlsafe(120)}", now + LIFE)
        self._given[self._newest.text] = self._newest
        return self._newest

    def _was_just_forced(self, now: datetime) -> bool:
        return bool(self._forced) and now - self._forced[-1] < FORCED_APART

    def _forced_too_often(self, now: datetime) -> bool:
        return len(self._forced) == FORCED_A_DAY and now - self._forced[0] < timedelta(days=1)
