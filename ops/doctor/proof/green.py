"""
Questions to Content Moderation (Green), asked where a profile is checked by it, or ``GREEN_ENDPOINT`` is set.

An answer about a file is billed when it is done; refusals are free.
"""

import json
import re
import secrets
from collections.abc import Collection, Mapping
from time import monotonic
from time import sleep as pause
from typing import Any, NamedTuple

from function.config.green import endpoint_of
from function.config.profile import Profile
from function.http.client import ExchangeFailed, send
from function.moderation.aliyun import (
    ACTIONS,
    MAX_ANSWER_BYTES,
    OF_THE_ACCOUNT,
    SECONDS,
    TASK_ID,
    VERSION,
    region_at,
    service_for,
)
from function.moderation.aliyun_verdict import (
    AUDIO,
    DONE,
    FORBIDDEN,
    RUNNING,
    UNCHECKABLE,
    Verdict,
    data_of,
    read_media,
    read_picture,
)
from function.moderation.finding import LABEL, Label, Outcome
from function.sts import aliyun_sdk
from function.sts.credentials import AccessKeys
from ops.doctor.evidence import NotTried
from ops.doctor.findings import unreachable
from ops.doctor.places import FOLDER
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.remedies import NOT_OPENED, WRONG, of_green
from ops.doctor.proof.samples import picture, sound
from ops.doctor.proof.sandbox import Sandbox

PICTURES, SERVICE, NO_SERVICE = "ImageModeration", "baselineCheck", "proveNothing"
NOTHING = f"{FOLDER}nothing-has-this-name"
TOO_WIDE, LONG_URL = 16_385, 2_048
WAIT_SECONDS, PAUSE_SECONDS = 90, 5
# Of either edition: too large; of no known format.
TOO_LARGE, NOT_SUPPORTED = (406, 589), (407, 590)
OLD_EDITION = (480, 592)


class Said(NamedTuple):
    """An answer as the function reads it, with the data of one that is done, else its verdict."""

    status: int
    code: Label | None
    data: dict[str, Any] | Verdict

    @property
    def evidence(self) -> str:
        return f"HTTP {self.status}, code {self.code}"


def _ask(
    sandbox: Sandbox,
    parameters: Mapping[str, str],
    *,
    action: str = PICTURES,
    service: str = "",
    keys: AccessKeys | None = None,
) -> Said:
    """Raises NotTried: nothing here is for Content Moderation, or it is silent."""
    settings, ours = sandbox.settings, _checked(sandbox)
    if not ours and settings.green_endpoint in (None, endpoint_of(settings.region)):
        raise NotTried(_NOT_USED)
    service = service or (ours[0].check_service if ours else SERVICE)
    fields = {"Service": service, "ServiceParameters": json.dumps(parameters)}
    endpoint = settings.green_endpoint or ""
    call: dict[str, Any] = {"endpoint": endpoint, "region": region_at(endpoint, settings.region)}
    call |= {"own": keys or sandbox.own_keys, "send": send, "seconds": SECONDS, "max_bytes": MAX_ANSWER_BYTES}
    try:
        response = aliyun_sdk.post(action, VERSION, fields, **call)
    except ExchangeFailed as error:
        raise NotTried(error.kind, unreachable("GREEN_ENDPOINT", "OSS_REGION")) from None
    echoed = {"DataId": parameters["dataId"]} if "dataId" in parameters else {"TaskId": parameters["taskId"]}
    data = data_of(response, **echoed)
    return Said(response.status, data.finding.errcode if isinstance(data, Verdict) else DONE, data)


def _checked(sandbox: Sandbox) -> list[Profile]:
    return [one for one in sandbox.settings.profiles.values() if one.is_checked_by_aliyun]


def _about_file(sandbox: Sandbox, file: Mapping[str, str], action: str = PICTURES, service: str = "") -> Said:
    """Raises NotTried: as ``_ask``; or what was said is about the account, and not about the file."""
    parameters = {**file, "dataId": f"doctor-{secrets.token_hex(8)}"}
    said = _ask(sandbox, parameters, action=action, service=service)
    if isinstance(said.data, Verdict) and (isinstance(said.code, str) or said.code in OF_THE_ACCOUNT):
        raise NotTried(said.evidence, of_green(said.data))
    return said


def _picture(sandbox: Sandbox, body: bytes) -> Said:
    return _about_file(sandbox, {"imageUrl": _url(sandbox, body, "image/png")})


def _url(sandbox: Sandbox, body: bytes, content_type: str) -> str:
    """A stored object as the function has it opened, by the token of a session."""
    key = sandbox.put({"content-type": content_type}, body)
    return sandbox.url_for_checkers(key, sandbox.session("oss:GetObject"))


