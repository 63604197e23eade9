"""Questions to WeChat, asked where it has a caller, of several the first."""

import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from function.config.profile import Profile
from function.config.setting_table import CallerEntry
from function.config.settings import Settings
from function.errors import UploadError
from function.holding import records
from function.holding.wechat_check import record_name
from function.http.client import send
from function.moderation.finding import Outcome
from function.moderation.wechat import (
    AUDIO,
    BUDGET_SECONDS,
    CANNOT_OPEN,
    PICTURE,
    STALE_TOKEN,
    CheckRequest,
    submit,
)
from function.moderation.wechat import PATH as CHECK
from function.sts.credentials import StsCredentials
from function.sts.session_policy import OBJECTS
from function.wechat import WechatApp
from function.wechat.api import PATH as TOKEN
from function.wechat.api import AccessTokens, post
from ops.doctor.deployed import wechat_callers
from ops.doctor.evidence import NotTried, reason_of
from ops.doctor.identity import assume, sts_remedy
from ops.doctor.places import FOLDER
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.remedies import OPENID, SILENT, of_wechat
from ops.doctor.proof.samples import picture, sound
from ops.doctor.proof.sandbox import Sandbox

NOTHING = f"{FOLDER}nothing-has-this-name"
NOBODY, COMMENT = "oProve-this-is-nobody", 2
# WeChat promises half an hour; it mostly takes seconds.
WAIT, PAUSE_SECONDS = timedelta(minutes=1), 0.5
WRONG_SECRET, WRONG_OPENID, API_SECURITY = (40001, 40125, 41004), (40003, 43104), (40234, 40235)
ADDRESS_REFUSED = 40164
# Of a minute, of a day, of one object; a user who has not been here for two hours.
LIMITS, NOT_SEEN = (44991, 45009, 87020), 61010
# Grey, 64 by 64.
WEBP = bytes.fromhex(
    "5249464624000000574542505650384c170000002f3fc00f000750c00216b0ff012021fc7faf45f43ff50300"
)


def entry_of(sandbox: Sandbox) -> CallerEntry:
    """Return the first caller of WeChat; ``NotTried`` is raised where there is none."""
    if callers := wechat_callers(sandbox.settings):
        return callers[0]
    raise NotTried(_NO_WECHAT)


def app_of(sandbox: Sandbox) -> WechatApp:
    app: WechatApp = entry_of(sandbox).settings
    return app


