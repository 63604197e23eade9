"""
The check of ``doctor`` on the checkers: whether verdicts arrive, and whether they mean something.

A check that is silent, or that passes what it never opened, looks well until the day it matters. So each
checker gets some of the questions of ``--prove``: about a picture, and about an address where nothing is.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from function.auth.signed_tokens import SESSION, read_token
from function.config.settings import Settings
from function.errors import Unauthorized, UploadError
from function.moderation.aliyun import ACTIONS
from function.sts.credentials import AccessKeys
from function.sts.session_policy import OBJECTS
from ops.doctor.evidence import NotTried
from ops.doctor.findings import Finding, State, joined, logged, same, set_up_again, unreachable
from ops.doctor.identity import assume, sts_remedy
from ops.doctor.proof.green import green_absence_is_an_error, green_picture_is_judged
from ops.doctor.proof.point import Seen
from ops.doctor.proof.remedies import LOOK_IT_UP, OWN_ADDRESS, PASSES_ANYTHING, READABLE
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.wechat import check_opens_presigned, check_opens_sounds, check_passes_no_absence
from ops.terminal.language import Text

CHECK = Text("Content check", "内容审核")
LEFT = Text("Content check, left behind", "内容审核：留下的东西")


class Question(NamedTuple):
    """A question of the proof to a checker, and the remedy where its answer is no."""

    checker: str
    check: Text
    tries: Callable[[Sandbox], Seen]
    remedy: Text


def check_content(
    settings: Settings, openid: str, keys: AccessKeys | None, now: datetime
) -> Iterator[Finding]:
    """
    Ask each checker about a picture and about nothing; WeChat has a minute to say something.

    Args:
        openid: empty where nobody named one.
        keys: that may take the role; ``None`` where none here may.
    """
    asked = [*_questions(settings)]
    if not asked or keys is None:
        yield Finding(CHECK, State.SKIPPED, _NO_KEY if asked else _NOTHING_CHECKED)
        return
    sandbox = Sandbox(settings, keys)
    sandbox.openid, own = openid, sandbox.keys
    try:
        sandbox.keys = assume(settings, OBJECTS, keys, now)
        yield from _ask(sandbox, asked)
    except UploadError as error:
        yield Finding(CHECK, State.BAD, logged(error), sts_remedy(error))
    finally:
        sandbox.keys = own
        if left := ", ".join(sandbox.remove()):
            said = Text(f"no key here may delete; left: {left}", f"这里没有密钥可以删除；保留：{left}")
            yield Finding(LEFT, State.UNSURE, said, _ENDS_BY_ITSELF)


def _questions(settings: Settings) -> Iterator[Question]:
    profiles = settings.profiles.values()
    aliyun = [(one, {kind.partition("/")[0] for kind in one.content_types}) for one in profiles]
    pictured = [one for one, kinds in aliyun if one.is_checked_by_aliyun and kinds - {*ACTIONS}]
    # Of each service one picture: it may be unknown to the account, or have rules of its own.
    for service in dict.fromkeys(one.check_service for one in pictured):
        name = f"{service}, {urlsplit(settings.green_endpoint or '').netloc}"
        check = Text(f"Content Moderation ({name})", f"阿里云内容安全（{name}）")
        yield Question("aliyun", check, partial(green_picture_is_judged, service=service), LOOK_IT_UP)
    if pictured:
        yield Question("aliyun", _GREEN_OF_NOTHING, green_absence_is_an_error, PASSES_ANYTHING)
    kinds = [kind for one in profiles if one.is_checked_by_wechat for kind in one.content_types]
    opens = joined(READABLE, OWN_ADDRESS)
    if kinds:
        yield Question("wechat", _OF_A_PICTURE, check_opens_presigned, opens)
    if any(kind.startswith("audio/") for kind in kinds):
        yield Question("wechat", _OF_A_SOUND, check_opens_sounds, opens)
    if kinds:
        yield Question("wechat", _OF_NOTHING, check_passes_no_absence, PASSES_ANYTHING)


def _ask(sandbox: Sandbox, asked: Sequence[Question]) -> Iterator[Finding]:
    """Ask one after the other; of what a checker did not answer the reason is that of its other questions."""
    silent: set[str] = set()
    for checker, check, tries, remedy in (one for one in asked if one.checker not in silent):
        try:
            seen = tries(sandbox)
        except (NotTried, requests.RequestException) as error:
            silent.add(checker)
            if isinstance(error, NotTried):
                yield Finding(check, State.BAD, same(error.why), error.remedy or _SET_UP_AGAIN)
            else:
                yield Finding(check, State.BAD, same(type(error).__name__), unreachable("OSS_HOST"))
            continue
        if seen.remedy:
            silent.add(checker)
        state = State.GOOD if seen.answer else State.BAD
        yield Finding(check, state, same(seen.evidence), seen.remedy or remedy)


def openid_in(token: str, settings: Settings, now: datetime) -> str:
    """Whom a session token of the deployed function names; empty where it is none that we can read."""
    try:
        return str(
            read_token(token, audience=SESSION, secrets=settings.token_secrets, now=now).get("sub", "")
        )
    except Unauthorized:
        return ""


_NOTHING_CHECKED = Text("no profile has hold with check of pictures", "没有用途的 hold 写了 check 并审核图片")
_NO_KEY = Text("no key here may take the role", "这里没有密钥可以扮演角色")
_GREEN_OF_NOTHING = Text("Content Moderation of nothing", "阿里云内容安全：不存在的地址")
_OF_A_PICTURE = Text("Content check of a picture", "内容审核：一张图片")
_OF_A_SOUND = Text("Content check of a sound", "内容审核：一段声音")
_OF_NOTHING = Text("Content check of nothing", "内容审核：不存在的地址")
_SET_UP_AGAIN = set_up_again("records below held/", "在 held/ 下保存记录")
_ENDS_BY_ITSELF = Text("The bucket's rules below held/ delete them.", "桶上 held/ 之下的规则会删除它们。")
