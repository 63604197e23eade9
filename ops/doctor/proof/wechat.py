"""
Questions to WeChat, asked where it has a caller, of several the first.
"""

import secrets
from collections.abc import Mapping
from time import monotonic
from typing import Any

from function.config.setting_table import CallerEntry
from function.errors import UploadError
from function.http.client import send
from function.moderation.finding import Outcome
from function.moderation.wechat import (
    BUDGET_SECONDS,
    CANNOT_OPEN,
    PICTURE,
    STALE_TOKEN,
    CheckRequest,
    submit,
)
from function.moderation.wechat import PATH as CHECK
from function.sts.session_policy import OBJECTS
from function.wechat import WechatApp
from function.wechat.api import PATH as TOKEN
from function.wechat.api import AccessTokens, post
from ops.doctor.content_check import ContentCheck, verdict_of
from ops.doctor.deployed import check_push, wechat_callers
from ops.doctor.evidence import NotTried, reason_of
from ops.doctor.identity import assume
from ops.doctor.places import FOLDER
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.samples import picture

NOTHING = f"{FOLDER}nothing-has-this-name"
NOBODY, COMMENT = "oProve-this-is-nobody", 2
WRONG_SECRET, WRONG_OPENID, API_SECURITY = (40001, 40125, 41004), (40003, 43104), (40234, 40235)
ADDRESS_REFUSED = 40164
# Of a minute, of a day, of one object; a user who has not been here for two hours.
LIMITS, NOT_SEEN = (44991, 45009, 87020), 61010
# Grey, 64 by 64.
WEBP = bytes.fromhex(
    "5249464624000000574542505650384c170000002f3fc00f000750c00216b0ff012021fc7faf45f43ff50300"
)


def entry_of(sandbox: Sandbox) -> CallerEntry:
    """
    Raises:
        NotTried: no caller is of WeChat.
    """
    for entry in wechat_callers(sandbox.settings):
        return entry
    raise NotTried(_NO_WECHAT)


def app_of(sandbox: Sandbox) -> WechatApp:
    app: WechatApp = entry_of(sandbox).settings
    return app


