"""The checks of one mini-program: accepted, looked at, and told of some seconds later."""

import random
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from local.common.clock import Clock
from local.common.outgoing import is_reachable
from local.wechat import revocations
from local.wechat.check_plan import CheckPlan, PlannedCheck
from local.wechat.delivery import Delivery
from local.wechat.errors import WechatError
from local.wechat.events import Subject, event_of
from local.wechat.media_check import Asked, LastVisits, can_be_looked_at, read_check
from local.wechat.push import SECONDS, Message, PushSettings, message_of, send
from local.wechat.revocations import Revocation
from local.wechat.rules import WechatRules

LATE = timedelta(minutes=31)
VERDICT_BY_NAME = {"risky-": "risky", "review-": "review"}
SILENT = "silent-"
PUSHES_KEPT = 10_000

NameOf = Callable[[str], str | None]


class Pushed(NamedTuple):
    """
    Args:
        trace_id: empty for a revocation.

        verdict: that the event brought, or the name of a revocation.

        attempts: how often it was sent.

        is_taken: whether it was answered as it has to be.
    """

    trace_id: str
    verdict: str
    attempts: int
    is_taken: bool


class MediaChecks:
    """
    Args:
        name_of: what a picture was called by who sent it, by its URL; the last segment of its key where
            nothing is known.

        rules: how what WeChat's pages leave open is read.

    Attributes:
        pushes: the console's settings by AppID; where there are none, nothing is ever pushed.

        delays: between which a push comes, in seconds.

        patience: seconds that an answer to the push may take, and between two attempts.

        pushed: the last 10,000, oldest first.
    """

    def __init__(
        self,
        last_visits: LastVisits,
        now: Clock,
        name_of: NameOf | None = None,
        rules: WechatRules | None = None,
    ) -> None:
        self.rules = rules or WechatRules()
        self.plan = CheckPlan()
        self.delivery = Delivery(now)
        self.delays = (0.0, self.rules.check_takes_up_to.total_seconds())
        self.patience = (SECONDS, 1.0)
        self.pushes: dict[str, PushSettings | None] = {}
        self.name_of = name_of
        self.pushed: deque[Pushed] = deque(maxlen=PUSHES_KEPT)
        self._last_visits = last_visits
        self._now = now

    def take(self, body: bytes, app_id: str) -> str | WechatError:
        """Accept what is asked; the answer, a trace id, says no more than that."""
        now = self._now()
        asked = read_check(body, app_id, self._last_visits, now)
        if isinstance(asked, WechatError):
            return asked
        # Its first eight digits are the second of the call, as in every published one.
        trace_id = f"{int(now.timestamp()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
        planned = self.plan.take()
        if planned.timing == "early":
            self._tell(asked, trace_id, planned, self._verdict(asked, planned))
        else:
            self.delivery.put(now, partial(self._look, asked, trace_id, planned))
        return trace_id

    def _look(self, asked: Asked, trace_id: str, planned: PlannedCheck) -> None:
        """Get the file at once, and tell later: what becomes of it in between changes nothing."""
        verdict = self._verdict(asked, planned)
        due = self._now() + (LATE if planned.timing == "late" else self._delay(planned))
        self.delivery.put(due, partial(self._tell, asked, trace_id, planned, verdict))

    def _delay(self, planned: PlannedCheck) -> timedelta:
        seconds = random.uniform(*self.delays) if planned.delay is None else planned.delay
        return timedelta(seconds=seconds)

    def _verdict(self, asked: Asked, planned: PlannedCheck) -> str:
        if planned.verdict in ("pass_unseen", "unreadable", "no_permission"):
            return planned.verdict
        if not self._can_open(asked.media_url):
            return "unreadable"
        # Asked before the file is: who discards it meanwhile takes its name away as well.
        name = self._name_of(asked.media_url)
        if not can_be_looked_at(asked.media_url, asked.media_type, self.rules.check_takes_unlisted):
            return "unreadable"
        if planned.verdict != "by_name":
            return planned.verdict
        if name.startswith(SILENT):
            return ""
        return next((verdict for begin, verdict in VERDICT_BY_NAME.items() if name.startswith(begin)), "pass")

    def _can_open(self, url: str) -> bool:
        is_presigned = "x-oss-signature=" in url
        return is_reachable(url) and (self.rules.check_opens_presigned or not is_presigned)

    def _name_of(self, url: str) -> str:
        known = self.name_of(url) if self.name_of else None
        return known or unquote(urlsplit(url).path).rpartition("/")[2]

    def _tell(self, asked: Asked, trace_id: str, planned: PlannedCheck, verdict: str) -> None:
        push = self.pushes.get(asked.app_id)
        if not verdict or planned.timing == "never" or push is None:
            return
        is_unknown = planned.push == "unknown_trace"
        named = f"{trace_id[:8]}-{secrets.token_hex(4)}-{secrets.token_hex(4)}" if is_unknown else trace_id
        kind = "secure" if is_unknown else planned.push
        shape = "v1" if asked.version == 1 else planned.shape
        for _ in range(2 if planned.timing == "twice" else 1):
            event = event_of(Subject(asked.app_id, named, self._now()), verdict, shape)
            write = partial(self._message, push, asked.app_id, event, kind, planned.format)
            self._send(write, write(), Pushed(trace_id, verdict, 1, False))

    def tell_of(self, revocation: Revocation) -> bool:
        """Push a revocation; false where there is no message push."""
        app_id = revocation.app or next(iter(self.pushes), "")
        push = self.pushes.get(app_id)
        if push is None:
            return False
        event = revocations.event_of(revocation, app_id, self.rules, self._now())
        write = partial(self._message, push, app_id, event, revocation.push, revocation.format)
        message = write()
        for _ in range(revocation.times):
            pushed = Pushed("", revocation.event, 1, False)
            self.delivery.put(self._now(), partial(self._send, write, message, pushed))
        return True

    def _message(
        self, push: PushSettings, app_id: str, event: Mapping[str, Any], kind: str, form: str
    ) -> Message:
        return message_of(push, app_id, event, int(self._now().timestamp()), kind, form)

    def _send(self, write: Callable[[], Message], message: Message, pushed: Pushed) -> None:
        """Send a message, and repeat it as often as the rules say while it is not accepted."""
        answered_in, pause = self.patience
        is_taken = send(message, answered_in)
        if is_taken or pushed.attempts > self.rules.push_repeats:
            self.pushed.append(pushed._replace(is_taken=is_taken))
            return
        again = message if self.rules.push_repeats_alike else write()
        task = partial(self._send, write, again, pushed._replace(attempts=pushed.attempts + 1))
        self.delivery.put(self._now() + timedelta(seconds=pause), task)
