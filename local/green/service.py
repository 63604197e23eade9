"""
Content Moderation, independent of sockets: calls whose caller is known, each checked, counted and answered.

Source: https://help.aliyun.com/zh/document_detail/467826.html
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from local.common.accounts import AccessKey
from local.common.clock import Clock
from local.common.ram_policy import is_allowed
from local.green import codes
from local.green.answers import Data, data_of_picture, data_of_sound, data_of_video, verdict_by
from local.green.codes import GreenError
from local.green.files import SOUND, VIDEO, look_at_media, look_at_picture
from local.green.plan import AnswerPlan, PlannedAnswer
from local.green.request import PICTURES, RESULTS, Asked, read_asked, read_task_id
from local.green.request import VIDEO as VIDEO_ACTION
from local.green.rules import GreenRules
from local.green.tasks import Tasks
from local.rpc.errors import NO_PERMISSION, RpcError, new_request_id

CALLS_KEPT = 10_000
SECOND = timedelta(seconds=1)

NameOf = Callable[[str], str | None]
# Of a bucket's object, signed by the account that gave its consent.
UrlOf = Callable[[str, str], str]


@dataclass(frozen=True)
class Call:
    """
    One call that was let in; its file's address, which opens it, is not kept.

    Args:
        code: that was answered; 0 where there was no answer.
    """

    action: str
    service: str
    data_id: str
    code: int
    time: datetime


class Silence(Exception):
    """Raised where no answer comes at all."""


class Moderation:
    """
    Args:
        name_of: what a file was called by who sent it, by its URL; the last segment of its key where nothing
            is known.

        url_of: where the service itself reads an object of a bucket, by bucket and key.

    Attributes:
        plan: of the next answers.

        billed: answers with Code 200, by action; results of tasks are free.
    """

    def __init__(
        self,
        now: Clock,
        rules: GreenRules | None = None,
        name_of: NameOf | None = None,
        url_of: UrlOf | None = None,
    ) -> None:
        self.rules = rules or GreenRules()
        self.plan = AnswerPlan()
        self.billed: Counter[str] = Counter()
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self._now = now
        self._name_of = name_of
        self._url_of = url_of
        self._tasks = Tasks()
        self._latest: deque[datetime] = deque()
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget what was planned, asked and billed."""
        self.plan.clear()
        self.calls.clear()
        self.billed.clear()

    def check_right(self, caller: AccessKey, action: str) -> None:
        """
        Raises:
            RpcError, GreenError: the caller may not; by which of both is a rule.
        """
        # There are no rights for single resources: only a statement about all of them grants anything.
        if is_allowed(caller.policies, f"yundun-greenweb:{action}", lambda pattern: pattern == "*"):
            return
        if self.rules.moderation_rights_by_gateway:
            raise RpcError(*NO_PERMISSION)
        raise GreenError(codes.NO_PERMISSION)

    def answer(self, action: str, given: Mapping[str, str], planned: PlannedAnswer) -> dict[str, Any]:
        """
        Raises:
            GreenError: any other Code than 200.

            Silence: the verdict is none, ever.
        """
        self._count()
        if planned.code:
            raise GreenError(planned.code)
        if action in RESULTS:
            return self._tasks.result(RESULTS[action], read_task_id(given), self._now())
        asked = read_asked(action, given, self.rules.moderation_longest_url)
        url = asked.url or self._url_in_bucket(asked)
        # Asked before the file is: who discards it meanwhile takes its name away as well.
        verdict = planned.verdict if planned.verdict != "by_name" else verdict_by(self._name(url))
        if verdict == "silent":
            raise Silence
        seconds = self.rules.moderation_fetches_for.total_seconds()
        if action == PICTURES:
            look_at_picture(url, seconds, self.rules.moderation_wide_is_too_large)
            data = data_of_picture(verdict, planned, asked.data_id)
        else:
            data = self._submit(action, asked, url, verdict, planned, seconds)
        return data

    def said(self, action: str, code: int, data: Data | None, shape: str = "usual") -> dict[str, Any]:
        """The body of an answer; one with Code 200 is billed."""
        if code == codes.DONE and action not in RESULTS:
            with self._lock:
                self.billed[action] += 1
        text = "Msg" if (action == PICTURES) != (shape == "message") else "Message"
        body: dict[str, Any] = {text: codes.text_of(code), "Code": code, "RequestId": new_request_id()}
        if data is not None and shape != "no_data":
            body["Data"] = None if shape == "null_data" else data
        return body | ({"Code": str(code)} if shape == "text_code" else {})

    def record(self, action: str, given: Mapping[str, str], code: int) -> None:
        """Keep what was asked, as far as it can be read."""
        service, data_id = given.get("Service", "")[:64], ""
        with suppress(GreenError, KeyError):
            data_id = read_asked(action, given, self.rules.moderation_longest_url).data_id
        self.calls.append(Call(action, service, data_id, code, self._now()))

    def _count(self) -> None:
        now = self._now()
        with self._lock:
            while self._latest and now - self._latest[0] >= SECOND:
                self._latest.popleft()
            if len(self._latest) >= self.rules.moderation_calls_a_second:
                raise GreenError(codes.TOO_OFTEN)
            self._latest.append(now)

    def _url_in_bucket(self, asked: Asked) -> str:
        if not self.rules.moderation_has_consent:
            is_403 = self.rules.moderation_consent_is_403
            raise GreenError(codes.TOO_OFTEN if is_403 else codes.NO_PERMISSION)
        if self._url_of is None:
            raise GreenError(codes.NOT_DOWNLOADED)
        return self._url_of(asked.bucket, asked.key)

    def _name(self, url: str) -> str:
        known = self._name_of(url) if self._name_of else None
        return known or unquote(urlsplit(url).path).rpartition("/")[2]

    def _submit(
        self, action: str, asked: Asked, url: str, verdict: str, planned: PlannedAnswer, seconds: float
    ) -> Data:
        is_video = action == VIDEO_ACTION
        data_of = data_of_video if is_video else data_of_sound

        def look(task_id: str) -> Data:
            look_at_media(url, seconds, VIDEO if is_video else SOUND)
            return data_of(verdict, planned, asked.data_id, task_id)

        due = self._now() + self.rules.moderation_results_after
        return {"TaskId": self._tasks.submit(action, due, look), "DataId": asked.data_id}