def _post(
    sandbox: Sandbox, path: str, fields: Mapping[str, Any], query: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """
    Raises:
        NotTried: no answer that the function would read, or WeChat does not let this machine in.
    """
    sandbox.count()
    try:
        said = post(app_of(sandbox), path, fields, send=send, budget_seconds=BUDGET_SECONDS, query=query)
    except UploadError as error:
        raise NotTried(reason_of(error)) from None
    if said[0] == ADDRESS_REFUSED:
        raise NotTried(_ALLOW_LIST)
    return said


def _token(sandbox: Sandbox, **changes: str) -> tuple[int, dict[str, Any]]:
    app = app_of(sandbox)
    fields = {"grant_type": "client_credential", "appid": app.appid, "secret": app.secret}
    return _post(sandbox, TOKEN, {**fields, **changes})


def _issued(sandbox: Sandbox) -> dict[str, Any]:
    """
    Raises:
        NotTried: WeChat issues no token.
    """
    errcode, said = _token(sandbox)
    if errcode:
        raise NotTried(f"errcode {errcode}")
    return said


def _submitted(sandbox: Sandbox, url: str, openid: str) -> str | int:
    """The trace id of a check, or the errcode that refuses it."""
    app = app_of(sandbox)
    sandbox.calls += 2
    asked = CheckRequest(url, PICTURE, COMMENT, openid)
    try:
        answer = submit(app, AccessTokens(app, send), asked, send, sandbox.now)
    except UploadError as error:
        raise NotTried(reason_of(error)) from None
    if isinstance(answer, str):
        # What the function keeps of a verdict that is about no upload.
        sandbox.verdicts_left.append(verdict_of(answer, entry_of(sandbox), sandbox.settings))
    return answer


def _nothing(sandbox: Sandbox) -> str:
    """Without a signature: WeChat takes what nobody may open, and need not see whose keys these are."""
    return f"{sandbox.settings.read_origin}/{NOTHING}"


def wechat_token_is_kept(sandbox: Sandbox) -> Seen:
    """Never with ``force_refresh``, which would end the token of the running function."""
    answers = [_issued(sandbox), _issued(sandbox)]
    # It is renewed five minutes before its end, which may be now.
    if answers[0].get("access_token") != answers[1].get("access_token"):
        answers.append(_issued(sandbox))
    is_kept = answers[-1].get("access_token") == answers[-2].get("access_token")
    return told(is_kept, ", ".join(f"{said.get('expires_in')} s" for said in answers))


def wechat_refuses_a_wrong_secret(sandbox: Sandbox) -> Seen:
    errcode, _ = _token(sandbox, secret=secrets.token_hex(16))
    return told(errcode in WRONG_SECRET, f"errcode {errcode}")


def wechat_refuses_a_wrong_token(sandbox: Sandbox) -> Seen:
    wrong = str(_issued(sandbox).get("access_token", ""))[::-1]
    errcode, _ = _post(sandbox, CHECK, {"version": 2}, {"access_token": wrong})
    if errcode in API_SECURITY:
        raise NotTried(f"errcode {errcode}")
    return told(errcode in STALE_TOKEN, f"errcode {errcode}")


def wechat_refuses_a_wrong_openid(sandbox: Sandbox) -> Seen:
    answer = _submitted(sandbox, _nothing(sandbox), NOBODY)
    if answer in (*API_SECURITY, *LIMITS):
        raise NotTried(f"errcode {answer}")
    return told(answer in WRONG_OPENID, _errcode(answer))


def api_is_encrypted(sandbox: Sandbox) -> Seen:
    answer = _submitted(sandbox, _nothing(sandbox), NOBODY)
    return told(answer in API_SECURITY, _errcode(answer))


def wechat_takes_what_is_not_there(sandbox: Sandbox) -> Seen:
    answer = _submitted(sandbox, _nothing(sandbox), _openid(sandbox))
    if answer in (*API_SECURITY, *LIMITS, *WRONG_OPENID, NOT_SEEN):
        raise NotTried(f"errcode {answer}")
    return told(isinstance(answer, str), _errcode(answer))


def check_opens_presigned(sandbox: Sandbox) -> Seen:
    began = monotonic()
    (opened,) = _verdicts(sandbox, (picture(), "image/png"))
    return _is_opened(opened, f", {monotonic() - began:.0f} s")


def check_takes_unlisted(sandbox: Sandbox) -> Seen:
    png, webp = _verdicts(sandbox, (picture(), "image/png"), (WEBP, "image/webp"))
    if png.get("errcode") == CANNOT_OPEN:
        raise NotTried(_OPENS_NOTHING)
    return _is_opened(webp)


def _is_opened(verdict: Mapping[str, Any], more: str = "") -> Seen:
    """
    Raises:
        NotTried: another error than the one of files that cannot be opened.
    """
    errcode = verdict.get("errcode")
    if verdict.get("outcome") == Outcome.ERROR.name and errcode != CANNOT_OPEN:
        raise NotTried(f"errcode {errcode}")
    return told(errcode != CANNOT_OPEN, f"errcode {errcode}{more}")


def _openid(sandbox: Sandbox) -> str:
    app_of(sandbox)
    if not sandbox.openid:
        raise NotTried(_NO_OPENID)
    return sandbox.openid


def _verdicts(sandbox: Sandbox, *files: tuple[bytes, str]) -> list[dict[str, Any]]:
    """
    What the deployed function kept of each verdict.

    Raises:
        NotTried: one did not come within a minute, or was never asked for.
    """
    openid, settings = _openid(sandbox), sandbox.settings
    if not sandbox.function_url or not check_push(settings, sandbox.function_url):
        raise NotTried(NO_PUSH)
    sandbox.calls += 2
    try:
        credentials = assume(settings, OBJECTS, sandbox.own_keys, sandbox.now)
    except (UploadError, KeyError):
        raise NotTried(NO_PUSH) from None
    check = ContentCheck(settings, entry_of(sandbox), openid, sandbox.own_keys, sandbox.now)
    traces: dict[str, str] = {}
    for number, (body, content_type) in enumerate(files):
        key = sandbox.put({"content-type": content_type}, body)
        answer = _submitted(sandbox, check.samples.url(credentials, key), openid)
        if isinstance(answer, int):
            raise NotTried(f"errcode {answer}")
        traces[str(number)] = answer
    try:
        came = check.wait(credentials, traces)
    except UploadError as error:
        raise NotTried(reason_of(error)) from None
    if len(came) < len(files):
        raise NotTried(_SILENT)
    return [came[each] for each in traces]


def _errcode(answer: str | int) -> str:
    return f"errcode {answer if isinstance(answer, int) else 0}"


_NO_WECHAT = "CALLER_AUTH names no caller of WeChat"
_ALLOW_LIST = "the IP allow-list of the AppID does not hold this machine (40164)"
_NO_OPENID = "needs --openid of a user who has just opened the mini-program"
NO_PUSH = "needs --url of the deployed function, the settings of the push, and a profile that WeChat checks"
_SILENT = "no verdict came within a minute"
_OPENS_NOTHING = "it opens no presigned URL"