def _post(
    sandbox: Sandbox, path: str, fields: Mapping[str, Any], query: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Raises NotTried: no answer that the function would read, or WeChat does not let this machine in."""
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
    """Raises NotTried: WeChat issues no token."""
    errcode, said = _token(sandbox)
    if errcode:
        raise NotTried(f"errcode {errcode}")
    return said


def verdict_of(trace_id: str, entry: CallerEntry, settings: Settings) -> str:
    """Return the key under which the function keeps a verdict that is about no upload."""
    return records.verdict_key(record_name(trace_id, entry.app, settings))


def _submitted(sandbox: Sandbox, url: str, openid: str, media_type: int = PICTURE) -> str | int:
    """The trace id of a check, or the errcode that refuses it."""
    app = app_of(sandbox)
    scenes = (one.check_scene for one in _checked(sandbox.settings))
    asked = CheckRequest(url, media_type, next(scenes, COMMENT), openid)
    try:
        answer = submit(app, AccessTokens(app, send), asked, send, sandbox.now)
    except UploadError as error:
        raise NotTried(reason_of(error), of_wechat(error.upstream)) from None
    if isinstance(answer, str):
        # What the function keeps of a verdict that is about no upload.
        sandbox.verdicts_left.append(verdict_of(answer, entry_of(sandbox), sandbox.settings))
    return answer


def _coded(errcode: int, codes: Collection[int], others: Collection[int] = ()) -> Seen:
    """Yes where it is one of these codes; ``NotTried`` is raised for others."""
    if errcode in others:
        raise NotTried(f"errcode {errcode}")
    return told(errcode in codes, f"errcode {errcode}")


def _submitted_absent(sandbox: Sandbox, openid: str, codes: Collection[int], *others: int) -> Seen:
    """
    Have an address checked where nothing is; code 0 is that of a check that is taken.

    Without a signature: WeChat takes what nobody may open, and need not see whose keys these are.
    """
    answer = _submitted(sandbox, f"{sandbox.settings.read_origin}/{NOTHING}", openid)
    return _coded(answer if isinstance(answer, int) else 0, codes, others)


def wechat_token_is_kept(sandbox: Sandbox) -> Seen:
    """Never with ``force_refresh``, which would end the token of the running function."""
    answers = [_issued(sandbox), _issued(sandbox)]
    # It is renewed five minutes before its end, which may be now.
    if answers[0].get("access_token") != answers[1].get("access_token"):
        answers.append(_issued(sandbox))
    is_kept = answers[-1].get("access_token") == answers[-2].get("access_token")
    return told(is_kept, ", ".join(f"{said.get('expires_in')} s" for said in answers))


def wechat_refuses_a_wrong_secret(sandbox: Sandbox) -> Seen:
    return _coded(_token(sandbox, secret=secrets.token_hex(16))[0], WRONG_SECRET)


def wechat_refuses_a_wrong_token(sandbox: Sandbox) -> Seen:
    wrong = {"access_token": str(_issued(sandbox).get("access_token", ""))[::-1]}
    return _coded(_post(sandbox, CHECK, {"version": 2}, wrong)[0], STALE_TOKEN, API_SECURITY)


def wechat_refuses_a_wrong_openid(sandbox: Sandbox) -> Seen:
    return _submitted_absent(sandbox, NOBODY, WRONG_OPENID, *API_SECURITY, *LIMITS)


def api_is_encrypted(sandbox: Sandbox) -> Seen:
    return _submitted_absent(sandbox, NOBODY, API_SECURITY)


def wechat_takes_what_is_not_there(sandbox: Sandbox) -> Seen:
    others = (*API_SECURITY, *LIMITS, *WRONG_OPENID, NOT_SEEN)
    return _submitted_absent(sandbox, _openid(sandbox), (0,), *others)


def check_opens_presigned(sandbox: Sandbox) -> Seen:
    began = sandbox.now
    (opened,) = _verdicts(sandbox, (picture(), "image/png"))
    return _is_opened(opened, f", {(sandbox.now - began).total_seconds():.0f} s")


def check_opens_sounds(sandbox: Sandbox) -> Seen:
    kinds = [kind for one in _checked(sandbox.settings) for kind in one.content_types]
    if not any(kind.startswith("audio/") for kind in kinds):
        raise NotTried("no profile has WeChat check sounds")
    (heard,) = _verdicts(sandbox, (sound(), "audio/wav"))
    return _is_opened(heard)


def check_passes_no_absence(sandbox: Sandbox) -> Seen:
    (verdict,) = _verdicts(sandbox, (b"", ""))
    return told(verdict.get("outcome") != Outcome.PASS.name, _evidence(verdict))


def check_takes_unlisted(sandbox: Sandbox) -> Seen:
    png, webp = _verdicts(sandbox, (picture(), "image/png"), (WEBP, "image/webp"))
    if png.get("errcode") == CANNOT_OPEN:
        raise NotTried("it opens no presigned URL")
    return _is_opened(webp)


def _is_opened(verdict: Mapping[str, Any], more: str = "") -> Seen:
    """Yes unless it could not be opened; ``NotTried`` is raised for any other error."""
    errcode = verdict.get("errcode")
    if verdict.get("outcome") == Outcome.ERROR.name and errcode != CANNOT_OPEN:
        raise NotTried(f"errcode {errcode}", of_wechat(errcode))
    return told(errcode != CANNOT_OPEN, _evidence(verdict) + more)


def _evidence(verdict: Mapping[str, Any]) -> str:
    errcode = verdict.get("errcode")
    return str(verdict.get("outcome")).lower() + (f" (errcode {errcode})" if errcode else "")


def _openid(sandbox: Sandbox) -> str:
    app_of(sandbox)
    if not sandbox.openid:
        raise NotTried("needs --openid of a user who has just opened the mini-program", OPENID)
    return sandbox.openid


def _checked(settings: Settings) -> list[Profile]:
    return [one for one in settings.profiles.values() if one.is_checked_by_wechat]


def _verdicts(sandbox: Sandbox, *files: tuple[bytes, str]) -> list[dict[str, Any]]:
    """
    What the deployed function kept of each verdict.

    Args:
        files: body and content type; an empty type of one that is not there.

    Raises:
        NotTried: one did not come within a minute, or was never asked for.
    """
    openid, settings, entry = _openid(sandbox), sandbox.settings, entry_of(sandbox)
    if not (_checked(settings) and entry.settings.push):
        raise NotTried(NO_PUSH)
    try:
        session = assume(settings, OBJECTS, sandbox.own_keys, sandbox.now)
        names = []
        for body, content_type in files:
            there = {"content-type": content_type}
            key = sandbox.put(there, body) if content_type else sandbox.new_key()
            kind = AUDIO if content_type.startswith("audio/") else PICTURE
            answer = _submitted(sandbox, sandbox.url_for_checkers(key, session), openid, kind)
            if isinstance(answer, int):
                raise NotTried(f"errcode {answer}", of_wechat(answer))
            names.append(verdict_of(answer, entry, settings))
        return _wait(sandbox, session, names)
    except UploadError as error:
        raise NotTried(reason_of(error), sts_remedy(error)) from None


def _wait(sandbox: Sandbox, session: StsCredentials, names: list[str]) -> list[dict[str, Any]]:
    oss, ends = sandbox.client(session), sandbox.now + WAIT
    came: dict[str, dict[str, Any]] = {}
    while sandbox.now < ends:
        found = {name: records.get(oss, name) for name in names if name not in came}
        came |= {name: said for name, said in found.items() if said is not None}
        if len(came) == len(names):
            return [came[name] for name in names]
        sandbox.sleep(PAUSE_SECONDS)
    raise NotTried(f"no verdict within {WAIT.seconds} s", SILENT)


_NO_WECHAT = "CALLER_AUTH names no caller of WeChat"
_ALLOW_LIST = "the IP allow-list of the AppID does not hold this machine (40164)"
NO_PUSH = "needs --url of the deployed function, the settings of the push, and a profile that WeChat checks"
