"""
The check of ``doctor`` on WeChat's content check: whether verdicts arrive, and whether they mean something.

A check that is silent, or that passes what it never opened, looks well until the day it matters. So WeChat is
asked about a picture and about an address where there is nothing. It tells the deployed function, which keeps
a verdict that is about no upload of its own as a record in the bucket; there it is read.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from function.auth.signed_tokens import SESSION, read_token
from function.config.profile import Profile
from function.config.setting_table import CallerEntry
from function.config.settings import Settings
from function.errors import Unauthorized, UploadError
from function.holding import records
from function.holding.wechat_check import record_name
from function.http.client import Send, send
from function.moderation.wechat import AUDIO, PICTURE, CheckRequest, submit
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import OBJECTS
from function.wechat.api import AccessTokens
from ops.doctor.aliyun_check import check_by_aliyun
from ops.doctor.content_verdicts import (
    NOTHING,
    PICTURE_THERE,
    SOUND_THERE,
    WAIT_SECONDS,
    of_nothing,
    of_what_is_there,
    remedy_for,
    remedy_of,
)
from ops.doctor.deployed import wechat_callers
from ops.doctor.findings import Finding, State, logged, same
from ops.doctor.identity import assume, sts_remedy
from ops.doctor.samples import Samples, new_key, picture, sound
from ops.terminal.language import Text

CHECK = Text("Content check", "内容审核")
PAUSE_SECONDS = 0.5


@dataclass
class ContentCheck:
    """
    One visit to WeChat.

    Args:
        entry: a caller of WeChat.
        openid: of a user of it whom WeChat has seen within two hours.
        keys: of this machine; they take the role, and remove what was stored where they may.
        others: further buckets where something is checked; the function keeps a verdict in each.
    """

    settings: Settings
    entry: CallerEntry
    openid: str
    keys: AccessKeys
    now: datetime
    others: Sequence[Settings] = ()
    send: Send = send
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    samples: Samples = field(init=False)

    def __post_init__(self) -> None:
        self.samples = Samples(self.settings, self.keys, self.now, self.send, self.others)

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
            yield from self.samples.removed()

    def _ask(self, credentials: StsCredentials) -> Iterator[Finding]:
        samples = self.samples
        there = [(PICTURE_THERE, ".png", picture(), "image/png")]
        if self._takes_sounds():
            there.append((SOUND_THERE, ".wav", sound(), "audio/wav"))
        nothing = (NOTHING, samples.url(credentials, new_key(".png")))
        urls = {}
        for check, ending, body, content_type in there:
            key = new_key(ending)
            urls[check] = samples.url(credentials, key)
            if finding := (
                samples.store(credentials, key, body, content_type, CHECK)
                or samples.look((check, urls[check]), nothing)
            ):
                yield finding
                return
        traces = {}
        app = self.entry.settings
        tokens = AccessTokens(app, self.send)
        for check, url in [*urls.items(), nothing]:
            media_type = AUDIO if check is SOUND_THERE else PICTURE
            wanted = CheckRequest(url, media_type, self._scene(), self.openid)
            answered = submit(app, tokens, wanted, self.send, self.now)
            if isinstance(answered, int):
                said = same(f"media_check_async errcode {answered}")
                yield Finding(CHECK, State.BAD, said, remedy_for(answered))
                return
            traces[check] = answered
            self.samples.left.append(verdict_of(answered, self.entry, self.settings))
        verdicts = self.wait(credentials, traces)
        for check in urls:
            yield of_what_is_there(check, verdicts.get(check))
        yield of_nothing(verdicts.get(NOTHING))

    def wait(self, credentials: StsCredentials, traces: Mapping[Any, str]) -> dict[Any, dict[str, Any]]:
        """The records of the verdicts that came in time."""
        came: dict[Any, dict[str, Any]] = {}
        deadline = self.monotonic() + WAIT_SECONDS
        while len(came) < len(traces) and self.monotonic() < deadline:
            for check in traces.keys() - came.keys():
                said = records.get(
                    self.samples.oss(credentials), verdict_of(traces[check], self.entry, self.settings)
                )
                if said is not None:
                    came[check] = said
            if len(came) < len(traces):
                self.sleep(PAUSE_SECONDS)
        return came

    def _scene(self) -> int:
        return next(one.check_scene for one in self._checked())

    def _takes_sounds(self) -> bool:
        return any(kind.startswith("audio/") for one in self._checked() for kind in one.content_types)

    def _checked(self) -> list[Profile]:
        return [one for one in self.settings.profiles.values() if one.is_checked_by_wechat]


def check_content(
    settings: Settings,
    openid: str,
    keys: AccessKeys | None,
    now: datetime,
    others: Sequence[Settings] = (),
) -> Iterator[Finding]:
    """
    Ask each checker about a picture and about nothing; WeChat has a minute to say something.

    Args:
        openid: empty where nobody named one.
        keys: that may take the role; ``None`` where none here may.
        others: further buckets where something is checked.
    """
    profiles = settings.profiles.values()
    if any(profile.is_checked_by_aliyun for profile in profiles):
        yield from check_by_aliyun(settings, keys, now)
    if any(profile.is_checked_by_wechat for profile in profiles):
        yield from _check_by_wechat(settings, openid, keys, now, others)
    if not _checks(settings):
        said = Text("no profile has hold with check", "没有用途的 hold 写了 check")
        yield Finding(CHECK, State.SKIPPED, said)


def _check_by_wechat(
    settings: Settings,
    openid: str,
    keys: AccessKeys | None,
    now: datetime,
    others: Sequence[Settings],
) -> Iterator[Finding]:
    if not openid:
        said = Text("WeChat wants a user whom it has just seen", "微信要求给出刚刚用过小程序的用户")
        yield Finding(CHECK, State.BAD, said, _OPENID)
        return
    if keys is None:
        said = Text("no key here may take the role", "这里没有密钥可以扮演角色")
        yield Finding(CHECK, State.SKIPPED, said)
        return
    yield from ContentCheck(settings, wechat_callers(settings)[0], openid, keys, now, others).findings()


def verdict_of(trace_id: str, entry: CallerEntry, settings: Settings) -> str:
    """Return the key under which the function keeps a verdict that is about no upload."""
    return records.verdict_key(record_name(trace_id, entry.app, settings))


def checked_places(places: Sequence[Settings]) -> Sequence[Settings]:
    """Those with anything to check: a checker must be let into each. The first where there is none."""
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


_OPENID = Text(
    "Open the mini-program, then add --openid, or --code with a code of wx.login.",
    "打开小程序，再加上 --openid，或用 --code 给出 wx.login 的 code。",
)
