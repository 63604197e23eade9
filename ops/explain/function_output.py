"""What the function wrote: a line of its log, a ticket, a receipt, or the folder name of a user."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from function.auth import owner_of, signed_tokens
from function.auth.business_token import AUDIENCE
from function.config.types import SECRETS
from function.errors import Unauthorized
from ops.deploy.callers import callers_of, own_entries
from ops.explain.advice import Advice, find_advice
from ops.explain.policy import expiry_line
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown

WORDS = {
    "log": Text("A line of the function's log", "函数日志的一行"),
    "owner": Text("The folder name of this user: {owner}", "这个用户的目录名：{owner}"),
    "no_secret": Text(
        "The folder name of a user needs the secret of the deployment: run it beside its .env.",
        "计算用户的目录名需要部署所用的密钥：请在有 .env 的目录里运行。",
    ),
    "right": Text("its signature is right", "签名正确"),
    "wrong": Text("its signature is not of the secrets in .env", "签名不是 .env 里的密钥签的"),
    "unsure": Text(
        "its signature can be checked only with the secret in .env", "签名只有用 .env 里的密钥才能验证"
    ),
}
# Kind of a token, and which of the ``Secrets`` sign it, by its audience.
KINDS = {
    signed_tokens.SESSION: (Text("A session token", "一个会话令牌"), "token"),
    signed_tokens.TICKET: (Text("A ticket of a form", "一张表单的票据"), "token"),
    signed_tokens.PARTS: (Text("A ticket of a multipart upload", "一张分片上传的票据"), "token"),
    signed_tokens.SOURCE: (Text("A token of /check-source", "一个 /check-source 的令牌"), "token"),
    signed_tokens.RECEIPT: (Text("A receipt", "一张回执"), "receipt"),
    AUDIENCE: (Text("A token of a backend", "一个后端令牌"), "receipt"),
}
OTHER_KIND = Text("A token for another audience", "其他用途（aud）的令牌"), "receipt"
INSTANTS = ("iat", "heldUntil", "exp")
# Codes of OSS, STS and the platforms that a reason quotes.
QUOTED_CODE = re.compile(
    r"errcode (-?\d+)|(err_no -?\d+|\b(?:is[vp]|aop)\.[a-z-]+|\b[A-Z]\w+(?:\.\w+)?\b)(?: EC ([\d-]+))?"
)


class Secrets(NamedTuple):
    """
    Those that sign and verify tokens, and name folders; empty where they are not known.

    Args:
        callers: by id, each with whether its owners are unnamed.
    """

    token: tuple[str, ...] = ()
    receipt: tuple[str, ...] = ()
    owner: str = ""
    callers: Mapping[str, bool] = MappingProxyType({"": True})


NONE = Secrets()


def secrets_of(environ: Mapping[str, str]) -> Secrets:
    """Return what the deployment signs with, whatever else its settings still lack."""
    token, receipt = (_secrets_in(environ, name) for name in ("TOKEN_SECRET", "RECEIPT_SECRET"))
    owner = environ.get("OWNER_SECRET", "").strip() or (token or ("",))[-1]
    return Secrets(token, receipt or token, owner, callers_of(environ, own_entries()))


def _secrets_in(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    with suppress(ValueError):
        secrets: tuple[str, ...] = SECRETS.read(environ.get(name, "").strip())
        return secrets
    return ()


def log_lines(fields: Mapping[str, Any], language: str) -> list[str]:
    """Facts of a line of the log, without those that are empty."""
    facts = [each for each in fields.items() if each[1] not in (None, "", False)]
    # What stands in a reason, an operator reads whole.
    lines = (
        f"  {name:<12} {printable(str(value)) if name == 'reason' else shown(name, value, language)}"
        for name, value in facts
    )
    return [WORDS["log"].say(language), *lines]


def advice_on(fields: Mapping[str, Any]) -> list[Advice]:
    """Advice on the code of a line, and on the codes that its reason quotes."""
    reason = str(fields.get("reason") or "")
    quoted = [find_advice(errcode or code, "", ec) for errcode, code, ec in QUOTED_CODE.findall(reason)]
    found = [find_advice(str(fields.get("code") or ""), reason), find_advice(_event(fields)), *quoted]
    return [*dict.fromkeys(filter(None, found))]


def _event(fields: Mapping[str, Any]) -> str:
    """Name of the row of advice on a line that has no code."""
    webhook, due, right = (fields.get(name) for name in ("webhook", "due", "right"))
    if due == "stuck" or right:
        return "check_refused" if right else "due_stuck"
    return "" if webhook in (None, "ok") else "webhook_lost" if webhook == "lost" else "webhook_failed"


def token_lines(
    token: str, claims: Mapping[str, Any], now: datetime, secrets: Secrets, language: str
) -> list[str]:
    """Kind and content of a token, and whether its signature is right."""
    audience = claims.get("aud")
    kind, signer = KINDS.get(audience, OTHER_KIND) if isinstance(audience, str) else OTHER_KIND
    signers = getattr(secrets, signer)
    verdict = _verdict(token, signers, now) if signers else "unsure"
    comma = "：" if language == "zh" else ": "
    lines = [f"{kind.say(language)}{comma}{WORDS[verdict].say(language)}"]
    for name, value in claims.items():
        instant = _instant_in(claims, name)
        if name == "exp" and instant:
            lines.append(expiry_line(instant, now, language))
        else:
            text = f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else shown("", value, language)
            lines.append(f"  {printable(name):<10} {text}")
    return lines


def _instant_in(claims: Mapping[str, Any], name: str) -> datetime | None:
    with suppress(Unauthorized):
        return signed_tokens.time_claim(claims, name) if name in INSTANTS else None
    return None


def _verdict(token: str, secrets: tuple[str, ...], now: datetime) -> str:
    """Return whether one of the secrets signed it; when it ends does not matter."""
    try:
        signed_tokens.read_token(token, audience="", secrets=secrets, now=now, from_backend=True)
    except Unauthorized as error:
        return "right" if error.reason == "for another audience" else "wrong"
    return "right"


def owner_lines(openid: str, secrets: Secrets, language: str) -> list[str]:
    if not secrets.owner:
        return [WORDS["no_secret"].say(language)]
    owners = [
        (called, owner_of(openid, secrets.owner, "" if is_unnamed else called))
        for called, is_unnamed in secrets.callers.items()
    ]
    if len(owners) == 1:
        return [WORDS["owner"].say(language, owner=owners[0][1])]
    return [WORDS["owner"].say(language, owner=""), *(f"  {owner}  {called}" for called, owner in owners)]
