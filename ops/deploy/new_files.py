"""Own files of a new project: what the chosen features need, with comments in one language."""

import secrets
import string
import tomllib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from function.auth import CallerKinds
from function.config.green import ALIYUN, endpoint_of
from ops.deploy.callers import SEVERAL
from ops.deploy.features import FEATURES
from ops.terminal.language import Text

ANONYMOUS, WECHAT = "anonymous", "wechat"
CALLER_KINDS = (WECHAT, "alipay", "douyin", "jwt", SEVERAL, ANONYMOUS)
SEEN_BY_OTHERS = 'read = "callers"'
SUGGESTED = {"JWT_ALGORITHM": "HS256"}
NEEDED_CALLERS = {"check_scene": (WECHAT,), "list": CALLER_KINDS[:-1], "delete": CALLER_KINDS[:-1]}


class Answers(NamedTuple):
    """Answers to the questions of ``init``; ``features`` are names of ``FEATURES``."""

    bucket: str
    region: str
    caller_auth: str
    app_id: str
    app_secret: str
    features: Collection[str]
    ai_label_code: str = ""


@cache
def _pieces() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def _note(kind: str, name: str, language: str) -> str:
    """Return a comment; empty where there is none."""
    texts = _pieces()[kind].get(name)
    return f"# {Text(*texts).say(language)}" if texts else ""


def profiles_text(answers: Answers, language: str) -> str:
    lines = [_note("head", "profiles", language)]
    # A request that names no profile means [default].
    chosen = [name for name in _pieces()["tables"] if name in answers.features] or ["pictures"]
    for name in chosen:
        lines += ["", *_table(name, answers, language)]
    return "\n".join(lines) + "\n"


def _table(name: str, answers: Answers, language: str) -> Iterator[str]:
    table, feature = _pieces()["tables"][name], FEATURES[name]
    yield f"[{feature.profile}]"
    yield f'title = "{Text(*table["title"]).say(language)}"'
    chosen = dict(feature.options)
    for shared in ("ai-label", "quota"):
        if shared in answers.features:
            chosen |= FEATURES[shared].options
    options = table["options"].split("\n")[:-1] + [f"{option} = {value}" for option, value in chosen.items()]
    # Where nobody says who they are, nothing is anybody's own.
    owner = '"callers"' if answers.caller_auth == ANONYMOUS else '"owner"'
    options = [
        line.replace('"owner"', owner)
        for line in options
        if answers.caller_auth in NEEDED_CALLERS.get(line.partition(" ")[0], CALLER_KINDS)
    ]
    checker = _checker(answers)
    if "check" in answers.features and checker and "hold" not in chosen and SEEN_BY_OTHERS in options:
        # Nobody checks a document.
        options = [*(line.replace(', "application/pdf"', "") for line in options), 'hold = ["check"]']
    if any(line.startswith("hold ") for line in options):
        options += [f'check_by = ["{ALIYUN}"]'] * (checker == ALIYUN)
        # Only pictures can be cleaned.
        if "ai-label" in answers.features and not any("video/" in line for line in options):
            options.append("strip = true")
    for line in options:
        written = line if checker else line.replace(', "check"', "")
        yield f"{written:<31} {_note('options', line.partition(' ')[0], language)}".rstrip()
    yield f"[{feature.profile}.variants]"
    yield from table["variants"].splitlines()


def _checker(answers: Answers) -> str:
    """WeChat checks what its own users send, Aliyun anybody's; empty where it is in no region nearby."""
    if answers.caller_auth == WECHAT:
        return WECHAT
    return ALIYUN if endpoint_of(answers.region) else ""


def env_text(answers: Answers, language: str) -> str:
    values = {
        "OSS_BUCKET": answers.bucket,
        "OSS_REGION": answers.region,
        "STS_ROLE_ARN": "",
        "CALLER_AUTH": answers.caller_auth,
        "TOKEN_SECRET": secrets.token_urlsafe(32),
        "RECEIPT_SECRET": secrets.token_urlsafe(32),
    }
    if answers.caller_auth == WECHAT:
        values |= {"WECHAT_APPID": answers.app_id, "WECHAT_SECRET": answers.app_secret}
        if "check" in answers.features:
            values |= {"WECHAT_PUSH_TOKEN": _letters(32), "WECHAT_PUSH_AES_KEY": _letters(43)}
            values["STS_SESSION_SECONDS"] = "5400"
    elif answers.caller_auth == SEVERAL:
        values["MAIN_SECRET"] = answers.app_secret
    else:
        rows = CallerKinds()[answers.caller_auth].settings
        known = {**SUGGESTED, **dict.fromkeys(("ALIPAY_APP_ID", "DOUYIN_APPID"), answers.app_id)}
        values |= {row.name: known.get(row.name, "") for row in rows if row.is_needed}
    if "quota" in answers.features:
        values |= {"QUOTA_URL": "", "QUOTA_WHEN_DOWN": "deny"}
    if "ai-label" in answers.features:
        values["AI_LABEL_CODE"] = answers.ai_label_code
    lines = [_note("head", "env", language)]
    for name, value in values.items():
        lines += [*filter(None, [_note("settings", name, language)]), f"{name}={value}"]
    return "\n".join(lines) + "\n"


def callers_text(answers: Answers, language: str) -> str:
    return f"{_note('head', 'callers', language)}\n{_pieces()['callers']}".replace("APPID", answers.app_id)


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))
