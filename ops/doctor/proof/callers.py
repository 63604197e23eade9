"""Questions to the platforms of logins, and to the deployed function about its callers and WeChat's push."""

import json
import secrets
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from function.auth.session import SessionToken
from function.config.setting_table import CallerEntry
from function.errors import LoginUnavailable, Unauthorized, UploadError
from function.http.client import send
from function.moderation.wechat import CANNOT_OPEN
from function.moderation.wechat_verdict import EVENT
from function.wechat.push import signature_of
from local.wechat.sealing import RANDOM_BYTES, seal
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.doctor.deployed import check_push, push_route
from ops.doctor.evidence import NotTried, reason_of
from ops.doctor.findings import State
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.wechat import NO_PUSH, app_of, entry_of, verdict_of

NOBODY, NO_CODE = "prove-this-is-nobody", "bad-prove-this-is-no-code"


def status_of(sandbox: Sandbox, route: str, message: Any, token: str = "") -> int:
    """Return the function's status; raise ``NotTried`` where it is silent or nobody knows it."""
    if not sandbox.function_url:
        raise NotTried("needs --url of the deployed function")
    try:
        return FunctionAtUrl(sandbox.function_url).ask(route, message, token).status
    except FunctionSilent as error:
        raise NotTried(error.said.en) from None


def _entry(sandbox: Sandbox, kind_name: str) -> CallerEntry:
    for entry in sandbox.settings.callers:
        if entry.kind_name == kind_name:
            return entry
    raise NotTried(f"no caller is of kind {kind_name}")


def _wrong_code_is_refused(sandbox: Sandbox, kind_name: str) -> Seen:
    """As the function reads it."""
    entry = _entry(sandbox, kind_name)
    assert entry.kind.log_in is not None
    try:
        entry.kind.log_in(NO_CODE, entry, sandbox.settings, send, sandbox.now)
    except LoginUnavailable as error:
        raise NotTried(reason_of(error)) from None
    except UploadError as error:
        return told(isinstance(error, Unauthorized), f"code {error.upstream}")
    return told(False, "code 0")


wechat_refuses_a_wrong_code = partial(_wrong_code_is_refused, kind_name="wechat")
alipay_refuses_a_wrong_code = partial(_wrong_code_is_refused, kind_name="alipay")
douyin_refuses_a_wrong_code = partial(_wrong_code_is_refused, kind_name="douyin")


def profile_of_others_is_refused(sandbox: Sandbox) -> Seen:
    settings = sandbox.settings
    for entry in settings.callers:
        for profile in settings.profiles.values():
            if entry.kind.log_in and not settings.may_use(entry, profile):
                token = SessionToken.issue(NOBODY, entry, settings, sandbox.now)
                status = status_of(sandbox, "upload-params", {"profile": profile.name}, token)
                return told(status == 403, f"HTTP {status}")
    raise NotTried("each caller that logs in may use each profile")


def forged_issuer_is_refused(sandbox: Sandbox) -> Seen:
    import jwt

    expected = _entry(sandbox, "jwt").settings
    ends = sandbox.now + timedelta(minutes=5)
    claims = {"sub": NOBODY, "iss": expected.issuer or "", "aud": expected.audience or "", "exp": ends}
    token = jwt.encode(claims, secrets.token_hex(32), "HS256")
    status = status_of(sandbox, "upload-params", {}, token)
    return told(status == 401, f"HTTP {status}")


def unknown_app_is_refused(sandbox: Sandbox) -> Seen:
    if sandbox.settings.only:
        raise NotTried("with one caller app is not read")
    status = status_of(sandbox, "login", {"code": NO_CODE, "app": NOBODY})
    return told(status == 401, f"HTTP {status}")


def forged_push_is_refused(sandbox: Sandbox) -> Seen:
    """
    A verdict with another signature, and one in plain text.

    A right one would be kept as a record, and forwarded to the business.
    """
    entry, app = entry_of(sandbox), app_of(sandbox)
    findings = check_push(sandbox.settings, sandbox.function_url)
    if app.push is None or not findings:
        raise NotTried(NO_PUSH)
    if findings[0].state is not State.GOOD:
        raise NotTried(f"{findings[0].said.en} {findings[0].remedy and findings[0].remedy.en}")
    trace = f"prove-{secrets.token_hex(8)}"
    sandbox.verdicts_left.append(verdict_of(trace, entry, sandbox.settings))
    event = {"MsgType": "event", "Event": EVENT, "trace_id": trace, "errcode": CANNOT_OPEN}
    random = secrets.token_hex(RANDOM_BYTES // 2).encode()
    sealed = {"Encrypt": seal(json.dumps(event).encode(), app.appid, app.push.aes_key, random)}
    query = {"timestamp": str(int(sandbox.now.timestamp())), "nonce": secrets.token_hex(8)}
    plain = {**query, "signature": signature_of(app.push.token, query)}
    right = signature_of(app.push.token, query, sealed["Encrypt"])
    wrong = {**query, "msg_signature": right[::-1]}
    statuses = tuple(
        status_of(sandbox, f"{push_route(entry)}?{urlencode(asked)}", message)
        for asked, message in ((wrong, sealed), (plain, event))
    )
    return told(statuses == (403, 403), "HTTP {}; HTTP {}".format(*statuses))
