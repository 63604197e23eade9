"""Questions to the platforms of logins, and to the deployed function about its callers."""

import secrets
from datetime import timedelta
from functools import partial
from typing import Any

from function.auth.session import SessionToken
from function.config.setting_table import CallerEntry
from function.errors import LoginUnavailable, Unauthorized, UploadError
from function.http.client import send
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.doctor.evidence import NotTried, reason_of
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.sandbox import Sandbox

NOBODY, NO_CODE = "prove-this-is-nobody", "bad-prove-this-is-no-code"


def status_of(sandbox: Sandbox, route: str, message: Any, token: str = "") -> int:
    """
    The status that the deployed function answers with.

    Raises:
        NotTried: nobody knows where it is, or it is silent.
    """
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
