"""
The checks of ``doctor`` on what comes after an upload: confirming and reading.
"""

from datetime import datetime

import requests

from function.auth.signed_tokens import RECEIPT, read_token
from function.config.profile import Profile
from function.config.settings import Settings
from function.errors import Unauthorized
from ops.client.form_upload import open_session
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.doctor.findings import OTHER_PROFILES, Finding, State, refusal, same, unreachable
from ops.terminal.language import Text

TIMEOUT_SECONDS = 10


def check_confirmation(settings: Settings, profile: Profile, url: str, ticket: str, now: datetime) -> Finding:
    """Have the deployed function ask OSS about what was uploaded."""
    check = Text(f"Confirm [{profile.name}]", f"确认 [{profile.name}]")
    try:
        answer = FunctionAtUrl(url).ask("confirm", {"ticket": ticket}, "")
    except FunctionSilent as error:
        return Finding(check, State.BAD, error.sentences[0], unreachable("--url"))
    if answer.status != 200:
        said, remedy = refusal(answer.status, answer.text)
        return Finding(check, State.BAD, said, _REMEDIES.get(answer.status, remedy))
    try:
        claims = read_token(
            str(answer.json.get("receipt")), audience=RECEIPT, secrets=settings.receipt_secrets, now=now
        )
    except Unauthorized:
        said = Text("the receipt is signed with another secret", "回执用了别的密钥签名")
        return Finding(check, State.BAD, said, _DEPLOY_SECRETS)
    if claims.get("seen") is not True:
        said = Text("the receipt does not say that OSS was asked", "回执没有说问过 OSS")
        return Finding(
            check, State.BAD, said, Text("Deploy again: make deploy.", "请重新部署：make deploy。")
        )
    return Finding(check, State.GOOD, Text("OSS was asked, receipt good", "已问过 OSS，回执有效"))


def check_reading(url: str, token: str, profile: Profile, key: str) -> Finding:
    """Have the deployed function give the address of what this caller has uploaded, and open it."""
    check = Text(f"Read [{profile.name}]", f"读取 [{profile.name}]")
    try:
        answer = FunctionAtUrl(url).ask("read", {"key": key}, token)
    except FunctionSilent as error:
        return Finding(check, State.BAD, error.said, unreachable("--url"))
    address = answer.json.get("url")
    if answer.status != 200 or not isinstance(address, str):
        said, remedy = refusal(answer.status, answer.text)
        return Finding(check, State.BAD, said, _REMEDIES[404] if answer.status == 404 else remedy)
    return _opens(check, address)


def _opens(check: Text, address: str) -> Finding:
    origin = "/".join(address.split("/")[:3])
    try:
        answer = _get(address)
    except requests.RequestException as error:
        said = same(f"{origin}: {type(error).__name__}")
        return Finding(check, State.BAD, said, unreachable("READ_ORIGIN", "OSS_HOST"))
    if answer.status_code == 200:
        said = Text(f"a signed URL opens it at {origin}", f"预签名 URL 在 {origin} 打开了它")
        return Finding(check, State.GOOD, said)
    said, remedy = refusal(answer.status_code, answer.text, answer.headers.get("x-oss-ec", ""))
    return Finding(check, State.BAD, said, _SET_UP_AGAIN if answer.status_code == 403 else remedy)


def _get(url: str) -> requests.Response:
    with open_session(url) as session:
        return session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)


_SET_UP_AGAIN = Text(
    "The role does not allow oss:GetObject there yet: run manage.py setup again.",
    "角色还不允许在那里 oss:GetObject：请再运行一次 manage.py setup。",
)
_DEPLOY_SECRETS = Text(
    "TOKEN_SECRET, RECEIPT_SECRET or WECHAT_APPID here and in the deployed function differ: make deploy.",
    "本机与已部署函数的 TOKEN_SECRET、RECEIPT_SECRET 或 WECHAT_APPID 不同：请 make deploy。",
)
_REMEDIES = {
    403: _DEPLOY_SECRETS,
    404: OTHER_PROFILES,
    502: _SET_UP_AGAIN,
}
