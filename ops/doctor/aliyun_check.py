"""
The check of ``doctor`` on Aliyun's Content Moderation: one generated picture through a real call.

It shows what nobody sees from the console of OSS: whether the service is activated, whether the right is
granted, whether the service can open a presigned URL, and how long it takes. An address where there is
nothing must not pass; that call is not billed.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from function.config.profile import Profile
from function.config.settings import Settings
from function.errors import UploadError
from function.http.client import ExchangeFailed, HttpResponse, Send, send
from function.moderation.aliyun import ACTIONS, MAX_ANSWER_BYTES, SECONDS, VERSION, region_at
from function.moderation.aliyun_verdict import Verdict, data_of, not_checked, read_picture
from function.moderation.finding import Label, Outcome
from function.sts import aliyun_sdk
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import OBJECTS
from ops.doctor.findings import Finding, State, joined, logged, same, unreachable
from ops.doctor.identity import WRONG_SECRET, assume, sts_remedy
from ops.doctor.samples import READABLE, Samples, new_key, picture
from ops.explain.advice import find_advice
from ops.terminal.language import Text

PICTURES = "ImageModeration"
CHECK = Text("Content Moderation", "阿里云内容安全")
NOTHING = Text("Content Moderation of nothing", "阿里云内容安全：不存在的地址")
# Those of both editions: the picture could not be downloaded, or not in time.
NOT_OPENED = (404, 405, 480, 592)
TOO_OFTEN = (403, 588)
WRONG = (400, 401, 402)


class GreenCall(NamedTuple):
    """A call of Content Moderation, sent as the function sends it."""

    action: str
    service: str
    parameters: Mapping[str, str]

    def sent(self, settings: Settings, keys: AccessKeys, send: Send) -> HttpResponse:
        """
        Raises:
            ExchangeFailed: no answer.
        """
        fields = {"Service": self.service, "ServiceParameters": json.dumps(self.parameters)}
        endpoint = settings.green_endpoint or ""
        region = region_at(endpoint, settings.region)
        call: dict[str, Any] = {"endpoint": endpoint, "region": region, "own": keys, "send": send}
        call |= {"seconds": SECONDS, "max_bytes": MAX_ANSWER_BYTES}
        return aliyun_sdk.post(self.action, VERSION, fields, **call)


@dataclass
class AliyunCheck:
    """
    One visit to Content Moderation.

    Args:
        keys: of this machine; they ask in place of the function's own role, and take the upload role.
    """

    settings: Settings
    keys: AccessKeys
    now: datetime
    send: Send = send
    monotonic: Callable[[], float] = time.monotonic
    samples: Samples = field(init=False)

    def __post_init__(self) -> None:
        self.samples = Samples(self.settings, self.keys, self.now, self.send)

    def findings(self) -> Iterator[Finding]:
        try:
            credentials = assume(self.settings, OBJECTS, self.keys, self.now)
        except UploadError as error:
            yield Finding(CHECK, State.BAD, logged(error), sts_remedy(error))
            return
        try:
            yield from self._ask(credentials)
        except UploadError as error:
            yield Finding(CHECK, State.BAD, logged(error), _AGAIN)
        finally:
            yield from self.samples.removed()

    def _ask(self, credentials: StsCredentials) -> Iterator[Finding]:
        """Of each service one picture: it may be unknown to the account, or have rules of its own."""
        there, absent = new_key(".png"), new_key(".png")
        if finding := self.samples.store(credentials, there, picture(), "image/png", CHECK):
            yield finding
            return
        urls = [self.samples.url(credentials, key) for key in (there, absent)]
        if finding := self.samples.look((CHECK, urls[0]), (NOTHING, urls[1])):
            yield finding
            return
        by_service = {profile.check_service: profile for profile in checked_by_aliyun(self.settings)}
        for profile in by_service.values():
            began = self.monotonic()
            verdict = self._verdict_about(urls[0], profile)
            yield of_the_picture(verdict, self._said(verdict, profile, self.monotonic() - began))
            if verdict.outcome is Outcome.ERROR:
                return
        yield of_nothing(self._verdict_about(urls[1], profile))

    def _verdict_about(self, url: str, profile: Profile) -> Verdict:
        """Ask as the function does, with a dataId of no upload."""
        data_id = f"doctor-{secrets.token_hex(8)}"
        call = GreenCall(PICTURES, profile.check_service, {"imageUrl": url, "dataId": data_id})
        try:
            response = call.sent(self.settings, self.keys, self.send)
        except ExchangeFailed:
            return not_checked()
        data = data_of(response, DataId=data_id)
        return data if isinstance(data, Verdict) else read_picture(data, profile.check_reject)

    def _said(self, verdict: Verdict, profile: Profile, seconds: float) -> Text:
        host = urlsplit(self.settings.green_endpoint or "").netloc
        code = verdict.finding.errcode
        outcome = verdict.outcome.name.lower() + (f" ({code})" if code is not None else "")
        return same(f"{profile.check_service}, {host}, {seconds:.1f} s: {outcome}")


def of_the_picture(verdict: Verdict, said: Text) -> Finding:
    if verdict.outcome is Outcome.PASS:
        return Finding(CHECK, State.GOOD, said)
    if verdict.outcome is Outcome.ERROR:
        return Finding(CHECK, State.BAD, said, remedy_of(verdict))
    return Finding(CHECK, State.UNSURE, said, _GREY)


def of_nothing(verdict: Verdict) -> Finding:
    """Anything but a pass is well: there is nothing to pass."""
    code = verdict.finding.errcode
    said = same(verdict.outcome.name.lower() + (f" ({code})" if code is not None else ""))
    if verdict.outcome is Outcome.PASS:
        return Finding(NOTHING, State.BAD, said, _PASSES_ANYTHING)
    return Finding(NOTHING, State.GOOD, joined(_NOT_PASSED, said))


def remedy_of(verdict: Verdict) -> Text:
    """Return the remedy for a call that checked nothing."""
    code: Label | None = verdict.finding.errcode
    if verdict.is_forbidden:
        return _GRANT
    if code is None:
        return unreachable("GREEN_ENDPOINT", "OSS_REGION")
    if code == "SignatureDoesNotMatch":
        return WRONG_SECRET
    if code in TOO_OFTEN or str(code).startswith("Throttling"):
        return _MINUTE
    if isinstance(code, str):
        advice = find_advice(code)
        return joined(advice.meaning, advice.remedy) if advice else _LOOK_IT_UP
    if code in NOT_OPENED:
        return READABLE
    return _SERVICE if code in WRONG else _LOOK_IT_UP


def check_by_aliyun(settings: Settings, keys: AccessKeys | None, now: datetime) -> Iterator[Finding]:
    """
    Ask Content Moderation about a picture and about nothing, where profiles with pictures are checked by it.

    Args:
        keys: that may take the role; ``None`` where none here may.
    """
    if keys is None:
        said = Text("no key here may take the role", "这里没有密钥可以扮演角色")
        yield Finding(CHECK, State.SKIPPED, said)
    elif checked_by_aliyun(settings):
        yield from AliyunCheck(settings, keys, now).findings()
    else:
        said = Text("videos and sounds are not tried", "视频和音频不试")
        yield Finding(CHECK, State.SKIPPED, said)


def checked_by_aliyun(settings: Settings) -> list[Profile]:
    """Profiles whose pictures Content Moderation checks."""
    return [
        profile
        for profile in settings.profiles.values()
        if profile.is_checked_by_aliyun
        and any(kind.partition("/")[0] not in ACTIONS for kind in profile.content_types)
    ]


_GRANT = Text(
    "Activate Content Moderation, enhanced edition, in its console, pay what is overdue, and"
    " grant yundun-greenweb:ImageModeration on * to the function's own role (manage.py setup does) and to"
    " the user of this machine's key.",
    "请在控制台开通内容安全增强版、结清欠费，并授予 yundun-greenweb:ImageModeration（资源为 *）权限："
    "函数自己的角色由 manage.py setup 授予，本机密钥所属的用户请自行授予。",
)
_GREY = Text(
    "It is a grey gradient: see the rules of this service in the console.",
    "那只是一张灰色渐变图：请在控制台看这个服务的规则。",
)
_NOT_PASSED = Text("is not passed:", "没有通过：")
_PASSES_ANYTHING = Text(
    "It passes what it cannot open, so a pass proves nothing: ask Aliyun, and let a human look at everything:"
    ' hold = ["commit"].',
    '打不开也判为通过，这样的通过不能说明任何问题：请问阿里云，并改为人工审核：hold = ["commit"]。',
)
_SERVICE = Text(
    "See whether check_service is a service that this account has at GREEN_ENDPOINT; abroad their names end"
    " in _cb or _global.",
    "请检查 check_service 是不是这个账号在 GREEN_ENDPOINT 有的服务；"
    "中国内地以外的服务名以 _cb 或 _global 结尾。",
)
_MINUTE = Text("Too many calls a second. Try again in a minute.", "每秒请求太多。请一分钟后再试。")
_AGAIN = Text("Try again.", "请再试一次。")
_LOOK_IT_UP = Text(
    "docs/content-check.md has a table of what Content Moderation answers.",
    "docs/content-check.zh-CN.md 有内容安全响应的对照表。",
)