def _nothing(sandbox: Sandbox, more: str = "") -> dict[str, str]:
    return {"imageUrl": sandbox.url("GET", NOTHING, origin=sandbox.settings.read_origin) + more}


def green_picture_is_judged(sandbox: Sandbox, service: str = "") -> Seen:
    url, began = _url(sandbox, picture(), "image/png"), monotonic()
    said = _about_file(sandbox, {"imageUrl": url}, service=service)
    remedy = of_green(said.data) if isinstance(said.data, Verdict) else None
    is_judged = isinstance(said.data, dict) and read_picture(said.data, ()).finding.reason == LABEL
    return told(is_judged, f"{said.evidence}, {monotonic() - began:.1f} s")._replace(remedy=remedy)


def green_absence_is_an_error(sandbox: Sandbox) -> Seen:
    said = _about_file(sandbox, _nothing(sandbox))
    is_error = isinstance(said.data, Verdict) and said.data.outcome is Outcome.ERROR
    return told(is_error and said.code is not None, said.evidence)


def _is_coded(said: Said, codes: Collection[object], others: Collection[object] | None = None) -> Seen:
    """Yes where the code is one of these; ``NotTried`` is raised where it is none of the others either."""
    if others is not None and said.code not in (*codes, *others):
        raise NotTried(said.evidence)
    return told(said.code in codes, said.evidence)


def green_text_is_no_picture(sandbox: Sandbox) -> Seen:
    return _is_coded(_picture(sandbox, b"no picture"), UNCHECKABLE)


def green_service_is_looked_up(sandbox: Sandbox) -> Seen:
    return _is_coded(_about_file(sandbox, _nothing(sandbox), service=NO_SERVICE), WRONG)


def green_sound_is_judged(sandbox: Sandbox) -> Seen:
    """Running, until it is there."""
    ours = _checked(sandbox)
    mine = [one for one in ours if any(kind.startswith(f"{AUDIO}/") for kind in one.content_types)]
    if not mine:
        raise NotTried(_NO_SOUNDS)
    action, service = ACTIONS[AUDIO][0], service_for(mine[0], AUDIO)
    submitted = _about_file(sandbox, {"url": _url(sandbox, sound(), "audio/wav")}, action, service)
    task = submitted.data.get("TaskId") if isinstance(submitted.data, dict) else None
    if not (isinstance(task, str) and re.fullmatch(TASK_ID, task)):
        return told(False, submitted.evidence)
    result, waited = f"{action}Result", 0
    while (said := _ask(sandbox, {"taskId": task}, action=result, service=service)).code == RUNNING:
        if waited >= WAIT_SECONDS:
            break
        pause(PAUSE_SECONDS)
        waited += PAUSE_SECONDS
    is_there = isinstance(said.data, dict) and read_media(said.data, AUDIO, ()).finding.reason == LABEL
    return told(is_there, f"{said.evidence}, {waited} s")


def moderation_old_codes(sandbox: Sandbox) -> Seen:
    return _is_coded(_about_file(sandbox, _nothing(sandbox)), OLD_EDITION, NOT_OPENED)


def moderation_code_is_status(sandbox: Sandbox) -> Seen:
    said = _about_file(sandbox, _nothing(sandbox))
    return told(said.status == said.code, said.evidence)


def moderation_wide_is_too_large(sandbox: Sandbox) -> Seen:
    return _is_coded(_picture(sandbox, picture(TOO_WIDE, 1)), TOO_LARGE, NOT_SUPPORTED)


def moderation_longest_url(sandbox: Sandbox) -> Seen:
    said = _about_file(sandbox, _nothing(sandbox, f"&prove={'a' * LONG_URL}"))
    return _is_coded(said, WRONG, NOT_OPENED)


def moderation_rights_by_gateway(sandbox: Sandbox) -> Seen:
    """Keys of a session that may read objects, and nothing else."""
    session = sandbox.session("oss:GetObject")
    keys = AccessKeys(session.access_key_id, session.access_key_secret, session.security_token)
    said = _ask(sandbox, {**_nothing(sandbox), "dataId": "doctor"}, keys=keys)
    if isinstance(said.data, dict) or not said.data.is_forbidden:
        raise NotTried(said.evidence)
    return told(said.code not in FORBIDDEN, said.evidence)


_NOT_USED = 'no profile has check_by = ["aliyun"], and GREEN_ENDPOINT is not set'
_NO_SOUNDS = "no profile has Aliyun check sounds"
